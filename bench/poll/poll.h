// SPDX-License-Identifier: MIT
//
// poll — the problem: a loop whose body is nothing but a look at the token.
//
// The serial program has the loop without the look. An operation is one turn.

#ifndef BENCH_POLL_POLL_H
#define BENCH_POLL_POLL_H

#include "common/bench.h"

#define POLL_SIZE_DEFAULT "10000000"
#define POLL_SIZE_MAX 10000000000

// [driver] Begin the program.
static inline void poll_start(
    struct bench *bench, const char *implementation, int argc, char **argv)
{
    bench_init(bench, "poll", implementation);
    bench->size = POLL_SIZE_DEFAULT;
    bench_parse(bench, argc, argv);
    bench->operation_count = bench_size_number(bench, POLL_SIZE_MAX);
}

// [driver] Exits with 1 unless every turn was taken.
static inline void poll_check(const struct bench *bench, uint64_t turn_count)
{
    bench_check(
        bench, "the number of turns", turn_count, bench->operation_count);
}

#endif
