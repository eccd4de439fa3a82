# SPDX-License-Identifier: MIT
#
# points — tests in Python without a tree to read: a function is a point, and
# yields what is wrong.

import traceback

from tap import Report

POINTS = []


def point(title):
    """Have the function below be a point of this program."""
    def register(function):
        POINTS.append((title, function))
        return function
    return register


def differ(what, got, expected):
    if got != expected:
        yield f'{what}: expected {expected!r}, got {got!r}'


def run():
    report = Report(len(POINTS))
    for title, function in POINTS:
        try:
            problems = list(function())
        except Exception:
            problems = traceback.format_exc().splitlines()
        report.point(title, problems)
    return 1 if report.failed_count else 0
