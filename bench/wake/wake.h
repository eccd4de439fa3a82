// SPDX-License-Identifier: MIT
//
// wake — the problem: a thread that is not the pool's own submits one task; the
// sample is the time from then to the task's first instruction, which reads the
// clock. A repetition is one such task.
//
// Before each, the caller lets `pause_ns` pass, computing: after 1 ms the
// workers are asleep. What is left is half of a roundtrip, without the way back.

#ifndef BENCH_WAKE_WAKE_H
#define BENCH_WAKE_WAKE_H

#include "common/bench.h"

struct wake {
    uint64_t first_ns;  // the task writes it
    uint64_t task_count;
};

// [driver] Begin the program. The size is of no use.
static inline void wake_start(
    struct bench *bench, const char *implementation, int argc, char **argv)
{
    bench_init(bench, "wake", implementation);
    bench->size = "1";
    bench->repeat_count = 1000;
    bench->warmup_count = 100;
    bench->pause_ns = 1000000;
    bench->operation_count = 1;
    bench_parse(bench, argc, argv);
}

// [driver] Let the workers fall asleep.
static inline void wake_pause(const struct bench *bench)
{
    uint64_t end_ns = bench_now_ns() + bench->pause_ns;

    while (bench_now_ns() < end_ns) {
    }
}

// [worker] What the task does.
static inline void wake_task(struct wake *wake)
{
    wake->first_ns = bench_now_ns();
    wake->task_count++;
}

// [driver] The task has run, bench_begin() was called before it was submitted:
// record.
static inline void wake_end(struct bench *bench, const struct wake *wake)
{
    double cpu_ns = (double)(bench_cpu_ns() - bench->begin_cpu_ns);

    bench_check(
        bench, "the number of tasks run", wake->task_count, bench->round);
    bench_require(
        bench, wake->first_ns >= bench->begin_ns,
        "wrong answer: the task ran before it was submitted");
    bench_record(bench, (double)(wake->first_ns - bench->begin_ns), cpu_ns);
}

#endif
