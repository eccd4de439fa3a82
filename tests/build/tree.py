# SPDX-License-Identifier: MIT
#
# tree — the files of a source tree, and C text taken apart just enough to check.

import functools
import pathlib
import re

TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
DIRECTIVE = re.compile(r'^[ \t]*#[ \t]*(\w+)((?:\\\n|[^\n])*)', re.M)
INCLUDE = re.compile(r'\s*([<"])([^>"]+)[>"]')


def blank(text):
    """As many characters and lines, all empty."""
    return re.sub(r'[^\n]', ' ', text)


class Source:
    """One file. The views of its text all have its lines and columns."""

    def __init__(self, root, path):
        self.path = path
        self.name = pathlib.PurePath(path).name
        self.stem = pathlib.PurePath(path).stem
        self.file = pathlib.Path(root, path)

    @functools.cached_property
    def text(self):
        return self.file.read_text(encoding='utf-8')

    @functools.cached_property
    def lines(self):
        return self.text.splitlines()

    @functools.cached_property
    def without_comments(self):
        return TOKEN.sub(
            lambda m: blank(m[0]) if m[0][0] == '/' else m[0], self.text)

    @functools.cached_property
    def code(self):
        """Neither comments nor what is in quotes."""
        return TOKEN.sub(lambda m: blank(m[0]), self.text)

    @functools.cached_property
    def statements(self):
        """Code without preprocessor lines."""
        return DIRECTIVE.sub(lambda m: blank(m[0]), self.code)

    @functools.cached_property
    def comments(self):
        """{line: the text of its comments}"""
        found = {}
        for match in TOKEN.finditer(self.text):
            if match[0][0] == '/':
                first = self.line_at(match.start())
                for i, part in enumerate(match[0].splitlines()):
                    found[first + i] = found.get(first + i, '') + ' ' + part
        return found

    @functools.cached_property
    def directives(self):
        """(line, name, rest) of every preprocessor line."""
        return [(self.line_at(m.start(1)), m[1], m[2].strip())
                for m in DIRECTIVE.finditer(self.without_comments)]

    @functools.cached_property
    def includes(self):
        """(line, '<' or '"', target)"""
        found = []
        for line, name, rest in self.directives:
            match = INCLUDE.match(rest)
            if name == 'include' and match:
                found.append((line, match[1], match[2]))
        return found

    def line_at(self, offset):
        return self.text.count('\n', 0, offset) + 1

    def is_comment_line(self, line):
        return (line in self.comments and
                not self.without_comments.splitlines()[line - 1].strip())


class Tree:
    """The files below `root` that are ours: no builds, nothing hidden."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.looked_count = 0

    @functools.cached_property
    def paths(self):
        return sorted(self.walk(self.root))

    def walk(self, folder):
        for entry in folder.iterdir():
            path = entry.relative_to(self.root).as_posix()
            if entry.is_symlink() or self.is_foreign(path, entry.name):
                continue
            if entry.is_dir():
                yield from self.walk(entry)
            else:
                yield path

    @staticmethod
    def is_foreign(path, name):
        if name.startswith('.'):
            return path != '.ci'
        return (path.startswith('build') or path == 'subprojects' or
                name == '__pycache__')

    def sources(self, *folders, suffixes=('.c', '.h')):
        """The files with such suffixes below such folders ('': everywhere)."""
        for path in self.paths:
            is_inside = any(
                folder == '' or path.startswith(folder + '/')
                for folder in folders)
            if is_inside and path.endswith(suffixes):
                self.looked_count += 1
                yield self.source(path)

    @functools.lru_cache(maxsize=None)
    def source(self, path):
        return Source(self.root, path)

    def has(self, path):
        return self.root.joinpath(path).is_file()


# What a C++ compiler alone sees: extern "C", and the like.
CPLUSPLUS = re.compile(
    r'^#ifdef __cplusplus\n(?P<yes>(?:(?!^#).*\n)*?)'
    r'(?:^#else\n(?P<no>(?:(?!^#(?:else|endif)).*\n)*?))?^#endif', re.M)
# Macros and attributes that look like a call in a declaration.
DECORATION = re.compile(
    r'\b(?:TENON_ATOMIC|TENON_PRINTF|_Atomic|_Alignas|alignas|__attribute__)'
    r'\s*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)')
BODY_START = re.compile(r'[{};]')


def declarations(source):
    """(line, text) of what stands outside all braces; bodies are cut out."""
    text = CPLUSPLUS.sub(
        lambda m: blank(m[0][:m.start('no') - m.start()]) + m['no']
        if m['no'] else blank(m[0]), source.without_comments)
    text = TOKEN.sub(lambda m: blank(m[0]), text)
    text = DIRECTIVE.sub(lambda m: blank(m[0]), text)
    text = DECORATION.sub(lambda m: blank(m[0]), text)
    start, depth, kept = None, 0, []
    for offset, char in enumerate(text):
        if start is None and depth == 0 and not char.isspace():
            start, kept = offset, []
        if start is None:
            continue
        if char == '{':
            depth += 1
            kept.append('{' if depth == 1 else '')
        elif char == '}':
            depth -= 1
        elif depth == 0:
            kept.append(char)
        is_function_end = (
            char == '}' and depth == 0 and ''.join(kept).rstrip('{ \n')[-1:] == ')'
            and '=' not in ''.join(kept))
        if depth == 0 and (char == ';' or is_function_end):
            line = text.count('\n', 0, start) + 1
            yield line, ' '.join(''.join(kept).split())
            start = None


FUNCTION = re.compile(r'\b([A-Za-z_]\w*)\(')
NOT_FUNCTIONS = ('typedef', '_Static_assert', 'static_assert')


def function_name(declaration):
    """The name a function declaration declares; None for all else."""
    match = FUNCTION.search(declaration.split('=')[0])
    if match is None or declaration.startswith(NOT_FUNCTIONS):
        return None
    return match[1]
