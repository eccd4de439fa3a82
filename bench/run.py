#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# run — measures Tenon beside serial code and other libraries: a process for
# each measurement, in random order, medians and spread, one table, JSON.

import argparse
import json
import os
import random
import re
import subprocess
import sys
from dataclasses import dataclass

sys.dont_write_bytecode = True  # nothing is written beside the sources

import report
from cases import CASES, REFERENCES, TARGETS, Case
from machine import context, cpu_count

REPETITIONS = 5
QUICK_REPETITIONS = 3
PROCESS_SECONDS_MAX = 900
# What would change a library behind our back.
FOREIGN_VARIABLES = ('OMP_', 'GOMP_', 'KMP_', 'TBB_', 'TENON_', 'G_')


@dataclass(frozen=True)
class Job:
    """What one process measures, once per repetition."""

    case: Case
    implementation: str
    workers: int

    @property
    def name(self):
        return f'{self.case.name}/{self.implementation}/workers:{self.workers}'

    @property
    def key(self):
        return self.case.name, self.implementation, self.workers


class Bench:
    """The plan, and what came of it so far."""

    def __init__(self, options):
        self.options = options
        self.samples = {}     # key: [line of JSON of each process]
        self.missing = set()  # implementations without a program
        self.failures = []    # sentences
        self.done_count = 0

    def program(self, job):
        return os.path.join(
            self.options.build_dir, 'bench',
            f'{job.case.workload}-{job.implementation}')

    def plan(self):
        """Jobs of the cases asked for, those without a program set aside."""
        jobs = []
        for case in CASES:
            for job in jobs_of(case, self.options.workers):
                if not re.search(self.options.only, job.name):
                    continue
                if os.access(self.program(job), os.X_OK):
                    jobs.append(job)
                else:
                    self.missing.add(job.implementation)
        return jobs

    def command(self, job):
        is_quick = self.options.quick
        return [self.program(job), '--workers', str(job.workers),
                '--size', job.case.size_of(is_quick),
                '--repeat', str(job.case.repeat_of(is_quick)),
                *job.case.arguments]

    def run(self, jobs):
        batches = batches_of(jobs, self.options.repetitions,
                             random.Random(self.options.seed))
        total = sum(map(len, batches))
        for batch in batches:
            self.tell(batch[0], total)
            self.run_batch(batch)
        self.tell(None, total)

    def run_batch(self, batch):
        started = [(job, subprocess.Popen(
            self.command(job), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment())) for job in batch]
        for job, process in started:
            self.finish(job, process)

    def finish(self, job, process):
        try:
            out, err = process.communicate(timeout=PROCESS_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.failures.append(f'{job.name}: no end after '
                                 f'{PROCESS_SECONDS_MAX} s')
            return
        finally:
            self.done_count += 1
        if process.returncode != 0:
            self.failures.append(f'{job.name}: exit status '
                                 f'{process.returncode}: {err.strip()}')
            return
        self.samples.setdefault(job.key, []).append(json.loads(out))

    def tell(self, job, total):
        if not sys.stderr.isatty():
            return
        text = f'[{self.done_count}/{total}] {job.name}' if job else ''
        print(f'\r\033[K{text}', end='', file=sys.stderr, flush=True)


def jobs_of(case, workers):
    for implementation in case.implementations():
        for count in (1,) if implementation in REFERENCES else workers:
            yield Job(case, implementation, count)


def batches_of(jobs, repetitions, generator):
    """Lists of jobs that run at the same time: one, but for idle processes."""
    idle = [job for job in jobs if job.case.is_idle]
    batches = [[job] for job in jobs if not job.case.is_idle] * repetitions
    if idle:
        batches += [idle] * repetitions
    generator.shuffle(batches)
    return batches


def environment():
    return {name: value for name, value in os.environ.items()
            if not name.startswith(FOREIGN_VARIABLES)}


def worker_counts(text):
    counts = sorted({int(part) for part in text.split(',')})
    if counts[0] < 1:
        raise argparse.ArgumentTypeError('numbers from 1')
    return counts


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog='run.py', description='Compare Tenon with serial code and other '
        'libraries. See bench/README.md.')
    parser.add_argument('--build-dir', default='build/bench', metavar='DIR',
                        help='where meson built with -Dbench=true')
    parser.add_argument('--check', action='store_true',
                        help='compare with the targets; exit 1 if one is not '
                        'reached')
    parser.add_argument('--quick', action='store_true',
                        help='smaller sizes, fewer repetitions')
    parser.add_argument('--only', default='', metavar='PATTERN',
                        help='regular expression in CASE/LIBRARY/workers:N')
    parser.add_argument('--workers', type=worker_counts, default=[1, 2],
                        metavar='LIST', help='numbers of workers: 1,2')
    parser.add_argument('--repetitions', type=int, metavar='R',
                        help=f'processes per figure: {REPETITIONS}, or '
                        f'{QUICK_REPETITIONS} with --quick')
    parser.add_argument('--seed', type=int, help='of the order')
    parser.add_argument('--output', metavar='FILE',
                        help='JSON goes here: DIR/bench.json')
    options = parser.parse_args(arguments)
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


def main(arguments):
    options = parse(arguments)
    bench = Bench(options)
    jobs = bench.plan()
    if not jobs:
        print(f'run.py: nothing to run: no program in {options.build_dir}/bench '
              f'matches {options.only!r}', file=sys.stderr)
        return 2
    about = context()
    about.update(executable='bench/run.py', seed=options.seed,
                 repetitions=options.repetitions, quick=options.quick)
    if max(options.workers) > cpu_count():
        print(f'note: more workers than the {cpu_count()} CPUs')
    bench.run(jobs)
    results = report.Results(bench.samples, bench.missing)
    print(report.table(results, CASES, about))
    with open(options.output, 'w', encoding='utf-8') as file:
        json.dump(report.google(results, about), file, indent=2)
        file.write('\n')
    print(f'\nJSON: {options.output}')
    for failure in bench.failures:
        print(f'FAILED {failure}')
    short = (report.check(results, TARGETS, is_whole=not options.only)
             if options.check else [])
    if short:
        print(f'\nnot reached: {"; ".join(short)}')
    return 1 if bench.failures or short else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
