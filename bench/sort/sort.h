// SPDX-License-Identifier: MIT
//
// sort — the problem: put n random 32-bit numbers in ascending order, by what
// the library offers for that.
//
// The numbers are the same each time (random.h). Checked are the order and a
// sum of the numbers, mixed.

#ifndef BENCH_SORT_SORT_H
#define BENCH_SORT_SORT_H

#include "common/bench.h"
#include "common/random.h"

#include <stdlib.h>

#define SORT_SIZE_DEFAULT "10000000"
#define SORT_SIZE_MAX 4000000000

struct sort {
    size_t count;
    int32_t *numbers;
    uint64_t checksum;
};

static inline uint64_t sort_checksum(const struct sort *sort)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < sort->count; i++) {
        sum += bench_random_mix((uint64_t)(uint32_t)sort->numbers[i]);
    }
    return sum;
}

// [driver] New numbers, the same as last time.
static inline void sort_fill(struct sort *sort)
{
    uint64_t random = 1945;

    for (size_t i = 0; i < sort->count; i++) {
        sort->numbers[i] = (int32_t)(bench_random_next(&random) >> 32);
    }
}

// [driver] Begin the program, with the numbers in place. An operation is one
// number.
static inline struct sort sort_start(
    struct bench *bench, const char *implementation, int argc, char **argv)
{
    struct sort sort;

    bench_init(bench, "sort", implementation);
    bench->size = SORT_SIZE_DEFAULT;
    bench_parse(bench, argc, argv);
    sort.count = (size_t)bench_size_number(bench, SORT_SIZE_MAX);
    bench->operation_count = sort.count;
    sort.numbers = (int32_t *)malloc(sort.count * sizeof(*sort.numbers));
    bench_require(bench, sort.numbers != NULL, "no memory for the numbers");
    sort_fill(&sort);
    sort.checksum = sort_checksum(&sort);
    return sort;
}

// [any] Exits with 1 unless they are sorted.
static inline void sort_check(
    const struct bench *bench, const struct sort *sort)
{
    uint64_t unordered_count = 0;

    for (size_t i = 1; i < sort->count; i++) {
        unordered_count += sort->numbers[i - 1] > sort->numbers[i];
    }
    bench_check(
        bench, "the number of descending neighbours", unordered_count, 0);
    bench_check(bench, "the checksum", sort_checksum(sort), sort->checksum);
}

// [driver] Print the report; gives the program's exit status.
static inline int sort_end(struct bench *bench, struct sort *sort)
{
    free(sort->numbers);
    return bench_report(bench);
}

// [any] As a function for who wants one.
static inline int sort_compare(
    const void *left, const void *right, void *context)
{
    int32_t a = *(const int32_t *)left;
    int32_t b = *(const int32_t *)right;

    (void)context;
    return (a > b) - (a < b);
}

#endif
