# SPDX-License-Identifier: MIT
#
# results — what the logs of meson test say: how many passed, what failed.
#
# meson stores what a test printed, not how many points it had. So points are
# counted here: the lines of a TAP stream, or one for a test that has only an
# exit status. A point that was promised and never came has failed. A test that
# ended badly has failed at least once, whatever it printed; so has one without
# any point.

import argparse
import json
import pathlib
import re
import sys
import tempfile

POINT = re.compile(r'^(not )?ok\b(.*)$', re.M)
GOOD_POINT = re.compile(r'^(?:ok\b|TAP version|1\.\.).*\n', re.M)
PLAN = re.compile(r'^1\.\.(\d+)(.*)$', re.M)
SKIP = re.compile(r'#\s*skip', re.I)
GOOD = ('OK', 'EXPECTEDFAIL')
SKIPPED_STATUS = 77
SHOWN_LINES = 200


class Count:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __eq__(self, other):
        return vars(self) == vars(other)

    def __str__(self):
        return (f'{self.passed} passed, {self.failed} failed, '
                f'{self.skipped} skipped')


def count_points(output):
    count = Count()
    for negation, rest in POINT.findall(output):
        if negation:
            count.failed += 1
        elif SKIP.search(rest):
            count.skipped += 1
        else:
            count.passed += 1
    return count


def count_test(test):
    """One line of testlog.json."""
    output, result = test.get('stdout') or '', test['result']
    plan = PLAN.search(output)
    if plan is None:
        if result == 'SKIP' and test.get('returncode') == SKIPPED_STATUS:
            return Count(skipped=1)
        return Count(passed=1) if result in GOOD else Count(failed=1)
    count = count_points(output)
    promised = int(plan[1])
    if promised == 0 and SKIP.search(plan[2]) and result == 'SKIP':
        return Count(skipped=1)
    seen = count.passed + count.failed + count.skipped
    count.failed += max(0, promised - seen)
    is_bad = result not in (*GOOD, 'SKIP') or seen != promised or seen == 0
    if is_bad and count.failed == 0:
        count.failed = 1
    return count


def read_logs(folder):
    """Every test of every log below the folder; None where a log was cut."""
    for log in sorted(pathlib.Path(folder).glob('**/meson-logs/*.json')):
        with log.open(encoding='utf-8') as lines:
            for line in lines:
                try:
                    test = json.loads(line)
                    yield test if 'result' in test else None
                except (ValueError, TypeError):
                    yield None


def count_logs(folder):
    total = Count()
    for test in read_logs(folder):
        total.add(count_test(test) if test else Count(failed=1))
    return total


def show_failures(folder):
    """What failed tests printed, without the points that were good."""
    for test in filter(None, read_logs(folder)):
        if count_test(test).failed == 0:
            continue
        output = test.get('stdout') or ''
        if PLAN.search(output):
            output = GOOD_POINT.sub('', output)
        print(f'\n--- failed: {test["name"]}: {test["result"]}, '
              f'status {test.get("returncode")}')
        lines = (output + (test.get('stderr') or '')).strip().splitlines()
        print('\n'.join([*lines[:SHOWN_LINES], '']))
        if len(lines) > SHOWN_LINES:
            print(f'... and {len(lines) - SHOWN_LINES} lines more\n')


CASES = [
    ('a good program', '', 'OK', 0, Count(1)),
    ('a program that prints "ok"', 'ok then\n', 'OK', 0, Count(1)),
    ('a bad program', '', 'FAIL', 1, Count(0, 1)),
    ('a bad program that prints "ok"', 'ok 1\nok 2\n', 'FAIL', 1, Count(0, 1)),
    ('a program that died', '', 'FAIL', -6, Count(0, 1)),
    ('a program that hung', '', 'TIMEOUT', -15, Count(0, 1)),
    ('a program that fails as it should', '', 'EXPECTEDFAIL', 1, Count(1)),
    ('a program that should fail', '', 'UNEXPECTEDPASS', 0, Count(0, 1)),
    ('a skipped program', '', 'SKIP', 77, Count(0, 0, 1)),
    ('a program skipped in silence', '', 'SKIP', 0, Count(0, 1)),
    ('points', '1..3\nok 1 - a\nok 2 - b\n# ok\n  ok\nok - c (0.01s)\n', 'OK',
     0, Count(3)),
    ('a bad point', '1..2\nok 1\nnot ok 2 - b # oh\n', 'ERROR', 1, Count(1, 1)),
    ('skipped points', '1..3\nok 1 # SKIP no\nok 2 - b  # skip\nok 3\n', 'OK',
     0, Count(1, 0, 2)),
    ('only skipped points', '1..1\nok 1 # SKIP no\n', 'SKIP', 0, Count(0, 0, 1)),
    ('a test that is not wanted here', '1..0 # SKIP no cgroup\n', 'SKIP', 0,
     Count(0, 0, 1)),
    ('no points', '1..0\n', 'SKIP', 0, Count(0, 1)),
    ('a crash between points', '1..3\nok 1\n', 'ERROR', -6, Count(1, 2)),
    ('a crash after the last point', '1..1\nok 1\n', 'ERROR', -11, Count(1, 1)),
    ('a hang between points', '1..2\nok 1\n', 'TIMEOUT', -15, Count(1, 1)),
    ('a stream that stops', '1..3\nok 1\nok 2\n', 'OK', 0, Count(2, 1)),
    ('more points than promised', '1..1\nok 1\nok 2\n', 'ERROR', 0, Count(2, 1)),
    ('a race after the last point', '1..2\nok 1\nok 2\n', 'ERROR', 66,
     Count(2, 1)),
    ('a bad point that was expected', '1..1\nnot ok 1 # TO' 'DO\n', 'OK', 0,
     Count(0, 1)),
]


def try_cases():
    print(f'1..{len(CASES) + 2}')
    number, all_good = 0, True

    def point(title, expected, got):
        nonlocal number, all_good
        number += 1
        all_good &= expected == got
        print(f'{"ok" if expected == got else "not ok"} {number} - {title}')
        if expected != got:
            print(f'#   expected {expected}, got {got}')

    logs, total = [], Count()
    for title, output, result, status, expected in CASES:
        test = {'stdout': output, 'result': result, 'returncode': status}
        logs.append(json.dumps(test))
        total.add(expected)
        point(title, expected, count_test(test))
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder, 'debug', 'meson-logs', 'testlog.json')
        log.parent.mkdir(parents=True)
        log.write_text('\n'.join(logs) + '\n')
        point('a whole log', total, count_logs(folder))
        log.write_text(logs[0] + '\n' + logs[1][:20])
        point('a log that was cut', Count(1, 1), count_logs(folder))
    return 0 if all_good else 1


def main():
    parser = argparse.ArgumentParser(
        description='Exits with 1 if a test failed or none ran.')
    parser.add_argument('folder', nargs='?', help='with the build folders')
    parser.add_argument('--failures', action='store_true',
                        help='print also what failed tests printed')
    parser.add_argument('--self-test', action='store_true', help='prints TAP')
    arguments = parser.parse_args()
    if arguments.self_test:
        return try_cases()
    if arguments.failures:
        show_failures(arguments.folder)
    count = count_logs(arguments.folder)
    print(count)
    return 0 if count.failed == 0 and count.passed > 0 else 1


if __name__ == '__main__':
    sys.exit(main())
