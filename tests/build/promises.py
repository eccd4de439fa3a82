# SPDX-License-Identifier: MIT
#
# promises — the table of promises names tests, headers and pages that exist.

import posixpath
import re
import sys

from scenarios import rows, tests
from tap import Fixture, run

PAGE = 'docs/explanation/promises.md'
NAME = re.compile(r'`([^`]*)`')
LINK = re.compile(r'\[[^]]+\]\(([^)]+)\)')
PROGRAM = re.compile(r'\bint main\(')
UNIT = re.compile(r'\w+\.\w+')
# Of what else a promise may be kept by: the file that has to be there, and, if
# it is a program, its main.
KINDS = (
    (re.compile(r'stress-(\w+)'), 'tests/stress/{}.c', True),
    (re.compile(r'model (\w+)'), 'tests/model/{}.c', True),
    (re.compile(r'page ([\w-]+)'), 'docs/howto/{}.md', False),
)


def is_there(tree, name, units):
    """Is it a test, of whatever kind?"""
    if UNIT.fullmatch(name):
        return name in units
    for kind, path, is_program in KINDS:
        match = kind.fullmatch(name)
        if match:
            file = path.format(match[1])
            return tree.has(file) and (
                not is_program or
                PROGRAM.search(tree.source(file).code) is not None)
    return False


def tested(tree):
    units = tests(tree)
    for line, _, cells in rows(tree, PAGE):
        names = NAME.findall(cells[1]) if len(cells) > 1 else []
        for name in names:
            if not is_there(tree, name, units):
                yield f'{PAGE}:{line}: there is no test {name}'
        if not names:
            yield f'{PAGE}:{line}: no test'


def declared(tree):
    for line, _, cells in rows(tree, PAGE):
        names = NAME.findall(cells[2]) if len(cells) > 2 else []
        for name in names:
            if not tree.has('include/tenon/' + name):
                yield f'{PAGE}:{line}: there is no header {name}'
        if not names:
            yield f'{PAGE}:{line}: no header'


def shown(tree):
    for line, _, cells in rows(tree, PAGE):
        if len(cells) != 4:
            yield f'{PAGE}:{line}: {len(cells)} cells, not 4'
        for link in LINK.findall(cells[-1]):
            path = posixpath.normpath(
                posixpath.join(posixpath.dirname(PAGE), link))
            if not tree.has(path):
                yield f'{PAGE}:{line}: there is no page {path}'


def once(tree):
    seen = {}
    for line, section, cells in rows(tree, PAGE):
        first = seen.setdefault((section, cells[0]), line)
        if cells[0] == '':
            yield f'{PAGE}:{line}: promises nothing'
        elif first != line:
            yield f'{PAGE}:{line}: is line {first} again'


TESTED = 'every promise has tests, and they exist'
DECLARED = 'every promise has a header, and it exists'
SHOWN = 'every page that shows a promise exists'
ONCE = 'every promise is told once'

RULES = {TESTED: tested, DECLARED: declared, SHOWN: shown, ONCE: once}

ROW = '| ends | {} | `scope.h` | [01](../tutorial/01-first.c) |\n'
GOOD = ('# Promises\n\n## A\n\n| promise | tests | header | pages |\n'
        '|---|---|---|---|\n' +
        ROW.format('`scope.joins`, `stress-tree`') +
        '| waits | `model deque`, `page retry` | `scope.h`, `wait.h` | |\n')
TREE = {
    'tests/unit/scope_test.c': 'Test(scope, joins)\n{\n}\n'
    '// Test(scope, was_here)\n',
    'tests/stress/tree.c': 'int main(void)\n{\n}\n',
    'tests/stress/random.c': '// int main(void)\n',
    'tests/model/deque.c': 'int main(void)\n{\n}\n',
    'docs/howto/retry.md': '# Retry\n',
    'docs/tutorial/01-first.c': '',
    'include/tenon/scope.h': '',
    'include/tenon/wait.h': '',
}


def page(text):
    return {PAGE: text, **TREE}


def replaced(old, new):
    return page(GOOD.replace(old, new))


FIXTURES = [
    Fixture(TESTED, 'a unit test that does not exist',
            replaced('scope.joins', 'scope.rejoins'),
            f'{PAGE}:7: there is no test scope.rejoins'),
    Fixture(TESTED, 'a unit test in a comment',
            replaced('scope.joins', 'scope.was_here'),
            'there is no test scope.was_here'),
    Fixture(TESTED, 'a stress program that does not exist',
            replaced('stress-tree', 'stress-wood'),
            f'{PAGE}:7: there is no test stress-wood'),
    Fixture(TESTED, 'a stress program that is none',
            replaced('stress-tree', 'stress-random'),
            'there is no test stress-random'),
    Fixture(TESTED, 'a model that does not exist',
            replaced('model deque', 'model heap'),
            f'{PAGE}:8: there is no test model heap'),
    Fixture(TESTED, 'a page with a program that does not exist',
            replaced('page retry', 'page forget'),
            'there is no test page forget'),
    Fixture(TESTED, 'a test of no kind',
            replaced('`stress-tree`', '`tree`'), 'there is no test tree'),
    Fixture(TESTED, 'a promise without a test',
            replaced('`model deque`, `page retry`', 'to be done'),
            f'{PAGE}:8: no test'),
    Fixture(TESTED, 'no page', TREE, 'No such file'),
    Fixture(TESTED, 'tests of all kinds', page(GOOD)),
    Fixture(DECLARED, 'a header that does not exist',
            replaced('wait.h', 'weight.h'),
            f'{PAGE}:8: there is no header weight.h'),
    Fixture(DECLARED, 'a promise without a header',
            replaced('`scope.h`, `wait.h`', ''), f'{PAGE}:8: no header'),
    Fixture(DECLARED, 'one header and two', page(GOOD)),
    Fixture(SHOWN, 'a page that does not exist',
            replaced('01-first', '01-last'),
            f'{PAGE}:7: there is no page docs/tutorial/01-last.c'),
    Fixture(SHOWN, 'a row without its last cell',
            replaced('`wait.h` | |', '`wait.h` |'), f'{PAGE}:8: 3 cells'),
    Fixture(SHOWN, 'a page, and none', page(GOOD)),
    Fixture(ONCE, 'a promise told twice',
            replaced('| waits |', '| ends |'), f'{PAGE}:8: is line 7 again'),
    Fixture(ONCE, 'a row without a promise',
            replaced('| waits |', '| |'), f'{PAGE}:8: promises nothing'),
    Fixture(ONCE, 'one promise under two headings',
            page(GOOD + '\n## B\n' + GOOD.split('## A\n')[1])),
]

if __name__ == '__main__':
    sys.exit(run(RULES, FIXTURES))
