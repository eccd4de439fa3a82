# SPDX-License-Identifier: MIT
#
# headers — every header compiles alone, in each language its readers use.

import functools
import shutil
import subprocess
import sys

from tap import Fixture, Skip, run

WARNINGS = ['-Wall', '-Wextra', '-Wpedantic', '-Wshadow', '-Wundef', '-Werror']
C11 = ['-x', 'c', '-std=c11', '-Wstrict-prototypes']
CPP17 = ['-x', 'c++', '-std=c++17']
# Sources define it before their first include; users need not.
PRIVATE = ['-D_GNU_SOURCE', '-Isrc']


def compile_alone(tree, compiler, options, header):
    """The compiler's errors for a file that includes the header, twice."""
    stub = f'#include "{header}"\n#include "{header}"\nint main(void);\n'
    command = [compiler, *options, *WARNINGS, '-Iinclude', '-fsyntax-only', '-']
    result = subprocess.run(
        command, input=stub, cwd=tree.root, capture_output=True, text=True)
    errors = [s for s in result.stderr.splitlines() if 'error' in s]
    if result.returncode != 0 and not errors:
        errors = [result.stderr.strip() or 'failed without a word']
    return errors


def alone(folder, compiler, options, tree):
    if shutil.which(compiler) is None:
        raise Skip(f'{compiler} is not installed')
    for source in tree.sources(folder, suffixes=('.h',)):
        header = source.path[len(folder) + 1:]
        for error in compile_alone(tree, compiler, options, header):
            yield f'{source.path}:1: {error}'


def rules():
    for compiler in ('gcc', 'clang'):
        yield (f'public headers compile alone as C11 with {compiler}',
               functools.partial(alone, 'include', compiler, C11))
    for compiler in ('g++', 'clang++'):
        yield (f'public headers compile alone as C++17 with {compiler}',
               functools.partial(alone, 'include', compiler, CPP17))
    for compiler in ('gcc', 'clang'):
        yield (f'private headers compile alone as C11 with {compiler}',
               functools.partial(alone, 'src', compiler, [*C11, *PRIVATE]))


def fixtures(name):
    folder = 'include/tenon' if name.startswith('public') else 'src/sync'
    path = f'{folder}/a.h'
    yield Fixture(name, 'a header that lacks an include',
                  {path: 'uint64_t tenon_now(void);\n'}, f'{path}:1')
    yield Fixture(name, 'a header without a guard',
                  {path: 'struct tenon_a { int x; };\n'}, 'redefinition')
    yield Fixture(name, 'an unused parameter',
                  {path: '#pragma once\nstatic inline int tenon_a(int x)\n{\n'
                   '    return 1;\n}\n'}, 'unused')
    yield Fixture(name, 'a guarded header that includes what it uses',
                  {path: '#ifndef A\n#define A\n#include <stdint.h>\n'
                   'static inline uint64_t tenon_a(uint64_t x)\n{\n'
                   '    return x;\n}\n#endif\n'})
    if 'C++' in name:
        yield Fixture(name, 'a name that C++ keeps for itself',
                      {path: 'int tenon_a(int class);\n'}, f'{path}:1')
    else:
        yield Fixture(name, 'an empty parameter list',
                      {path: 'int tenon_a();\n'}, 'prototype')


RULES = dict(rules())
FIXTURES = [fixture for name in RULES for fixture in fixtures(name)]

if __name__ == '__main__':
    sys.exit(run(RULES, FIXTURES))
