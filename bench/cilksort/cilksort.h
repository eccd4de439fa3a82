// SPDX-License-Identifier: MIT
//
// cilksort — the problem: sort n random numbers of 64 bits by merging, and merge
// in parallel too.
//
// Four quarters are sorted, a task each; two pairs of them merged into the space
// besides, then the two results back. A merge halves the longer input, finds by
// binary search where the other is to be cut, and is two tasks. Small sorts and
// merges are the same compiled code for all.
//
// Source:  "cilksort" of the programs that came with Cilk-5 (Frigo, Leiserson
//          and Randall, PLDI 1998), after Akl and Santoro, "Optimal Parallel
//          Merging and Sorting Without Memory Conflicts", IEEE ToC 36, 1987.

#ifndef BENCH_CILKSORT_CILKSORT_H
#define BENCH_CILKSORT_CILKSORT_H

#include "common/bench.h"

#define CILKSORT_SIZE_DEFAULT "10000000"
#define CILKSORT_SIZE_MAX 100000000
#define CILKSORT_SMALL 2048  // numbers that are sorted or merged without tasks
#define CILKSORT_QUARTERS 4

// To be sorted in place.
struct cilksort_range {
    int64_t *values;
    int64_t *space;  // for as many
    size_t count;
};

// Both sorted, to be merged into `out`.
struct cilksort_merge {
    const int64_t *left;
    const int64_t *right;
    size_t left_count;
    size_t right_count;
    int64_t *out;
};

struct cilksort {
    struct cilksort_range range;
    int64_t *input;
    uint64_t checksum;  // of the input, whatever its order
};

#ifdef __cplusplus
extern "C" {
#endif

// [driver] Begin the program and make the numbers.
struct cilksort cilksort_start(
    struct bench *bench, const char *implementation, int argc, char **argv);

// [driver] Is there a further round? Then the range is as at the beginning.
bool cilksort_again(struct bench *bench, const struct cilksort *cilksort);

// [driver] Exits with 1 unless the range is sorted and has the same numbers.
void cilksort_check(const struct bench *bench, const struct cilksort *cilksort);

// [driver] Free everything, end as bench_report() does.
int cilksort_end(struct bench *bench, const struct cilksort *cilksort);

// [any] Sort the range, if it is small: true.
bool cilksort_sort_small(const struct cilksort_range *range);

// [any] What is to be sorted first, and merged then: merges[0] and [1] at the
// same time, merges[2] last.
void cilksort_quarter(
    const struct cilksort_range *whole,
    struct cilksort_range quarters[CILKSORT_QUARTERS],
    struct cilksort_merge merges[3]);

// [any] Merge, if it is small: true.
bool cilksort_merge_small(const struct cilksort_merge *merge);

// [any] Two merges, at the same time, that make the whole one.
void cilksort_halve(
    const struct cilksort_merge *whole, struct cilksort_merge halves[2]);

#ifdef __cplusplus
}
#endif

#endif
