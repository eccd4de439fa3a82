// SPDX-License-Identifier: MIT
//
// reduce — the array, a block, and the sum by a formula.

#include "reduce/reduce.h"

#include <stdlib.h>

// Number i is i % PERIOD. Prime, so that blocks differ.
#define PERIOD 1009

// So many sums at a time, or an addition would wait for the one before it.
#define LANES 8

void reduce_start(
    struct reduce *reduce, struct bench *bench, const char *implementation,
    int argc, char **argv)
{
    bench_init(bench, "reduce", implementation);
    bench->size = REDUCE_SIZE_DEFAULT;
    bench_parse(bench, argc, argv);
    reduce->count = bench_size_number(bench, REDUCE_SIZE_MAX);
    reduce->block_count = (reduce->count + REDUCE_BLOCK - 1) / REDUCE_BLOCK;
    reduce->numbers = bench_new_array(bench, reduce->count, sizeof(double));
    for (size_t i = 0; i < reduce->count; i++) {
        reduce->numbers[i] = (double)(i % PERIOD);
    }
    bench->operation_count = REDUCE_PASS_COUNT * reduce->count;
}

double reduce_block(const struct reduce *reduce, size_t block)
{
    size_t first = block * REDUCE_BLOCK;
    size_t left = reduce->count - first;
    size_t count = left < REDUCE_BLOCK ? left : REDUCE_BLOCK;
    const double *numbers = reduce->numbers + first;
    double sums[LANES] = {0};
    double sum = 0;
    size_t i = 0;

    for (; i + LANES <= count; i += LANES) {
        for (size_t lane = 0; lane < LANES; lane++) {
            sums[lane] += numbers[i + lane];
        }
    }
    for (; i < count; i++) {
        sum += numbers[i];
    }
    for (size_t lane = 0; lane < LANES; lane++) {
        sum += sums[lane];
    }
    return sum;
}

void reduce_check(
    const struct bench *bench, const struct reduce *reduce, double sum)
{
    uint64_t period_count = reduce->count / PERIOD;
    uint64_t rest = reduce->count % PERIOD;
    uint64_t want = period_count * (PERIOD * (PERIOD - 1) / 2) +
                    (rest == 0 ? 0 : rest * (rest - 1) / 2);

    bench_check(bench, "the sum", (uint64_t)sum, REDUCE_PASS_COUNT * want);
}

void reduce_end(struct reduce *reduce)
{
    free(reduce->numbers);
}
