// SPDX-License-Identifier: MIT
//
// skynet — the problem: a tree of tasks, each spawning ten, down to n leaves; a
// leaf hands up its own number, every other task the sum of what it was given.
//
// Every child is a task, the last one too. An operation is one task spawned,
// with its join.
//
// Source:  Temerev, "Skynet 1M concurrency microbenchmark",
//          github.com/atemerev/skynet: a million leaves, 1,111,110 children
//          below the root, the sum 499,999,500,000.

#ifndef BENCH_SKYNET_SKYNET_H
#define BENCH_SKYNET_SKYNET_H

#include "common/bench.h"

#define SKYNET_SIZE_DEFAULT "1000000"
#define SKYNET_SIZE_MAX 100000000
#define SKYNET_CHILDREN 10

// [driver] Begin the program and return the number of leaves. Exits with 2
// unless it is a power of ten.
static inline uint64_t skynet_start(
    struct bench *bench, const char *implementation, int argc, char **argv)
{
    bench_init(bench, "skynet", implementation);
    bench->size = SKYNET_SIZE_DEFAULT;
    bench_parse(bench, argc, argv);
    uint64_t leaf_count = bench_size_number(bench, SKYNET_SIZE_MAX);
    uint64_t level_count = 1;

    while (level_count < leaf_count) {
        level_count *= SKYNET_CHILDREN;
        bench->operation_count += level_count;
    }
    if (level_count != leaf_count) {
        bench_usage(bench, "the size is no power of ten");
    }
    return leaf_count;
}

// [any] Exits with 1 unless `sum` is that of 0 to `leaf_count` - 1.
static inline void skynet_check(
    const struct bench *bench, uint64_t leaf_count, uint64_t sum)
{
    bench_check(bench, "the sum", sum, leaf_count * (leaf_count - 1) / 2);
}

#endif
