// SPDX-License-Identifier: MIT
//
// cancel — the problem: n tasks are queued in one group when it is cancelled.
// The sample is the time from the cancel to the end of the wait for them, in
// which none of them may begin any more.
//
// A task that begins earlier polls until it is cancelled: so each thread but the
// one that spawns has begun one at most, and all others are in a queue. (A pool
// may have a thread or two more than workers: one that stood in for a worker
// that waited, as Tenon's spares do.)
// OpenMP is left out: its cancellation has to be switched on by a variable of
// the environment, before the program begins.

#ifndef BENCH_CANCEL_CANCEL_H
#define BENCH_CANCEL_CANCEL_H

#include "common/bench.h"

#define CANCEL_SIZE_DEFAULT "100000"
#define CANCEL_SIZE_MAX 100000000

// [driver] Begin the program and return n. An operation is the whole cancel.
static inline uint64_t cancel_start(
    struct bench *bench, const char *implementation, int argc, char **argv)
{
    bench_init(bench, "cancel", implementation);
    bench->size = CANCEL_SIZE_DEFAULT;
    bench->operation_count = 1;
    bench->repeat_count = 20;
    bench->warmup_count = 3;
    bench_parse(bench, argc, argv);
    return bench_size_number(bench, CANCEL_SIZE_MAX);
}

// [any] A task begins.
static inline void cancel_begun(uint64_t *begun_count)
{
    // relaxed: the wait for the group orders it before the check
    __atomic_fetch_add(begun_count, 1, __ATOMIC_RELAXED);
}

// [driver] Exits with 1 unless at most a task per thread has begun, and what has
// not begun was dropped.
static inline void cancel_check(
    const struct bench *bench, uint64_t n, uint64_t begun_count,
    uint64_t dropped_count)
{
    bench_require(
        bench, begun_count <= 2 * bench->worker_count,
        "wrong answer: tasks began after the cancel");
    bench_check(
        bench, "the number of tasks dropped", dropped_count, n - begun_count);
}

#endif
