# SPDX-License-Identifier: MIT
#
# treesum — what the last program of the tutorial promises, compared with
# sha256sum over prepared trees. Speaks TAP.
#
#     treesum.py TREESUM [NAME]...     (only the tests of these names)

import contextlib
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys

from harness import (
    DEADLINE_SECONDS,
    ENVIRONMENT,
    Skip,
    TREESUM,
    Terminal,
    expect,
    expect_checked,
    finish,
    line_of,
    main,
    make_tree,
    open_files,
    run,
    sha256sum_of,
    start,
    test,
    wait_for_open,
    wait_until,
    write,
    write_endless,
)


# What it prints.


@test
def output_equals_that_of_sha256sum():
    make_tree("tree")
    expect(run("tree"), 0, sha256sum_of("tree"), b"")
    expect(run("."), 0, sha256sum_of("."), b"")
    expect(run("tree/"), 0, sha256sum_of("tree/"), b"")
    here = os.getcwd()
    expect(run(here), 0, sha256sum_of(here), b"")


@test
def sha256sum_check_accepts_output():
    make_tree("tree")
    result = run("tree")
    expect(result, 0)
    expect_checked(result.output)
    write("tree/a0", b"changed")
    with contextlib.suppress(AssertionError):
        expect_checked(result.output)
        raise RuntimeError("the check accepts anything")


@test
def output_is_the_same_for_any_number_of_jobs():
    make_tree("tree")
    expected = sha256sum_of("tree")
    for count in ("1", "2", "4", "16"):
        for _ in range(5):
            expect(run("--jobs", count, "tree"), 0, expected, b"")


@test
def arguments_keep_their_order():
    write("b", b"1")
    write("a", b"2")
    write("d/x", b"3")
    expected = (
        line_of("b", b"1")
        + line_of("d/x", b"3")
        + line_of("a", b"2")
        + line_of("b", b"1")
    )
    expect(run("b", "d", "a", "b"), 0, expected, b"")
    expect(run("--", "b", "d", "a", "b"), 0, expected, b"")


@test
def names_are_escaped_as_sha256sum_does():
    for name in ("a\nb", "a\\b", "a\rb", "a\tb", "\\", "\n"):
        write(name)
        expected = subprocess.run(
            ["sha256sum", "--", name], stdout=subprocess.PIPE, check=True
        ).stdout
        expect(run("--", name), 0, expected, b"")


@test
def paths_that_only_look_like_options_are_paths():
    write("-dash", b"")
    expect(run("--", "-dash"), 0, line_of("-dash", b""), b"")
    write("-", b"")
    expect(run("./-"), 0, line_of("./-", b""), b"")


@test
def an_empty_directory_prints_nothing():
    os.mkdir("empty")
    expect(run("empty"), 0, b"", b"")


@test
def a_tree_deeper_than_the_longest_path_is_walked():
    top = os.getcwd()
    names = ["d" * 200] * 50
    for name in names:
        os.mkdir(name)
        os.chdir(name)
    write("bottom", b"deep")
    os.chdir(top)
    path = "/".join([".", *names, "bottom"])
    assert len(path) > 2 * 4096
    expect(run("."), 0, line_of(path, b"deep"), b"")


@test
def open_files_are_bounded_by_jobs_not_by_the_tree():
    for outer in range(30):
        for inner in range(30):
            write(f"tree/{outer}/{inner}/file")
    limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
    result = run("--jobs", "4", "tree", preexec_fn=limit)
    expect(result, 0, sha256sum_of("tree"), b"")


# What is not a regular file.


@test
def links_below_a_directory_are_passed_over():
    write("tree/file")
    write("outside/other")
    os.symlink("file", "tree/link")
    os.symlink("../outside", "tree/directory")
    os.symlink("nowhere", "tree/dangling")
    os.symlink("loop", "tree/loop")
    expect(run("tree"), 0, line_of("tree/file", b"content\n"), b"")


@test
def a_link_as_argument_is_followed():
    write("tree/file")
    os.symlink("tree", "link")
    os.symlink("tree/file", "file-link")
    expected = line_of("link/file", b"content\n") + line_of(
        "file-link", b"content\n"
    )
    expect(run("link", "file-link"), 0, expected, b"")


@test
def special_files_below_a_directory_are_passed_over():
    write("tree/file")
    os.mkfifo("tree/fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("tree/socket")
    with contextlib.suppress(PermissionError):
        os.mknod("tree/null", 0o666 | 0o020000, os.makedev(1, 3))
    expect(run("tree"), 0, line_of("tree/file", b"content\n"), b"")


@test
def special_files_as_arguments_are_errors():
    os.mkfifo("fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
    for path in ("fifo", "socket", "/dev/null"):
        result = run(path)
        expect(result, 1, b"")
        expected = f"'{path}': neither a regular file nor a directory".encode()
        assert expected in result.errors, result.errors


# Errors.


def expect_error(path, reason, shown=None):
    write("good", b"")
    result = run(path, "good")
    expect(result, 1, line_of("good", b""))
    expected = f"'{shown or path}': {reason}".encode()
    assert expected in result.errors, result.errors


@test
def a_missing_file_is_an_error():
    expect_error("missing", "No such file or directory")


@test
def a_dangling_link_as_argument_is_an_error():
    os.symlink("nowhere", "dangling")
    expect_error("dangling", "No such file or directory")


@test
def a_loop_of_links_is_an_error():
    os.symlink("loop", "loop")
    expect_error("loop", "Too many levels of symbolic links")


@test
def a_path_below_a_file_is_an_error():
    write("file")
    expect_error("file/x", "Not a directory")


@test
def an_empty_path_is_an_error():
    write("good", b"")
    result = run("", "good")
    expect(result, 1, line_of("good", b""))
    assert b"'': No such file or directory" in result.errors, result.errors


@test
def a_name_too_long_is_an_error_and_shows_its_end():
    result = run("x" * 5000 + "-end")
    expect(result, 1, b"")
    assert re.search(
        rb"'\.\.\.x+-end': File name too long", result.errors
    ), result.errors


@test
def a_file_that_cannot_be_read_is_an_error():
    # A regular file by its type; reading address 0 fails, for root too.
    if not os.path.exists("/proc/self/mem"):
        raise Skip("no /proc")
    expect_error("/proc/self/mem", "Input/output error")


@test
def what_may_not_be_opened_is_an_error():
    # Root may open everything, but not without these capabilities.
    caps = "--bounding-set=-dac_override,-dac_read_search"
    prefix = ("setpriv", caps) if os.geteuid() == 0 else ()
    write("tree/secret")
    write("tree/closed/file")
    write("tree/open")
    os.chmod("tree/secret", 0)
    os.chmod("tree/closed", 0)
    result = run("tree", prefix=prefix)
    os.chmod("tree/closed", 0o700)
    expect(result, 1, line_of("tree/open", b"content\n"))
    for path in (b"tree/secret", b"tree/closed"):
        assert b"'%s': Permission denied" % path in result.errors


@test
def what_vanishes_or_changes_while_it_waits_is_an_error():
    # With one job: whether the first or the last entry is taken first, it is
    # an endless one, and what lies between has been listed and waits.
    write_endless("tree/a-endless")
    write("tree/directory/file")
    write("tree/directory-to-file/file")
    write("tree/file")
    write("tree/file-to-fifo")
    write("tree/file-to-link")
    write_endless("tree/z-endless")
    process = start("--jobs", "1", "tree")
    wait_until(
        "an endless file to be open",
        lambda: any(name.endswith("-endless") for name in open_files(process)),
    )
    shutil.rmtree("tree/directory")
    shutil.rmtree("tree/directory-to-file")
    write("tree/directory-to-file")
    os.unlink("tree/file")
    os.unlink("tree/file-to-fifo")
    os.mkfifo("tree/file-to-fifo")
    os.unlink("tree/file-to-link")
    os.symlink("/etc/passwd", "tree/file-to-link")
    os.truncate("tree/a-endless", 0)
    os.truncate("tree/z-endless", 0)
    finish(process)
    assert process.returncode == 1, process.errors
    for expected in (
        b"'tree/directory': No such file or directory",
        b"'tree/directory-to-file': Not a directory",
        b"'tree/file': No such file or directory",
        b"'tree/file-to-fifo': no longer a regular file",
        b"'tree/file-to-link': Too many levels of symbolic links",
    ):
        assert expected in process.errors, (expected, process.errors)
    assert process.output.count(b"\n") == 2, process.output


@test
def messages_are_safe_on_a_terminal():
    name = b"missing\x1b[2J\n\t\r\x07\\'\xff\xc2\x9b\xc3\xa4"
    result = run(name)
    expect(result, 1, b"")
    shown = rb"'missing\033[2J\n\t\r\007\\\'\377\302\233" + b"\xc3\xa4'"
    assert shown in result.errors, result.errors
    ascii_only = run(name, env=dict(ENVIRONMENT, LC_ALL="C"))
    assert rb"\303\244'" in ascii_only.errors, ascii_only.errors


@test
def every_error_is_counted_and_some_are_shown():
    missing = [f"missing-{number}" for number in range(100)]
    write("good", b"")
    result = run("--max-errors", "3", "good", *missing)
    expect(result, 1, line_of("good", b""))
    shown = result.errors.count(b"No such file")
    assert 3 <= shown <= 4, result.errors
    assert b"100" in result.errors, result.errors
    result = run("--max-errors", "200", "good", *missing)
    assert result.errors.count(b"No such file") == 100, result.errors


@test
def output_that_cannot_be_written_is_an_error():
    write("file")
    with open("/dev/full", "wb") as full:
        result = run("file", stdout=full)
        assert result.returncode == 1, result.returncode
        assert b"No space left on device" in result.errors, result.errors
        result = run("--help", stdout=full)
        assert result.returncode == 1, result.returncode
    result = run("file", stdout=None, preexec_fn=lambda: os.close(1))
    assert result.returncode == 1, result.returncode
    assert b"standard output" in result.errors, result.errors


# Ends before the end.


@test
def fail_fast_stops_the_others():
    write_endless("endless")
    result = run("--fail-fast", "--jobs", "2", "endless", "missing")
    expect(result, 1, b"")
    assert b"'missing': No such file" in result.errors, result.errors
    assert b"incomplete: stopped by the first error" in result.errors


@test
def a_timeout_prints_what_was_finished():
    write("finished", b"")
    write_endless("endless")
    # With two jobs the empty file never waits for the endless one.
    result = run("--jobs", "2", "--timeout", "1s", "finished", "endless")
    expect(result, 124, line_of("finished", b""))
    assert b"incomplete: stopped by the time limit" in result.errors, result.errors


@test
def a_timeout_that_is_not_reached_changes_nothing():
    write("file", b"")
    for limit in ("1h", "10m", "600s", "600000ms", "2562047h"):
        expect(run("--timeout", limit, "file"), 0, line_of("file", b""), b"")


@test
def errors_beside_a_timeout_are_shown():
    write_endless("endless")
    result = run("--jobs", "2", "--timeout", "1s", "endless", "missing")
    expect(result, 124, b"")
    assert b"'missing': No such file" in result.errors, result.errors


def interrupt(number):
    write("finished", b"")
    write_endless("endless")
    process = start("--jobs", "2", "finished", "endless")
    wait_for_open(process, "endless")
    process.send_signal(number)
    finish(process)
    assert process.returncode == 128 + number, process.returncode
    lines = [b"", line_of("finished", b"")]  # it may have been in time
    assert process.output in lines, process.output
    name = signal.Signals(number).name.encode()
    expected = b"incomplete: stopped by " + name
    assert expected in process.errors, process.errors


@test
def signals_end_it_and_everything_is_joined():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        interrupt(number)


@test
def a_signal_ignored_before_stays_ignored():
    write_endless("endless")
    process = start(
        "endless",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    wait_for_open(process, "endless")
    process.send_signal(signal.SIGINT)
    os.truncate("endless", 0)
    finish(process)
    expect(process, 0)


# Usage.


@test
def nonsense_is_refused():
    write("file")
    for args in (
        [],
        ["-"],
        ["--unknown", "file"],
        ["-j", "1", "file"],
        ["--help=x"],
        *(
            [f"--{option}={value}", "file"]
            for option in ("jobs", "max-errors")
            for value in ("", "0", "-1", "+1", " 1", "1 ", "1x", "x", "1e3")
        ),
        ["--jobs=65536", "file"],
        ["--jobs=18446744073709551617", "file"],
        ["--max-errors=1000001", "file"],
        *(
            [f"--timeout={value}", "file"]
            for value in ("", "5", "s", "0s", "-1s", "1.5s", "5 s", "5ss", "5d")
        ),
        ["--timeout=2562048h", "file"],
        ["--timeout=99999999999999999999s", "file"],
        ["file", "--jobs"],
    ):
        result = run(*args)
        assert result.returncode == 2, (args, result.returncode)
        assert result.output == b"", args
        assert result.errors.startswith(b"treesum: ") or (
            TREESUM.encode() in result.errors
        ), (args, result.errors)


@test
def a_senseless_environment_is_refused():
    write("file")
    result = run("file", env=dict(ENVIRONMENT, TENON_NUM_THREADS="many"))
    expect(result, 1, b"")
    expected = (b"cannot start: TENON_EINVAL, see TENON_NUM_THREADS "
                b"and TENON_WAIT_POLICY")
    assert expected in result.errors, result.errors


@test
def help_names_every_option():
    result = run("--help")
    expect(result, 0, errors=b"")
    for option in ("jobs", "fail-fast", "timeout", "max-errors", "help"):
        assert f"--{option}".encode() in result.output


# The line of progress.


@test
def a_terminal_shows_progress_and_can_interrupt():
    write_endless("endless")
    with Terminal() as terminal:
        process = terminal.start("endless")
        terminal.read_until(rb"\r0 files, \d+\.\d MB, \d+\.\d MB/s\x1b\[K")
        os.write(terminal.master, b"\x03")  # Ctrl-C
        text = terminal.read_until(rb"incomplete: stopped by SIGINT")
        assert b"\r\x1b[K" in text, text  # wiped
        assert process.wait(DEADLINE_SECONDS) == 130
        process.stdout.close()


@test
def a_dumb_terminal_shows_no_progress():
    write_endless("endless")
    with Terminal() as terminal:
        process = terminal.start(
            "--timeout", "1s", "endless", env=dict(ENVIRONMENT, TERM="dumb")
        )
        text = terminal.read_until(rb"incomplete: stopped by the time limit")
        assert b"\x1b" not in text, text
        assert process.wait(DEADLINE_SECONDS) == 124
        process.stdout.close()


sys.exit(main())
