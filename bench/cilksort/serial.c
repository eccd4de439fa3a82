// SPDX-License-Identifier: MIT
//
// cilksort serial — the same sorts and merges, one after the other.

#include "cilksort/cilksort.h"

static void merge(const struct cilksort_merge *whole)
{
    struct cilksort_merge halves[2];

    if (cilksort_merge_small(whole)) {
        return;
    }
    cilksort_halve(whole, halves);
    merge(&halves[0]);
    merge(&halves[1]);
}

static void sort(const struct cilksort_range *whole)
{
    struct cilksort_range quarters[CILKSORT_QUARTERS];
    struct cilksort_merge merges[3];

    if (cilksort_sort_small(whole)) {
        return;
    }
    cilksort_quarter(whole, quarters, merges);
    for (int i = 0; i < CILKSORT_QUARTERS; i++) {
        sort(&quarters[i]);
    }
    merge(&merges[0]);
    merge(&merges[1]);
    merge(&merges[2]);
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct cilksort cilksort = cilksort_start(&bench, "serial", argc, argv);

    bench.version = bench_compiler();
    while (cilksort_again(&bench, &cilksort)) {
        bench_begin(&bench);
        sort(&cilksort.range);
        bench_end(&bench);
        cilksort_check(&bench, &cilksort);
    }
    return cilksort_end(&bench, &cilksort);
}
