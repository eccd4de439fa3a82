# SPDX-License-Identifier: MIT
#
# cases — what is measured: workloads with their sizes, and who takes part.

from dataclasses import dataclass

OPENMP = ('libgomp', 'libomp')
TASKS = (*OPENMP, 'onetbb')
NO_WARMUP = ('--warmup', '0')

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
    rivals: tuple            # serial code among them
    repeat: int = 1          # within a process; the median of them counts
    arguments: tuple = ()
    workers: tuple = ()      # where they are not those of the command line
    is_timed: bool = True    # else the figure is a percentage or a size
    is_idle: bool = False    # processes do not disturb each other
    is_quick: bool = True    # else --quick leaves it out
    quick_size: str = ''     # where it differs
    quick_repeat: int = 0
    quick_rivals: tuple = None

    def size_of(self, is_quick):
        return self.quick_size if is_quick and self.quick_size else self.size

    def repeat_of(self, is_quick):
        return (self.quick_repeat if is_quick and self.quick_repeat
                else self.repeat)

    def implementations(self, is_quick=False):
        is_less = is_quick and self.quick_rivals is not None
        return ('tenon', *(self.quick_rivals if is_less else self.rivals))


FORK_JOIN = (
    # Where a repetition takes seconds, a warm-up takes as long and tells no
    # more. Rivals that would take 80 s for fib(42) are met at a smaller size.
    Case('fib', 'fib', '42', ('serial',), arguments=NO_WARMUP,
         quick_size='36'),
    Case('fib-rivals', 'fib', '30', ('serial', *TASKS), repeat=3,
         quick_size='25'),
    Case('fibscope', 'fibscope', '25', (), repeat=20, quick_repeat=5),
    Case('nqueens', 'nqueens', '12', ('serial', *TASKS), quick_size='10'),
    Case('nqueens-13', 'nqueens', '13', ('serial',), quick_size='11'),
    Case('uts-T1', 'uts', 'T1', ('serial', *TASKS),
         quick_rivals=('serial', 'onetbb')),
    Case('uts-T3', 'uts', 'T3', ('serial', *TASKS),
         quick_rivals=('serial', 'onetbb')),
    Case('uts-T1L', 'uts', 'T1L', ('serial',), arguments=NO_WARMUP,
         is_quick=False),
    Case('uts-T3L', 'uts', 'T3L', ('serial',), arguments=NO_WARMUP,
         is_quick=False),
    Case('skynet', 'skynet', '1000000', ('serial', *TASKS), repeat=9,
         quick_size='100000'),
    Case('integrate', 'integrate', '2000', ('serial',), quick_size='350'),
    Case('integrate-rivals', 'integrate', '200', ('serial', *TASKS), repeat=3,
         quick_size='40'),
    Case('matmul', 'matmul', '1024', ('serial', *TASKS), quick_size='512'),
    Case('strassen', 'strassen', '1024', ('serial', *TASKS), quick_size='512'),
    Case('cilksort', 'cilksort', '4000000', ('serial', *TASKS),
         quick_size='400000'),
    Case('over-fib', 'fib', '38', (), repeat=3, workers=(2, 4, 32, 128),
         quick_size='36'),
    Case('over-uts', 'uts', 'T1', (), workers=(2, 4, 32, 128)),
)

LOOPS = (
    Case('heat', 'heat', '1024', ('serial', *TASKS), repeat=5,
         quick_size='320'),
    Case('heat-fine', 'heat', '256', ('serial', *TASKS), repeat=50,
         quick_repeat=10),
    Case('lu', 'lu', '1536', ('serial', *TASKS), repeat=3, quick_size='704'),
    Case('triad', 'triad', '16777216', ('serial', *TASKS), repeat=3,
         quick_size='1677721'),
    Case('reduce', 'reduce', '16777216', ('serial', *TASKS), repeat=3,
         quick_size='1677721'),
    Case('scan', 'scan', '16777216', ('serial', *TASKS), repeat=3,
         quick_size='1677721'),
    Case('sort', 'sort', '10000000', ('serial', 'onetbb'),
         quick_size='1000000'),
    Case('loop', 'loop', '1000000', ('serial', *TASKS), repeat=100,
         quick_repeat=30),
)

SCOPES = (
    Case('flat', 'flat', '10000', TASKS, repeat=200, quick_repeat=50),
    Case('flat-many', 'flat', '2000000', TASKS, quick_size='200000'),
    Case('nest', 'nest', '1000000', (), repeat=5, quick_size='100000'),
    Case('poll', 'poll', '10000000', ('serial',), repeat=5,
         quick_size='1000000'),
    *(Case(f'cancel-{size}', 'cancel', str(size), ('onetbb',), repeat=20,
           quick_repeat=10) for size in (1, 100, 10000, 100000)),
    *(Case(f'cancelpoll-{size}', 'cancelpoll', str(size), ('onetbb',),
           repeat=repeat, quick_repeat=repeat // 3)
      for size, repeat in ((1, 1000), (100, 300), (10000, 30), (100000, 15))),
    Case('memory', 'memory', '10000000', ('onetbb',), is_timed=False,
         quick_size='1000000'),
)

FOREIGN = (
    *(Case(f'submit-{count}', 'submit', '1000000', ('glib', 'onetbb'),
           arguments=('--submitters', str(count)), quick_size='100000')
      for count in (1, 4, 16)),
    Case('roundtrip', 'roundtrip', '1', ('pingpong', 'glib', 'onetbb'),
         repeat=500, quick_repeat=300),
    Case('roundtrip-hot', 'roundtrip', '1', ('pingpong', 'glib', 'onetbb'),
         repeat=20000, arguments=('--pause-ns', '0'), quick_repeat=5000),
    Case('wake', 'wake', '1', ('pingpong', 'glib', 'onetbb'), repeat=500,
         quick_repeat=300),
    Case('mixed', 'mixed', '2000', ('onetbb', 'glib'), repeat=3,
         quick_size='500', quick_repeat=2),
    Case('idle', 'idle', '10', TASKS, is_timed=False, is_idle=True,
         quick_size='2'),
)

# One owner, and one thief or none: it takes no number of workers.
INTERNAL = tuple(
    Case(f'deque-{what}', 'deque', what, (), repeat=3, workers=(1,),
         quick_repeat=1) for what in ('pushpop', 'steal', 'steal-quiet'))

CASES = (*FORK_JOIN, *LOOPS, *SCOPES, *FOREIGN, *INTERNAL)
