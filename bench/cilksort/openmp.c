// SPDX-License-Identifier: MIT
//
// cilksort openmp — a task for all but the first of what may run at the same
// time, taskwait.

#include "common/openmp.h"
#include "cilksort/cilksort.h"

static void merge(const struct cilksort_merge *whole);

static void merge_both(const struct cilksort_merge merges[2])
{
#pragma omp task firstprivate(merges)
    merge(&merges[1]);
    merge(&merges[0]);
#pragma omp taskwait
}

static void merge(const struct cilksort_merge *whole)
{
    struct cilksort_merge halves[2];

    if (cilksort_merge_small(whole)) {
        return;
    }
    cilksort_halve(whole, halves);
    merge_both(halves);
}

static void sort(const struct cilksort_range *whole)
{
    struct cilksort_range quarters[CILKSORT_QUARTERS];
    struct cilksort_merge merges[3];

    if (cilksort_sort_small(whole)) {
        return;
    }
    cilksort_quarter(whole, quarters, merges);
    for (int i = 1; i < CILKSORT_QUARTERS; i++) {
#pragma omp task shared(quarters) firstprivate(i)
        sort(&quarters[i]);
    }
    sort(&quarters[0]);
#pragma omp taskwait
    merge_both(merges);
    merge(&merges[2]);
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct cilksort cilksort =
        cilksort_start(&bench, bench_openmp_name(), argc, argv);

    bench.version = bench_compiler();
#pragma omp parallel num_threads((int)bench.worker_count)
#pragma omp single
    while (cilksort_again(&bench, &cilksort)) {
        bench_begin(&bench);
        sort(&cilksort.range);
        bench_end(&bench);
        cilksort_check(&bench, &cilksort);
    }
    return cilksort_end(&bench, &cilksort);
}
