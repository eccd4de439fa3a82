// SPDX-License-Identifier: MIT
//
// cilksort onetbb — parallel_invoke of what may run at the same time, one
// context for all.

#include "common/onetbb.hpp"
#include "cilksort/cilksort.h"

#include <oneapi/tbb/parallel_invoke.h>

static void merge(
    tbb::task_group_context &context, const cilksort_merge &whole);

static void merge_both(
    tbb::task_group_context &context, const cilksort_merge *merges)
{
    tbb::parallel_invoke(
        [&context, merges] { merge(context, merges[0]); },
        [&context, merges] { merge(context, merges[1]); }, context);
}

static void merge(tbb::task_group_context &context, const cilksort_merge &whole)
{
    cilksort_merge halves[2];

    if (cilksort_merge_small(&whole)) {
        return;
    }
    cilksort_halve(&whole, halves);
    merge_both(context, halves);
}

static void sort(tbb::task_group_context &context, const cilksort_range &whole)
{
    cilksort_range quarters[CILKSORT_QUARTERS];
    cilksort_merge merges[3];

    if (cilksort_sort_small(&whole)) {
        return;
    }
    cilksort_quarter(&whole, quarters, merges);
    tbb::parallel_invoke(
        [&context, &quarters] { sort(context, quarters[0]); },
        [&context, &quarters] { sort(context, quarters[1]); },
        [&context, &quarters] { sort(context, quarters[2]); },
        [&context, &quarters] { sort(context, quarters[3]); }, context);
    merge_both(context, merges);
    merge(context, merges[2]);
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct cilksort cilksort = cilksort_start(&bench, "onetbb", argc, argv);

    bench_onetbb_run(&bench, [&bench, &cilksort] {
        tbb::task_group_context context;

        while (cilksort_again(&bench, &cilksort)) {
            bench_begin(&bench);
            sort(context, cilksort.range);
            bench_end(&bench);
            cilksort_check(&bench, &cilksort);
        }
    });
    return cilksort_end(&bench, &cilksort);
}
