# SPDX-License-Identifier: MIT
#
# samples — what was measured, by case, library and workers; written to JSON in
# the shape of Google Benchmark's, and read again.

import json
import statistics
import sys

# What the samples that are not times are called in JSON.
FIGURES = {'%': 'cpu_percent', 'MiB': 'rss_growth_mib'}
# What is copied from a program's line of JSON, where it is there.
COPIED = ('size', 'unit', 'operations', 'submitters', 'pause_ns',
          'before_mib', 'peak_mib', 'after_mib', 'peak_rss_mib', 'p50_ns',
          'p99_ns', 'p999_ns', 'max_ns', 'version', 'compiler', 'min', 'max')
# What such a line must have, and be.
NUMBERS = ('median', 'cpu_ns', 'operations', 'repetitions')
TEXTS = ('size', 'version', 'compiler')
# Nothing takes no time; but an idle process may use none of the CPU's.
TIMES = ('median', 'cpu_ns', 'p50_ns', 'p99_ns', 'p999_ns', 'max_ns')


class Results:
    """Samples by (case, implementation, workers)."""

    def __init__(self, samples, missing=()):
        self.samples = samples  # key: [line of JSON of each process]
        self.missing = set(missing)

    def values(self, key, field='median'):
        return [line[field] for line in self.samples.get(key, ())
                if field in line]

    def median(self, key, field='median'):
        values = self.values(key, field)
        return statistics.median(values) if values else None

    def part(self, is_wanted):
        """Those whose names are."""
        return Results({key: lines for key, lines in self.samples.items()
                        if is_wanted(name_of(key))}, self.missing)

    def spread(self, key):
        """Half the distance from least to greatest, over the median."""
        values = self.values(key)
        middle = statistics.median(values)
        return (max(values) - min(values)) / 2 / middle if middle else 0

    def line(self, key):
        return self.samples[key][0]

    def worker_counts(self, case, but=()):
        """Numbers of workers that a case was measured with."""
        return sorted({key[2] for key in self.samples
                       if key[0] == case and key[1] not in but})

    def versions(self):
        return {key[1]: lines[0]['version']
                for key, lines in sorted(self.samples.items())
                if 'version' in lines[0]}

    def compiler(self):
        found = {lines[0]['compiler'] for lines in self.samples.values()
                 if 'compiler' in lines[0]}
        return ', '.join(sorted(found))


def name_of(key):
    case, implementation, workers = key
    return f'{case}/{implementation}/workers:{workers}'


def key_of(name):
    """The reverse. ValueError: it is none of our names."""
    case, implementation, workers = name.split('/')
    label, _, count = workers.partition(':')
    if label != 'workers':
        raise ValueError('no name of a benchmark of ours')
    return case, implementation, int(count)


# --- Checked -----------------------------------------------------------------

def is_number(value):
    """Of those that can be counted with: not NaN, not infinite."""
    return (isinstance(value, (int, float)) and not isinstance(value, bool) and
            abs(value) <= sys.float_info.max)


def check_numbers(values):
    """ValueError: one of them is NaN or infinite."""
    for name, value in values.items():
        if isinstance(value, (int, float)) and not is_number(value):
            raise ValueError(f'{name} is {value!r}')


def check_times(line):
    """ValueError: something took no time, or less."""
    if line['cpu_ns'] < 0:
        raise ValueError(f'cpu_ns is {line["cpu_ns"]!r}, less than 0')
    for name in TIMES if line['unit'] == 'ns' else ():
        if name in line and line[name] <= 0:
            raise ValueError(f'{name} is {line[name]!r}, not above 0')


def check_line(line):
    """ValueError: no program of ours prints that."""
    if not isinstance(line, dict):
        raise ValueError(f'{line!r} is no line of figures')
    unit = line.get('unit')
    if unit not in ('ns', *FIGURES):
        raise ValueError(f'unit is {unit!r}')
    for name in (*NUMBERS, *COPIED):
        if name not in line and name not in NUMBERS:
            continue
        value = line.get(name)
        is_right = (isinstance(value, str) if name in ('unit', *TEXTS)
                    else is_number(value))
        if not is_right:
            raise ValueError(f'{name} is {value!r}')
    check_times(line)


# --- Written -----------------------------------------------------------------

def iteration(key, index, line, repetitions):
    entry = {
        'name': name_of(key),
        'run_name': name_of(key),
        'run_type': 'iteration',
        'repetitions': repetitions,
        'repetition_index': index,
        'threads': key[2],
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
    entry.update({name: line[name] for name in COPIED if name in line})
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
AGGREGATED = ('real_time', 'cpu_time', 'peak_rss_mib', 'p50_ns', 'p99_ns',
              'p999_ns', 'max_ns', *FIGURES.values())


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
               for field in AGGREGATED if field in first},
        }


def google(results, about):
    """Everything, ready to become JSON."""
    benchmarks = []
    for key, lines in sorted(results.samples.items()):
        entries = [iteration(key, index, line, len(lines))
                   for index, line in enumerate(lines)]
        benchmarks += [*entries, *aggregates(entries)]
    about = dict(about, versions=results.versions(),
                 compiler=results.compiler(), missing=sorted(results.missing))
    return {'context': about, 'benchmarks': benchmarks}


def store(path, results, about):
    """A line for each benchmark, so that two files can be compared."""
    data = google(results, about)
    benchmarks = ',\n'.join(map(json.dumps, data['benchmarks']))
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'{{"context": {json.dumps(data["context"], indent=2)},\n'
                   f'"benchmarks": [\n{benchmarks}\n]}}\n')


# --- Read --------------------------------------------------------------------

def line_of(entry):
    """What a program printed, as far as its entry tells."""
    if entry['time_unit'] != 'ns':
        raise ValueError('not in nanoseconds')
    line = {name: entry[name] for name in COPIED if name in entry}
    unit = next((unit for unit, name in FIGURES.items() if name in entry),
                'ns')
    median = entry[FIGURES.get(unit, 'real_time')]
    # Older files have no operations, but this tells them.
    each = entry.get('ns_per_operation')
    line.setdefault('operations', round(median / each) if each else 1)
    line.update(unit=unit, median=median, cpu_ns=entry['cpu_time'],
                repetitions=entry['iterations'])
    check_line(line)
    return line


def results_of(data):
    samples = {}
    for entry in data['benchmarks']:
        try:
            check_numbers(entry)
            if entry['run_type'] == 'iteration':
                samples.setdefault(key_of(entry['run_name']), []).append(
                    line_of(entry))
        except (ValueError, TypeError) as error:
            raise ValueError(f'{entry["name"]}: {error}') from error
    return Results(samples, data['context'].get('missing', ()))


def load(path):
    """(results, context) of a file. ValueError: it is none of ours."""
    with open(path, encoding='utf-8') as file:
        data = json.load(file)
    try:
        return results_of(data), data['context']
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f'not written by bench/run.py: {error!r}') from error
