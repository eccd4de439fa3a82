# SPDX-License-Identifier: MIT
#
# report — from the samples to a table of ratios, to JSON in the shape of Google
# Benchmark, and to the comparison with the targets.

import statistics

from cases import PACKAGES, REFERENCES

RIVALS = ('libgomp', 'libomp', 'onetbb', 'glib')
TITLES = {'onetbb': 'oneTBB', 'glib': 'GLib', 'tenon': 'Tenon'}
# What the samples that are not times are called in JSON.
FIGURES = {'%': 'cpu_percent', 'MiB': 'rss_growth_mib'}

LEGEND = """\
Tenon: median of {repetitions} processes; the spread is half the way from least
to greatest. x1: how many times as fast as with 1 worker. xS: how many times as
long as serial code Tenon takes, for roundtrip as a futex ping-pong. Then, how
many times as long as Tenon each rival takes with as many workers: above 1,
Tenon is faster. idle and memory tell each one's own figure instead."""


class Results:
    """Samples by (case, implementation, workers)."""

    def __init__(self, samples, missing):
        self.samples = samples
        self.missing = missing

    def values(self, key):
        return [line['median'] for line in self.samples.get(key, ())]

    def median(self, key):
        values = self.values(key)
        return statistics.median(values) if values else None

    def spread(self, key):
        """Half the distance from least to greatest, over the median."""
        values = self.values(key)
        middle = statistics.median(values)
        return (max(values) - min(values)) / 2 / middle if middle else 0

    def line(self, key):
        return self.samples[key][0]

    def versions(self):
        return {key[1]: lines[0]['version']
                for key, lines in sorted(self.samples.items())}

    def compiler(self):
        found = {lines[0]['compiler'] for lines in self.samples.values()}
        return ', '.join(sorted(found))


def title(implementation):
    return TITLES.get(implementation, implementation)


def number(value):
    """Three digits, more before the point, never an exponent of ten."""
    if abs(value) >= 100:
        return f'{value:.0f}'
    return f'{value:.3f}' if abs(value) < 0.1 else f'{value:.3g}'


def figure(value, unit):
    if unit == 'ns':
        for longer, length in (('s', 1e9), ('ms', 1e6), ('us', 1e3)):
            if value >= length:
                return f'{number(value / length)} {longer}'
    return f'{number(value)} {unit}'


def ratio(value, other):
    return number(value / other) if value and other else '-'


def rival_cell(results, case, rival, workers):
    if rival not in case.rivals:
        return ''
    if rival in results.missing:
        return 'missing'
    key = (case.name, rival, workers)
    value = results.median(key)
    if value is None:
        return '-'
    if not case.is_timed:
        return figure(value, results.line(key)['unit'])
    return ratio(value, results.median((case.name, 'tenon', workers)))


def tenon_cells(results, case, workers):
    """Median, spread, ns per operation, against 1 worker, against serial."""
    key = (case.name, 'tenon', workers)
    value = results.median(key)
    if value is None:
        return ['missing' if 'tenon' in results.missing else '-', '', '', '', '']
    line = results.line(key)
    if not case.is_timed:
        return [figure(value, line['unit']), '', '', '', '']
    references = [results.median((case.name, name, 1))
                  for name in REFERENCES if name in case.rivals]
    return [
        figure(value, line['unit']),
        f'{100 * results.spread(key):.0f} %',
        ratio(value, line['operations']) if line['operations'] > 1 else '',
        ratio(results.median((case.name, 'tenon', 1)), value)
        if workers > 1 else '',
        ratio(value, references[0]) if references else '',
    ]


def rows(results, cases):
    for case in cases:
        keys = [key for key in results.samples
                if key[0] == case.name and key[1] not in REFERENCES]
        size = results.line(keys[0])['size'] if keys else ''
        for workers in sorted({key[2] for key in keys}):
            yield [case.name, size, str(workers),
                   *tenon_cells(results, case, workers),
                   *(rival_cell(results, case, rival, workers)
                     for rival in RIVALS)]


def head(results, about):
    versions = ', '.join(
        f'{title(name)} {version}'
        for name, version in results.versions().items()
        if name not in REFERENCES)
    yield (f'{about["date"]}, {about["cpu_model"]}, {about["num_cpus"]} CPUs, '
           f'{about["system"]}, Linux {about["kernel"]}')
    yield f'{versions}; compiled by {results.compiler()}, -O3'
    if about['load_avg'][0] > 0.5:
        yield (f'note: load average {about["load_avg"][0]:.1f} at the start: '
               'other work was running')
    if about['quick']:
        yield 'note: --quick: smaller sizes, fewer repetitions'
    for name in sorted(results.missing):
        packages = PACKAGES.get(name)
        yield (f'missing: {title(name)} was not built' +
               (f' (Debian: {packages})' if packages else ''))


def table(results, cases, about):
    titles = ['', 'size', 'workers', 'Tenon', 'spread', 'ns/op', 'x1', 'xS',
              *map(title, RIVALS)]
    lines = [titles, *rows(results, cases)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    text = [*head(results, about), '']
    for line in lines:
        cells = [cell.rjust(width) for cell, width in zip(line, widths)]
        cells[0] = line[0].ljust(widths[0])
        text.append('  '.join(cells).rstrip())
    return '\n'.join([*text, '', LEGEND.format(**about)])


def iteration(key, index, line, repetitions):
    case, implementation, workers = key
    name = f'{case}/{implementation}/workers:{workers}'
    entry = {
        'name': name,
        'run_name': name,
        'run_type': 'iteration',
        'repetitions': repetitions,
        'repetition_index': index,
        'threads': workers,
        'iterations': line['repetitions'],
        'real_time': line['median'],
        'cpu_time': line['cpu_ns'],
        'time_unit': 'ns',
    }
    if line['unit'] != 'ns':
        entry['real_time'] = line['cpu_ns']
        entry[FIGURES[line['unit']]] = line['median']
    if line['operations'] > 1:
        entry['ns_per_operation'] = line['median'] / line['operations']
    for name in ('size', 'submitters', 'pause_ns', 'before_mib', 'peak_mib',
                 'after_mib', 'version', 'compiler', 'min', 'max'):
        if name in line:
            entry[name] = line[name]
    return entry


def variation(values):
    mean = statistics.mean(values)
    return deviation(values) / mean if mean else 0


def deviation(values):
    return statistics.stdev(values) if len(values) > 1 else 0


AGGREGATES = {
    'mean': statistics.mean,
    'median': statistics.median,
    'stddev': deviation,
    'cv': variation,
}


def aggregates(entries):
    first = entries[0]
    for name, function in AGGREGATES.items():
        yield {
            'name': f'{first["run_name"]}_{name}',
            'run_name': first['run_name'],
            'run_type': 'aggregate',
            'repetitions': first['repetitions'],
            'threads': first['threads'],
            'aggregate_name': name,
            'aggregate_unit': 'percentage' if name == 'cv' else 'time',
            'iterations': len(entries),
            'time_unit': first['time_unit'],
            **{field: function([entry[field] for entry in entries])
               for field in ('real_time', 'cpu_time', *FIGURES.values())
               if field in first},
        }


def google(results, about):
    benchmarks = []
    for key, lines in sorted(results.samples.items()):
        entries = [iteration(key, index, line, len(lines))
                   for index, line in enumerate(lines)]
        benchmarks += [*entries, *aggregates(entries)]
    about = dict(about, versions=results.versions(),
                 compiler=results.compiler(), missing=sorted(results.missing))
    return {'context': about, 'benchmarks': benchmarks}


def reached_value(results, target):
    value = results.median(target.over)
    if value is not None and target.is_each:
        return value / results.line(target.over)['operations']
    if target.under is None or value is None:
        return value
    under = results.median(target.under)
    return value / under if under else None


def check(results, targets, is_whole):
    """Print how each target fared; return the names of those not reached.

    What was not measured counts as not reached if all was to be.
    """
    short = []
    print()
    for target in targets:
        value = reached_value(results, target)
        bound = (f'{"at least" if target.is_least else "at most"} '
                 f'{target.bound:g} {target.unit}')
        if value is None:
            verdict, text = ('SHORT' if is_whole else '--'), 'not measured'
        else:
            verdict = 'pass' if target.reached(value) else 'SHORT'
            text = f'{number(value)} {target.unit}'
        print(f'  {verdict:5} {target.name}: {text} ({bound})')
        if verdict == 'SHORT':
            short.append(target.name)
    return short
