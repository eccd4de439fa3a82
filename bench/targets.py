# SPDX-License-Identifier: MIT
#
# targets — the figures that Tenon must reach and those it aims at, and how each
# one fared.

import re
from dataclasses import dataclass
from typing import Callable

from measure import all_jobs
from report import number

MIB = 1 << 20
# Processes for each figure.
REPETITIONS = 7


@dataclass(frozen=True)
class Target:
    """A figure made of one or two measurements, with its bounds.

    A measurement is named (case, implementation, workers).
    """

    name: str
    unit: str
    must: float
    aim: float             # None: there is none beyond `must`
    figure: Callable       # of (results, *keys); None: one is not measured
    keys: tuple
    is_least: bool = False  # the bounds are lower ones

    def value(self, results):
        return self.figure(results, *self.keys)

    def reached(self, value, bound):
        if bound is None:
            return False
        return value >= bound if self.is_least else value <= bound

    def bound(self, value):
        if value is None:
            return ''
        return f'{">=" if self.is_least else "<="} {value:g} {self.unit}'


# --- Figures -----------------------------------------------------------------

def plain(results, key):
    return results.median(key)


def milliseconds(results, key):
    value = results.median(key)
    return None if value is None else value / 1e6


def each(results, key):
    """Per operation."""
    value = results.median(key)
    return None if value is None else value / results.line(key)['operations']


def times(results, one, other):
    """How many times as much as `other` is `one`."""
    value, base = results.median(one), results.median(other)
    return value / base if value is not None and base else None


def percent(results, one, other):
    value = times(results, one, other)
    return None if value is None else 100 * value


def bytes_each(results, key):
    """What a queued task takes: the peak less what was there before."""
    peak, before = (results.median(key, field)
                    for field in ('peak_mib', 'before_mib'))
    if peak is None or before is None:
        return None
    return (peak - before) * MIB / int(results.line(key)['size'])


def peak_over(results, one, other):
    """By how many MiB the peak of `one` is above that of `other`."""
    peak, base = (results.median(key, 'peak_rss_mib') for key in (one, other))
    return None if peak is None or base is None else peak - base


# --- Rows --------------------------------------------------------------------

# Coarse enough for serial code to be the measure.
WHOLE = ('uts-T1', 'uts-T3', 'uts-T1L', 'nqueens-13', 'cilksort', 'matmul')
# Nothing but tasks.
TASK_CASES = ('fib-rivals', 'nqueens', 'uts-T1', 'uts-T3', 'skynet',
              'integrate-rivals', 'matmul', 'strassen', 'cilksort', 'flat',
              'flat-many')
COUNTS = (1, 2)


def tenon(case, workers):
    return case, 'tenon', workers


def on(workers):
    return '1 worker' if workers == 1 else f'{workers} workers'


def _slowdown(case, must, aim):
    return Target(f'{case}, 1 worker, over serial', 'x', must, aim, times,
                  (tenon(case, 1), (case, 'serial', 1)))


def _speedup(case):
    return Target(f'{case}, 2 workers against 1', 'x', 1.9, 1.98, times,
                  (tenon(case, 1), tenon(case, 2)), is_least=True)


def _each(what, case, workers, must, aim):
    return Target(f'{case}, {what}, {on(workers)}', 'ns', must, aim, each,
                  (tenon(case, workers),))


def _lead(case, workers):
    return Target(f'{case}, {on(workers)}, times as fast as oneTBB', 'x', 2, 5,
                  times, ((case, 'onetbb', workers), tenon(case, workers)),
                  is_least=True)


def _beside(case, rival, workers, must, aim):
    return Target(f'{case}, {on(workers)}, over {rival}', 'x', must, aim,
                  times, (tenon(case, workers),
                          (case, rival, 1 if rival == 'pingpong' else workers)))


def _oversubscribed(case):
    return Target(f'{case}, throughput of 128 workers against 2', '%', 50, 90,
                  percent, (tenon(case, 2), tenon(case, 128)), is_least=True)


FORK_JOIN = (
    _slowdown('fib', 3.2, 2.3),
    _speedup('fib'),
    _each('a level with a full scope', 'fibscope', 1, 25, 12),
    *(_slowdown(case, 1.05, 1.0) for case in WHOLE),
    *(_speedup(case) for case in WHOLE),
)

SPAWNS = (
    _each('a task', 'flat', 1, 20, 10),
    _each('a task', 'flat', 2, 40, 15),
    _each('a task', 'flat-many', 1, 50, 25),
    _each('a task', 'flat-many', 2, 90, 30),
    *(_lead(case, workers) for case in TASK_CASES for workers in COUNTS),
    *(_each('a task', 'submit-1', workers, 60, 40) for workers in COUNTS),
    *(_each('a task', 'submit-4', workers, 120, 60) for workers in COUNTS),
    *(_beside('roundtrip', 'pingpong', workers, 2.0, 1.2)
      for workers in COUNTS),
    _each('a turn', 'poll', 1, 1, 0.5),
    _each('an empty scope', 'nest', 1, 25, 10),
)

LOOPS = (
    *(_beside(case, 'libgomp', workers, 1.1, 1.0)
      for case in ('triad', 'reduce') for workers in COUNTS),
    _beside('loop', 'libgomp', 2, 1.0, None),
    *(_beside('sort', 'onetbb', workers, 1.1, 1.0) for workers in COUNTS),
)

REST = (
    *(Target(f'cancel-100000, {on(workers)}', 'ms', 5, 1, milliseconds,
             (tenon('cancel-100000', workers),)) for workers in COUNTS),
    *(Target(f'memory, a queued task, {on(workers)}', 'bytes', 96, 64,
             bytes_each, (tenon('memory', workers),)) for workers in COUNTS),
    Target('uts-T3L, 2 workers, peak memory over serial', 'MiB', 64, None,
           peak_over, (tenon('uts-T3L', 2), ('uts-T3L', 'serial', 1))),
    # The aim is none at all: nothing in two decimals.
    *(Target(f'idle, {on(workers)}, of one CPU', '%', 0.1, 0.005, plain,
             (tenon('idle', workers),)) for workers in COUNTS),
    _oversubscribed('over-fib'),
    _oversubscribed('over-uts'),
)

TARGETS = (*FORK_JOIN, *SPAWNS, *LOOPS, *REST)


def keys_needed(targets=TARGETS):
    return {key for target in targets for key in target.keys}


def keys_asked(about):
    """What a run was to measure, by its context.

    Of that, only, part, quick, workers and check; `part` is what --only takes
    of a file, beside its own `only`, and `check` a run for the targets alone.
    """
    patterns = [about.get(name, '') for name in ('only', 'part')]
    keys = {job.key for job in all_jobs(about.get('workers', COUNTS),
                                        about.get('quick', False))
            if all(re.search(pattern, job.name) for pattern in patterns)}
    return keys & keys_needed() if about.get('check') else keys


# --- The check ---------------------------------------------------------------

@dataclass(frozen=True)
class Outcome:
    """`verdict`: aim, must, SHORT, or -- where it need not be measured."""

    target: Target
    value: float
    verdict: str


def verdict_of(target, value, is_expected):
    if value is None:
        return 'SHORT' if is_expected else '--'
    if target.reached(value, target.aim):
        return 'aim'
    return 'must' if target.reached(value, target.must) else 'SHORT'


def check(results, about, targets=TARGETS):
    """How each target fared.

    What was not measured is short of its bound, unless nobody asked for it by
    `about`, the context of the run.
    """
    asked = keys_asked(about)
    outcomes = []
    for target in targets:
        value = target.value(results)
        is_expected = asked.issuperset(target.keys)
        outcomes.append(
            Outcome(target, value, verdict_of(target, value, is_expected)))
    return outcomes


def cells(outcome):
    """Verdict, value, must, aim, name."""
    target, value = outcome.target, outcome.value
    return [outcome.verdict,
            'not measured' if value is None
            else f'{number(value)} {target.unit}',
            target.bound(target.must), target.bound(target.aim), target.name]


def notes(outcomes, results, about):
    """What is to be said of the verdicts as a whole."""
    counts = [len(results.samples[key]) for outcome in outcomes
              for key in outcome.target.keys if key in results.samples]
    least = min(counts, default=REPETITIONS)
    if least < REPETITIONS and not about.get('quick'):
        yield (f'note: verdicts of too few processes ({least}): at least '
               f'{REPETITIONS} are asked for')


def short(outcomes):
    return [outcome.target.name for outcome in outcomes
            if outcome.verdict == 'SHORT']
