# SPDX-License-Identifier: MIT
#
# scripts — every script parses, and ./dev does what its help says.

import ast
import pathlib
import re
import shutil
import subprocess
import sys

from tap import Fixture, run

SHELLS = ('sh', 'bash')
COMMANDS = re.compile(r'^  ([a-z]+)\b', re.M)
CASES = re.compile(r'^([a-z |-]+)\) ', re.M)


def scripts(tree):
    """(source, interpreter) of everything that begins with #!."""
    paths = [p for p in tree.paths
             if p.endswith(('.sh', '.py')) or '.' not in pathlib.Path(p).name]
    for path in paths:
        source = tree.source(path)
        if source.text.startswith('#!'):
            tree.looked_count += 1
            yield source, source.lines[0].split('/')[-1].split()[-1]


def parses(tree):
    for source in tree.sources('', suffixes=('.py',)):
        try:
            ast.parse(source.text)
        except SyntaxError as error:
            yield f'{source.path}:{error.lineno}: {error.msg}'
    for source, shell in scripts(tree):
        if shell in SHELLS and shutil.which(shell):
            result = subprocess.run([shell, '-n', source.file],
                                    capture_output=True, text=True)
            if result.returncode != 0:
                yield f'{source.path}:1: {result.stderr.strip()}'


def executable(tree):
    for source, _ in scripts(tree):
        if not source.file.stat().st_mode & 0o111:
            yield f'{source.path}:1: begins with #!, but is not executable'


def dev(tree, *arguments):
    tree.looked_count += 1
    return subprocess.run(
        ['sh', 'dev', *arguments], cwd=tree.root, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60)


def helps(tree):
    """The help lists what the last `case` of ./dev knows, and nothing else."""
    result = dev(tree, 'help')
    listed = COMMANDS.findall(result.stdout)
    last_case = tree.source('dev').text.rsplit('\ncase ', 1)[-1]
    known = [word.strip() for line in CASES.findall(last_case)
             for word in line.split('|')]
    known = [word for word in known if not word.startswith('-')]
    if result.returncode != 0:
        yield f'dev:1: help ends with {result.returncode}: {result.stderr}'
    for word in set(known) - set(listed):
        yield f'dev:1: help does not mention {word}'
    for word in set(listed) - set(known):
        yield f'dev:1: help promises {word}'


def refuses(tree):
    """At once: nothing has been built by then."""
    for arguments in (['nonsense'], ['test', 'nonsense'], ['lint', 'nonsense']):
        result = dev(tree, *arguments)
        if result.returncode == 0:
            yield f'dev:1: accepts {" ".join(arguments)}'
        if 'nonsense' not in result.stderr:
            yield f'dev:1: does not name what is wrong with {arguments}'
        if '==>' in result.stdout:
            yield f'dev:1: begins before it refuses {" ".join(arguments)}'


PARSES = 'every script parses'
EXECUTABLE = 'every script can be executed'
HELPS = './dev help lists every command'
REFUSES = './dev refuses what it does not know'

RULES = {
    PARSES: parses,
    EXECUTABLE: executable,
    HELPS: helps,
    REFUSES: refuses,
}

DEV = '''#!/bin/sh
case $1 in
demo | test | lint) [ $# -eq 1 ] || { echo "no $2" >&2; exit 1; } ;;
help) printf '  demo  a\\n  test  b\\n  lint  c\\n  help  d\\n' ;;
*) echo "no $1" >&2; exit 1 ;;
esac
'''

FIXTURES = [
    Fixture(PARSES, 'an open bracket in Python', {'a.py': 'x = (\n'}, 'a.py:1'),
    Fixture(PARSES, 'a loop without end', {'dev': '#!/bin/sh\nfor x in y; do\n'},
            'dev:1'),
    Fixture(PARSES, 'good scripts', {'dev': DEV, 'a.py': 'x = 1\n'}),
    Fixture(EXECUTABLE, 'a script without the right', {'a.sh': DEV}, 'a.sh:1'),
    Fixture(HELPS, 'a command without help',
            {'dev': DEV.replace('  test  b\\n', '')}, 'not mention test'),
    Fixture(HELPS, 'help without a command',
            {'dev': DEV.replace('demo | ', '')}, 'promises demo'),
    Fixture(HELPS, 'complete help', {'dev': DEV}),
    Fixture(REFUSES, 'a script that does anything',
            {'dev': '#!/bin/sh\necho "$1" >&2\n'}, 'accepts'),
    Fixture(REFUSES, 'a script that takes any suite',
            {'dev': DEV.replace('[ $# -eq 1 ] ||', 'true ||')}, 'test nonsense'),
    Fixture(REFUSES, 'a script that builds before it looks',
            {'dev': DEV.replace('[ $#', 'echo "==> x"; [ $#')}, 'begins'),
    Fixture(REFUSES, 'a script that does not say what is wrong',
            {'dev': '#!/bin/sh\nexit 1\n'}, 'does not name'),
    Fixture(REFUSES, 'a refusal', {'dev': DEV}),
]

if __name__ == '__main__':
    sys.exit(run(RULES, FIXTURES))
