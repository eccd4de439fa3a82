# SPDX-License-Identifier: MIT
#
# howto — every program of docs/howto/ does what its page says: compiled with
# strict warnings, run with several numbers of workers, the output compared.
#
#     howto.py LIBRARY_FOLDER INCLUDE_FOLDER PAGES_FOLDER COMPILER...

import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

WORKER_COUNTS = ('1', '2', '4', '16')
DEADLINE_SECONDS = 60
STRICT = ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror']
BLOCKS = re.compile(r'```c\n(.*?)```\s+```text\n(.*?)```', re.S)
FENCE = re.compile(r'^```c$', re.M)


def problems_of_run(command, who, expected, environment):
    try:
        result = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=DEADLINE_SECONDS)
    except subprocess.TimeoutExpired:
        return [f'{who}: runs for more than {DEADLINE_SECONDS} s']
    problems = list(difflib.unified_diff(
        expected.splitlines(), result.stdout.splitlines(), 'the page', who,
        lineterm=''))
    if result.returncode != 0 or result.stderr:
        problems.append(f'exit status {result.returncode}')
        problems += result.stderr.splitlines()
    return problems


class Library:
    def __init__(self, folder, includes, compiler):
        self.folder = folder
        self.includes = includes
        self.compiler = compiler

    def build(self, program, folder, *flags):
        """The path of the program, or what the compiler says against it."""
        source = pathlib.Path(folder, 'page.c')
        source.write_text(program)
        result = subprocess.run(
            [*self.compiler, *STRICT, *flags, '-I', self.includes, source, '-o',
             source.with_suffix(''), '-L', self.folder, '-ltenon', '-lpthread'],
            capture_output=True, text=True)
        if result.returncode != 0:
            return None, result.stderr.splitlines()
        return source.with_suffix(''), []

    def run(self, path, worker_count, expected):
        environment = dict(os.environ, TENON_NUM_THREADS=worker_count,
                           LD_LIBRARY_PATH=str(self.folder))
        return problems_of_run(
            [path], f'{worker_count} workers', expected, environment)


def problems_of(library, text):
    programs = BLOCKS.findall(text)
    if not programs:
        return ['no program with its output']
    if len(programs) != len(FENCE.findall(text)):
        return ['a program without its output']
    problems = []
    for program, expected in programs:
        with tempfile.TemporaryDirectory() as folder:
            path, complaints = library.build(program, folder)
            problems += complaints
            for count in WORKER_COUNTS if path else ():
                problems += library.run(path, count, expected)
    return problems


# The checks must be able to fail.
LIE = '```c\n#include <stdio.h>\nint main(void) { puts("a"); }\n```\n\n' \
      '```text\nb\n```\n'
BROKEN = LIE.replace('puts("a")', 'putss("a")')
SILENT = LIE.split('```text')[0]


def main(library_folder, include_folder, pages_folder, *compiler):
    library = Library(pathlib.Path(library_folder), include_folder, compiler)
    pages = pathlib.Path(pages_folder)
    names = sorted(path.name for path in pages.glob('*.md')
                   if path.name != 'README.md')
    index = (pages / 'README.md').read_text()
    points = [(f'{name} does what it says',
               problems_of(library, (pages / name).read_text()))
              for name in names]
    points.append(('README.md names every page and no other', [
        f'{name} on one side only' for name in
        set(names) ^ set(re.findall(r'\]\((\S+\.md)\)', index))]))
    for title, text in (('another output', LIE), ('what does not compile',
                                                  BROKEN),
                        ('a program without its output', SILENT)):
        found = problems_of(library, text)
        points.append((f'catches {title}', [] if found else ['it does not']))
    print('TAP version 13')
    print(f'1..{len(points)}')
    for number, (title, problems) in enumerate(points, 1):
        print(f'{"not ok" if problems else "ok"} {number} - {title}')
        for problem in problems:
            print(f'#   {problem}')
    return any(problems for _, problems in points)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
