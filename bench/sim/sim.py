#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# sim — how policies of stealing and waking would do on more cores than there
# are: a discrete-event simulation, driven by costs measured on few.
#
# A worker runs nodes of a tree: it pops the newest node of its deque, works for
# the node's own time, and pushes its children. Whenever it pops it looks whether
# somebody asks. An idle worker picks victims at random; after a while without
# luck it sleeps, and whoever pushes while nobody searches wakes one. What a join
# waits for is not simulated: a worker whose deque is empty steals.
#
# Policies:
#   patient  a thief asks, waits for an answer for as long as a fence would cost
#            all who run together, but no more than 20 us, then takes the fence,
#            which interrupts them
#   half     the same, and an answer gives half of what lies there, not one
#   fence    the same, but it waits for as long as a fence takes itself
#   ask      the same without the fence: who gets no answer tries elsewhere, and
#            what lies with an owner in a long node is out of reach
#   split    a deque with a public part (van Dijk and van de Pol, "Lace", 2014):
#            thieves take half of that by a compare-and-swap; an owner who is
#            asked makes the older half of the rest public when it looks
#   atomic   each pop has a full fence: thieves need no more than a
#            compare-and-swap
#
# In the first four, an owner that is asked and has many nodes hands the older
# half out to all, in one go. Nobody takes more than 32 at a time.
#
# Ways to wake, simulated with `patient`; the table of those policies has `chain`:
#   chain    who pushes while nobody searches wakes one; so does the last one to
#            search when it finds something and more is left; if more than half
#            search, one looks once at all others. As src/sched/worker.c does
#   one      who pushes while nobody searches wakes one
#   all      who pushes while nobody searches wakes all
#   every    each push wakes one, whoever searches
#   spin     nobody sleeps
#
# Source:  the workloads are those of bench/; the simulation's form is textbook
#          (Law, "Simulation Modeling and Analysis", chapter 1).

import argparse
import heapq
import random
import sys
from collections import deque
from dataclasses import dataclass, field

POLICIES = ('patient', 'half', 'fence', 'ask', 'split', 'atomic')
WAKES = ('chain', 'one', 'all', 'every', 'spin')


@dataclass(frozen=True)
class Costs:
    """In nanoseconds; where from, in README.md."""

    pop: float = 3            # push and pop, by the owner
    full_fence: float = 6     # added to each pop under `atomic`
    move: float = 20          # by the owner, when it moves the split
    answer: float = 40        # by the owner: it goes the slow way once
    miss: float = 60          # by the owner, after a theft: its line is gone
    hand: float = 4           # by the owner, for each that it hands out
    theft: float = 150        # by the thief: two lines, a compare-and-swap
    probe: float = 60         # by the thief: a look at an empty deque
    fence: float = 1200       # by the thief, on a machine of its own
    fence_each: float = 30    # and for each further worker that runs
    interrupt: float = 1000   # by each worker that runs
    patience: float = 1200    # of a thief that asks; with many that run, more
    patience_max: float = 20000
    spin: float = 20000       # of one that finds nothing
    wake: float = 2000        # by who wakes
    waking: float = 15000     # until who is woken looks


# What is dear on a virtual machine, as measured on one.
COSTS = {
    'real': Costs(),
    'virtual': Costs(fence=9000, interrupt=6000, patience=9000),
}


# --- Workloads: a root, and how to make a node's children -------------------

@dataclass(frozen=True)
class Node:
    time: float
    kind: str
    size: int
    seed: int = 0  # of what lies below: the same tree, whoever runs it


def fib(size, grain):
    """fib(size) by calls, those of fib(grain) in one node."""
    return Node(0, 'fib', size), lambda node: fib_children(node, grain)


def fib_children(node, grain):
    for size in (node.size - 1, node.size - 2):
        if node.size > grain:
            yield Node(CALL_NS * calls(size) if size <= grain else CALL_NS,
                       'fib', size)


CALL_NS = 3


def calls(size):
    """How many calls fib(size) makes."""
    last, now = 1, 1
    for _ in range(size - 1):
        last, now = now, last + now + 1
    return now


def uts(roots, chance, each):
    """A binomial tree: `roots` children, then 5 with probability `chance`."""
    return (Node(UTS_NS, 'root', roots, 1),
            lambda node: uts_children(node, chance, each))


UTS_NS = 100


def mixed(number):
    """Another number of 64 bits: splitmix64 (Steele, Lea and Flood, 2014)."""
    number = (number + 0x9e3779b97f4a7c15) & MASK
    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9 & MASK
    number = (number ^ number >> 27) * 0x94d049bb133111eb & MASK
    return number ^ number >> 31


MASK = (1 << 64) - 1


def uts_children(node, chance, each):
    draw = mixed(node.seed)
    count = node.size if node.kind == 'root' else (
        each if draw < chance * MASK else 0)
    for index in range(count):
        yield Node(UTS_NS, 'node', 0, mixed(draw + index))


def flat(count, time):
    """One task spawns `count` others, one after the other."""
    return (Node(SPAWN_NS, 'spawner', count),
            lambda node: flat_children(node, time))


SPAWN_NS = 6


def flat_children(node, time):
    if node.kind == 'spawner' and node.size > 0:
        yield Node(time, 'leaf', 0)
        yield Node(SPAWN_NS, 'spawner', node.size - 1)


def long(count, time, own_time):
    """One task spawns `count` others, then computes for long itself."""
    return (Node(0, 'parent', count),
            lambda node: long_children(node, time, own_time))


def long_children(node, time, own_time):
    if node.kind == 'parent':
        for _ in range(node.size):
            yield Node(time, 'leaf', 0)
        yield Node(own_time, 'leaf', 0)  # it goes on with that


def bursts(count, size, time):
    """Every 100 us `size` tasks come from outside, `count` times."""
    return (Node(BURST_NS, 'clock', count),
            lambda node: burst_children(node, size, time))


BURST_NS = 100000


def burst_children(node, size, time):
    if node.kind == 'clock' and node.size > 0:
        for index in range(size):
            yield Node(time, 'task', 0, node.size * size + index)
        yield Node(BURST_NS, 'clock', node.size - 1)


WORKLOADS = {
    'fib': lambda: fib(31, 12),
    'fib-coarse': lambda: fib(36, 22),
    'uts': lambda: uts(2000, 0.198, 5),
    'flat-100ns': lambda: flat(30000, 100),
    'flat-1us': lambda: flat(30000, 1000),
    'long': lambda: long(1000, 10000, 1000000),
}
# Where it matters who is woken.
WAKING = {
    'fib': WORKLOADS['fib'],
    'uts': WORKLOADS['uts'],
    'bursts': lambda: bursts(100, 64, 1000),
}
ALL = {**WORKLOADS, **WAKING}


# --- The machine -------------------------------------------------------------

RUNNING, SEARCHING, ASKING, ASLEEP = range(4)

# As in src/sched/worker.c.
SHARE_MIN, SHARE_MAX, TAKE_MAX = 64, 256, 32


def half_of(jobs):
    """How many a thief takes who takes half."""
    return min(TAKE_MAX, (len(jobs) + 1) // 2)


@dataclass
class Worker:
    index: int
    state: int = SEARCHING
    node: object = None   # that it runs
    jobs: deque = field(default_factory=deque)   # newest at the right
    public: deque = field(default_factory=deque)  # of `split`
    askers: list = field(default_factory=list)
    is_asked: bool = False
    delay: float = 0      # to be added to what it does now
    busy_until: float = 0
    searched_since: float = 0
    noted: float = 0      # up to here its search is in `searched`
    version: int = 0      # of its next event; older ones are void
    victim: object = None


class Simulation:
    """One run."""

    def __init__(self, workload, policy, worker_count, seed=1, costs=Costs(),
                 wake='chain'):
        root, self.children = ALL[workload]()
        self.policy = policy
        self.wake = wake
        self.costs = costs
        self.rng = random.Random(seed)
        self.workers = [Worker(i) for i in range(worker_count)]
        self.events = []
        self.now = 0.0
        self.order = 0
        self.handed = deque()  # nodes for all, the oldest at the left
        self.left = 1          # nodes that are made and not done
        self.work = 0.0        # own time of nodes done
        self.node_count = 0
        self.steal_count = 0
        self.first_steal = None  # when it was
        self.fence_count = 0
        self.wake_count = 0
        self.searched = 0.0    # by all together
        self.made_at = {}      # tasks from outside
        self.waits = []        # of those that have begun
        self.end = 0.0
        self.workers[0].jobs.append(root)
        for worker in self.workers:
            self.schedule(worker, 0)

    def schedule(self, worker, after):
        worker.version += 1
        self.order += 1
        heapq.heappush(self.events, (self.now + after, self.order,
                                     worker.version, worker.index))

    def run(self):
        while self.left > 0:
            self.now, _, version, index = heapq.heappop(self.events)
            worker = self.workers[index]
            if version == worker.version:
                self.step(worker)
        self.end = self.now
        for worker in self.workers:
            if worker.state in (SEARCHING, ASKING):
                self.note_search(worker)
        return self

    def step(self, worker):
        if worker.delay > 0:
            # Interrupted meanwhile: so much later.
            delay, worker.delay = worker.delay, 0
            self.schedule(worker, delay)
        elif worker.state == ASKING:
            self.lose_patience(worker)
        else:
            self.work_on(worker)

    # --- an owner ---

    def work_on(self, worker):
        """Pop, look, run a node up to its end; the next event is then."""
        if worker.state == RUNNING:
            self.finish(worker)
        spent = self.look(worker)
        node = self.pop(worker)
        if node is None:
            if worker.state == RUNNING:
                worker.state = SEARCHING
                worker.searched_since = self.now
            self.search(worker, spent)
            return
        worker.state = RUNNING
        worker.node = node
        if node.kind == 'task':
            self.waits.append(self.now + spent - self.made_at.pop(node.seed))
        spent += self.costs.pop + node.time
        if self.policy == 'atomic':
            spent += self.costs.full_fence
        self.schedule(worker, spent)

    def pop(self, worker):
        if worker.jobs:
            return worker.jobs.pop()
        # What is public is taken back as a thief would.
        return worker.public.pop() if worker.public else None

    def finish(self, worker):
        node = worker.node
        self.work += node.time
        self.node_count += 1
        self.left -= 1
        for child in self.children(node):
            if child.kind == 'task':
                self.made_at[child.seed] = self.now
                self.handed.append(child)
            else:
                worker.jobs.append(child)
            self.left += 1
        if len(worker.jobs) > 1 or node.kind == 'clock':
            self.wake_others(worker)

    def look(self, worker):
        """Answer who asks; what that costs the owner."""
        if not worker.is_asked:
            return 0
        worker.is_asked = False
        costs = self.costs
        if self.policy == 'split':
            for _ in range((len(worker.jobs) + 1) // 2):
                worker.public.append(worker.jobs.popleft())
            return costs.answer + costs.move
        spent = costs.answer
        if len(worker.jobs) >= SHARE_MIN and not self.handed:
            count = min(len(worker.jobs) // 2, SHARE_MAX)
            for _ in range(count):
                self.handed.append(worker.jobs.popleft())
            spent += costs.miss + costs.hand * count
        askers, worker.askers = worker.askers, []
        for thief in askers:
            if thief.state == ASKING and thief.victim is worker:
                if self.handed:
                    self.take_handed(thief, costs.theft)
                elif len(worker.jobs) > 1:
                    count = (half_of(worker.jobs) if self.policy == 'half'
                             else 1)
                    self.take(thief, worker.jobs, costs.theft, count)
                    spent += costs.miss + costs.hand * (count - 1)
                else:
                    thief.state = SEARCHING
                    self.schedule(thief, costs.probe)
        return spent

    def wake_others(self, worker):
        """Who has pushed wakes whom the policy says."""
        sleepers = [other for other in self.workers if other.state == ASLEEP]
        if self.wake != 'every' and self.searcher_count() > 0:
            return
        for sleeper in sleepers if self.wake == 'all' else sleepers[:1]:
            self.wake_up(worker, sleeper)

    def wake_up(self, worker, sleeper):
        self.wake_count += 1
        sleeper.state = SEARCHING
        sleeper.searched_since = self.now + self.costs.waking
        worker.delay += self.costs.wake
        self.schedule(sleeper, self.costs.waking)

    def searcher_count(self, but=None):
        return sum(worker.state in (SEARCHING, ASKING) and worker is not but
                   for worker in self.workers)

    def note_search(self, worker):
        since = max(worker.searched_since, worker.noted)
        self.searched += max(0, self.now - since)
        worker.noted = self.now

    # --- a thief ---

    def take(self, thief, jobs, after, count=1):
        """The `count` oldest of them."""
        if self.steal_count == 0:
            self.first_steal = self.now + after
        self.steal_count += 1
        self.note_search(thief)
        thief.victim = None
        for _ in range(count):
            thief.jobs.append(jobs.popleft())
        thief.state = SEARCHING
        if (self.wake == 'chain' and self.searcher_count(but=thief) == 0 and
                (self.handed or any(worker.jobs for worker in self.workers
                                    if worker is not thief))):
            self.wake_others(thief)
        self.schedule(thief, after)

    def take_handed(self, thief, after):
        self.take(thief, self.handed, after, min(TAKE_MAX, len(self.handed)))

    def search(self, thief, spent):
        if self.handed:
            self.take_handed(thief, spent + self.costs.theft)
            return
        if (self.now - thief.searched_since > self.spin(thief) and
                self.wake != 'spin'):
            self.note_search(thief)
            thief.state = ASLEEP
            thief.version += 1
            return
        others = len(self.workers) - 1
        if others == 0:
            self.schedule(thief, self.costs.probe)
            return
        index = self.rng.randrange(others)
        victim = self.workers[index + (index >= thief.index)]
        self.steal(thief, victim, spent)

    def spin(self, thief):
        """How long it searches: one round over all, if enough others do."""
        count = len(self.workers)
        is_extra = (self.wake == 'chain' and
                    self.searcher_count(thief) > (count + 1) // 2)
        return self.costs.probe * count if is_extra else self.costs.spin

    def steal(self, thief, victim, spent):
        costs = self.costs
        if self.policy == 'split':
            if victim.public:
                self.take(thief, victim.public, spent + costs.theft,
                          half_of(victim.public))
                return
            victim.is_asked = victim.is_asked or bool(victim.jobs)
            self.schedule(thief, spent + costs.probe)
        elif not victim.jobs:
            self.schedule(thief, spent + costs.probe)
        elif self.policy == 'atomic':
            victim.delay += costs.miss
            self.take(thief, victim.jobs, spent + costs.theft)
        else:
            thief.state = ASKING
            thief.victim = victim
            victim.is_asked = True
            victim.askers.append(thief)
            self.schedule(thief, spent + self.patience())

    def running(self, but=None):
        return [worker for worker in self.workers
                if worker.state == RUNNING and worker is not but]

    def patience(self):
        if self.policy not in ('patient', 'half'):
            return self.costs.patience
        costs = self.costs
        return min(costs.patience + costs.interrupt * len(self.running()),
                   costs.patience_max)

    def lose_patience(self, thief):
        victim, thief.victim = thief.victim, None
        thief.state = SEARCHING
        costs = self.costs
        if self.policy == 'ask' or not victim.jobs:
            self.schedule(thief, costs.probe)
            return
        self.fence_count += 1
        running = self.running(but=thief)
        for other in running:
            other.delay += costs.interrupt
        self.take(thief, victim.jobs,
                  costs.fence + costs.fence_each * len(running) + costs.theft)


# --- In words ----------------------------------------------------------------

def rows(workloads, counts, seed, costs):
    for workload in workloads:
        base = Simulation(workload, POLICIES[0], 1, seed, costs).run().end
        for policy in POLICIES:
            for count in counts:
                run = Simulation(workload, policy, count, seed, costs).run()
                yield (workload, policy, count, base / run.end, run)


def table(workloads, counts, seed, costs):
    """Lines of Markdown: how many times as fast as one worker."""
    found = {(workload, policy, count): (speedup, run)
             for workload, policy, count, speedup, run
             in rows(workloads, counts, seed, costs)}
    yield f'| workload | workers | {" | ".join(POLICIES)} | thefts | fences |'
    yield f'|---|--:|{"--:|" * len(POLICIES)}--:|--:|'
    for workload in workloads:
        for count in counts:
            cells = [f'{found[workload, policy, count][0]:.1f}'
                     for policy in POLICIES]
            run = found[workload, POLICIES[0], count][1]
            yield (f'| {workload} | {count} | {" | ".join(cells)} | '
                   f'{run.steal_count} | {run.fence_count} |')


def mean(values):
    return sum(values) / len(values) if values else 0.0


def wake_cell(run, base):
    """Speed, or of bursts how long tasks wait; and how many CPUs search."""
    searching = run.searched / run.end
    if run.waits:
        return f'{mean(run.waits) / 1000:.1f} us, {searching:.1f}'
    return f'{base / run.end:.1f} x, {searching:.1f}'


def wake_table(workloads, counts, seed, costs):
    """Lines of Markdown, a column for each way to wake."""
    yield f'| workload | workers | {" | ".join(WAKES)} |'
    yield f'|---|--:|{"--:|" * len(WAKES)}'
    for workload in workloads:
        base = Simulation(workload, 'patient', 1, seed, costs).run().end
        for count in counts:
            cells = [wake_cell(Simulation(workload, 'patient', count, seed,
                                          costs, wake).run(), base)
                     for wake in WAKES]
            yield f'| {workload} | {count} | {" | ".join(cells)} |'


def numbers(text):
    return [int(part) for part in text.split(',')]


def main(arguments):
    parser = argparse.ArgumentParser(
        prog='sim.py', description='Simulate stealing and waking on many '
        'cores. See README.md.')
    parser.add_argument('--workers', type=numbers, default=[2, 16, 64, 256],
                        metavar='LIST')
    parser.add_argument('--workloads', default=','.join(ALL),
                        metavar='LIST')
    parser.add_argument('--costs', choices=COSTS, default='real',
                        help='of a fence and an interrupt, on such a machine')
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args(arguments)
    names = options.workloads.split(',')
    unknown = [name for name in names if name not in ALL]
    if unknown or min(options.workers) < 1:
        parser.error(f'no such workload: {unknown}' if unknown
                     else '--workers: numbers from 1')
    print('Policies: how many times as fast as one worker.\n')
    for line in table([name for name in names if name in WORKLOADS],
                      options.workers, options.seed, COSTS[options.costs]):
        print(line, flush=True)
    print('\nWays to wake: how many times as fast as one worker, or how long tasks\n'
          'wait; and how many workers search, on average.\n')
    for line in wake_table([name for name in names if name in WAKING],
                           options.workers, options.seed, COSTS[options.costs]):
        print(line, flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
