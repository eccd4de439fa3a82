# SPDX-License-Identifier: MIT
#
# symbols — what the built library exports, and what its objects share.

import functools
import os
import pathlib
import re
import subprocess
import sys

from tap import Fixture, Skip, run, source_root
from tree import declarations, function_name

PUBLIC = re.compile(r'tenon_\w+')
WORD = re.compile(r'\w+')
SHARED = re.compile(r'(?:tenon|tn)_\w+')
# The letters of nm for what others may use.
DEFINED = set('ABCDGRSTVWi')


def compiled(tree):
    """Build the C files of a fixture as a library of the given kind."""
    sources = [s.path for s in tree.sources('src', suffixes=('.c',))]
    library = tree.root / 'build' / 'libtenon.so.0'
    library.parent.mkdir(exist_ok=True)
    subprocess.run(
        ['cc', '-shared', '-fPIC', '-fvisibility=hidden', '-Iinclude',
         '-o', library, *sources], cwd=tree.root, check=True)
    for path in sources:
        objects = library.parent / 'libtenon.so.0.p'
        objects.mkdir(exist_ok=True)
        subprocess.run(
            ['cc', '-c', '-fPIC', '-Iinclude', path, '-o',
             objects / (path.replace('/', '_') + '.o')],
            cwd=tree.root, check=True)
    return library.parent


def build_folder(tree):
    if tree.root != source_root():
        return compiled(tree)
    if 'TENON_BUILD_ROOT' not in os.environ:
        raise Skip('run it by meson test: it reads the built library')
    return pathlib.Path(os.environ['TENON_BUILD_ROOT'])


def names(file, *options):
    """The names of the symbols that the file defines for others."""
    output = subprocess.run(
        ['nm', '--defined-only', *options, file],
        capture_output=True, text=True, check=True).stdout
    for line in output.splitlines():
        fields = line.split()
        if len(fields) >= 2 and fields[-2] in DEFINED:
            yield fields[-1].split('@')[0]


def libraries(tree):
    folder = build_folder(tree)
    found = [p for p in [*folder.glob('libtenon.so*'),
                         *folder.glob('src/libtenon.so*')]
             if p.is_file() and not p.is_symlink()]
    if not found:
        raise FileNotFoundError(f'no libtenon.so below {folder}')
    return found


def objects(tree):
    folder = build_folder(tree)
    found = [p for p in folder.glob('**/*.o')
             if p.relative_to(folder).parts[0].startswith(('libtenon', 'src'))]
    if not found:
        raise FileNotFoundError(f'no objects of the library below {folder}')
    return found


@functools.lru_cache(maxsize=None)
def exported(tree):
    return {name for file in libraries(tree) for name in names(file, '-D')}


def declared(tree):
    """{name: place} of what public headers declare as TENON_API."""
    found = {}
    for source in tree.sources('include', suffixes=('.h',)):
        for line, text in declarations(source):
            if text.startswith('TENON_API '):
                name = function_name(text) or WORD.findall(text)[-1]
                found[name] = f'{source.path}:{line}'
    return found


def export_only_public(tree):
    tree.looked_count += 1
    public = declared(tree)
    for name in exported(tree):
        if not PUBLIC.fullmatch(name):
            yield f'libtenon.so: exports {name}'
        elif name not in public:
            yield f'libtenon.so: exports {name}, which no public header declares'


def export_all_public(tree):
    for name, place in declared(tree).items():
        if name not in exported(tree):
            yield f'{place}: {name} is declared, but libtenon.so lacks it'


def share_with_prefix(tree):
    for file in objects(tree):
        tree.looked_count += 1
        for name in names(file, '-g'):
            if not SHARED.fullmatch(name):
                yield f'{file.name}: {name} is visible to all, without tn_'


ONLY_PUBLIC = 'the library exports what public headers declare'
ALL_PUBLIC = 'the library has all that public headers declare'
PREFIX = 'what source files share has a prefix'

RULES = {
    ONLY_PUBLIC: export_only_public,
    ALL_PUBLIC: export_all_public,
    PREFIX: share_with_prefix,
}

HEADER = ('#define TENON_API __attribute__((visibility("default")))\n'
          '#define TENON_ATOMIC(type) _Atomic(type)\n'
          'TENON_API int tenon_do(\n    int x);\n'
          'TENON_API extern TENON_ATOMIC(int) tenon_epoch;\n'
          'TENON_API extern const char *tenon_text;\n')
SOURCE = ('#include "tenon/a.h"\n_Atomic(int) tenon_epoch;\n'
          'const char *tenon_text;\n'
          'int tn_help(int x)\n{\n    return x;\n}\n'
          'static int help(int x)\n{\n    return tn_help(x);\n}\n'
          'int tenon_do(int x)\n{\n    return help(x);\n}\n')
EXPORT = '__attribute__((visibility("default"))) '


def library(more='', header=HEADER):
    return {'include/tenon/a.h': header, 'src/a.c': SOURCE + more}


FIXTURES = [
    Fixture(ONLY_PUBLIC, 'an internal function',
            library(EXPORT + 'int tn_more(int x)\n{\n    return x;\n}\n'),
            'exports tn_more'),
    Fixture(ONLY_PUBLIC, 'a variable', library(EXPORT + 'int count = 3;\n'),
            'exports count'),
    Fixture(ONLY_PUBLIC, 'a function that no header has',
            library(EXPORT + 'int tenon_more(int x)\n{\n    return x;\n}\n'),
            'exports tenon_more, which'),
    Fixture(ONLY_PUBLIC, 'public functions and variables', library()),
    Fixture(ALL_PUBLIC, 'a function that was never written',
            library('', HEADER + 'TENON_API void tenon_more(void);\n'),
            'tenon_more is declared'),
    Fixture(ALL_PUBLIC, 'a complete library', library()),
    Fixture(PREFIX, 'a function that should be static',
            library('int helper(int x)\n{\n    return x;\n}\n'), 'helper'),
    Fixture(PREFIX, 'a variable that should be static',
            library('int count;\n'), 'count'),
    Fixture(PREFIX, 'static and prefixed functions', library()),
]

if __name__ == '__main__':
    sys.exit(run(RULES, FIXTURES))
