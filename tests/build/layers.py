# SPDX-License-Identifier: MIT
#
# layers — includes point downward only (style.md, 1-3).

import sys

from tap import Fixture, run

# What each folder of src may include besides itself, the public headers and
# the system's.
BELOW = {
    'base': [],
    'sync': ['base'],
    'sched': ['base', 'sync'],
    'scope': ['base', 'sync', 'sched'],
    'algo': ['base'],
    'diag': ['base', 'sync', 'sched', 'scope'],
}
# The public headers that speak of tasks and scopes: not for what runs jobs.
ABOVE_SCHED = ('scope', 'task', 'error', 'fork', 'token', 'tenon')


def at(source, line, text):
    return f'{source.path}:{line}: {text}'


def folder_of(source):
    parts = source.path.split('/')
    return parts[1] if len(parts) > 2 else ''


def known_folders(tree):
    for source in tree.sources('src'):
        if folder_of(source) not in BELOW:
            yield at(source, 1, 'is in no layer')


def downward(tree):
    for source in tree.sources('src'):
        folder = folder_of(source)
        for line, _, target in source.includes:
            layer = target.split('/')[0]
            if layer not in BELOW or '/' not in target:
                continue
            if layer != folder and layer not in BELOW.get(folder, []):
                yield at(source, line, f'{folder} includes "{target}"')


def from_root(tree):
    for source in tree.sources('src'):
        for line, kind, target in source.includes:
            is_private = tree.has(f'src/{target}')
            is_public = tree.has(f'include/{target}')
            if kind == '"' and not is_private and not is_public:
                yield at(source, line, f'"{target}" is not below src or include')
            if kind == '<' and is_private:
                yield at(source, line, f'<{target}> is ours: write "{target}"')


def own_header_first(tree):
    for source in tree.sources('src', suffixes=('.c',)):
        own = source.path[len('src/'):-len('.c')] + '.h'
        if tree.has(f'src/{own}'):
            first = source.includes[0] if source.includes else (1, '"', '')
            if first[2] != own:
                yield at(source, first[0], f'the first include is not "{own}"')


def sched_ignores_scopes(tree):
    for source in tree.sources('src/base', 'src/sync', 'src/sched'):
        for line, _, target in source.includes:
            if target in [f'tenon/{name}.h' for name in ABOVE_SCHED]:
                yield at(source, line, f'{target} speaks of scopes')
        for number, line in enumerate(source.code.splitlines(), 1):
            if 'scope' in line.lower():
                yield at(source, number, 'the word "scope" below its layer')


def ck_in_sync(tree):
    for source in tree.sources('src', 'include', suffixes=('.c', '.h')):
        for line, _, target in source.includes:
            is_ck = target.split('/')[-1].startswith('ck_')
            if is_ck and folder_of(source) != 'sync':
                yield at(source, line, f'<{target}> outside src/sync')


def public_is_public(tree):
    for source in tree.sources('include'):
        for line, kind, target in source.includes:
            if kind == '"' and not tree.has(f'include/{target}'):
                yield at(source, line, f'a user has no "{target}"')
            if kind == '<' and tree.has(f'src/{target}'):
                yield at(source, line, f'a user has no <{target}>')


DOWNWARD = 'includes point downward'
FROM_ROOT = 'private includes are written from the root of src'
FOLDERS = 'every file of src is in a layer'
OWN_FIRST = 'a source file includes its own header first'
SCHED = 'below src/scope nobody hears of scopes'
CK = 'ConcurrencyKit stays inside src/sync'
PUBLIC = 'public headers include public headers'

RULES = {
    FOLDERS: known_folders,
    DOWNWARD: downward,
    FROM_ROOT: from_root,
    OWN_FIRST: own_header_first,
    SCHED: sched_ignores_scopes,
    CK: ck_in_sync,
    PUBLIC: public_is_public,
}

FIXTURES = [
    Fixture(FOLDERS, 'a file beside the layers',
            {'src/misc.c': ''}, 'in no layer'),
    Fixture(FOLDERS, 'a new folder',
            {'src/util/list.c': ''}, 'in no layer'),
    Fixture(DOWNWARD, 'an upward include',
            {'src/sync/a.c': '#include "sched/worker.h"\n'},
            'src/sync/a.c:1: sync includes'),
    Fixture(DOWNWARD, 'an upward include among spaces',
            {'src/base/a.h': '\n#  include   "sync/deque.h" // why\n'},
            'src/base/a.h:2'),
    Fixture(DOWNWARD, 'algo including sched',
            {'src/algo/a.c': '#include "sched/worker.h"\n'}, 'algo includes'),
    Fixture(DOWNWARD, 'scope including diag',
            {'src/scope/a.c': '#include "diag/dump.h"\n'}, 'scope includes'),
    Fixture(DOWNWARD, 'diag including algo',
            {'src/diag/a.c': '#include "algo/sort.h"\n'}, 'diag includes'),
    Fixture(DOWNWARD, 'includes of the own and lower folders',
            {'src/scope/a.c': '#include "scope/a.h"\n#include "base/b.h"\n',
             'src/diag/a.c': '#include "scope/a.h"\n#include <sched.h>\n',
             'src/algo/a.c': '#include <tenon/tenon.h>\n'
                             '// #include "sched/worker.h"\n'}),
    Fixture(FROM_ROOT, 'an include from beside',
            {'src/sync/a.c': '#include "deque.h"\n', 'src/sync/deque.h': ''},
            '"deque.h" is not below src'),
    Fixture(FROM_ROOT, 'a private include in angle brackets',
            {'src/sync/a.c': '#include <sync/a.h>\n', 'src/sync/a.h': ''},
            'is ours'),
    Fixture(FROM_ROOT, 'a path from the root of src',
            {'src/sync/a.c': '#include "sync/a.h"\n', 'src/sync/a.h': ''}),
    Fixture(OWN_FIRST, 'another header first',
            {'src/sync/a.c': '#include <stdio.h>\n#include "sync/a.h"\n',
             'src/sync/a.h': ''}, 'src/sync/a.c:1'),
    Fixture(OWN_FIRST, 'a source without its header',
            {'src/sync/a.c': 'int x;\n', 'src/sync/a.h': ''}, 'first include'),
    Fixture(SCHED, 'a scope in a name of sched',
            {'src/sched/a.c': 'int scope_count;\n'}, 'the word "scope"'),
    Fixture(SCHED, 'a public header of scopes in sync',
            {'src/sync/a.c': '#include <tenon/task.h>\n'}, 'speaks of scopes'),
    Fixture(SCHED, 'a scope in a comment',
            {'src/sched/a.c': 'int x; // not a scope\n'}),
    Fixture(CK, 'ConcurrencyKit in sched',
            {'src/sched/a.c': '#include <ck_stack.h>\n'}, 'outside src/sync'),
    Fixture(CK, 'ConcurrencyKit in a public header',
            {'include/tenon/a.h': '#include <ck_pr.h>\n'}, 'outside src/sync'),
    Fixture(CK, 'ConcurrencyKit in sync',
            {'src/sync/ck.h': '#include <ck_stack.h>\n'}),
    Fixture(PUBLIC, 'a private include in a public header',
            {'include/tenon/a.h': '#include "base/atomic.h"\n'},
            'a user has no "base/atomic.h"'),
    Fixture(PUBLIC, 'a private include in angle brackets',
            {'include/tenon/a.h': '#include <base/atomic.h>\n',
             'src/base/atomic.h': ''}, 'a user has no <base/atomic.h>'),
]

if __name__ == '__main__':
    sys.exit(run(RULES, FIXTURES))
