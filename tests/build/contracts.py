# SPDX-License-Identifier: MIT
#
# contracts — public headers are the manual: complete and short (style.md, 11-14).

import re
import sys

from tap import Fixture, run
from tree import declarations, function_name

LINES_MAX = 250
ALWAYS = ('Threads:', 'Errors:')
# Lines of a contract, in their order.
LABELS = ('Owns:', 'Threads:', 'Blocks:', 'Errors:', 'Cost:')


def at(source, line, text):
    return f'{source.path}:{line}: {text}'


def functions(source):
    """(line, name, declaration) of every function the header declares."""
    for line, text in declarations(source):
        name = function_name(text)
        if name:
            yield line, name, text


def contract(source, line):
    """The lines of the /// comment directly above."""
    first = line - 1
    while first > 0 and source.lines[first - 1].startswith('///'):
        first -= 1
    return [text[3:].strip() for text in source.lines[first:line - 1]]


def is_private(source):
    """Is the header there only because inline functions need it?"""
    return 'Private: nothing here is for users' in source.text


def complete(tree):
    for source in tree.sources('include', suffixes=('.h',)):
        if is_private(source):
            continue
        for line, name, _ in functions(source):
            text = contract(source, line)
            if not text:
                yield at(source, line, f'{name} has no contract')
                continue
            for label in ALWAYS:
                if not any(re.match(label + r' +\S', row) for row in text):
                    yield at(source, line, f'{name} does not say "{label}"')


def ordered(tree):
    for source in tree.sources('include', suffixes=('.h',)):
        for line, name, _ in functions(source):
            labels = [row.split()[0] for row in contract(source, line)
                      if row.startswith(LABELS)]
            if labels != sorted(labels, key=LABELS.index):
                yield at(source, line, f'{name}: not in the order {LABELS}')


def visible(tree):
    for source in tree.sources('include', suffixes=('.h',)):
        for line, name, text in functions(source):
            is_inline = text.startswith('static inline ')
            if not is_inline and not text.startswith('TENON_API '):
                yield at(source, line, f'{name} is not TENON_API')


def warned(tree):
    """A status that matters cannot be dropped; some only inform."""
    for source in tree.sources('include', suffixes=('.h',)):
        for line, name, text in functions(source):
            returns = text.split(name)[0]
            may_drop = name in MAY_DROP
            if 'tenon_status ' in returns and not may_drop and (
                    'TENON_NODISCARD' not in returns):
                yield at(source, line, f'{name} is not TENON_NODISCARD')


# Printing a report is the last thing done with it.
MAY_DROP = ('tenon_dump', 'tenon_dump_json', 'tenon_report_print',
            'tenon_report_print_json')


def short(tree):
    for source in tree.sources('include', suffixes=('.h',)):
        if len(source.lines) >= LINES_MAX:
            yield at(source, len(source.lines),
                     f'a public header stays under {LINES_MAX} lines')


def from_cplusplus(tree):
    for source in tree.sources('include', suffixes=('.h',)):
        is_open = re.search(r'^#ifdef __cplusplus\nextern "C" {\n#endif$',
                            source.text, re.M)
        is_closed = re.search(r'^#ifdef __cplusplus\n}\n#endif$',
                              source.text, re.M)
        if any(functions(source)) and not (is_open and is_closed):
            yield at(source, 1, 'has functions, but no extern "C"')


def only_in_headers(tree):
    for source in tree.sources('src', suffixes=('.c',)):
        for number, line in enumerate(source.lines, 1):
            if line.lstrip().startswith('///'):
                yield at(source, number, 'contracts stand in headers')


COMPLETE = 'every public function has a contract'
ORDERED = 'contracts have one order'
VISIBLE = 'every public function is exported'
WARNED = 'every status is warn-unused'
SHORT = 'every public header is short'
CPLUSPLUS = 'C++ can call every public function'
ONCE = 'no contract is repeated in a source file'

RULES = {
    COMPLETE: complete,
    ORDERED: ordered,
    VISIBLE: visible,
    WARNED: warned,
    SHORT: short,
    CPLUSPLUS: from_cplusplus,
    ONCE: only_in_headers,
}

GOOD = '''#ifdef __cplusplus
extern "C" {
#endif

/// Do.
///
/// Owns:     nothing.
/// Threads:  any.
/// Errors:   none, or
///           one.
TENON_API TENON_NODISCARD tenon_status
tenon_do(struct tenon_a *a, int (*fn)(int x));

/// Read.
///
/// Threads:  any.
/// Errors:   none.
static inline bool tenon_read(struct tenon_a *a)
{
    return f(a);
}

typedef int tenon_fn(int x);
TENON_API extern TENON_ATOMIC(int) tenon_epoch;

#ifdef __cplusplus
}
#endif
'''

FIXTURES = [
    Fixture(COMPLETE, 'a function without contract',
            {'include/tenon/a.h': '\nTENON_API int tenon_do(int x);\n'},
            'include/tenon/a.h:2: tenon_do has no contract'),
    Fixture(COMPLETE, 'an inline function without contract',
            {'include/tenon/a.h': 'static inline int tenon_do(int x)\n{\n}\n'},
            'tenon_do has no contract'),
    Fixture(COMPLETE, 'a contract one line too far',
            {'include/tenon/a.h': GOOD.replace('one.\n', 'one.\n\n')},
            'tenon_do has no contract'),
    Fixture(COMPLETE, 'no word on threads',
            {'include/tenon/a.h': GOOD.replace('Threads:', 'Thread:')},
            'does not say "Threads:"'),
    Fixture(COMPLETE, 'errors left empty',
            {'include/tenon/a.h': GOOD.replace(' none, or', '')},
            'tenon_do does not say "Errors:"'),
    Fixture(COMPLETE, 'a header that says it is private',
            {'include/tenon/a.h': '// Private: nothing here is for users.\n'
             'TENON_API int tenon_do(int x);\n'}),
    Fixture(COMPLETE, 'a complete header', {'include/tenon/a.h': GOOD}),
    Fixture(ORDERED, 'threads after errors',
            {'include/tenon/a.h': '/// Errors:   none.\n/// Threads:  any.\n'
             'TENON_API int tenon_do(int x);\n'}, 'not in the order'),
    Fixture(ORDERED, 'a complete header', {'include/tenon/a.h': GOOD}),
    Fixture(VISIBLE, 'a hidden function',
            {'include/tenon/a.h': 'int tenon_do(int x);\n'},
            'tenon_do is not TENON_API'),
    Fixture(VISIBLE, 'a complete header', {'include/tenon/a.h': GOOD}),
    Fixture(WARNED, 'a status that can be dropped',
            {'include/tenon/a.h': GOOD.replace('TENON_NODISCARD ', '')},
            'tenon_do is not TENON_NODISCARD'),
    Fixture(WARNED, 'a name and an argument',
            {'include/tenon/a.h': 'TENON_API const char *tenon_name('
             'tenon_status status);\n'}),
    Fixture(SHORT, 'a header of 250 lines',
            {'include/tenon/a.h': '\n' * 250}, 'include/tenon/a.h:250'),
    Fixture(SHORT, 'a header of 249 lines', {'include/tenon/a.h': '\n' * 249}),
    Fixture(CPLUSPLUS, 'a header for C only',
            {'include/tenon/a.h': 'TENON_API int tenon_do(int x);\n'},
            'no extern "C"'),
    Fixture(CPLUSPLUS, 'a complete header', {'include/tenon/a.h': GOOD}),
    Fixture(ONCE, 'a contract in a source file',
            {'src/scope/a.c': '/// Do.\nint tenon_do(void)\n{\n}\n'},
            'src/scope/a.c:1'),
]

if __name__ == '__main__':
    sys.exit(run(RULES, FIXTURES))
