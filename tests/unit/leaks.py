# SPDX-License-Identifier: MIT
#
# leaks — runs a Criterion program and fails if LeakSanitizer said something.
#
# Criterion has its verdict before a test's process ends, and LeakSanitizer
# speaks only then.

import subprocess
import sys


def main():
    result = subprocess.run(sys.argv[1:], stderr=subprocess.PIPE)
    sys.stderr.buffer.write(result.stderr)
    if b'ERROR: LeakSanitizer' in result.stderr:
        return 1
    return 1 if result.returncode != 0 else 0


if __name__ == '__main__':
    sys.exit(main())
