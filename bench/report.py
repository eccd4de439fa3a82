# SPDX-License-Identifier: MIT
#
# report — from the samples to a table of ratios.

from cases import CASES, PACKAGES, REFERENCES

RIVALS = ('libgomp', 'libomp', 'onetbb', 'glib')
TITLES = {'onetbb': 'oneTBB', 'glib': 'GLib', 'tenon': 'Tenon'}
TITLE_ROW = ['', 'size', 'workers', 'Tenon', 'spread', 'ns/op', 'MiB', 'x1',
             'xS']

LEGEND = """\
Tenon: median of {repetitions} processes; the spread is half the way from least
to greatest. MiB: its peak resident memory. x1: how many times as fast as with 1
worker. xS: how many times as long as serial code Tenon takes, for roundtrip and
wake as a futex ping-pong. Then, how many times as long as Tenon each rival takes
with as many workers: above 1, Tenon is faster. idle and memory tell each one's
own figure instead."""


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


def reference_of(case):
    """Serial code or the floor that a case is held against, if any."""
    return next((name for name in REFERENCES if name in case.rivals), None)


def aligned(lines, left=(0,)):
    """Lines of cells, one below the other; columns in `left` begin alike."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    for line in lines:
        cells = [cell.ljust(width) if index in left else cell.rjust(width)
                 for index, (cell, width) in enumerate(zip(line, widths))]
        yield '  '.join(cells).rstrip()


def rival_cell(results, case, rival, workers):
    if rival not in case.rivals:
        return ''
    if rival in results.missing:
        return 'missing'
    key = (case.name, rival, workers)
    value = results.median(key)
    if value is None:
        return ''
    if not case.is_timed:
        return figure(value, results.line(key)['unit'])
    return ratio(value, results.median((case.name, 'tenon', workers)))


def tenon_cells(results, case, workers):
    """Median, spread, ns per operation, peak, against 1 worker and serial."""
    key = (case.name, 'tenon', workers)
    value = results.median(key)
    if value is None:
        return ['missing' if 'tenon' in results.missing else '-', *[''] * 5]
    line = results.line(key)
    peak = results.median(key, 'peak_rss_mib')
    peak = '' if peak is None else number(peak)
    if not case.is_timed:
        return [figure(value, line['unit']), '', '', peak, '', '']
    reference = reference_of(case)
    return [
        figure(value, line['unit']),
        f'{100 * results.spread(key):.0f} %',
        ratio(value, line['operations']) if line['operations'] > 1 else '',
        peak,
        ratio(results.median((case.name, 'tenon', 1)), value)
        if workers > 1 and not case.workers else '',
        ratio(value, results.median((case.name, reference, 1)))
        if reference else '',
    ]


def rows(results, cases):
    for case in cases:
        keys = [key for key in results.samples if key[0] == case.name]
        size = results.line(keys[0]).get('size', '') if keys else ''
        for workers in results.worker_counts(case.name, REFERENCES):
            yield [case.name, size, str(workers),
                   *tenon_cells(results, case, workers),
                   *(rival_cell(results, case, rival, workers)
                     for rival in RIVALS)]


def versions(results):
    return ', '.join(f'{title(name)} {version}'
                     for name, version in results.versions().items()
                     if name not in REFERENCES)


def left_out(results, about):
    """What these tables do not tell, and what a whole run would measure."""
    known = {case.name for case in CASES if case.is_quick or not about['quick']}
    measured = {key[0] for key in results.samples}
    unknown = sorted(measured - {case.name for case in CASES})
    if unknown:
        yield ('note: not told, since there is no such case any more: ' +
               ', '.join(unknown))
    unmeasured = sorted(known - measured)
    if unmeasured and not about.get('only') and not about.get('part'):
        yield f'note: not measured: {", ".join(unmeasured)}'


def head(results, about):
    """Lines: when, where, with what, and what is to be said of that."""
    yield (f'{about["date"]}, {about["cpu_model"]}, {about["num_cpus"]} CPUs, '
           f'{about["system"]}, Linux {about["kernel"]}')
    revision = about.get('revision')
    yield (f'{versions(results)}; compiled by {results.compiler()}, -O3' +
           (f'; revision {revision}' if revision else ''))
    if about['load_avg'][0] > 0.5:
        yield (f'note: load average {about["load_avg"][0]:.1f} at the start: '
               'other work was running')
    if about['quick']:
        yield 'note: --quick: smaller sizes, fewer repetitions'
    yield from left_out(results, about)
    for name in sorted(results.missing):
        packages = PACKAGES.get(name)
        yield (f'missing: {title(name)} was not built' +
               (f' (Debian: {packages})' if packages else ''))


def table(results, cases, about):
    titles = [*TITLE_ROW, *map(title, RIVALS)]
    return '\n'.join([
        *head(results, about), '',
        *aligned([titles, *rows(results, cases)]), '',
        LEGEND.format(**about)])
