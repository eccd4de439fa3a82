# SPDX-License-Identifier: MIT
#
# measure — a process for each measurement, in random order.

import json
import os
import random
import re
import subprocess
import sys
from dataclasses import dataclass

from cases import CASES, REFERENCES, Case
from samples import check_line, name_of

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
    def key(self):
        return self.case.name, self.implementation, self.workers

    @property
    def name(self):
        return name_of(self.key)


class Bench:
    """The plan, and what came of it so far.

    `options` has build_dir, only, quick, repetitions, seed and workers.
    """

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

    def plan(self, keys=None):
        """Jobs asked for, those without a program set aside.

        `keys`: no others than these.
        """
        jobs = []
        for job in all_jobs(self.options.workers, self.options.quick):
            if keys is not None and job.key not in keys:
                continue
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
        started = [(job, self.start(job)) for job in batch]
        for job, process in started:
            if process is not None:
                self.finish(job, process)
            self.done_count += 1

    def start(self, job):
        """Its process; None: there is none."""
        try:
            return subprocess.Popen(
                self.command(job), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                errors='replace', env=environment())
        except OSError as error:
            self.fail(job, f'cannot be started: {error.strerror}')
            return None

    def finish(self, job, process):
        try:
            out, err = process.communicate(timeout=PROCESS_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.fail(job, f'no end after {PROCESS_SECONDS_MAX} s')
            return
        if process.returncode != 0:
            self.fail(job, f'exit status {process.returncode}: {err.strip()}')
            return
        try:
            line = json.loads(out)
            check_line(line)
        except ValueError as error:
            self.fail(job, f'does not print its figures: {error}')
            return
        self.samples.setdefault(job.key, []).append(line)

    def fail(self, job, why):
        self.failures.append(f'{job.name}: {why}')

    def tell(self, job, total):
        if not sys.stderr.isatty():
            return
        text = f'[{self.done_count}/{total}] {job.name}' if job else ''
        print(f'\r\033[K{text}', end='', file=sys.stderr, flush=True)


def jobs_of(case, workers, is_quick):
    for implementation in case.implementations(is_quick):
        counts = case.workers or workers
        for count in (1,) if implementation in REFERENCES else counts:
            yield Job(case, implementation, count)


def all_jobs(workers, is_quick):
    for case in CASES:
        if case.is_quick or not is_quick:
            yield from jobs_of(case, workers, is_quick)


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
