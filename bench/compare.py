# SPDX-License-Identifier: MIT
#
# compare — what became slower or faster between two runs, beyond noise: the
# medians, the latencies of `mixed` in percentiles, the peak of memory.
#
# Two things must come together: the medians differ by 5 % and by more than can
# be measured, and the processes of one run rank above those of the other as
# they would by chance once in a hundred times at most (Mann-Whitney's U test,
# two-sided). The test asks for no distribution, which times do not have, and
# one process that was disturbed changes ranks by little. With few processes its
# p is counted out over all ways to deal the ranks, ties included, so it is as
# right for 7 as for 70. Fewer than 5 on each side cannot reach one in a
# hundred: then nothing is called slower.
#
# Source:  Mann and Whitney, "On a Test of Whether one of Two Random Variables
#          is Stochastically Larger than the Other", Annals of Mathematical
#          Statistics 18, 1947; Lehmann, "Nonparametrics", 1975, 1.4, on ties.
#          Google Benchmark's tools/compare.py uses the same test. Kalibera and
#          Jones, "Rigorous Benchmarking in Reasonable Time", ISMM 2013, on
#          effect sizes besides p and on processes as what is repeated.

import math
import statistics
from dataclasses import dataclass

from cases import REFERENCES
from report import aligned, figure, number
from samples import name_of
from targets import keys_asked

CHANCE_MAX = 0.01
CHANGE_MIN = 0.05
# Less than that is beyond the clock, or of no importance, whatever its ratio.
DIFFERENCE_MIN = {'ns': 20, '%': 0.05, 'MiB': 1}
# Of each of two runs, for CHANCE_MAX.
REPETITIONS_MIN = 5
# What is compared: its unit, None that of the line; and what it is called.
FIELDS = {
    'median': (None, ''),
    'p50_ns': ('ns', '50 % latency'),
    'p99_ns': ('ns', '99 % latency'),
    'p999_ns': ('ns', '99.9 % latency'),
    'peak_rss_mib': ('MiB', 'peak memory'),
}
# Up to so many values together all ways are counted.
COUNTED_MAX = 20

SLOWER, FASTER, SAME = 'SLOWER', 'faster', 'same'
FEW, OTHER_SIZE = 'too few', 'other size'


# --- The test ----------------------------------------------------------------

def double_ranks(values):
    """Twice the rank of each; equal values share the middle of their ranks."""
    places = {}
    for place, value in enumerate(sorted(values), 1):
        places.setdefault(value, []).append(place)
    return [places[value][0] + places[value][-1] for value in values]


def counted_chance(ranks, count):
    """Of all ways to choose `count` ranks, how many are as far from the middle
    as the first ones, or farther."""
    ways = [{0: 1}, *({} for _ in range(count))]  # of so many, by their sum
    for rank in ranks:
        for chosen in range(count - 1, -1, -1):
            longer = ways[chosen + 1]
            for total, way_count in ways[chosen].items():
                longer[total + rank] = (longer.get(total + rank, 0) +
                                        way_count)
    middle = count * (len(ranks) + 1)
    distance = abs(sum(ranks[:count]) - middle)
    far_count = sum(way_count for total, way_count in ways[count].items()
                    if abs(total - middle) >= distance)
    return far_count / math.comb(len(ranks), count)


def normal_chance(ranks, count):
    """The same for many, by the normal distribution."""
    total = len(ranks)
    variance = (count * (total - count) * statistics.pvariance(ranks) /
                (total - 1))
    if variance == 0:
        return 1.0
    # Doubled sums are whole and even: half of a step, for continuity.
    distance = max(0, abs(sum(ranks[:count]) - count * (total + 1)) - 1)
    return math.erfc(distance / math.sqrt(2 * variance))


def chance(old, new):
    """How probable ranks so unlike are, if both come from the same source."""
    ranks = double_ranks([*old, *new])
    if len(ranks) <= COUNTED_MAX:
        return counted_chance(ranks, len(old))
    return normal_chance(ranks, len(old))


def least_chance(old_count, new_count):
    return 2 / math.comb(old_count + new_count, old_count)


# --- The verdicts ------------------------------------------------------------

@dataclass(frozen=True)
class Change:
    key: tuple
    field: str
    unit: str
    old: float      # medians
    new: float
    chance: float   # None where the test was not made
    verdict: str

    @property
    def ratio(self):
        return self.new / self.old if self.old else math.nan

    @property
    def name(self):
        return name_of_figure(self.key, self.field)


def name_of_figure(key, field):
    _, label = FIELDS[field]
    return f'{name_of(key)} ({label})' if label else name_of(key)


def is_large(old, new, unit):
    """Is it a difference that anybody would want to know of?"""
    difference = abs(new - old)
    return (difference >= DIFFERENCE_MIN[unit] and
            difference >= CHANGE_MIN * min(abs(old), abs(new)))


def judge(old, new, unit):
    """(chance, verdict) of two lists of samples."""
    if least_chance(len(old), len(new)) > CHANCE_MAX:
        return None, FEW
    value = chance(old, new)
    before, after = statistics.median(old), statistics.median(new)
    if value > CHANCE_MAX or not is_large(before, after, unit):
        return value, SAME
    return value, SLOWER if after > before else FASTER


def change_of(key, field, old, new):
    one, other = old.line(key), new.line(key)
    unit = FIELDS[field][0] or other['unit']
    if one.get('size') != other.get('size') or one['unit'] != other['unit']:
        result = None, OTHER_SIZE
    else:
        result = judge(old.values(key, field), new.values(key, field), unit)
    return Change(key, field, unit, old.median(key, field),
                  new.median(key, field), *result)


def figures(results):
    """(key, field) of all that can be compared, in order."""
    return [(key, field) for key in sorted(results.samples)
            for field in FIELDS if results.values(key, field)]


def compare(old, new):
    """A Change for each figure that both results have."""
    known = set(figures(old))
    return [change_of(*figure, old, new) for figure in figures(new)
            if figure in known]


def slower(changes):
    """Names of what became slower and is Tenon's."""
    return [change.name for change in changes
            if change.verdict == SLOWER and change.key[1] == 'tenon']


def lost(old, new, about):
    """Names of what is Tenon's and of the old run, and is not in the new one,
    which was to measure it by its context."""
    asked, known = keys_asked(about), set(figures(new))
    return [name_of_figure(key, field) for key, field in figures(old)
            if key[1] == 'tenon' and key in asked and
            (key, field) not in known and
            (field == 'median' or key in new.samples)]


# --- Whether there is anything to judge --------------------------------------

def verdicts_on_tenon(changes):
    return {change.verdict for change in changes if change.key[1] == 'tenon'}


def is_judged(changes):
    """Was anything of Tenon's?"""
    return not verdicts_on_tenon(changes) <= {FEW, OTHER_SIZE}


def advice(changes):
    """What to do where nothing was."""
    verdicts = verdicts_on_tenon(changes)
    if not verdicts:
        return ('no figure of it is in both: measure both with the same --only '
                'and --workers')
    ways = {FEW: f'with --repetitions {REPETITIONS_MIN} at least',
            OTHER_SIZE: 'with --quick, or neither'}
    return 'measure both ' + ', and both '.join(
        way for verdict, way in ways.items() if verdict in verdicts)


# --- In words ----------------------------------------------------------------

def cells(change):
    if change.verdict == OTHER_SIZE:
        return [change.verdict, '', '', '', '', change.name]
    return [
        '' if change.verdict == SAME else change.verdict,
        '-' if math.isnan(change.ratio) else number(change.ratio),
        figure(change.old, change.unit), figure(change.new, change.unit),
        '-' if change.chance is None else f'{change.chance:.4f}',
        change.name]


def is_told(change):
    """Every median is; the rest if there is something to tell."""
    return change.field == 'median' or change.verdict in (SLOWER, FASTER)


def drift(changes):
    """How the code that did not change fared: the machine's part in it."""
    ratios = [change.ratio for change in changes
              if change.key[1] in REFERENCES and change.field == 'median'
              and change.verdict != OTHER_SIZE and change.old]
    return statistics.median(ratios) if ratios else None


def absent(old, new):
    for title, one, other in (('only in the old file', old, new),
                              ('only in the new one', new, old)):
        keys = [key for key in one.samples if key not in other.samples]
        if keys:
            cases = sorted({key[0] for key in keys})
            yield f'{title}: {len(keys)} figures of {", ".join(cases)}'


def circumstances(results, about):
    return {**{name: about[name] for name in ('cpu_model', 'num_cpus', 'kernel')
               if name in about}, **results.versions()}


def unlike(old, new, old_about, new_about):
    """What differs besides what was measured."""
    was = circumstances(old, old_about)
    now = circumstances(new, new_about)
    for name in sorted(was.keys() & now.keys()):
        if was[name] != now[name]:
            yield f'note: {name} was {was[name]}, is {now[name]}'


def summary(changes):
    for verdict in (SLOWER, FASTER, FEW, OTHER_SIZE):
        count = sum(change.verdict == verdict for change in changes)
        if count:
            yield f'{verdict}: {count} of {len(changes)}'
    value = drift(changes)
    if value is not None:
        yield (f'serial code and ping-pong took {number(value)} times as long '
               '(median): that much is the machine')
    others = [change.name for change in changes
              if change.verdict == SLOWER and change.key[1] != 'tenon']
    if others:
        yield ('slower, but not Tenon: the machine, or another version: ' +
               ', '.join(others))


def text(old, new, changes):
    head = ['', 'ratio', 'old', 'new', 'p', '']
    told = filter(is_told, changes)
    return '\n'.join([*aligned([head, *map(cells, told)], {0, 5}), '',
                      *summary(changes), *absent(old, new)]).rstrip()
