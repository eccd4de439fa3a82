# SPDX-License-Identifier: MIT
#
# files — licence, first sentence, size and leftovers (style.md, 15, 17, 18).

import re
import sys

from tap import Fixture, run

C = ('.c', '.h', '.cc', '.cpp', '.hpp')
ALL = (*C, '.py', '.sh', 'meson.build', 'meson.options', 'meson_options.txt',
       '.ci/run')
SPDX = 'SPDX-License-Identifier: MIT'
NAME_LINE = re.compile(r'(?:[\w.-]+[ /])*([\w.-]+) — \S')
LINES_MAX = 600
UNFINISHED = re.compile(r'\b(TO' r'DO|FIX' r'ME|XX' r'X|HA' r'CK)\b')
ISSUE = re.compile(r'#\d+|\bissue \d+')


def ours(tree):
    """Every file that somebody wrote by hand in a language with comments."""
    yield from tree.sources('', suffixes=ALL)
    if tree.has('dev'):
        tree.looked_count += 1
        yield tree.source('dev')


def licence(tree):
    for source in ours(tree):
        mark = '//' if source.path.endswith(C) else '#'
        lines = source.lines
        if lines and lines[0].startswith('#!'):
            lines = lines[1:]
        if lines[:2] != [f'{mark} {SPDX}', mark]:
            yield f'{source.path}:1: does not begin with "{mark} {SPDX}", "{mark}"'


def idea(tree):
    for source in ours(tree):
        mark = '//' if source.path.endswith(C) else '#'
        first = 3 if source.text.startswith('#!') else 2
        line = (source.lines[first:] or [''])[0]
        match = NAME_LINE.match(line[len(mark) + 1:])
        if not line.startswith(mark + ' ') or match is None:
            yield f'{source.path}:{first + 1}: not "{mark} name — one sentence"'
        elif not is_name_of(match[1], source) and source.stem != 'main':
            yield f'{source.path}:{first + 1}: "{match[1]}" is another name'


def is_name_of(name, source):
    folder = source.path.split('/')[-2] if '/' in source.path else ''
    is_listing = source.name.startswith('meson')
    return name in (source.name, source.stem) or (is_listing and (
        name in (folder, 'meson', 'build', 'options') or folder == ''))


def size(tree):
    for source in tree.sources('', suffixes=(*ALL, '.md')):
        if len(source.lines) >= LINES_MAX:
            yield (f'{source.path}:{len(source.lines)}: holds two ideas: '
                   f'{LINES_MAX} lines or more')


def conditions(tree):
    for source in tree.sources('src'):
        if source.path.startswith('src/base/'):
            continue
        is_header = source.path.endswith('.h')
        for line, name, rest in source.directives:
            if name not in ('if', 'ifdef', 'ifndef', 'elif'):
                continue
            if is_header and not is_inside_body(source, line):
                continue
            if rest != '__cplusplus':
                yield f'{source.path}:{line}: #{name} {rest} above src/base'


def is_inside_body(source, line):
    before = '\n'.join(source.statements.split('\n')[:line - 1])
    return before.count('{') > before.count('}')


def disabled(tree):
    for source in tree.sources('', suffixes=C):
        for line, name, rest in source.directives:
            if name in ('if', 'elif') and rest in ('0', '(0)', 'false', '1'):
                yield f'{source.path}:{line}: #{name} {rest}: dead code'


def unfinished(tree):
    for source in ours(tree):
        for number, line in enumerate(source.lines, 1):
            match = UNFINISHED.search(line)
            if match and not ISSUE.search(line):
                yield f'{source.path}:{number}: {match[1]} without an issue'


def whitespace(tree):
    for source in tree.sources('', suffixes=(*ALL, '.md')):
        for number, line in enumerate(source.text.split('\n'), 1):
            is_markdown = source.path.endswith('.md')
            if '\t' in line or (line != line.rstrip() and not is_markdown):
                yield f'{source.path}:{number}: a tab or a space at the end'
        if source.text and not source.text.endswith('\n'):
            yield f'{source.path}:{len(source.lines)}: no newline at the end'


LICENCE = 'every file begins with its licence'
IDEA = 'every file says its idea in its third line'
SIZE = 'every file is short'
CONDITIONS = 'conditions stay in src/base and in headers'
DISABLED = 'no code is switched off'
UNFINISHED_RULE = 'what is unfinished names its issue'
WHITESPACE = 'no tabs, no trailing spaces'

RULES = {
    LICENCE: licence,
    IDEA: idea,
    SIZE: size,
    CONDITIONS: conditions,
    DISABLED: disabled,
    UNFINISHED_RULE: unfinished,
    WHITESPACE: whitespace,
}

HEAD = f'// {SPDX}\n//\n// a — an example.\n'
SCRIPT = f'#!/bin/sh\n# {SPDX}\n#\n# dev — an example.\n'

FIXTURES = [
    Fixture(LICENCE, 'a source without licence',
            {'src/a.c': '// a — an example.\n'}, 'src/a.c:1'),
    Fixture(LICENCE, 'another licence',
            {'a.py': '# SPDX-License-Identifier: GPL-2.0\n#\n'}, 'a.py:1'),
    Fixture(LICENCE, 'a script without licence',
            {'dev': '#!/bin/sh\n\n# dev — an example.\n'}, 'dev:1'),
    Fixture(LICENCE, 'an empty file', {'src/a.h': ''}, 'src/a.h:1'),
    Fixture(LICENCE, 'licences in C and in scripts',
            {'src/a.c': HEAD, 'dev': SCRIPT, '.ci/run': SCRIPT}),
    Fixture(IDEA, 'a file without a sentence',
            {'src/a.c': f'// {SPDX}\n//\n// a\n'}, 'src/a.c:3'),
    Fixture(IDEA, 'a hyphen for a dash',
            {'src/a.c': HEAD.replace('—', '-')}, 'src/a.c:3'),
    Fixture(IDEA, 'a sentence about another file',
            {'src/b.c': HEAD}, '"a" is another name'),
    Fixture(IDEA, 'a script without a sentence',
            {'dev': f'#!/bin/sh\n# {SPDX}\n#\n\n'}, 'dev:4'),
    Fixture(IDEA, 'the name, alone or below its folder',
            {'src/a.c': HEAD, 'dev': SCRIPT,
             'bench/fib/a.c': HEAD.replace('a —', 'fib a —')}),
    Fixture(SIZE, 'a file of 600 lines',
            {'src/a.c': '\n' * 600}, 'src/a.c:600'),
    Fixture(SIZE, 'a file of 599 lines', {'src/a.c': '\n' * 599}),
    Fixture(CONDITIONS, '#ifdef in a source',
            {'src/sync/a.c': '#ifdef X\n#endif\n'}, 'src/sync/a.c:1'),
    Fixture(CONDITIONS, '#elif in a source',
            {'src/sync/a.c': '# elif X\n'}, '#elif X'),
    Fixture(CONDITIONS, '#if in a function of a header',
            {'src/sync/a.h': '#ifndef A\nstatic int f(void)\n{\n#if X\n}\n'},
            'src/sync/a.h:4'),
    Fixture(CONDITIONS, 'guards and base',
            {'src/sync/a.h': '#ifndef A\n#define A\n#ifdef X\n#endif\n#endif\n',
             'src/sync/b.c': '#ifdef __cplusplus\n#endif\n// #if X\n',
             'src/base/a.c': '#ifdef X\n#endif\n'}),
    Fixture(DISABLED, '#if 0', {'tests/a.c': '#if 0\n#endif\n'}, 'tests/a.c:1'),
    Fixture(UNFINISHED_RULE, 'a note without issue',
            {'src/a.c': '// TO' 'DO: later\n'}, 'src/a.c:1'),
    Fixture(UNFINISHED_RULE, 'a note in a script',
            {'dev': '# FIX' 'ME\n'}, 'dev:1'),
    Fixture(UNFINISHED_RULE, 'a note with an issue',
            {'src/a.c': '// TO' 'DO(#12): later\n'}),
    Fixture(WHITESPACE, 'a tab', {'src/a.c': '\tint x;\n'}, 'src/a.c:1'),
    Fixture(WHITESPACE, 'a space at the end', {'src/a.c': 'int x; \n'},
            'src/a.c:1'),
    Fixture(WHITESPACE, 'a last line without end', {'src/a.c': 'int x;'},
            'src/a.c:1'),
]

if __name__ == '__main__':
    sys.exit(run(RULES, FIXTURES))
