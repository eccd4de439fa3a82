# SPDX-License-Identifier: MIT
#
# install — what a user embeds works: by pkg-config, and as a meson subproject.

import contextlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

from tap import Report, source_root
from tree import Tree

# Valid C11 and C++17.
PROGRAM = '''
#include <tenon/tenon.h>

static int count(tenon_task *self, void *arg)
{
    (void)self;
    ++*(int *)arg;
    return TENON_OK;
}

int main(void)
{
    tenon_scope scope;
    int counter = 0;

    if (tenon_scope_open(&scope, NULL) != TENON_OK ||
        tenon_spawn(&scope, count, &counter) != TENON_OK ||
        tenon_scope_join(&scope, TENON_OK, NULL) != TENON_OK) {
        return 2;
    }
    return counter == 1 ? 0 : 1;
}
'''
README = re.search(
    r'```c\n(.*?)```', (source_root() / 'README.md').read_text(), re.S)[1]
LIES = PROGRAM.replace('counter == 1', 'counter == 2')
CALLS_NOTHING = PROGRAM.replace('tenon_scope_open(', 'tenon_scope_ope(')
FRACTION = PROGRAM.replace('int counter = 0;',
                           'int counter = TENON_SECONDS(0.5) != 0;')

PROJECT = '''
project('user', 'c', default_options: ['c_std=c11', 'werror=true'])
tenon = dependency('tenon', fallback: 'tenon')
executable('user', 'user.c', dependencies: tenon)
'''
STRICT = ['-Wall', '-Wextra', '-Wpedantic', '-Werror']


class Failed(Exception):
    pass


def do(command, **options):
    """The output of a command; if it fails, so does the point."""
    result = subprocess.run(
        [str(word) for word in command], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if result.returncode != 0:
        raise Failed(f'exit status {result.returncode}: '
                     f'{shlex.join(map(str, command))}\n{result.stdout}')
    return result.stdout


class Installed:
    """The library below a directory that stands for the root.

    pkg-config sees nothing but tenon.pc: a user of the library needs no
    package of ours, not even ConcurrencyKit's.
    """

    def __init__(self, root):
        self.root = pathlib.Path(root)

    def find(self, pattern):
        found = sorted(self.root.glob('**/' + pattern))
        if not found:
            raise Failed(f'{pattern} was not installed')
        return found[0]

    def pkg_config(self, *options):
        environment = {
            **os.environ, 'PKG_CONFIG_SYSROOT_DIR': str(self.root),
            'PKG_CONFIG_LIBDIR': str(self.find('tenon.pc').parent)}
        words = do(['pkg-config', *options, 'tenon'], env=environment)
        return shlex.split(words)

    def missing_headers(self, tree):
        for source in tree.sources('include', suffixes=('.h',)):
            name = source.path[len('include/'):]
            if not list(self.root.glob('**/include/' + name)):
                raise Failed(f'{name} was not installed')

    def right_version(self, tree):
        text = tree.source('include/tenon/config.h').text
        version = '.'.join(
            re.search(fr'#define TENON_VERSION_{part} (\d+)', text)[1]
            for part in ('MAJOR', 'MINOR', 'PATCH'))
        said = self.pkg_config('--modversion')
        if said != [version]:
            raise Failed(f'config.h says {version}, tenon.pc says {said}')

    @contextlib.contextmanager
    def built(self, compiler, options, program, *static):
        """The command of a program that a user would build so."""
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, 'user.c')
            file.write_text(program)
            flags = self.pkg_config('--cflags', '--libs', *static)
            do([*compiler, *options, *STRICT, file, '-x', 'none', *flags,
                '-o', file.with_suffix('')])
            library = self.find('tenon.pc').parents[1]
            yield ['env', f'LD_LIBRARY_PATH={library}', file.with_suffix('')]

    def run(self, compiler, options, program, *static):
        """Build a program against the library as a user would, and run it."""
        with self.built(compiler, options, program, *static) as command:
            do(command, timeout=60)

    def run_readme(self, program):
        """README's program: every argument is a file that can be opened."""
        with self.built(['gcc'], ['-std=c11'], program) as command:
            do([*command, __file__, __file__], timeout=60)
            result = subprocess.run(
                [*command, __file__, '/no/such'], timeout=60, text=True,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            if result.returncode != 1 or \
                    'cannot open /no/such' not in result.stderr:
                raise Failed(f'exit status {result.returncode}, not 1 and the '
                             f'reason\n{result.stderr}')

    def run_static(self, program):
        """The same with the archive only, if there is one."""
        self.find('libtenon.a')
        with contextlib.ExitStack() as undo:
            for path in list(self.root.glob('**/libtenon.so*')):
                away = path.rename(path.with_name('away-' + path.name))
                undo.callback(away.rename, path)
            self.run(['gcc'], ['-std=c11'], program, '--static')


class Embedding:
    """A project that has the source tree as a subproject."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.build = self.folder / 'build'

    def set_up(self):
        self.folder.joinpath('meson.build').write_text(PROJECT)
        self.folder.joinpath('subprojects').mkdir()
        self.folder.joinpath('subprojects', 'tenon').symlink_to(source_root())
        self.folder.joinpath('user.c').write_text(PROGRAM)
        do(['meson', 'setup', '--wrap-mode=forcefallback', self.build],
           cwd=self.folder)

    def has_no_checks(self):
        """Those for who works on the library cost several times its speed."""
        commands = self.build.joinpath('compile_commands.json').read_text()
        if 'TN_DEBUG' in commands:
            raise Failed('the subproject is compiled with TN_DEBUG')

    def has_no_tests(self):
        """An embedding project wants the library, nothing else."""
        tests = json.loads(do(['meson', 'introspect', '--tests', self.build]))
        if tests:
            raise Failed(f'the subproject brings {len(tests)} tests')

    def run(self, program):
        self.folder.joinpath('user.c').write_text(program)
        do(['meson', 'compile', '-C', self.build])
        do([self.build / 'user'], timeout=60)

    def add_a_test(self):
        with self.folder.joinpath('meson.build').open('a') as file:
            file.write("test('user', find_program('true'))\n")
        do(['meson', 'setup', '--reconfigure', self.build], cwd=self.folder)


def outcome(function, *arguments):
    try:
        function(*arguments)
    except (Failed, subprocess.TimeoutExpired) as problem:
        return str(problem).splitlines()
    return []


def caught(problem, problems):
    """A test of the test: it must fail for the reason that was planted."""
    if any(problem in line for line in problems):
        return []
    return [f'expected a problem with "{problem}"', *problems]


def try_installed(report, there, tree):
    c11, cpp17 = ['-std=c11'], ['-x', 'c++', '-std=c++17']
    report.point('every public header is installed',
                 outcome(there.missing_headers, tree))
    report.point('tenon.pc has the version of config.h',
                 outcome(there.right_version, tree))
    report.point('a C11 program builds and runs by pkg-config',
                 outcome(there.run, ['gcc'], c11, PROGRAM))
    report.point('a C++17 program builds and runs by pkg-config',
                 outcome(there.run, ['g++'], cpp17, PROGRAM))
    report.point('a program builds and runs with the archive alone',
                 outcome(there.run_static, PROGRAM))
    report.point('the program of README.md does what it says',
                 outcome(there.run_readme, README))
    report.point('catches a program with a wrong result', caught(
        'exit status 1: env', outcome(there.run, ['gcc'], c11, LIES)))
    report.point('catches a README whose program loses an error', caught(
        'not 1 and the reason',
        outcome(there.run_readme, README.replace('"cannot open', '"open'))))
    report.point('catches a program that calls what is not there', caught(
        'tenon_scope_ope', outcome(there.run, ['gcc'], c11, CALLS_NOTHING)))
    report.point('gcc refuses a fraction of a second', caught(
        'invalid operands', outcome(there.run, ['gcc'], c11, FRACTION)))
    report.point('g++ refuses a fraction of a second', caught(
        'invalid operands', outcome(there.run, ['g++'], cpp17, FRACTION)))
    file = there.find('tenon.pc')
    file.write_text(file.read_text().replace('Version:', 'Version: 9'))
    report.point('catches another version', caught(
        'config.h says', outcome(there.right_version, tree)))
    there.find('scope.h').unlink()
    report.point('catches a header that is not installed', caught(
        'scope.h was not installed', outcome(there.missing_headers, tree)))


def try_embedding(report, project):
    report.point('a project can have it as a subproject',
                 outcome(project.set_up))
    report.point('a subproject brings no tests', outcome(project.has_no_tests))
    report.point('a subproject brings no checks',
                 outcome(project.has_no_checks))
    report.point('a program of such a project builds and runs',
                 outcome(project.run, PROGRAM))
    report.point('catches a wrong result in such a project', caught(
        'build/user', outcome(project.run, LIES)))
    project.add_a_test()
    report.point('catches a test in such a project', caught(
        'brings 1 tests', outcome(project.has_no_tests)))


def main():
    report = Report(20)
    with tempfile.TemporaryDirectory(prefix='tenon-install-') as root:
        report.point('meson install fills a DESTDIR', outcome(
            do, ['meson', 'install', '-C', os.environ['TENON_BUILD_ROOT'],
                 '--no-rebuild', '--destdir', root]))
        try_installed(report, Installed(root), Tree(source_root()))
    with tempfile.TemporaryDirectory(prefix='tenon-embedding-') as folder:
        try_embedding(report, Embedding(folder))
    return 1 if report.failed_count else 0


if __name__ == '__main__':
    sys.exit(main())
