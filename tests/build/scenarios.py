# SPDX-License-Identifier: MIT
#
# scenarios — the table of CPython's scenarios names tests that exist, and all
# that were written for it.

import re
import sys

from names import TEST
from tap import Fixture, run

PAGE = 'docs/explanation/cpython-scenarios.md'
# The suites that were written for the page.
PORTED = ('as_completed', 'taskgroup', 'timeouts')
SEPARATOR = re.compile(r'\|(?:-+\|)+')
THEIRS = re.compile(r'`(_?test_\w+)`')
OURS = re.compile(r'`(\w+\.\w+)`')
EXCUSE = re.compile(r'does not apply: \w')


def tests(tree):
    """{suite.name: its file} of every unit test."""
    found = {}
    for source in tree.sources('tests/unit', suffixes=('.c',)):
        for match in TEST.finditer(source.statements):
            found[f'{match[1]}.{match[2]}'] = source.path
    return found


def rows(tree, page):
    """(line, section, cells) of the page's tables."""
    tree.looked_count += 1
    section, is_inside = '', False
    for number, line in enumerate(tree.source(page).lines, 1):
        if line.startswith('## '):
            section = line[3:]
        if not line.startswith('|'):
            is_inside = False
        elif is_inside:
            cells = line.strip().strip('|').split('|')
            yield number, section, [cell.strip() for cell in cells]
        elif SEPARATOR.fullmatch(line):
            is_inside = True


def exist(tree):
    known = tests(tree)
    for line, _, cells in rows(tree, PAGE):
        for name in OURS.findall(cells[-1]):
            if name not in known:
                yield f'{PAGE}:{line}: there is no test {name}'


def complete(tree):
    for line, _, cells in rows(tree, PAGE):
        if len(cells) != 3:
            yield f'{PAGE}:{line}: {len(cells)} cells, not 3'
        elif not THEIRS.search(cells[0]) or not cells[1]:
            yield f'{PAGE}:{line}: names no scenario, or no promise'
        elif not OURS.search(cells[2]) and not EXCUSE.match(cells[2]):
            yield f'{PAGE}:{line}: neither a test nor why it does not apply'


def once(tree):
    seen = {}
    for line, section, cells in rows(tree, PAGE):
        for name in THEIRS.findall(cells[0]):
            first = seen.setdefault((section, name), line)
            if first != line:
                yield f'{PAGE}:{line}: {name} is in line {first} already'


def ported(tree):
    named = {name for _, _, cells in rows(tree, PAGE)
             for name in OURS.findall(cells[-1])}
    for name, path in tests(tree).items():
        if name.split('.')[0] in PORTED and name not in named:
            yield f'{path}:1: {name} is not on the page'


EXIST = 'every test on the page exists'
COMPLETE = 'every scenario has a test, or a reason why not'
ONCE = 'every scenario is told once'
PORTED_RULE = 'every test written for the page is on it'

RULES = {
    EXIST: exist,
    COMPLETE: complete,
    ONCE: once,
    PORTED_RULE: ported,
}

UNIT = {'tests/unit/scope_test.c': 'Test(scope, joins)\n{\n}\n'
        'Test(\n    scope, does_not_join, .timeout = 1)\n{\n}\n'
        '// Test(scope, was_here)\n'}
HEAD = '# Scenarios\n\n## A\n\n| CPython | promise | Tenon |\n|---|---|---|\n'
GOOD = (HEAD + '| `test_a`, `test_b` | ends | `scope.joins` |\n'
        '| `test_c` | too | `scope.joins`, `scope.does_not_join` — a word |\n'
        '| `test_d` | repr | does not apply: nothing is printed |\n\n'
        'Not `scope.in_a_table`.\n\n## B\n\n| CPython | promise | Tenon |\n'
        '|---|---|---|\n| `test_a` | other | `scope.joins` |\n')


def page(text, **more):
    return {PAGE: text, **UNIT, **more}


FIXTURES = [
    Fixture(EXIST, 'a test that does not exist',
            page(GOOD.replace('`scope.joins`', '`scope.rejoins`', 1)),
            f'{PAGE}:7: there is no test scope.rejoins'),
    Fixture(EXIST, 'a test of another suite',
            page(GOOD.replace('scope.does_not', 'join.does_not')),
            f'{PAGE}:8: there is no test join.does_not_join'),
    Fixture(EXIST, 'a test in a comment',
            page(GOOD.replace('does_not_join', 'was_here')),
            'there is no test scope.was_here'),
    Fixture(EXIST, 'a test that does not exist in a later table',
            page(GOOD + '| `test_e` | late | `scope.rejoins` |\n'),
            f'{PAGE}:18: there is no test scope.rejoins'),
    Fixture(EXIST, 'no page', UNIT, 'No such file'),
    Fixture(EXIST, 'tests on one line and on two', page(GOOD)),
    Fixture(COMPLETE, 'a scenario without a test',
            page(GOOD.replace('`scope.joins` |', 'to be done |', 1)),
            f'{PAGE}:7: neither'),
    Fixture(COMPLETE, 'no reason why it does not apply',
            page(GOOD.replace(': nothing is printed', ':')),
            f'{PAGE}:9: neither'),
    Fixture(COMPLETE, 'a row without a promise',
            page(GOOD.replace('| ends |', '| |')), f'{PAGE}:7: names no'),
    Fixture(COMPLETE, 'a row without its last cell',
            page(GOOD.replace('repr | ', '')), f'{PAGE}:9: 2 cells'),
    Fixture(COMPLETE, 'tests and a reason', page(GOOD)),
    Fixture(ONCE, 'a scenario told twice',
            page(GOOD.replace('`test_c`', '`test_b`')),
            f'{PAGE}:8: test_b is in line 7 already'),
    Fixture(ONCE, 'one name in two tables', page(GOOD)),
    Fixture(PORTED_RULE, 'a ported test that is not told of',
            page(GOOD, **{'tests/unit/timeouts_test.c':
                          'Test(timeouts, end)\n{\n}\n'}),
            'tests/unit/timeouts_test.c:1: timeouts.end is not'),
    Fixture(PORTED_RULE, 'one that is, beside tests of other suites',
            page(GOOD.replace('`scope.joins`', '`timeouts.end`', 1),
                 **{'tests/unit/timeouts_test.c':
                    'Test(timeouts, end)\n{\n}\n'})),
]

if __name__ == '__main__':
    sys.exit(run(RULES, FIXTURES))
