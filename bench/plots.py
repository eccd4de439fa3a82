# SPDX-License-Identifier: MIT
#
# plots — SVG files drawn by gnuplot from the results.

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Callable
from xml.sax.saxutils import escape

from cases import CASES, FORK_JOIN, LOOPS, REFERENCES
from report import RIVALS, title

IMPLEMENTATIONS = ('tenon', *RIVALS)
COLOURS = {'tenon': '#1f5fa8', 'libgomp': '#d98324', 'libomp': '#e3b34c',
           'onetbb': '#5b9e57', 'glib': '#8c6bb1'}
MISSING = 'NaN'
# Where what a task costs is all there is.
PER_TASK = ('fib-rivals', 'skynet', 'flat', 'flat-many', 'submit-1',
            'submit-4', 'submit-16')
PERCENTILES = (('p50_ns', '50 %'), ('p99_ns', '99 %'), ('p999_ns', '99.9 %'),
               ('max_ns', 'all'))

FRAME = """\
set terminal svg size 960,{height} font 'sans-serif,13' background 'white' \
name '{name}'
set title '{title}' noenhanced
set ylabel '{ylabel}' noenhanced
set key outside right top noenhanced
set grid ytics
set datafile missing '{missing}'
{more}
"""
BARS = """\
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.9 noborder
set boxwidth 0.9 relative
set xtics rotate by -40 scale 0 noenhanced
"""
LOGARITHMIC = 'set logscale y\n'
LINE_AT_1 = ("set arrow from graph 0, first 1 to graph 1, first 1 nohead "
             "linecolor '#444444'\n")


class Failed(Exception):
    """gnuplot is not there, or did not do it."""


@dataclass(frozen=True)
class Plot:
    name: str          # of the file, without .svg
    title: str
    ylabel: str
    caption: str
    series: Callable   # of results: (column titles, rows of label and values)
    settings: str
    is_bars: bool = True

    @property
    def file(self):
        return f'{self.name}.svg'


# --- Data --------------------------------------------------------------------

def quotient(value, other):
    return value / other if value is not None and other else None


def columns_of(rows):
    """(implementations met, rows without the others); a row: label, values."""
    met = [index for index in range(len(IMPLEMENTATIONS))
           if any(values[index] is not None for _, values in rows)]
    rows = [(label, [values[index] for index in met]) for label, values in rows]
    return [IMPLEMENTATIONS[index] for index in met], rows


def with_values(rows):
    return [(label, values) for label, values in rows
            if any(value is not None for value in values)]


def overhead(results):
    """Time with 1 worker over serial time."""
    return columns_of(with_values(
        (case.name,
         [quotient(results.median((case.name, name, 1)),
                   results.median((case.name, 'serial', 1)))
          for name in IMPLEMENTATIONS])
        for case in CASES if 'serial' in case.rivals and case.name != 'poll'))


def speedup(results):
    """Time with 1 worker over time with 2."""
    return columns_of(with_values(
        (case.name,
         [quotient(results.median((case.name, name, 1)),
                   results.median((case.name, name, 2)))
          for name in IMPLEMENTATIONS])
        for case in (*FORK_JOIN, *LOOPS) if not case.workers))


def per_task(results):
    """Nanoseconds per operation."""
    def cost(key):
        value = results.median(key)
        return None if value is None else (
            value / results.line(key)['operations'])

    return columns_of(with_values(
        (f'{case}, {workers}', [cost((case, name, workers))
                                for name in IMPLEMENTATIONS])
        for case in PER_TASK
        for workers in results.worker_counts(case, REFERENCES)))


def latency(results):
    """Percentiles, in microseconds, a column per library and workers."""
    keys = [('mixed', name, workers) for name in IMPLEMENTATIONS
            for workers in results.worker_counts('mixed')
            if results.median(('mixed', name, workers), 'p50_ns') is not None]
    return keys, with_values(
        (label, [quotient(results.median(key, field), 1000) for key in keys])
        for field, label in PERCENTILES)


PLOTS = (
    Plot('overhead', '1 worker against serial code', 'times as long',
         'How many times as long as the serial code each library takes with '
         'one worker: 1 is nothing lost.', overhead,
         BARS + LOGARITHMIC + LINE_AT_1 + 'set yrange [0.4:*]\n'),
    Plot('speedup', '2 workers against 1', 'times as fast',
         'How many times as fast with two workers as with one: more than 2 is '
         'noise, or the second one\'s cache.', speedup,
         BARS + LINE_AT_1 + 'set yrange [0:*]\n'),
    Plot('per-task', 'one task, by number of workers', 'ns',
         'Time per task, spawned (or submitted by other threads) and joined; '
         'the number is that of the workers.', per_task,
         BARS + LOGARITHMIC),
    Plot('latency', 'mixed: until a short task begins', 'us',
         'Short tasks submitted by another thread while all workers compute '
         'long ones: how long so many of them wait at most; the number is that '
         'of the workers.', latency,
         LOGARITHMIC + 'set xrange [-0.3:*]\nset offsets 0, 0.3, 0, 0\n',
         is_bars=False),
)


# --- gnuplot -----------------------------------------------------------------

def cell(value):
    return MISSING if value is None else f'{value:.6g}'


def block(rows):
    lines = [f'"{label}" {" ".join(map(cell, values))}'
             for label, values in rows]
    return '\n'.join(['$data << END', *lines, 'END'])


def style(plot, column, index):
    """How a column is drawn, and what the key calls it."""
    if plot.is_bars:
        return f"linecolor '{COLOURS[column]}' title '{title(column)}'"
    _, name, workers = column
    return (f"with linespoints linewidth 2 pointtype {index + 1} "
            f"dashtype {workers} linecolor '{COLOURS[name]}' "
            f"title '{title(name)}, {workers}'")


def script(plot, results):
    """For gnuplot; '' if nothing of it was measured."""
    columns, rows = plot.series(results)
    if not rows:
        return ''
    using = '{}:xtic(1)' if plot.is_bars else '0:{}:xtic(1)'
    lines = [f'$data using {using.format(index + 2)} '
             f'{style(plot, column, index)}'
             for index, column in enumerate(columns)]
    frame = FRAME.format(
        name=plot.name.replace('-', '_'), title=plot.title,
        ylabel=plot.ylabel, missing=MISSING, more=plot.settings,
        height=460 if plot.is_bars else 400)
    return f'{frame}{block(rows)}\nplot {", ".join(lines)}\n'


def require():
    """Failed, with what to do about it, unless gnuplot can be run."""
    if shutil.which('gnuplot') is None:
        raise Failed('gnuplot is not installed (Debian: gnuplot-nox), so there '
                     'can be no plots')


def svg(text, command):
    """What gnuplot makes of a script, told where it comes from."""
    result = subprocess.run(['gnuplot'], input=text, capture_output=True,
                            text=True, check=False)
    if result.returncode != 0 or '</svg>' not in result.stdout:
        raise Failed(f'gnuplot: {result.stderr.strip()}')
    origin = escape(f'Generated by: {command}')
    return re.sub(r'<desc>.*?</desc>', lambda _: f'<desc>{origin}</desc>',
                  result.stdout, count=1, flags=re.S)


def draw(folder, results, command):
    """Write what can be drawn into a folder; return the plots written."""
    require()
    os.makedirs(folder, exist_ok=True)
    drawn = []
    for plot in PLOTS:
        text = script(plot, results)
        if not text:
            continue
        path = os.path.join(folder, plot.file)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(svg(text, command))
        drawn.append(plot)
    return drawn
