# SPDX-License-Identifier: MIT
#
# harness — runs treesum, makes the trees it is run on, and runs the tests,
# each in an empty directory of its own. Nothing here waits by sleeping for a
# time that should suffice: it polls for what it waits for, with a deadline.

import contextlib
import fcntl
import hashlib
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
import traceback

DEADLINE_SECONDS = 120
ENDLESS_BYTES = 1 << 40  # sparse; minutes to hash
BLOCK_BYTES = 128 * 1024

TREESUM = os.path.abspath(sys.argv[1])
ENVIRONMENT = dict(os.environ, LC_ALL="C.UTF-8", TERM="xterm")
ENVIRONMENT.pop("TENON_NUM_THREADS", None)

TESTS = []
STARTED = []  # processes of the test that runs


class Skip(Exception):
    """Why a test cannot be done here."""


def test(function):
    TESTS.append(function)
    return function


# Running it.


def start(*args, prefix=(), **kwargs):
    options = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "env": ENVIRONMENT,
    }
    options.update(kwargs)
    process = subprocess.Popen([*prefix, TREESUM, *args], **options)
    STARTED.append(process)
    return process


def finish(process):
    process.output, process.errors = process.communicate(
        timeout=DEADLINE_SECONDS
    )
    return process


def kill_leftovers():
    for process in STARTED:
        if process.poll() is None:
            process.kill()
            process.wait()
    STARTED.clear()


def run(*args, **kwargs):
    return finish(start(*args, **kwargs))


def expect(result, status, output=None, errors=None):
    assert result.returncode == status, (
        f"exit status {result.returncode}, not {status}; "
        f"{result.output[-500:]!r}; {result.errors[-2000:]!r}"
    )
    if output is not None:
        assert result.output == output, (result.output[-2000:], output[-2000:])
    if errors is not None:
        assert result.errors == errors, result.errors[-2000:]


def wait_until(what, condition):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what}: waited in vain"
        time.sleep(0.005)


def open_files(process):
    directory = f"/proc/{process.pid}/fd"
    names = []
    for fd in os.listdir(directory):
        with contextlib.suppress(FileNotFoundError):
            names.append(os.readlink(f"{directory}/{fd}"))
    return names


def wait_for_open(process, name):
    path = os.path.realpath(name)
    wait_until(f"{name} to be open", lambda: path in open_files(process))


# Trees, made in the current directory, which is empty when a test begins.


def write(path, content=b"content\n"):
    directory = os.path.dirname(path)
    if directory:
        os.makedirs(directory, exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def write_endless(path):
    write(path, b"")
    os.truncate(path, ENDLESS_BYTES)


def make_tree(top):
    write(f"{top}/empty", b"")
    write(f"{top}/block", b"x" * BLOCK_BYTES)
    write(f"{top}/blocks", os.urandom(3 * BLOCK_BYTES + 17))
    write(f"{top}/large", os.urandom(1 << 20) * 9)
    os.makedirs(f"{top}/nothing/at/all")
    write(f"{top}/a/c")
    write(f"{top}/a-b")
    write(f"{top}/a0")
    write(f"{top}/a/b/c/d/e/f/g")
    write(f"{top}/.hidden")
    write(f"{top}/ leading and trailing ")
    write(f"{top}/-dash")
    write(f"{top}/*star*")
    write(f"{top}/new\nline\n/new\nline")
    write(f"{top}/back\\slash")
    write(f"{top}/back\\nslash")
    write(f"{top}/carriage\rreturn")
    write(f"{top}/\u00e4\u20ac")
    write(os.fsencode(top) + b"/\xff\xfe\x80")
    write(os.fsencode(top) + b"/\x1b[31mred\x07")
    for number in range(1000):
        write(f"{top}/many/{number % 7}/{number}", b"%d" % number)


def sha256sum_of(top):
    command = 'find "$1" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum'
    return subprocess.run(
        ["sh", "-c", command, "sh", top], stdout=subprocess.PIPE, check=True
    ).stdout


def expect_checked(output):
    write("sums", output)
    result = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "sums"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    os.unlink("sums")
    assert result.returncode == 0, result.stdout


def line_of(path, content):
    return b"%s  %s\n" % (
        hashlib.sha256(content).hexdigest().encode(),
        os.fsencode(path),
    )


# A terminal.


class Terminal:
    """A pseudo-terminal that controls a process."""

    def __enter__(self):
        self.master, self.slave = pty.openpty()
        return self

    def __exit__(self, *_):
        os.close(self.master)
        if self.slave is not None:
            os.close(self.slave)

    def start(self, *args, **kwargs):
        def take_terminal():
            fcntl.ioctl(2, termios.TIOCSCTTY, 0)

        process = start(
            *args,
            stdin=self.slave,
            stderr=self.slave,
            start_new_session=True,
            preexec_fn=take_terminal,
            **kwargs,
        )
        os.close(self.slave)
        self.slave = None
        return process

    def read(self):
        """What is there; b"" when the other end is closed or says nothing."""
        if not select.select([self.master], [], [], DEADLINE_SECONDS)[0]:
            return b""
        try:
            return os.read(self.master, 4096)
        except OSError:
            return b""

    def read_until(self, pattern):
        text = b""
        while not re.search(pattern, text):
            more = self.read()
            assert more, f"{pattern} is not in {text}"
            text += more
        return text


# Running the tests.


def run_test(function):
    """None if well, else why not."""
    directory = tempfile.mkdtemp(prefix="treesum-test-")
    os.chdir(directory)
    try:
        function()
    except Skip:
        raise
    except Exception:  # whatever it is, the other tests go on
        return traceback.format_exc()
    finally:
        kill_leftovers()
        os.chdir("/")
        shutil.rmtree(directory, ignore_errors=True)
    return None


def main():
    # Children of a background job of a shell would ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    wanted = sys.argv[2:]
    tests = [f for f in TESTS if not wanted or f.__name__ in wanted]
    is_good = True

    print(f"1..{len(tests)}", flush=True)
    for number, function in enumerate(tests, 1):
        name = f"{number} - {function.__name__}"
        try:
            trouble = run_test(function)
        except Skip as reason:
            print(f"ok {name} # SKIP {reason}", flush=True)
            continue
        for line in (trouble or "").splitlines():
            print(f"# {line}")
        is_good = is_good and trouble is None
        print(f"{'not ok' if trouble else 'ok'} {name}", flush=True)
    return 0 if is_good else 1
