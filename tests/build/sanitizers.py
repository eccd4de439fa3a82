# SPDX-License-Identifier: MIT
#
# sanitizers — the sanitizers of this build report what they should, and stop.
#
# Left to themselves they report a fault and go on, and a test that only looks
# at exit statuses passes. ./dev sets the options that make them stop.

import subprocess
import sys

from tap import Report

# The fault, and what its report says.
FAULTS = {
    'thread': {'race': 'data race'},
    'address': {
        'leak': 'detected memory leaks',
        'use-after-free': 'heap-use-after-free',
        'use-after-return': 'stack-use-after-return',
    },
    'undefined': {'overflow': 'signed integer overflow'},
}


def run(program, *arguments):
    return subprocess.run(
        [program, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=60)


def reported(program, fault, words):
    result = run(program, fault)
    if words not in result.stderr:
        yield f'no report with "{words}"'
        yield from result.stderr.splitlines()
    if result.returncode == 0:
        yield 'a report, but exit status 0: are the options of ./dev set?'


def silent(program):
    result = run(program)
    if result.returncode != 0 or result.stderr:
        yield f'exit status {result.returncode}'
        yield from result.stderr.splitlines()


def main(program, sanitizers):
    faults = [(fault, words) for name in sanitizers.split(',')
              for fault, words in FAULTS[name].items()]
    report = Report(len(faults) + 1)
    report.point('a program without a fault passes', list(silent(program)))
    for fault, words in faults:
        report.point(f'{fault} is reported and stops the program',
                     list(reported(program, fault, words)))
    return 1 if report.failed_count else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
