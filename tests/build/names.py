# SPDX-License-Identifier: MIT
#
# names — the prefix of a name says who may use it (style.md, 5-9, 26).

import re
import sys

from tap import Fixture, run
from tree import declarations, function_name

TAG = re.compile(r'\b(?:struct|enum|union)\s+(\w+)\s*\{')
TYPEDEF = re.compile(r'^typedef .*?(\w+)(?:\([^;]*\)|\[\w*\])?;$')
OPAQUE = re.compile(r'typedef struct (tenon_\w+) \1;')
DEFINE = re.compile(r'(\w+)')
ENUM = re.compile(r'\benum\b[^{;()]*\{([^}]*)\}')
ENUMERATOR = re.compile(r'(?:^|,)\s*(\w+)')
VARIABLE = re.compile(r'(\w+)(?:\[[^]]*\])?(?: =.*)?;$')
# The sanitizers' own functions, which nobody else declares.
FOREIGN = re.compile(r'Annotate\w+|__tsan_\w+|__asan_\w+')
TEST = re.compile(r'\b(?:Parameterized)?Test\w*\(\s*(\w+)\s*,\s*(\w+)')
NUMBERED = re.compile(r'(test|case|check)?_?\d+')
SLEEP = re.compile(r'\b(sleep|usleep|nanosleep|clock_nanosleep|thrd_sleep)\s*\(')


def at(source, line, text):
    return f'{source.path}:{line}: {text}'


def enumerators(source):
    for match in ENUM.finditer(source.statements):
        for name in ENUMERATOR.finditer(match[1]):
            line = source.line_at(match.start(1) + name.start(1))
            yield line, 'enumerator', name[1]


def defined(source):
    """(line, kind, name) of what the file gives a name to at its top level."""
    for line, name, rest in source.directives:
        if name == 'define':
            yield line, 'macro', DEFINE.match(rest)[1]
    yield from enumerators(source)
    for match in TAG.finditer(source.statements):
        yield source.line_at(match.start(1)), 'type', match[1]
    for line, text in declarations(source):
        function = function_name(text)
        typedef = TYPEDEF.match(text)
        if typedef:
            yield line, 'type', typedef[1]
        elif function:
            kind = 'static' if text.startswith('static ') else 'function'
            yield line, kind, function
        elif 'extern' in text and VARIABLE.search(text):
            yield line, 'variable', VARIABLE.search(text)[1]


def opaque_types(tree):
    """Types that a public header promises and an internal one defines."""
    for source in tree.sources('include', suffixes=('.h',)):
        yield from OPAQUE.findall(source.statements)


def prefixed(tree, folder, lower, upper, allowed=()):
    """Headers below `folder` define names with a prefix only."""
    for source in tree.sources(folder, suffixes=('.h',)):
        for line, kind, name in defined(source):
            if kind == 'type' and name in allowed:
                continue
            prefixes = (upper,) if kind == 'enumerator' else (lower,)
            if kind == 'macro':
                prefixes = (lower, upper)
            if not name.startswith(prefixes) and not FOREIGN.fullmatch(name):
                yield at(source, line, f'{kind} "{name}" has no prefix {lower}')


def public_prefix(tree):
    yield from prefixed(tree, 'include', 'tenon_', 'TENON_')


def internal_prefix(tree):
    yield from prefixed(tree, 'src', 'tn_', 'TN_', list(opaque_types(tree)))


def local_without_prefix(tree):
    for source in tree.sources('src', suffixes=('.c',)):
        for line, kind, name in defined(source):
            is_local = kind in ('static', 'macro', 'enumerator')
            if is_local and name.lower().startswith(('tn_', 'tenon_')):
                yield at(source, line, f'"{name}" is local: it has no prefix')
            if kind == 'function' and not name.startswith(('tn_', 'tenon_')):
                yield at(source, line, f'"{name}" is neither static nor tn_')


def spelling(tree):
    for source in tree.sources('src', 'include'):
        for line, kind, name in defined(source):
            if FOREIGN.fullmatch(name) or name == '_GNU_SOURCE':
                continue
            if name.startswith('_') and not name.endswith('_SOURCE'):
                yield at(source, line, f'"{name}" begins with an underscore')
            if '__' in name.strip('_'):
                yield at(source, line, f'"{name}" has two underscores')
            if kind == 'type' and name.endswith('_t'):
                yield at(source, line, f'type "{name}": _t belongs to POSIX')
            is_upper = kind in ('macro', 'enumerator') and name.isupper()
            if not is_upper and not name.islower():
                yield at(source, line, f'"{name}" is not lower_case')


def guards(tree):
    for source in tree.sources('src', 'include', suffixes=('.h',)):
        path = source.path.split('/', 1)[1].upper()
        guard = re.sub(r'\W', '_', path)
        if source.path.startswith('src/'):
            guard = 'TN_' + guard
        opening = [(name, rest) for _, name, rest in source.directives[:2]]
        if opening != [('ifndef', guard), ('define', guard)]:
            yield at(source, 1, f'the first directives do not guard {guard}')


def internal_structs(tree):
    for source in tree.sources('src'):
        for line, text in declarations(source):
            if re.match(r'typedef (struct|union|enum)\b', text):
                yield at(source, line, 'internal types are not typedefs')


def tests_say_what(tree):
    for source in tree.sources('tests', suffixes=('.c',)):
        for match in TEST.finditer(source.statements):
            if NUMBERED.fullmatch(match[2]):
                line = source.line_at(match.start())
                yield at(source, line, f'"{match[2]}" names no behaviour')


def tests_do_not_sleep(tree):
    for source in tree.sources('tests'):
        for match in SLEEP.finditer(source.code):
            line = source.line_at(match.start())
            yield at(source, line, f'{match[1]}: wait for an event instead')


PUBLIC = 'public names begin with tenon_ or TENON_'
INTERNAL = 'names of internal headers begin with tn_ or TN_'
LOCAL = 'names local to a file have no prefix'
SPELLING = 'names are lower_case, without _t and leading underscores'
GUARDS = 'header guards are named after the file'
STRUCTS = 'internal types are not typedefs'
TESTS = 'tests are named after a behaviour'
SLEEPS = 'tests do not sleep'

RULES = {
    PUBLIC: public_prefix,
    INTERNAL: internal_prefix,
    LOCAL: local_without_prefix,
    SPELLING: spelling,
    GUARDS: guards,
    STRUCTS: internal_structs,
    TESTS: tests_say_what,
    SLEEPS: tests_do_not_sleep,
}

PUBLIC_OK = '''#ifndef TENON_A_H
#define TENON_A_H
#ifdef __cplusplus
extern "C" {
#endif
typedef struct tenon_a tenon_a;
typedef int tenon_a_fn(tenon_a *a, void *arg);
typedef enum tenon_kind { TENON_ONE = 1, TENON_TWO } tenon_kind;
enum {
    TENON_THREE, // one, two
    TENON_FOUR = (1 << 4)
};
struct tenon_a {
    TENON_ATOMIC(int) word;
    struct inner *x;
};
TENON_API extern TENON_ATOMIC(int) tenon_epoch;
TENON_API int tenon_a_get(
    tenon_a *a, int (*fn)(int x), ...) TENON_PRINTF(1, 2);
static inline int tenon_a_twice(tenon_a *a)
{
    struct local y = {0};
    return 2 * tenon_a_get(a, y.z);
}
#define tenon_a_fail(a) ((a)->x)
#ifdef __cplusplus
}
#endif
#endif
'''

FIXTURES = [
    Fixture(PUBLIC, 'a macro', {'include/tenon/a.h': '#define MAX_A 1\n'},
            'macro "MAX_A"'),
    Fixture(PUBLIC, 'a function',
            {'include/tenon/a.h': 'TENON_API int spawn(int x);\n'},
            'function "spawn"'),
    Fixture(PUBLIC, 'an internal name',
            {'include/tenon/a.h': 'int tn_a_get(int x);\n'}, '"tn_a_get"'),
    Fixture(PUBLIC, 'an inline function after another one',
            {'include/tenon/a.h': 'static inline int tenon_a(void)\n{\n'
             '    return 1;\n}\nstatic inline int b(void)\n{\n}\n'},
            'include/tenon/a.h:5: static "b"'),
    Fixture(PUBLIC, 'an enumerator',
            {'include/tenon/a.h': 'enum tenon_a {\n    TENON_X,\n    Y\n};\n'},
            'include/tenon/a.h:3: enumerator "Y"'),
    Fixture(PUBLIC, 'a type', {'include/tenon/a.h': 'struct a { int x; };\n'},
            'type "a"'),
    Fixture(PUBLIC, 'a typedef', {'include/tenon/a.h': 'typedef int a_fn(int);\n'},
            'type "a_fn"'),
    Fixture(PUBLIC, 'a variable',
            {'include/tenon/a.h': 'TENON_API extern TENON_ATOMIC(int) epoch;\n'},
            'variable "epoch"'),
    Fixture(PUBLIC, 'public names', {'include/tenon/a.h': PUBLIC_OK}),
    Fixture(INTERNAL, 'a function', {'src/sync/a.h': 'bool a_get(void);\n'},
            'function "a_get"'),
    Fixture(INTERNAL, 'a macro', {'src/sync/a.h': '#define A_MAX 1\n'},
            'macro "A_MAX"'),
    Fixture(INTERNAL, 'a type that no public header promises',
            {'src/sync/a.h': 'struct tenon_b { int x; };\n'}, '"tenon_b"'),
    Fixture(INTERNAL, 'internal names',
            {'include/tenon/a.h': 'typedef struct tenon_c tenon_c;\n',
             'src/sync/c.h': 'struct tenon_c { int x; };\n',
             'src/sync/a.h': '#define TN_A 1\nstruct tn_a { int x; };\n'
             'enum tn_b { TN_B_ONE };\nvoid __tsan_acquire(void *x);\n'
             'bool tn_a_get(struct tn_a *a, bool (*f)(void *x));\n'}),
    Fixture(LOCAL, 'a static function with a prefix',
            {'src/sync/a.c': 'static int tn_a_get(void)\n{\n}\n'},
            '"tn_a_get" is local'),
    Fixture(LOCAL, 'a function without static',
            {'src/sync/a.c': 'int get(void)\n{\n}\n'}, '"get" is neither'),
    Fixture(LOCAL, 'local and internal functions',
            {'src/sync/a.c': 'static int get(void)\n{\n    f(1);\n}\n\n'
             'struct tn_a *tn_a_get(void)\n{\n}\n#define MAX 1\n'}),
    Fixture(SPELLING, 'a _t type',
            {'include/tenon/a.h': 'typedef struct tenon_a tenon_a_t;\n'},
            '"tenon_a_t"'),
    Fixture(SPELLING, 'camelCase',
            {'src/sync/a.c': 'static int getAll(void)\n{\n}\n'}, '"getAll"'),
    Fixture(SPELLING, 'a leading underscore',
            {'src/sync/a.h': '#define _TN_A_H\n'}, '"_TN_A_H" begins'),
    Fixture(SPELLING, 'a feature macro and plain names',
            {'src/sync/a.c': '#define _GNU_SOURCE\n#define MAX_A 1\n'
             'static int get_all(void)\n{\n}\n'}),
    Fixture(GUARDS, 'another guard',
            {'src/sync/a.h': '#ifndef TN_A_H\n#define TN_A_H\n#endif\n'},
            'TN_SYNC_A_H'),
    Fixture(GUARDS, 'guards', {
        'src/sync/a.h': '#ifndef TN_SYNC_A_H\n#define TN_SYNC_A_H\n#endif\n',
        'include/tenon/a.h': '#ifndef TENON_A_H\n#define TENON_A_H\n#endif\n'}),
    Fixture(STRUCTS, 'an internal typedef',
            {'src/sync/a.c': 'typedef struct a a;\n'}, 'src/sync/a.c:1'),
    Fixture(TESTS, 'a numbered test',
            {'tests/unit/a.c': 'Test(deque, test3, .timeout = 5)\n{\n}\n'},
            '"test3"'),
    Fixture(TESTS, 'a behaviour', {'tests/unit/a.c':
            'Test(deque, pop_returns_newest_item)\n{\n}\n'}),
    Fixture(SLEEPS, 'a sleep', {'tests/unit/a.c': 'usleep(1000);\n'}, 'usleep'),
    Fixture(SLEEPS, 'words about sleep',
            {'tests/unit/a.c': '// sleep(1)\ntn_idle_sleep(idle);\n'}),
]

if __name__ == '__main__':
    sys.exit(run(RULES, FIXTURES))
