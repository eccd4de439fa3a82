# SPDX-License-Identifier: MIT
#
# tap — runs rules over a tree of sources, and each rule over trees that break it.
#
# A rule is a function that takes a Tree and returns problems, lines of text. A
# fixture is a small tree that one rule must catch, or must accept. A rule
# without a fixture that it catches, and a rule that looked at no file, fail:
# a check that cannot fail checks nothing.

import argparse
import os
import pathlib
import tempfile
import traceback

from tree import Tree

DETAIL_LINES = 200


class Skip(Exception):
    """A tool is missing. Under CI that is a failure."""


class Fixture:
    def __init__(self, rule, title, files, problem=None):
        self.rule = rule        # the name of the rule it is for
        self.title = title
        self.files = files      # {path: text}
        self.problem = problem  # part of the problem's text; None: accepted


class Report:
    """Prints one line of TAP per point."""

    def __init__(self, count):
        self.number = 0
        self.failed_count = 0
        print('TAP version 13')
        print(f'1..{count}', flush=True)

    def point(self, title, problems, skip=None):
        self.number += 1
        title = title.replace('#', 'number ')
        if skip and os.environ.get('CI'):
            problems = [*problems, f'{skip}; under CI nothing is skipped']
            skip = None
        if problems:
            self.failed_count += 1
        verdict = 'not ok' if problems else 'ok'
        suffix = f' # SKIP {skip}' if skip else ''
        print(f'{verdict} {self.number} - {title}{suffix}')
        for line in problems[:DETAIL_LINES]:
            print(f'#   {line}')
        if len(problems) > DETAIL_LINES:
            print(f'#   ... and {len(problems) - DETAIL_LINES} more')
        print(end='', flush=True)


def call(rule, tree):
    """The rule's problems and the reason to skip it; a crash is a problem."""
    try:
        problems = sorted(set(rule(tree)), key=by_place)
    except Skip as reason:
        return [], str(reason)
    except Exception:
        return traceback.format_exc().splitlines(), None
    if tree.looked_count == 0:
        problems.append('looked at no file')
    return problems, None


def by_place(problem):
    path, _, rest = problem.partition(':')
    line = rest.partition(':')[0]
    return path, int(line) if line.isdigit() else 0, problem


def try_fixture(rules, fixture):
    """What is wrong with the rule, judging by the fixture."""
    with tempfile.TemporaryDirectory(prefix='tenon-check-') as root:
        for path, text in fixture.files.items():
            file = pathlib.Path(root, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding='utf-8')
        problems, skip = call(rules[fixture.rule], Tree(root))
    if skip:
        return [], skip
    if fixture.problem is None:
        return [f'wrongly rejected: {line}' for line in problems], None
    if any(fixture.problem in line for line in problems):
        return [], None
    return [f'expected a problem with "{fixture.problem}"', *problems], None


def source_root():
    return pathlib.Path(__file__).resolve().parents[2]


def run(rules, fixtures):
    parser = argparse.ArgumentParser(description='Prints TAP.')
    parser.add_argument('--root', default=source_root(), help='of the sources')
    root = parser.parse_args().root
    report = Report(len(rules) + len(fixtures))
    for name, rule in rules.items():
        problems, skip = call(rule, Tree(root))
        if not any(f.rule == name and f.problem for f in fixtures):
            problems.append('no fixture breaks this rule')
        report.point(name, problems, skip)
    for fixture in fixtures:
        verb = 'accepts' if fixture.problem is None else 'catches'
        report.point(
            f'{fixture.rule}: {verb} {fixture.title}',
            *try_fixture(rules, fixture))
    return 1 if report.failed_count else 0
