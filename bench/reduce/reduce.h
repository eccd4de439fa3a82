// SPDX-License-Identifier: MIT
//
// reduce — the problem: the sum of n doubles, 30 times.
//
// The array has 128 MiB, four times the largest cache of the machine that the
// published figures are from. Its numbers are small and whole, so that their
// sum is the same in any order. All implementations call the same code for a
// block of 16,384 numbers.

#ifndef BENCH_REDUCE_REDUCE_H
#define BENCH_REDUCE_REDUCE_H

#include "common/bench.h"

#define REDUCE_SIZE_DEFAULT "16777216"
#define REDUCE_SIZE_MAX 10000000000
#define REDUCE_PASS_COUNT 30
#define REDUCE_BLOCK 16384

#ifdef __cplusplus
extern "C" {
#endif

struct reduce {
    size_t count;
    size_t block_count;
    double *numbers;
};

// [driver] Begin the program, with the array filled. An operation is one
// number.
void reduce_start(
    struct reduce *reduce, struct bench *bench, const char *implementation,
    int argc, char **argv);

// [any] The sum of block number `block`.
double reduce_block(const struct reduce *reduce, size_t block);

// [driver] Exits with 1 unless `sum` is that of all passes.
void reduce_check(
    const struct bench *bench, const struct reduce *reduce, double sum);

// [driver] Free the array.
void reduce_end(struct reduce *reduce);

#ifdef __cplusplus
}
#endif

#endif
