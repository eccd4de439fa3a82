// SPDX-License-Identifier: MIT
//
// idle — the problem: a pool that has had work and has none left. The sample
// is the CPU time that the process uses while the main thread sleeps for
// `size` seconds, in percent of one CPU.

#ifndef BENCH_IDLE_IDLE_H
#define BENCH_IDLE_IDLE_H

#include "common/bench.h"

#include <time.h>

#define IDLE_SIZE_DEFAULT "10"
#define IDLE_SIZE_MAX 3600

// Of work done before: enough for every worker to have had some.
#define IDLE_WORK_COUNT 100000

// [driver] Begin the program.
static inline void idle_start(
    struct bench *bench, const char *implementation, int argc, char **argv)
{
    bench_init(bench, "idle", implementation);
    bench->size = IDLE_SIZE_DEFAULT;
    bench->unit = "%";
    bench->repeat_count = 1;
    bench->warmup_count = 0;
    bench_parse(bench, argc, argv);
    bench_size_number(bench, IDLE_SIZE_MAX);
}

// [any] One piece of the work done before.
static inline void idle_work(uint64_t *done_count)
{
    // relaxed: the wait for the work orders it before the check
    __atomic_fetch_add(done_count, 1, __ATOMIC_RELAXED);
}

// [driver, blocks] Check that the work was done; then sleep and measure, once
// per repetition.
static inline void idle_measure(struct bench *bench, uint64_t done_count)
{
    struct timespec time;

    bench_check(bench, "the work done before", done_count, IDLE_WORK_COUNT);
    time.tv_sec = (time_t)bench_size_number(bench, IDLE_SIZE_MAX);
    time.tv_nsec = 0;
    while (bench_again(bench)) {
        uint64_t begin_ns = bench_now_ns();
        uint64_t begin_cpu_ns = bench_cpu_ns();

        nanosleep(&time, NULL);
        double cpu_ns = (double)(bench_cpu_ns() - begin_cpu_ns);
        double elapsed_ns = (double)(bench_now_ns() - begin_ns);
        bench_record(bench, 100 * cpu_ns / elapsed_ns, cpu_ns);
    }
}

#endif
