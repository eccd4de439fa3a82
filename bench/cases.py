# SPDX-License-Identifier: MIT
#
# cases — what is measured: workloads with their sizes, who takes part, and the
# figures that Tenon has to reach.

from dataclasses import dataclass

OPENMP = ('libgomp', 'libomp')
TASKS = (*OPENMP, 'onetbb')

# Serial code, and the floor of a round trip: no workers of their own.
REFERENCES = ('serial', 'pingpong')

# The Debian packages that bring an implementation.
PACKAGES = {
    'libgomp': 'gcc',
    'libomp': 'clang libomp-dev',
    'onetbb': 'g++ libtbb-dev',
    'glib': 'libglib2.0-dev',
}


@dataclass(frozen=True)
class Case:
    """One line of the table for each number of workers."""

    name: str
    workload: str
    size: str
    rivals: tuple
    repeat: int = 1          # within a process; the median of them counts
    arguments: tuple = ()
    is_timed: bool = True    # else the figure is a percentage or a size
    is_idle: bool = False    # processes do not disturb each other
    quick_size: str = ''     # where it differs
    quick_repeat: int = 0

    def size_of(self, is_quick):
        return self.quick_size if is_quick and self.quick_size else self.size

    def repeat_of(self, is_quick):
        return (self.quick_repeat if is_quick and self.quick_repeat
                else self.repeat)

    def implementations(self):
        return ('tenon', *self.rivals)


# fib(38) takes some rivals 12 s, so they are met at a smaller size.
CASES = (
    Case('fib', 'fib', '38', ('serial',), repeat=3, quick_size='34'),
    Case('fib-rivals', 'fib', '30', ('serial', *TASKS), repeat=3,
         quick_size='25'),
    Case('nqueens', 'nqueens', '12', ('serial', *TASKS), quick_size='10'),
    Case('uts-T1', 'uts', 'T1', ('serial', *TASKS)),
    Case('uts-T3', 'uts', 'T3', ('serial', *TASKS)),
    Case('flat', 'flat', '10000', TASKS, repeat=200, quick_repeat=50),
    Case('flat-many', 'flat', '2000000', TASKS, quick_size='200000'),
    Case('nest', 'nest', '1000000', (), repeat=5, quick_size='100000'),
    Case('poll', 'poll', '10000000', ('serial',), repeat=5,
         quick_size='1000000'),
    Case('submit-1', 'submit', '1000000', ('glib', 'onetbb'),
         quick_size='100000'),
    Case('submit-4', 'submit', '1000000', ('glib', 'onetbb'),
         arguments=('--submitters', '4'), quick_size='100000'),
    Case('roundtrip', 'roundtrip', '1', ('pingpong', 'glib', 'onetbb'),
         repeat=1000, quick_repeat=300),
    Case('roundtrip-hot', 'roundtrip', '1', ('pingpong', 'glib', 'onetbb'),
         repeat=20000, arguments=('--pause-ns', '0'), quick_repeat=5000),
    Case('idle', 'idle', '10', TASKS, is_timed=False, is_idle=True,
         quick_size='2'),
    Case('memory', 'memory', '10000000', ('onetbb',), is_timed=False,
         quick_size='1000000'),
)


@dataclass(frozen=True)
class Target:
    """`value` of two medians, or of one, must be at most or at least `bound`.

    A median is named (case, implementation, workers).
    """

    name: str
    bound: float
    unit: str
    over: tuple
    under: tuple = None
    is_least: bool = False
    is_each: bool = False    # per operation

    def reached(self, value):
        return value >= self.bound if self.is_least else value <= self.bound


def _slowdown(case, bound):
    return Target(f'{case}: Tenon with 1 worker over serial', bound, 'x',
                  (case, 'tenon', 1), (case, 'serial', 1))


def _speedup(case, bound):
    return Target(f'{case}: 2 workers against 1', bound, 'x',
                  (case, 'tenon', 1), (case, 'tenon', 2), is_least=True)


TARGETS = (
    _slowdown('fib', 6.0),
    _speedup('fib', 1.85),
    _slowdown('uts-T1', 1.15),
    _speedup('uts-T1', 1.8),
    _slowdown('uts-T3', 1.15),
    _speedup('uts-T3', 1.8),
    *(Target(f'flat: Tenon over oneTBB, workers: {workers}', 0.5, 'x',
             ('flat', 'tenon', workers), ('flat', 'onetbb', workers))
      for workers in (1, 2)),
    Target('nest: an empty nested scope', 25, 'ns', ('nest', 'tenon', 1),
           is_each=True),
    Target('poll: a turn with a poll', 1, 'ns', ('poll', 'tenon', 1),
           is_each=True),
    *(Target(f'idle: CPU used, workers: {workers}', 0.2, '%',
             ('idle', 'tenon', workers)) for workers in (1, 2)),
    *(Target(f'memory: growth after the join, workers: {workers}', 64,
             'MiB', ('memory', 'tenon', workers)) for workers in (1, 2)),
)
