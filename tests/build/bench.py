# SPDX-License-Identifier: MIT
#
# bench — what the runner of the benchmarks calls slower, and what reached, tried
# with samples made up.

import itertools
import json
import math
import os
import pathlib
import re
import sys
import tempfile

from madeup import (ABOUT, NOISY, ROOT, SERIAL, STEADY, TENON, line, results,
                    scaled)
from points import differ, point, run

# From bench/, which `madeup` has put on the path.
import compare
import report
import samples
import targets
from cases import CASES, OPENMP
from measure import all_jobs


# --- The test ----------------------------------------------------------------

def counted_by_hand(old, new):
    """Every way to deal the ranks, one by one."""
    ranks = compare.double_ranks([*old, *new])
    middle = len(old) * (len(ranks) + 1)
    far = [abs(sum(chosen) - middle)
           for chosen in itertools.combinations(ranks, len(old))]
    mine = abs(sum(ranks[:len(old)]) - middle)
    return sum(distance >= mine for distance in far) / len(far)


@point('p of runs that have nothing in common is one in all ways, twice')
def separate():
    yield from differ('7 and 7', compare.chance(range(7), range(10, 17)),
                      2 / 3432)
    yield from differ('3 and 3', compare.chance([4, 5, 6], [1, 2, 3]), 0.1)
    yield from differ('the least there is', compare.least_chance(7, 7),
                      2 / 3432)


@point('p of runs that are the same is 1')
def alike():
    yield from differ('equal', compare.chance(STEADY, STEADY), 1)
    yield from differ('all one', compare.chance([5] * 7, [5] * 7), 1)
    yield from differ('many, all one', compare.chance([5] * 30, [5] * 30), 1)


@point('p is what counting by hand gives, with ties and unequal numbers')
def by_hand():
    for old, new in (([1, 1, 2, 3], [1, 2, 2, 4, 4]), ([5, 1], [2, 3, 4, 4]),
                     (STEADY, NOISY), ([0, 0, 0, 1], [0, 0, 1, 1])):
        got, expected = compare.chance(old, new), counted_by_hand(old, new)
        if not math.isclose(got, expected):
            yield f'{old} and {new}: expected {expected}, got {got}'


@point('p of many samples is near to what counting gives')
def many():
    old, new = list(range(0, 20, 2)), list(range(5, 25, 2))
    ranks = compare.double_ranks([*old, *new])
    counted = compare.counted_chance(ranks, 10)
    normal = compare.normal_chance(ranks, 10)
    if not 0.9 < counted / normal < 1.1:
        yield f'counted {counted}, by the normal distribution {normal}'


# --- The comparison ----------------------------------------------------------

VERDICTS = (
    ('equal', STEADY, STEADY, 'ns', compare.SAME),
    ('twice as long', STEADY, scaled(STEADY, 2), 'ns', compare.SLOWER),
    ('a tenth longer', STEADY, scaled(STEADY, 1.1), 'ns', compare.SLOWER),
    ('half as long', STEADY, scaled(STEADY, 0.5), 'ns', compare.FASTER),
    ('noisy', NOISY, NOISY[::-1], 'ns', compare.SAME),
    ('noisy, a tenth longer', NOISY, scaled(NOISY, 1.1), 'ns', compare.SAME),
    ('noisy, but clearly slower', NOISY, scaled(NOISY, 3), 'ns',
     compare.SLOWER),
    ('one process disturbed', STEADY, [*STEADY[:-1], 900e6], 'ns',
     compare.SAME),
    ('3 % longer, without doubt', STEADY, scaled(STEADY, 1.03), 'ns',
     compare.SAME),
    ('a tick of the clock', [30] * 7, [40] * 7, 'ns', compare.SAME),
    ('3 and 3, clearly slower', STEADY[:3], scaled(STEADY[:3], 2), 'ns',
     compare.FEW),
    ('4 and 4, clearly slower', STEADY[:4], scaled(STEADY[:4], 2), 'ns',
     compare.FEW),
    ('5 and 5, clearly slower', STEADY[:5], scaled(STEADY[:5], 2), 'ns',
     compare.SLOWER),
    ('one alone', [1e6], [2e6], 'ns', compare.FEW),
    ('hardly any CPU, and hardly more', [0.0] * 7, [0.001] * 7, '%',
     compare.SAME),
    ('idle no more', [0.0] * 7, [2.5] * 7, '%', compare.SLOWER),
    ('a page more', [4.0] * 7, [4.5] * 7, 'MiB', compare.SAME),
    ('twice the memory', [40.0] * 7, [80.0] * 7, 'MiB', compare.SLOWER),
    ('less memory', [80.0] * 7, [40.0] * 7, 'MiB', compare.FASTER),
    ('many processes', STEADY * 4, scaled(STEADY * 4, 1.2), 'ns',
     compare.SLOWER),
)


def judged(old, new, unit, verdict):
    def judge():
        changes = compare.compare(results({TENON: old}, unit=unit),
                                  results({TENON: new}, unit=unit))
        yield from differ('verdict', changes[0].verdict, verdict)
        yield from differ('named as slower', compare.slower(changes),
                          ['fib/tenon/workers:1']
                          if verdict == compare.SLOWER else [])
    return judge


for _title, *_arguments in VERDICTS:
    point(f'compare: {_title}: {_arguments[-1]}')(judged(*_arguments))


@point('compare: another size is not compared')
def other_size():
    changes = compare.compare(results({TENON: STEADY}, size='38'),
                              results({TENON: scaled(STEADY, 9)}))
    yield from differ('verdict', changes[0].verdict, compare.OTHER_SIZE)
    yield from differ('slower', compare.slower(changes), [])


@point('compare: a case in one file alone is named, not judged')
def missing_case():
    old = results({TENON: STEADY, ('gone', 'tenon', 1): STEADY})
    new = results({TENON: STEADY, ('new', 'tenon', 1): STEADY})
    changes = compare.compare(old, new)
    text = compare.text(old, new, changes)
    yield from differ('compared', [change.key for change in changes], [TENON])
    for wanted in ('only in the old file: 1 figures of gone',
                   'only in the new one: 1 figures of new'):
        if wanted not in text:
            yield f'does not say "{wanted}": {text}'


FIGURES = (
    ('p50_ns', 1e5, 'ns', '50 % latency'),
    ('p99_ns', 1e6, 'ns', '99 % latency'),
    ('p999_ns', 2e6, 'ns', '99.9 % latency'),
    ('peak_rss_mib', 4.0, 'MiB', 'peak memory'),
)


def with_figure(field, values, **others):
    return samples.Results({('mixed', 'tenon', 2): [
        line(1e6, **{**others, field: value}) for value in values]})


@point('compare: latencies and peak memory are told where they changed')
def more_figures():
    every = {field: value for field, value, _, _ in FIGURES}
    for field, value, unit, label in FIGURES:
        name = f'mixed/tenon/workers:2 ({label})'
        old = with_figure(field, [value] * 7, **every)
        for factor, expected in ((10, compare.SLOWER), (1, compare.SAME),
                                 (1.02, compare.SAME), (0.1, compare.FASTER)):
            new = with_figure(field, [factor * value] * 7, **every)
            changes = compare.compare(old, new)
            one, = (change for change in changes if change.field == field)
            yield from differ(f'{name} x {factor}', (one.verdict, one.unit),
                              (expected, unit))
            yield from differ('slower', compare.slower(changes),
                              [name] if factor == 10 else [])
            text = compare.text(old, new, changes)
            yield from differ(f'{name} in the text', name in text,
                              expected != compare.SAME)
            yield from differ('the others', text.count('mixed/'),
                              1 + (name in text))


@point('compare: a MiB more is no change, nor is the slowest task')
def no_figures():
    for field, old, new in (('peak_rss_mib', 2.0, 2.9), ('max_ns', 1e6, 1e9)):
        changes = compare.compare(with_figure(field, [old] * 7),
                                  with_figure(field, [new] * 7))
        yield from differ(field, [change.verdict for change in changes
                                  if change.verdict != compare.SAME], [])


@point('compare: a latency that is not measured any more is named')
def lost_latency():
    every = {field: value for field, value, _, _ in FIGURES}
    old = with_figure('p99_ns', [1e6] * 7, **every)
    new = with_figure('p99_ns', [1e6] * 7)
    yield from differ('some', compare.lost(old, new, ABOUT), [
        f'mixed/tenon/workers:2 ({label})' for _, _, _, label in FIGURES
        if label != '99 % latency'])
    yield from differ('all', compare.lost(old, results({}), ABOUT),
                      ['mixed/tenon/workers:2'])


@point('compare: what is not measured any more is named, if it was asked for')
def lost():
    other = 'fib', 'tenon', 2
    old = results({TENON: STEADY, other: STEADY, SERIAL: STEADY,
                   ('fib', 'tenon', 4): STEADY, ('nest', 'tenon', 1): STEADY,
                   ('heat', 'tenon', 1): STEADY, ('gone', 'tenon', 1): STEADY,
                   ('uts-T1L', 'tenon', 1): STEADY})
    new = results({TENON: STEADY})
    names = {name: f'{name}/tenon/workers:1'
             for name in ('heat', 'nest', 'uts-T1L')}
    two = 'fib/tenon/workers:2'
    for about, expected in (
            ({}, [two, *names.values()]),
            ({'only': '^fib'}, [two]), ({'part': '^fib'}, [two]),
            ({'only': '^fib', 'part': 'heat'}, []),
            ({'workers': [1]}, list(names.values())),
            ({'workers': [4], 'only': '^fib'}, ['fib/tenon/workers:4']),
            ({'quick': True}, [two, names['heat'], names['nest']]),
            # No target is made of `heat`.
            ({'check': True}, [two, names['nest'], names['uts-T1L']])):
        yield from differ(f'{about}', compare.lost(
            old, new, {**ABOUT, **about}), expected)
    yield from differ('nothing', compare.lost(old, old, ABOUT), [])


@point('compare: where nothing can be judged it says what to do')
def advice():
    few, many = STEADY[:4], STEADY
    for old, new, size, expected in (
            ({TENON: few}, {TENON: few}, '42',
             'measure both with --repetitions 5 at least'),
            ({TENON: many}, {TENON: many}, '38',
             'measure both with --quick, or neither'),
            ({TENON: many}, {SERIAL: many}, '42',
             'no figure of it is in both: measure both with the same --only '
             'and --workers'),
            ({SERIAL: many}, {SERIAL: many}, '42',
             'no figure of it is in both: measure both with the same --only '
             'and --workers')):
        changes = compare.compare(results(old), results(new, size=size))
        yield from differ('judged', compare.is_judged(changes), False)
        yield from differ('advice', compare.advice(changes), expected)
    changes = compare.compare(results({TENON: many, ('nest', 'tenon', 1): few}),
                              results({TENON: many, ('nest', 'tenon', 1): few}))
    yield from differ('one of two', compare.is_judged(changes), True)


@point('compare: 5 processes each can be told apart, 4 cannot')
def least():
    count = compare.REPETITIONS_MIN
    if not (compare.least_chance(count, count) <= compare.CHANCE_MAX <
            compare.least_chance(count - 1, count - 1)):
        yield f'{count} is not the least number'


@point('compare: a slower rival is told, but is no failure')
def slower_rival():
    rival = 'fib', 'onetbb', 1
    old = results({TENON: STEADY, rival: STEADY})
    new = results({TENON: STEADY, rival: scaled(STEADY, 2)})
    changes = compare.compare(old, new)
    text = compare.text(old, new, changes)
    yield from differ('slower', compare.slower(changes), [])
    if 'not Tenon' not in text or 'fib/onetbb/workers:1' not in text:
        yield f'does not tell: {text}'


@point('compare: what serial code did is told beside it')
def drift():
    changes = compare.compare(results({SERIAL: STEADY}),
                              results({SERIAL: scaled(STEADY, 1.5)}))
    yield from differ('drift', compare.drift(changes), 1.5)


@point('compare: another machine or version is noted')
def unlike():
    old, new = results({TENON: STEADY}), results({TENON: STEADY}, version='2')
    got = list(compare.unlike(old, new, ABOUT, {**ABOUT, 'num_cpus': 8}))
    yield from differ('notes', got, ['note: num_cpus was 2, is 8',
                                     'note: tenon was 1, is 2'])


# --- The file ----------------------------------------------------------------

@point('JSON that was stored is read again as it was')
def stored():
    old = samples.Results(
        {TENON: [line(value, p50_ns=7.0, peak_rss_mib=3.5)
                 for value in STEADY],
         ('idle', 'tenon', 2): [line(0.02, unit='%', cpu_ns=1e6)],
         ('memory', 'tenon', 2): [line(4.0, unit='MiB', before_mib=1.0,
                                       peak_mib=90.0)]}, {'glib'})
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'bench.json')
        samples.store(path, old, ABOUT)
        new, about = samples.load(path)
    for key in old.samples:
        yield from differ(str(key), new.samples.get(key), old.samples[key])
    yield from differ('missing', new.missing, {'glib'})
    yield from differ('date', about['date'], ABOUT['date'])


@point('JSON has what Google Benchmark has: iterations and their median')
def googlish():
    data = samples.google(results({TENON: STEADY}), ABOUT)
    names = [entry['name'] for entry in data['benchmarks']]
    yield from differ('names', names[6:9],
                      ['fib/tenon/workers:1', 'fib/tenon/workers:1_mean',
                       'fib/tenon/workers:1_median'])
    yield from differ('median', data['benchmarks'][8]['real_time'], 100e6)


@point('JSON of somebody else is refused')
def refused():
    data = samples.google(results({TENON: STEADY}), ABOUT)
    data['benchmarks'][0]['run_name'] = 'BM_something'
    for text in ('{', '[]', '{"context": {}}', json.dumps(data)):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, 'bench.json')
            path.write_text(text)
            try:
                samples.load(path)
            except ValueError:
                continue
        yield f'accepted: {text[:60]}'


def load_changed(old, **fields):
    """What load() says of a file whose third entry was changed: '' is none."""
    data = samples.google(old, ABOUT)
    data['benchmarks'][2].update(fields)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, 'bench.json')
        path.write_text(json.dumps(data))
        try:
            samples.load(path)
        except ValueError as error:
            return str(error)
    return ''


@point('JSON with times that cannot be is refused, and the entry named')
def impossible():
    timed = results({TENON: STEADY}, p99_ns=7.0)
    for value in (0, -1, -0.5, math.nan, math.inf, -math.inf, 10 ** 400, '5',
                  None, True, []):
        for name in ('real_time', 'cpu_time', 'p99_ns'):
            got = load_changed(timed, **{name: value})
            if not got.startswith('fib/tenon/workers:1: '):
                yield f'{name} of {value}: {got!r}'
    for name in ('peak_rss_mib', 'ns_per_operation', 'pause_ns', 'other'):
        if not load_changed(timed, **{name: math.nan}):
            yield f'accepted: {name} that is no number'
    yield from differ('unchanged', load_changed(timed), '')


@point('JSON may tell of no idle time, no growth, no pause')
def possible():
    for unit, name in samples.FIGURES.items():
        old = samples.Results({('idle', 'tenon', 1): [
            line(1.0, unit=unit, operations=0) for _ in range(3)]})
        yield from differ(unit, load_changed(
            old, **{name: 0, 'cpu_time': 0, 'real_time': 0}), '')
        yield from differ(f'{unit}, infinite', load_changed(
            old, **{name: math.inf}),
            f'idle/tenon/workers:1: {name} is inf')
    yield from differ('no pause', load_changed(
        results({TENON: STEADY}, pause_ns=7), pause_ns=0), '')


@point('what the tables leave out is said: no case any more, not measured')
def left_out():
    every = {(case.name, 'tenon', 1): STEADY for case in CASES}
    yield from differ('a whole run',
                      list(report.left_out(results(every), ABOUT)), [])
    gone = results({**every, ('gone', 'tenon', 1): STEADY})
    yield from differ('a case that is gone', list(report.left_out(gone, ABOUT)),
                      ['note: not told, since there is no such case any more: '
                       'gone'])
    del every[TENON]
    yield from differ('one that is new',
                      list(report.left_out(results(every), ABOUT)),
                      ['note: not measured: fib'])
    for name in ('only', 'part'):
        yield from differ(name, list(report.left_out(
            results(every), {**ABOUT, name: '^uts'})), [])
    for case in CASES:
        if not case.is_quick:
            del every[case.name, 'tenon', 1]
    every[TENON] = STEADY
    yield from differ('--quick', list(report.left_out(
        results(every), {**ABOUT, 'quick': True})), [])


# --- The targets -------------------------------------------------------------

def target(must, aim, **others):
    return targets.Target('a figure', 'x', must, aim, targets.times,
                          (TENON, SERIAL), **others)


def verdict(value, one, **about):
    values = {} if value is None else {
        TENON: [value * 1e6], SERIAL: [1e6]}
    outcomes = targets.check(results(values), {**ABOUT, **about}, [one])
    return outcomes[0].verdict


@point('check: reached, missed, aimed at')
def reached():
    most, least = target(3.2, 2.3), target(1.9, 1.98, is_least=True)
    for value, one, expected in (
            (2.3, most, 'aim'), (2.31, most, 'must'), (3.2, most, 'must'),
            (3.21, most, 'SHORT'), (1.98, least, 'aim'), (1.9, least, 'must'),
            (1.89, least, 'SHORT'), (0.5, target(1.0, None), 'must'),
            (1.1, target(1.0, None), 'SHORT')):
        yield from differ(f'{value}', verdict(value, one), expected)


@point('check: what was to be measured and was not is short')
def not_measured():
    one = target(3.2, 2.3)
    yield from differ('a whole run', verdict(None, one), 'SHORT')
    for pattern, expected in (('uts', '--'), ('fib/tenon', '--'),
                              ('^fib', 'SHORT'), ('workers:1$', 'SHORT')):
        for name in ('only', 'part'):
            yield from differ(f'--only {pattern}',
                              verdict(None, one, **{name: pattern}), expected)
    yield from differ('a part of a part',
                      verdict(None, one, only='tenon', part='^fib'), '--')
    yield from differ('--workers 4', verdict(None, one, workers=[4]), '--')
    long = targets.Target('a figure', 'MiB', 64, None, targets.peak_over,
                          (('uts-T3L', 'tenon', 2), ('uts-T3L', 'serial', 1)))
    yield from differ('--quick', verdict(None, long, quick=True), '--')
    yield from differ('not quick', verdict(None, long), 'SHORT')


@point('check: names what is short, beside must and aim')
def told():
    one = target(3.2, 2.3)
    outcomes = targets.check(
        results({TENON: [4e6], SERIAL: [1e6]}), ABOUT, [one])
    yield from differ('short', targets.short(outcomes), ['a figure'])
    yield from differ('cells', targets.cells(outcomes[0]),
                      ['SHORT', '4 x', '<= 3.2 x', '<= 2.3 x', 'a figure'])


@point('check: fewer than 7 processes are noted, but for --quick')
def few_processes():
    note = 'note: verdicts of too few processes (6): at least 7 are asked for'
    for mine, other, quick, expected in (
            (STEADY, STEADY, False, []), (STEADY[1:], STEADY, False, [note]),
            (STEADY, STEADY[1:], False, [note]), ([], [], False, []),
            (STEADY[1:], STEADY, True, [])):
        one = results({key: values for key, values in (
            (TENON, mine), (SERIAL, other), (('mixed', 'tenon', 1), [1e6]))
            if values})
        about = {**ABOUT, 'quick': quick}
        outcomes = targets.check(one, about, [target(3.2, 2.3)])
        yield from differ(f'{len(mine)} and {len(other)}', list(
            targets.notes(outcomes, one, about)), expected)


@point('check: every kind of figure')
def figures():
    key, other = TENON, ('fib', 'tenon', 2)
    got = samples.Results({
        key: [line(2e6, peak_rss_mib=80.0, peak_mib=101.0, before_mib=1.0,
                   size='1048576')],
        other: [line(1e6, peak_rss_mib=16.0)]})
    for function, keys, expected in (
            (targets.plain, (key,), 2e6), (targets.milliseconds, (key,), 2),
            (targets.each, (key,), 2000), (targets.times, (key, other), 2),
            (targets.percent, (key, other), 200),
            (targets.bytes_each, (key,), 100),
            (targets.peak_over, (key, other), 64)):
        yield from differ(function.__name__, function(got, *keys), expected)
        yield from differ(f'{function.__name__} of nothing',
                          function(samples.Results({}), *keys), None)


@point('check: a default run measures what every target needs')
def planned():
    jobs = {job.key for job in all_jobs([1, 2], False)}
    for one in targets.TARGETS:
        for key in one.keys:
            if key not in jobs:
                yield f'{one.name}: {key} is not measured'


@point('check: to aim is more than must, and names are told apart')
def sensible():
    names = [one.name for one in targets.TARGETS]
    yield from differ('number of names', len(set(names)), len(names))
    for one in targets.TARGETS:
        if one.aim is not None and not one.reached(one.aim, one.must):
            yield f'{one.name}: the aim is less than the must'


# --- The cases ---------------------------------------------------------------

WORKLOAD = re.compile(r"^    '(\w+)': \[((?:'\w+'(?:, )?)+)\],$", re.M)


@point('every workload that is built is measured, beside every rival')
def complete():
    listing = (ROOT / 'bench' / 'meson.build').read_text()
    listing = listing[listing.index('bench_workloads = {'):]
    built = {name: re.findall(r'\w+', rest)
             for name, rest in WORKLOAD.findall(listing)}
    if len(built) < 20:
        yield f'found only {len(built)} workloads in bench/meson.build'
    for workload, names in built.items():
        wanted = {library for name in names
                  for library in (OPENMP if name == 'openmp' else (name,))}
        measured = {name for case in CASES if case.workload == workload
                    for name in case.implementations()}
        yield from differ(workload, sorted(measured), sorted(wanted))


@point('names of cases are told apart, and are names')
def names():
    found = [case.name for case in CASES]
    yield from differ('number of names', len(set(found)), len(found))
    for name in found:
        if not re.fullmatch(r'[\w-]+', name):
            yield f'{name}: no name for a case'
    for key in (job.key for job in all_jobs([1, 2], True)):
        yield from differ('key', samples.key_of(samples.name_of(key)), key)


if __name__ == '__main__':
    sys.exit(run())
