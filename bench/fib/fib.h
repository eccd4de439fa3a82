// SPDX-License-Identifier: MIT
//
// fib — the problem: Fibonacci by doubly recursive calls, a task per left call.
//
// No implementation cuts off: nothing is computed but the price of a spawn and
// a join. An operation is one such pair. Numbers are plain int, as in Cilk's
// original: gcc makes much of the serial program, and how much depends on the
// type (see bench/README.md).

#ifndef BENCH_FIB_FIB_H
#define BENCH_FIB_FIB_H

#include "common/bench.h"

#define FIB_SIZE_DEFAULT "38"
#define FIB_SIZE_MAX 45

// [any] By iteration, to check against.
static inline int fib_answer(int n)
{
    int current = 0;
    int next = 1;

    for (int i = 0; i < n; i++) {
        int sum = current + next;

        current = next;
        next = sum;
    }
    return current;
}

// [driver] Begin the program and return n.
static inline int fib_start(
    struct bench *bench, const char *implementation, int argc, char **argv)
{
    bench_init(bench, "fib", implementation);
    bench->size = FIB_SIZE_DEFAULT;
    bench_parse(bench, argc, argv);
    int n = (int)bench_size_number(bench, FIB_SIZE_MAX);
    bench->operation_count = (uint64_t)fib_answer(n + 1) - 1;
    return n;
}

// [any] Exits with 1 unless `answer` is right.
static inline void fib_check(const struct bench *bench, int n, int answer)
{
    bench_check(
        bench, "the Fibonacci number", (uint64_t)answer,
        (uint64_t)fib_answer(n));
}

#endif
