# SPDX-License-Identifier: MIT
#
# atomics — every atomic access says its order and its partner (style.md, 20-22).

import bisect
import pathlib
import re
import shutil
import subprocess
import sys

from tap import Fixture, Skip, run
from tree import DIRECTIVE

HOME = 'src/base/atomic.h'
EXEMPT = (HOME, 'src/base/fence.h', 'src/base/fence.c')
DEFINED = re.compile(r'#define (tn_(?!atomic_init)\w+)\(')
FENCES = ('tn_fence_light', 'tn_fence_heavy')
DIRECT = re.compile(
    r'\b(atomic_\w+\s*\(|__atomic_\w+|__sync_\w+|memory_order\w*|'
    r'TENON_LOAD_RELAXED)')
# "E2", "E1, E3", "E1 of deque.c": whose list has it.
EDGES = re.compile(r'\b(E\d+(?:(?:, | and )E\d+)*)\b(?: (?:of )?(\w+\.[ch])\b)?')
EDGE = re.compile(r'E\d+')
RELAXED = re.compile(r'\brelaxed: *\w')
LISTED = re.compile(r'^// +(?:Ordering: +)?(E\d+)\b')
# In a public header: whose edges its tags name.
LENDER = re.compile(r'\bsrc/\S+\.[ch]\b')
PUBLIC = re.compile(
    r'\b(TENON_(?:LOAD|STORE|EXCHANGE|CAS|ADD|SUB|FENCE)_\w+)\s*\(')
HEADING = re.compile(r'^// ?[A-Z]\w+:')


def operations(tree, source):
    """A pattern of every operation that the file has to access atomics."""
    if source.path.startswith('include/'):
        return PUBLIC
    names = DEFINED.findall(tree.source(HOME).text)
    return re.compile(r'\b(' + '|'.join([*names, *FENCES]) + r')\s*\(')


def edges(source):
    """The edges of the `Ordering:` list at the top of the file."""
    found, is_inside = [], False
    for line in source.lines[:head_length(source)]:
        if HEADING.match(line):
            is_inside = line.startswith('// Ordering:')
        match = LISTED.match(line)
        if is_inside and match:
            found.append(match[1])
    return found


def head_length(source):
    """How many lines the comment at the top of the file has."""
    for count, line in enumerate(source.lines):
        if not line.startswith('//'):
            return count
    return len(source.lines)


def companions(tree, source):
    """The paths whose edges the file names: its own, or its other half's."""
    base = source.path[:-2]
    paths = [base + '.h', base + '.c']
    if source.path.startswith('include/'):
        paths += LENDER.findall('\n'.join(source.lines[:head_length(source)]))
    return [p for p in paths if tree.has(p)]


def named(tree, source, remark):
    """(edge, paths of which one should list it) for every edge in a comment."""
    for tags, file in EDGES.findall(remark):
        paths = companions(tree, source)
        if file:
            beside = str(pathlib.PurePosixPath(source.path).parent / file)
            paths = [beside] if tree.has(beside) else [
                p for p in tree.paths
                if p.startswith('src/') and p.endswith('/' + file)]
            paths = [q for p in paths for q in companions(tree, tree.source(p))]
        for edge in EDGE.findall(tags):
            yield edge, paths


def statement_starts(source):
    """The offsets at which statements begin, in order."""
    text, starts, is_new, nesting = source.statements, [], True, []
    previous = ''
    for offset, char in enumerate(text):
        if char.isspace():
            continue
        if is_new and char != '}':
            starts.append(offset)
            is_new = False
        if char == '(' or (char == '{' and (nesting or previous in '=,')):
            nesting.append(char)
        elif nesting and char in ')}':
            nesting.pop()
        elif not nesting and char in ';{}':
            is_new = True
        previous = char
    starts += [m.start() for m in DIRECTIVE.finditer(source.code)]
    return sorted(starts)


def call_end(text, opening):
    depth = 0
    for offset in range(opening, len(text)):
        depth += {'(': 1, ')': -1}.get(text[offset], 0)
        if depth == 0:
            return offset
    return opening


def remarks(source, first, last):
    """Comments of the lines first..last, and of those directly above."""
    while source.is_comment_line(first - 1):
        first -= 1
    return ' '.join(source.comments.get(i, '') for i in range(first, last + 1))


def is_definition(source, line):
    """Does a public header make an operation here out of what C has?"""
    return source.path.startswith('include/') and any(
        name == 'define' and first <= line <= first + rest.count('\n')
        for first, name, rest in source.directives)


def uses(tree, source):
    """(line, operation, comments) of every atomic access in the file."""
    starts = statement_starts(source)
    for match in operations(tree, source).finditer(source.code):
        line = source.line_at(match.start())
        if is_definition(source, line):
            continue
        begin = starts[bisect.bisect(starts, match.start()) - 1]
        end = source.line_at(call_end(source.code, match.end() - 1))
        yield line, match[1], remarks(source, source.line_at(begin), end)


def users(tree):
    for source in tree.sources('src', 'include'):
        if source.path not in EXEMPT:
            yield source


def tagged(tree):
    for source in users(tree):
        for line, name, remark in uses(tree, source):
            place = f'{source.path}:{line}: {name}'
            tags = list(named(tree, source, remark))
            is_relaxed = name.lower().endswith('_relaxed') and RELAXED.search(remark)
            if not tags and not is_relaxed:
                yield f'{place} has no tag: an edge of "Ordering:"' + (
                    ', or "relaxed: <why>"' if 'relaxed' in name.lower() else '')
            for edge, paths in tags:
                if not any(edge in edges(tree.source(p)) for p in paths):
                    yield f'{place}: {edge} is not in the "Ordering:" list'


def used(tree):
    seen = set()
    for source in users(tree):
        for line, remark in source.comments.items():
            if line > head_length(source):
                for edge, paths in named(tree, source, remark):
                    seen.update((edge, path) for path in paths)
    for source in users(tree):
        for edge in edges(source):
            if (edge, source.path) not in seen:
                yield f'{source.path}:1: nothing below has the tag {edge}'


def only_home(tree):
    for source in tree.sources('src'):
        if source.path == HOME:
            continue
        for match in DIRECT.finditer(source.code):
            yield (f'{source.path}:{source.line_at(match.start())}: '
                   f'{match[1].rstrip("(")} instead of base/atomic.h')


def explicit(tree):
    """C reads and writes _Atomic objects seq_cst where nobody says how."""
    if shutil.which('clang') is None:
        raise Skip('clang is not installed')
    options = ['-std=c11', '-D_GNU_SOURCE', '-fsyntax-only',
               '-Wno-everything', '-Werror=atomic-implicit-seq-cst', '-Isrc', '-Iinclude']
    for source in tree.sources('src', 'include'):
        result = subprocess.run(
            ['clang', *options, '-x', 'c', source.path], cwd=tree.root,
            capture_output=True, text=True)
        errors = [s for s in result.stderr.splitlines() if ' error: ' in s]
        yield from errors
        if result.returncode != 0 and not errors:
            yield f'{source.path}:1: clang failed: {result.stderr.strip()}'


TAGGED = 'every atomic access has a tag'
USED = 'every edge of an Ordering list has its ends below'
ONLY_HOME = 'atomics go through base/atomic.h'
EXPLICIT = 'no _Atomic object is read or written in passing'

RULES = {TAGGED: tagged, USED: used, ONLY_HOME: only_home, EXPLICIT: explicit}

LIST = '''// SPDX-License-Identifier: MIT
//
// a — an example.
//
// Ordering:
//   E1 publish  put: store-release -> get: load-acquire
//   E2 claim    get: cas
// Memory: E9 is no edge.

'''


def example(body, head=LIST, path='src/sync/a.c', **others):
    return {
        HOME: '#define tn_load_relaxed(p) 0\n#define tn_load_acquire(p) 0\n'
              '#define tn_store_release(p, v) \\\n    0\n'
              '#define tn_cas_acqrel(p, e, v) 0\n'
              '#define tn_atomic_init(p, v) 0\n',
        path: head + body, **others}


FIXTURES = [
    Fixture(TAGGED, 'a load without a tag',
            example('int f(void)\n{\n    return tn_load_acquire(&x);\n}\n'),
            'src/sync/a.c:12: tn_load_acquire has no tag'),
    Fixture(TAGGED, 'a tag on the statement before',
            example('tn_store_release(&x, 1); // E1\ntn_load_acquire(&x);\n'),
            'src/sync/a.c:11: tn_load_acquire has no tag'),
    Fixture(TAGGED, 'a tag above an empty line',
            example('// E1\n\ntn_load_acquire(&x);\n'), 'has no tag'),
    Fixture(TAGGED, 'a tag in a string',
            example('f("// E1", tn_load_acquire(&x));\n'), 'has no tag'),
    Fixture(TAGGED, 'an edge that is not listed',
            example('tn_load_acquire(&x); // E3\n'), 'E3 is not in the'),
    Fixture(TAGGED, 'an edge of another paragraph',
            example('tn_load_acquire(&x); // E9\n'), 'E9 is not in the'),
    Fixture(TAGGED, 'relaxed without a reason',
            example('tn_load_relaxed(&x); // relaxed:\n'), 'has no tag'),
    Fixture(TAGGED, 'relaxed as the reason of an acquire',
            example('tn_load_acquire(&x); // relaxed: why not\n'),
            'has no tag'),
    Fixture(TAGGED, 'a macro without a tag',
            example('#define GET(p) \\\n    tn_load_acquire(p)\n'),
            'has no tag'),
    Fixture(TAGGED, 'the second access in a block',
            example('while (x) {\n    // E1\n    tn_load_acquire(&x);\n'
                    '    if (tn_load_acquire(&y)) {\n    }\n}\n'),
            'src/sync/a.c:13'),
    Fixture(TAGGED, 'a heavy fence without a tag',
            example('tn_fence_heavy();\n'), 'has no tag'),
    Fixture(TAGGED, 'a header with an edge that no list has',
            example('tn_load_acquire(&x); // E1\n', '', 'src/sync/b.h'),
            'E1 is not in the'),
    Fixture(TAGGED, 'tags on the line, above, and inside a statement',
            example('tn_load_acquire(&x); // E1\n'
                    '// E1 and more: the whole\n// statement below.\n'
                    'int y = tn_load_acquire(&x) +\n'
                    '        tn_load_acquire(&y);\n'
                    'for (int i = 0; i < 2; i++) {\n'
                    '    // relaxed: a guess.\n    tn_load_relaxed(&x);\n}\n'
                    'if (a &&\n    // E2\n    !tn_cas_acqrel(\n'
                    '        &x, &e, 1)) {\n}\n'
                    'if (!tn_cas_acqrel(\n        &x, &e, 1)) { // E2\n}\n'
                    '#define GET(p) tn_load_acquire(p) // E1\n'
                    'struct y y = {\n    // E1\n'
                    '    .x = tn_load_acquire(&x),\n};\n'
                    'tn_atomic_init(&x, 0);\n')),
    Fixture(TAGGED, 'a header with the edges of its source',
            example('tn_load_acquire(&x); // E1\n', '', 'src/sync/a.h',
                    **{'src/sync/a.c': LIST})),
    Fixture(TAGGED, 'a public header without a tag',
            example('TENON_STORE_RELEASE(&x, 1);\n', '', 'include/tenon/a.h'),
            'include/tenon/a.h:1: TENON_STORE_RELEASE has no tag'),
    Fixture(TAGGED, 'an edge that a public header has from nowhere',
            example('TENON_STORE_RELEASE(&x, 1); // E1\n', '// a.\n\n',
                    'include/tenon/a.h', **{'src/sync/a.c': LIST}),
            'E1 is not in the'),
    Fixture(TAGGED, 'a public header with the edges of a source it names',
            example('#define TENON_LOAD_ACQUIRE(p) \\\n    TENON_LOAD_X(p)\n'
                    'TENON_STORE_RELEASE(&x, 1); // E1\n'
                    '// relaxed: ours.\nTENON_LOAD_RELAXED(&x);\n',
                    '// a. Edges: src/sync/a.c.\n\n', 'include/tenon/a.h',
                    **{'src/sync/a.c': LIST})),
    Fixture(TAGGED, 'an edge that another file does not list',
            example('tn_load_acquire(&x); // E3 of a.c\n', '', 'src/sync/b.h',
                    **{'src/sync/a.c': LIST}), 'E3 is not in the'),
    Fixture(TAGGED, 'an edge of a file that is not there',
            example('tn_load_acquire(&x); // E1 of b.c\n'), 'E1 is not in the'),
    Fixture(TAGGED, 'an edge of another file',
            example('tn_load_acquire(&x); // E1, E2 of a.c\n', '',
                    'src/sched/b.h', **{'src/sync/a.c': LIST})),
    Fixture(USED, 'an edge that only another file has by that name',
            example('tn_load_acquire(&x); // E1, E2 of b.c\n',
                    **{'src/sync/b.c': LIST}), 'src/sync/a.c:1: nothing'),
    Fixture(USED, 'an edge without an end',
            example('tn_load_acquire(&x); // E1\n'), 'the tag E2'),
    Fixture(USED, 'edges used in the header and in the source',
            example('tn_load_acquire(&x); // E1\n',
                    **{'src/sync/a.h': 'int x;\n// E2\ntn_cas_acqrel(&x, &e, 1);\n'})),
    Fixture(ONLY_HOME, 'stdatomic in a source',
            example('atomic_load_explicit(&x, y); // E1\n'),
            'src/sync/a.c:10: atomic_load_explicit'),
    Fixture(ONLY_HOME, 'a builtin', example('__atomic_load_n(&x, y);\n'),
            '__atomic_load_n'),
    Fixture(ONLY_HOME, 'an old builtin',
            example('__sync_fetch_and_add(&x, 1);\n'), '__sync_fetch_and_add'),
    Fixture(ONLY_HOME, 'an order of its own',
            example('f(&x, memory_order_seq_cst);\n'), 'memory_order_seq_cst'),
    Fixture(ONLY_HOME, 'types and comments',
            example('_Atomic(int) x; // not atomic_load(&x)\n')),
    Fixture(EXPLICIT, 'a plain increment',
            {'src/sync/a.c': '_Atomic(int) x;\nvoid f(void)\n{\n    x++;\n}\n'},
            'src/sync/a.c:4'),
    Fixture(EXPLICIT, 'a plain read in a header',
            {'src/sync/a.h': 'struct a { _Atomic(int) x; };\n'
                             'static inline int f(struct a *a)\n{\n'
                             '    return a->x;\n}\n'}, 'src/sync/a.h:4'),
    Fixture(EXPLICIT, 'explicit accesses',
            {'src/sync/a.c': '#include <stdatomic.h>\n_Atomic(int) x;\n'
                             'int f(void)\n{\n    return '
                             'atomic_load_explicit(&x, memory_order_relaxed);'
                             '\n}\n'}),
]

if __name__ == '__main__':
    sys.exit(run(RULES, FIXTURES))
