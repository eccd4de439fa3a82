// SPDX-License-Identifier: MIT
//
// flat — the problem: one task spawns n empty ones into one group, and waits.
//
// Empty tasks leave no trace, so the first warm-up round spawns tasks that
// count themselves, and that count is checked. An operation is one task.

#ifndef BENCH_FLAT_FLAT_H
#define BENCH_FLAT_FLAT_H

#include "common/bench.h"

#define FLAT_SIZE_DEFAULT "10000"
#define FLAT_SIZE_MAX 100000000

// [driver] Begin the program and return n.
static inline uint64_t flat_start(
    struct bench *bench, const char *implementation, int argc, char **argv)
{
    bench_init(bench, "flat", implementation);
    bench->size = FLAT_SIZE_DEFAULT;
    bench->warmup_count = 3;
    bench_parse(bench, argc, argv);
    bench->operation_count = bench_size_number(bench, FLAT_SIZE_MAX);
    return bench->operation_count;
}

// [driver] Exits with 1 unless the round that counts has counted all tasks.
static inline void flat_check(const struct bench *bench, uint64_t ran_count)
{
    if (bench_is_first(bench)) {
        bench_check(
            bench, "the number of tasks run", ran_count,
            bench->operation_count);
    }
}

#endif
