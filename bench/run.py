#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# run — measures Tenon beside serial code and other libraries, or takes what was
# measured before, and tells: a table, the targets, what changed, plots, a page.

import argparse
import contextlib
import os
import random
import re
import shlex
import sys
import tempfile

sys.dont_write_bytecode = True  # nothing is written beside the sources

import compare
import page
import plots
import report
import summary
import targets
from cases import CASES
from machine import context, cpu_count
from measure import Bench
from samples import Results, load, store
from targets import REPETITIONS

WORKERS = [1, 2]
WORKERS_MAX = 65535  # of an executor
QUICK_REPETITIONS = 3
WRONG, USAGE = 1, 2


def worker_counts(text):
    try:
        counts = sorted({int(part) for part in text.split(',')})
    except ValueError:
        counts = [0]
    if counts[0] < 1 or counts[-1] > WORKERS_MAX:
        raise argparse.ArgumentTypeError(
            f'expected numbers from 1 to {WORKERS_MAX} with commas between '
            f'them, got {text!r}')
    return counts


def pattern(text):
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def parser_of_options():
    parser = argparse.ArgumentParser(
        prog='run.py', description='Compare Tenon with serial code and other '
        'libraries. See bench/README.md.')
    add = parser.add_argument
    add('--build-dir', default='build/bench', metavar='DIR',
        help='where meson built with -Dbench=true')
    add('--check', action='store_true',
        help='compare with the targets, and measure no more than they need; '
        'exit 1 if one is not reached')
    add('--compare', metavar='OLD',
        help='say what became slower or faster, or needs more memory, since '
        'that JSON file; exit 1 if something of Tenon became slower or was not '
        'measured, or if nothing of it could be compared')
    add('--plots', metavar='DIR',
        help='draw SVG files there, with gnuplot; the folder is made')
    add('--page', metavar='FILE',
        help='write all that is told as Markdown; its folder is made')
    add('--summary', metavar='FILE',
        help='write the most telling figures between the marks in that Markdown '
        'file')
    add('--from', metavar='FILE', dest='source',
        help='take the figures from that JSON file: measure nothing')
    add('--quick', action='store_true',
        help='smaller sizes, fewer repetitions, fewer rivals')
    add('--only', default='', metavar='PATTERN', type=pattern,
        help='regular expression in CASE/LIBRARY/workers:N')
    add('--workers', type=worker_counts, metavar='LIST',
        help=f'numbers of workers, 1 to {WORKERS_MAX}: 1,2')
    add('--repetitions', type=int, metavar='R',
        help=f'processes per figure: {REPETITIONS}, or {QUICK_REPETITIONS} '
        'with --quick')
    add('--seed', type=int, help='of the order')
    add('--output', metavar='FILE',
        help='JSON goes here, into a folder that is there: DIR/bench.json')
    return parser


def parse(arguments):
    parser = parser_of_options()
    options = parser.parse_args(arguments)
    if options.source:
        for name in ('quick', 'workers', 'repetitions', 'seed', 'output'):
            if getattr(options, name) is not parser.get_default(name):
                parser.error(f'--{name}: with --from nothing is measured')
    if options.workers is None:
        options.workers = WORKERS
    if options.repetitions is None:
        options.repetitions = (QUICK_REPETITIONS if options.quick
                               else REPETITIONS)
    if options.repetitions < 1:
        parser.error('--repetitions: a number from 1')
    if options.seed is None:
        options.seed = random.randrange(1 << 32)
    if options.output is None:
        options.output = os.path.join(options.build_dir, 'bench.json')
    return options


def dev_command(arguments):
    """What was typed, as people type it: ./dev knows the folder."""
    words = []
    skipped = False
    for word in arguments:
        if skipped or word.startswith('--build-dir'):
            skipped = word == '--build-dir'
            continue
        words.append(word)
    return ' '.join(['./dev bench', *([shlex.join(words)] if words else [])])


class Failed(Exception):
    """Nothing can be measured or read."""


def read(path):
    try:
        return load(path)
    except (OSError, ValueError) as error:
        raise Failed(f'{path}: {error}') from error


@contextlib.contextmanager
def writing(path):
    """Failed, in a sentence, where that cannot be done."""
    try:
        yield
    except OSError as error:
        raise Failed(f'{path}: {error.strerror}') from error


def check_file(path):
    """Failed unless it can be written; it is left as it is."""
    folder = os.path.dirname(path) or '.'
    if not path or os.path.isdir(path):
        raise Failed(f'{path!r} is no name of a file')
    if os.path.exists(path):
        if not os.access(path, os.W_OK):
            raise Failed(f'{path}: must not be written')
    elif not os.path.isdir(folder):
        raise Failed(f'{path}: there is no folder {folder}')
    else:
        with writing(f'{path}: {folder}'):
            tempfile.TemporaryFile(dir=folder).close()


def check_summary(path):
    try:
        summary.parts_of(path)
    except (OSError, ValueError) as error:
        raise Failed(f'{path}: {error}') from error


def check_documents(options):
    """Failed unless they can be written; folders are made."""
    files = [path for path in (options.page, options.summary) if path]
    folders = [os.path.dirname(options.page) or '.'] if options.page else []
    if options.plots:
        plots.require()
        folders.append(options.plots)
        files += [os.path.join(options.plots, plot.file)
                  for plot in plots.PLOTS]
    if options.summary:
        check_summary(options.summary)
    for folder in folders:
        with writing(folder):
            os.makedirs(folder, exist_ok=True)
    for path in files:
        check_file(path)


def read_part(options):
    """What --only asks for, of --from."""
    results, about = read(options.source)
    if options.only:
        about['part'] = options.only
        results = results.part(lambda name: re.search(options.only, name))
        if not results.samples:
            raise Failed(f'{options.source}: nothing in it matches '
                         f'{options.only!r}')
    return results, about


def keys_of(options):
    """What is to be measured at all: None is everything."""
    is_part = options.check and not (options.page or options.plots or
                                     options.summary)
    return targets.keys_needed() if is_part else None


def measure(options, command):
    """(results, context) of a run, stored as JSON besides."""
    bench = Bench(options)
    keys = keys_of(options)
    jobs = bench.plan(keys)
    if not jobs:
        raise Failed(f'nothing to run: no program in {options.build_dir}/bench '
                     f'matches {options.only!r}')
    check_file(options.output)
    about = context()
    about.update(executable='bench/run.py', command=command, seed=options.seed,
                 repetitions=options.repetitions, quick=options.quick,
                 only=options.only, workers=options.workers,
                 check=keys is not None)
    if max(options.workers) > cpu_count():
        print(f'note: more workers than the {cpu_count()} CPUs')
    bench.run(jobs)
    about['failures'] = bench.failures
    results = Results(bench.samples, bench.missing)
    try:
        store(options.output, results, about)
    except OSError as error:
        print(report.table(results, CASES, about))  # what is left of it
        raise Failed(f'{options.output}: {error.strerror}') from error
    return results, about


def print_check(results, about):
    """Names of the targets that were not reached."""
    outcomes = targets.check(results, about)
    rows = [['', 'measured', 'must', 'aim', ''],
            *map(targets.cells, outcomes)]
    print('\n' + '\n'.join(report.aligned(rows, {0, 4})))
    for note in targets.notes(outcomes, results, about):
        print(f'\n{note}')
    short = targets.short(outcomes)
    if short:
        print(f'\nshort of their must: {"; ".join(short)}')
    return short


def print_comparison(path, before, results, about):
    """What is wrong since `before`, results and context, in words."""
    old, old_about = before
    changes = compare.compare(old, results)
    print(f'\nAgainst {path}, of {old_about.get("date", "no known day")}:')
    for line in compare.unlike(old, results, old_about, about):
        print(line)
    print('\n' + compare.text(old, results, changes))
    problems = [f'{title}: {", ".join(names)}' for title, names in (
        ('became slower', compare.slower(changes)),
        ('not measured any more', compare.lost(old, results, about)))
        if names]
    if not compare.is_judged(changes):
        problems.append(f'nothing of Tenon is compared: '
                        f'{compare.advice(changes)}')
    for problem in problems:
        print(f'\n{problem}')
    return problems


def write_documents(options, results, about, command):
    drawn = []
    if options.plots:
        with writing(options.plots):
            drawn = plots.draw(options.plots, results, command)
        names = ', '.join(plot.file for plot in drawn) or 'nothing to draw'
        print(f'plots: {options.plots}: {names}')
    if options.page:
        text = page.text(
            results, about, command, options.page, drawn, options.plots)
        with writing(options.page):
            page.write(options.page, text)
        print(f'page: {options.page}')
    if options.summary:
        folder = os.path.dirname(options.summary) or '.'
        source = os.path.relpath(options.page, folder) if options.page else ''
        text = summary.content(results, about, source)
        with writing(options.summary):
            summary.write(options.summary, text)
        print(f'summary: {options.summary}')


def tell(options, results, about, before, command):
    """Everything asked for; returns the exit status."""
    print(report.table(results, CASES, about))
    if not options.source:
        print(f'\nJSON: {options.output}')
    failures = about.get('failures', [])
    for failure in failures:
        print(f'FAILED {failure}')
    problems = list(failures)
    if options.check:
        problems += print_check(results, about)
    if options.compare:
        problems += print_comparison(options.compare, before, results, about)
    write_documents(options, results, about, command)
    return WRONG if problems else 0


def main(arguments):
    options = parse(arguments)
    command = dev_command(arguments)
    try:
        # Now, not when half an hour has been spent.
        check_documents(options)
        before = read(options.compare) if options.compare else None
        results, about = (read_part(options) if options.source
                          else measure(options, command))
        return tell(options, results, about, before, command)
    except (Failed, plots.Failed) as error:
        print(f'run.py: {error}', file=sys.stderr)
        return USAGE


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
