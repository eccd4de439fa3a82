// SPDX-License-Identifier: MIT
//
// triad — the arrays, a block, and the check, which is exact: all numbers are
// small and whole.

#include "triad/triad.h"

#include <stdlib.h>

// Prime, so that blocks differ.
#define B_PERIOD 1009
#define C_PERIOD 499

void triad_start(
    struct triad *triad, struct bench *bench, const char *implementation,
    int argc, char **argv)
{
    bench_init(bench, "triad", implementation);
    bench->size = TRIAD_SIZE_DEFAULT;
    bench_parse(bench, argc, argv);
    triad->count = bench_size_number(bench, TRIAD_SIZE_MAX);
    triad->block_count = (triad->count + TRIAD_BLOCK - 1) / TRIAD_BLOCK;
    triad->factor = 0;
    triad->a = bench_new_array(bench, triad->count, sizeof(double));
    triad->b = bench_new_array(bench, triad->count, sizeof(double));
    triad->c = bench_new_array(bench, triad->count, sizeof(double));
    for (size_t i = 0; i < triad->count; i++) {
        triad->b[i] = (double)(i % B_PERIOD);
        triad->c[i] = (double)(i % C_PERIOD + 1);
    }
    bench->operation_count = TRIAD_PASS_COUNT * triad->count;
}

void triad_advance(struct triad *triad)
{
    triad->factor++;
}

void triad_block(const struct triad *triad, size_t block)
{
    size_t first = block * TRIAD_BLOCK;
    size_t left = triad->count - first;
    size_t count = left < TRIAD_BLOCK ? left : TRIAD_BLOCK;
    double *restrict a = triad->a + first;
    const double *restrict b = triad->b + first;
    const double *restrict c = triad->c + first;
    double factor = triad->factor;

    for (size_t i = 0; i < count; i++) {
        a[i] = b[i] + factor * c[i];
    }
}

void triad_check(const struct bench *bench, const struct triad *triad)
{
    bool is_right = true;

    for (size_t i = 0; i < triad->count; i++) {
        double want =
            (double)(i % B_PERIOD) + triad->factor * (double)(i % C_PERIOD + 1);

        is_right = is_right && triad->a[i] == want;
    }
    bench_require(
        bench, is_right, "wrong answer: a number is not what it should be");
}

void triad_end(struct triad *triad)
{
    free(triad->a);
    free(triad->b);
    free(triad->c);
}
