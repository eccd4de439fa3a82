// SPDX-License-Identifier: MIT
//
// triad — the problem: a[i] = b[i] + s * c[i] over arrays of n doubles, 10
// times, each time with another s and a join.
//
// Nothing but memory counts if the arrays are large enough: the size is such
// that each has 128 MiB, four times the largest cache of the machine that the
// published figures are from, as the rules of STREAM ask for. All
// implementations call the same code for a block of 16,384 numbers.
//
// Source:   McCalpin, "Memory bandwidth and machine balance in current high
//           performance computers" (1995): STREAM.

#ifndef BENCH_TRIAD_TRIAD_H
#define BENCH_TRIAD_TRIAD_H

#include "common/bench.h"

#define TRIAD_SIZE_DEFAULT "16777216"
#define TRIAD_SIZE_MAX 10000000000
#define TRIAD_PASS_COUNT 10
#define TRIAD_BLOCK 16384

#ifdef __cplusplus
extern "C" {
#endif

struct triad {
    size_t count;
    size_t block_count;
    double *a;
    double *b;
    double *c;
    double factor;  // of this pass
};

// [driver] Begin the program, with the arrays filled. An operation is one
// number.
void triad_start(
    struct triad *triad, struct bench *bench, const char *implementation,
    int argc, char **argv);

// [one at a time] Choose the factor of the next pass.
void triad_advance(struct triad *triad);

// [any] Compute block number `block`.
void triad_block(const struct triad *triad, size_t block);

// [driver] Exits with 1 unless every number is what the last pass should have
// made of it.
void triad_check(const struct bench *bench, const struct triad *triad);

// [driver] Free the arrays.
void triad_end(struct triad *triad);

#ifdef __cplusplus
}
#endif

#endif
