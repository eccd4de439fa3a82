# SPDX-License-Identifier: MIT
#
# format — the layout is the one clang-format gives (style.md, 31).

import re
import shutil
import subprocess
import sys

from tap import Fixture, Skip, run

# Another version would give another layout.
MAJOR = '14'
PLACE = re.compile(r'^(\S+?):(\d+):\d+: error: ')


def clang_format():
    for name in (f'clang-format-{MAJOR}', 'clang-format'):
        if shutil.which(name):
            version = subprocess.run(
                [name, '--version'], capture_output=True, text=True).stdout
            if f'version {MAJOR}.' in version:
                return name
    raise Skip(f'clang-format {MAJOR} is not installed')


def formatted(tree):
    tool = clang_format()
    suffixes = ('.c', '.h', '.cc', '.cpp', '.hpp')
    paths = [source.path for source in tree.sources('', suffixes=suffixes)]
    result = subprocess.run(
        [tool, '--dry-run', '-Werror', '--style=file', *paths],
        cwd=tree.root, capture_output=True, text=True)
    lines = {}
    for match in map(PLACE.match, result.stderr.splitlines()):
        if match:
            lines.setdefault(match[1], []).append(match[2])
    for path, places in lines.items():
        yield (f'{path}:{places[0]}: {len(places)} places differ from '
               f'{tool} -i')
    if result.returncode != 0 and not lines:
        yield f'{tool} failed: {result.stderr.strip()}'


FORMATTED = 'every C file is formatted'
RULES = {FORMATTED: formatted}
STYLE = 'BasedOnStyle: LLVM\nIndentWidth: 4\n'

FIXTURES = [
    Fixture(FORMATTED, 'two spaces for four',
            {'.clang-format': STYLE,
             'src/a.c': 'int f(int x) {\n  x++;\n  return x;\n}\n'},
            'src/a.c:1: 2 places differ'),
    Fixture(FORMATTED, 'a style that cannot be read',
            {'.clang-format': 'Nonsense: 1\n', 'src/a.c': 'int x;\n'},
            '.clang-format:1'),
    Fixture(FORMATTED, 'a file in its layout',
            {'.clang-format': STYLE,
             'src/a.c': 'int f(int x) {\n    x++;\n    return x;\n}\n'}),
]

if __name__ == '__main__':
    sys.exit(run(RULES, FIXTURES))
