# SPDX-License-Identifier: MIT
#
# program — runs one program of the tutorial and compares what it prints with
# the text expected, with several numbers of workers. Speaks TAP.
#
#     program.py PROGRAM EXPECTED

import difflib
import os
import re
import subprocess
import sys

# None: as many as the machine gives.
WORKER_COUNTS = [None, "1", "2", "4"]
DEADLINE_SECONDS = 60


def run(program, worker_count):
    environment = dict(os.environ)
    environment.pop("TENON_NUM_THREADS", None)
    if worker_count is not None:
        environment["TENON_NUM_THREADS"] = worker_count
    return subprocess.run(
        [program],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=DEADLINE_SECONDS,
        check=False,
    )


def complaints(result, expected):
    # The place of an error: the path depends on the build directory, and the
    # line of a call that has several on the compiler.
    printed = re.sub(
        r"\S*docs/tutorial/(\S+\.c):\d+", r"\1:LINE", result.stdout.decode()
    )
    lines = list(
        difflib.unified_diff(
            expected.splitlines(),
            printed.splitlines(),
            "expected",
            "printed",
            lineterm="",
        )
    )
    if result.returncode != 0:
        lines.append(f"exit status {result.returncode}")
    if result.stderr:
        lines.append(f"on standard error: {result.stderr!r}")
    return lines


def main():
    program, expected_path = sys.argv[1:]
    with open(expected_path, encoding="utf-8") as file:
        expected = file.read()
    name = os.path.basename(program)

    print(f"1..{len(WORKER_COUNTS)}")
    is_good = True
    for number, worker_count in enumerate(WORKER_COUNTS, 1):
        lines = complaints(run(program, worker_count), expected)
        for line in lines:
            print(f"# {line}")
        is_good = is_good and not lines
        workers = worker_count or "default"
        print(f"{'not ok' if lines else 'ok'} {number} - {name}, workers: {workers}")
    return 0 if is_good else 1


sys.exit(main())
