# SPDX-License-Identifier: MIT
#
# idioms — every program of docs/explanation/idioms/ prints what its page says,
# in C, in Python, and in Trio and Go where they are installed.
#
#     idioms.py LIBRARY_FOLDER INCLUDE_FOLDER PAGE COMPILER...
#
# PAGE has the table and what comes before each program; the folder beside it,
# of the same name, has the pages with the programs: a section per idiom, in it
# a block per language and what all of them print.

import ast
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from howto import WORKER_COUNTS, Library, problems_of_run

LANGUAGES = ('python asyncio', 'python trio', 'java', 'go', 'c')
HEADING = re.compile(r'^## (.+)$', re.M)
BLOCK = re.compile(r'^```(\S[^\n]*)\n(.*?)^```$', re.M | re.S)
VERSION = re.compile(r'^go (\d+)\.(\d+)$')
LINK = re.compile(r'\]\((\w+/(\w+\.md)#([\w-]+))\)')
GO_PACKAGES = {
    name.rsplit('/', 1)[-1]: name for name in (
        'context', 'errors', 'fmt', 'math/rand', 'os', 'os/signal', 'sync',
        'syscall', 'time', 'golang.org/x/sync/errgroup')}
# Where Debian's packages of Go libraries put them.
GO_FOLDERS = '/usr/share/gocode'
# With it Trio before 0.25 groups errors as it does since.
TRIO_END = 'trio.run(main, strict_exception_groups=True)\n'


def sections(text):
    """{heading: [(language, program)]} of a page."""
    parts = HEADING.split(text)[1:]
    return {parts[i]: BLOCK.findall(parts[i + 1])
            for i in range(0, len(parts), 2)}


def language_of(mark):
    return 'go' if VERSION.match(mark) else mark


def anchor(heading):
    return re.sub(r'[^\w -]', '', heading.lower()).replace(' ', '-')


def is_whole(blocks):
    shape = [language_of(mark) for mark, _ in blocks]
    return shape == [*LANGUAGES, 'text']


# A language: its name for people, why its programs are not run here (or None),
# and what is wrong with one of them.


class C:
    name = 'C'
    why_not = None

    def __init__(self, library):
        self.library = library

    def problems_of(self, before, mark, program, expected):
        with tempfile.TemporaryDirectory() as folder:
            # A program need not use all that comes before it.
            path, problems = self.library.build(
                before + program, folder, '-Wno-unused-function')
            for count in WORKER_COUNTS if path else ():
                problems += self.library.run(path, count, expected)
        return problems


class Python:
    def __init__(self, name, end, why_not):
        self.name = name
        self.end = end
        self.why_not = why_not

    def problems_of(self, before, mark, program, expected):
        source = f'{before}\n{program}\n{self.end}'
        try:
            # What 3.10 does not know yet is no mistake.
            ast.parse(source)
        except SyntaxError as error:
            return [str(error)] if sys.version_info >= (3, 11) else []
        if self.why_not:
            return []
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, 'page.py')
            path.write_text(source)
            return problems_of_run(
                [sys.executable, '-B', path], self.name, expected, os.environ)


class Java:
    name = 'Java'
    why_not = None

    def problems_of(self, before, mark, program, expected):
        return unmatched(before + program)


class Go:
    name = 'Go'

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.environment = dict(
            os.environ, GO111MODULE='off', GOFLAGS='',
            GOCACHE=str(pathlib.Path(self.folder.name, 'cache')))
        self.environment.setdefault('GOPATH', GO_FOLDERS)
        self.version = self.look()
        self.why_not = None if self.version else 'no Go with errgroup'

    def look(self):
        if shutil.which('go') is None:
            return None
        found = subprocess.run(
            ['go', 'list', GO_PACKAGES['errgroup']], env=self.environment,
            capture_output=True, text=True)
        version = subprocess.run(
            ['go', 'version'], env=self.environment, capture_output=True,
            text=True)
        match = re.search(r'go(\d+)\.(\d+)', version.stdout)
        if found.returncode != 0 or match is None:
            return None
        return int(match[1]), int(match[2])

    def problems_of(self, before, mark, program, expected):
        problems = unmatched(before + program)
        match = VERSION.match(mark)
        wanted = (int(match[1]), int(match[2])) if match else (1, 18)
        if problems or self.version is None or self.version < wanted:
            return problems
        code = before + program
        imports = ''.join(
            f'import "{path}"\n' for name, path in GO_PACKAGES.items()
            if re.search(rf'\b{name}\.', code))
        path = pathlib.Path(self.folder.name, 'page.go')
        path.write_text(f'package main\n\n{imports}\n{code}')
        return problems_of_run(
            ['go', 'run', path], 'Go', expected, self.environment)


STRINGS = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'|//[^\n]*')


def unmatched(program):
    """Is a bracket or a quote left open? All that is asked of what no compiler
    reads here."""
    code = STRINGS.sub('', program)
    opened = []
    for position, character in enumerate(code):
        line = code.count('\n', 0, position) + 1
        if character in '([{':
            opened.append(character)
        elif character in ')]}':
            if not opened or opened.pop() + character not in ('()', '[]', '{}'):
                return [f'line {line}: "{character}" without its partner']
        elif character in '"\'':
            return [f'line {line}: a quote without its partner']
    return [f'"{opened[-1]}" without its partner'] if opened else []


def problems_of(language, which, before, text):
    """What is wrong with the programs of a page in one language."""
    problems = []
    for heading, blocks in sections(text).items():
        if not is_whole(blocks):
            continue
        expected = blocks[-1][1]
        mark, program = blocks[LANGUAGES.index(which)]
        found = language.problems_of(before[which], mark, program, expected)
        problems += [f'{heading}: {line}' for line in found]
    return problems


def shape_problems(pages):
    return [f'{page}: {heading}: not {", ".join(LANGUAGES)}, text'
            for page, text in pages.items()
            for heading, blocks in sections(text).items()
            if not is_whole(blocks)]


def index_problems(index, pages):
    linked = {(page, name) for _, page, name in LINK.findall(index)}
    there = {(page, anchor(heading)) for page, text in pages.items()
             for heading in sections(text)}
    return [f'{page}#{name} on one side only'
            for page, name in sorted(linked ^ there)]


def languages_here(library):
    has_trio = subprocess.run(
        [sys.executable, '-B', '-c', 'import trio'],
        capture_output=True).returncode == 0
    is_old = None if sys.version_info >= (3, 11) else 'Python before 3.11'
    return {
        'c': C(library),
        'python asyncio': Python('asyncio', 'asyncio.run(main())\n', is_old),
        'python trio': Python(
            'Trio', TRIO_END, is_old or (None if has_trio else 'no Trio')),
        'go': Go(),
        'java': Java(),
    }


# The checks must be able to fail: a program of each language that prints "a".
GOOD = {
    'c': ('int main(void) { puts("a"); }\n', 'puts("a")', 'putss("a")'),
    'python asyncio': ('async def main():\n    print("a")\n', '(', '(('),
    'python trio': ('async def main():\n    print("a")\n', '(', '(('),
    'go': ('func main() { fmt.Println("a") }\n', '{', '{{'),
    'java': ('void main() { System.out.println("a"); }\n', '{', '{{'),
}
BEFORE = {'c': '#include <stdio.h>\n', 'python asyncio': 'import asyncio\n',
          'python trio': 'import trio\n', 'go': '', 'java': ''}


def page_of(programs, printed):
    blocks = [f'```{name}\n{programs[name]}```\n' for name in LANGUAGES]
    return '## One\n\n' + '\n'.join([*blocks, f'```text\n{printed}\n```\n'])


def self_checks(languages):
    good = {name: program for name, (program, _, _) in GOOD.items()}
    for which, language in languages.items():
        program, old, new = GOOD[which]
        broken = dict(good, **{which: program.replace(old, new, 1)})
        cases = [('leaves alone what is so', page_of(good, 'a'), False),
                 ('catches what is no program', page_of(broken, 'a'), True)]
        if language.why_not is None and which != 'java':
            cases.append(('catches another output', page_of(good, 'b'), True))
        for title, text, is_bad in cases:
            found = problems_of(language, which, BEFORE, text)
            yield (f'{language.name}: {title}',
                   [] if bool(found) == is_bad else found or ['it does not'],
                   None)
    for page, is_bad in ((page_of(good, 'a'), False),
                         (page_of(good, 'a').replace('```java', '```'), True)):
        found = shape_problems({'y.md': page})
        yield (f'{"catches" if is_bad else "allows"} a language '
               f'{"too few" if is_bad else "each"}',
               [] if bool(found) == is_bad else found or ['it does not'], None)
    found = index_problems('[one](x/y.md#one)', {'y.md': '## Two\n'})
    yield ('catches a section that is not in the table',
           [] if len(found) == 2 else found or ['it does not'], None)


def main(library_folder, include_folder, page, *compiler):
    library = Library(pathlib.Path(library_folder), include_folder, compiler)
    languages = languages_here(library)
    index = pathlib.Path(page).read_text()
    pages = {path.name: path.read_text()
             for path in sorted(pathlib.Path(page).with_suffix('')
                                .glob('*.md'))}
    preludes = [blocks for blocks in sections(index).values() if blocks]
    before = dict(preludes[0])
    points = [('the table names every section and no other',
               index_problems(index, pages), None),
              ('every section has all languages, and what they print',
               shape_problems(pages), None)]
    for name, text in pages.items():
        for which, language in languages.items():
            does = 'read as such' if which == 'java' else 'do what it says'
            points.append((f'{name}: programs in {language.name} {does}',
                           problems_of(language, which, before, text),
                           language.why_not))
    points += self_checks(languages)
    print('TAP version 13')
    print(f'1..{len(points)}')
    for number, (title, problems, why_not) in enumerate(points, 1):
        skip = f' # SKIP {why_not}' if why_not and not problems else ''
        print(f'{"not ok" if problems else "ok"} {number} - {title}{skip}')
        for problem in problems:
            print(f'#   {problem}')
    return any(problems for _, problems, _ in points)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
