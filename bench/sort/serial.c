// SPDX-License-Identifier: MIT
//
// sort serial — qsort_r() of the C library.

#include "sort/sort.h"

int main(int argc, char **argv)
{
    struct bench bench;
    struct sort sort = sort_start(&bench, "serial", argc, argv);

    bench.version = bench_compiler();
    while (bench_again(&bench)) {
        sort_fill(&sort);
        bench_begin(&bench);
        qsort_r(
            sort.numbers, sort.count, sizeof(*sort.numbers), sort_compare,
            NULL);
        bench_end(&bench);
        sort_check(&bench, &sort);
    }
    return sort_end(&bench, &sort);
}
