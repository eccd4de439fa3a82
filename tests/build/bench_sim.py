#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# bench_sim — laws of bench/sim: a policy changes when nodes run, not which.

import sys

from points import differ, point, run
from tap import source_root

sys.path.append(str(source_root() / 'bench' / 'sim'))

import sim

SMALL = {
    'fib': lambda: sim.fib(20, 8),
    'uts': lambda: sim.uts(50, 0.19, 5),
    'flat': lambda: sim.flat(2000, 300),
}
COUNTS = (1, 2, 7, 40)


def each():
    sim.ALL.update(SMALL)
    for workload in SMALL:
        for policy in sim.POLICIES:
            for count in COUNTS:
                yield (f'{workload}, {policy}, {count} workers',
                       sim.Simulation(workload, policy, count).run())


@point('every node runs once, whatever the policy and the number of workers')
def conserved():
    found = {}
    for name, one in each():
        workload = name.split(',')[0]
        expected = found.setdefault(workload, (one.node_count, one.work))
        yield from differ(f'{name}: nodes', one.node_count, expected[0])
        if abs(one.work - expected[1]) > 1e-6 * expected[1]:
            yield f'{name}: {one.work} ns of work, not {expected[1]}'


@point('every node runs once, whoever is woken')
def woken():
    sim.ALL.update(SMALL, bursts=lambda: sim.bursts(5, 20, 1000))
    for workload in (*SMALL, 'bursts'):
        found = {sim.Simulation(workload, 'patient', count, wake=wake)
                 .run().node_count
                 for wake in sim.WAKES for count in COUNTS}
        yield from differ(workload, len(found), 1)


@point('who is awake finds a task sooner, and searches more')
def awake():
    sim.ALL['bursts'] = lambda: sim.bursts(20, 20, 1000)
    spin, chain = (sim.Simulation('bursts', 'patient', 16, wake=wake).run()
                   for wake in ('spin', 'chain'))
    yield from differ('tasks that waited', len(spin.waits), 20 * 20)
    if sim.mean(spin.waits) >= sim.mean(chain.waits):
        yield 'who spins finds them no sooner'
    if spin.searched / spin.end <= chain.searched / chain.end:
        yield 'who spins searches no more'


@point('nobody is faster than the number of workers allows')
def bounded():
    for name, one in each():
        if one.end * len(one.workers) < one.work:
            yield f'{name}: {one.work} ns of work in {one.end}'


@point('one worker steals, wakes and fences nothing')
def alone():
    for name, one in each():
        if len(one.workers) == 1:
            yield from differ(
                name, (one.steal_count, one.fence_count, one.wake_count),
                (0, 0, 0))


@point('fib makes as many calls as the formula says')
def fib_calls():
    for size, expected in ((0, 1), (1, 1), (2, 3), (3, 5), (10, 177)):
        yield from differ(f'fib({size})', sim.calls(size), expected)


@point('the same seed gives the same run')
def repeatable():
    ends = {sim.Simulation('uts', 'patient', 7, 3).run().end
            for _ in range(3)}
    yield from differ('ends', len(ends), 1)


@point('a thief that waits takes fewer fences, and is not slower with many')
def patient():
    sim.ALL.update(SMALL)
    waits, takes = (sim.Simulation('fib', policy, 40).run()
                    for policy in ('patient', 'fence'))
    if waits.fence_count > takes.fence_count:
        yield f'{waits.fence_count} fences, {takes.fence_count} without'
    if waits.end > 1.1 * takes.end:
        yield f'{waits.end} ns, {takes.end} without'


@point('what lies beside a long node is out of reach for long if it is private')
def out_of_reach():
    own_ns = 1000000
    sim.ALL['long'] = lambda: sim.long(100, 1000, own_ns)
    for costs in sim.COSTS.values():
        for count in (2, 16, 64):
            first = {policy: sim.Simulation('long', policy, count, 1, costs)
                     .run().first_steal for policy in sim.POLICIES}
            for policy in ('patient', 'half', 'fence', 'atomic'):
                if first[policy] > 100000:
                    yield f'{policy}, {count}: after {first[policy]} ns'
            for policy in ('ask', 'split'):
                if first[policy] < own_ns:
                    yield f'{policy}, {count}: after {first[policy]} ns'


if __name__ == '__main__':
    sys.exit(run())
