// SPDX-License-Identifier: MIT
//
// sort onetbb — parallel_sort, which is not stable, and compiles the comparison.

#include "common/onetbb.hpp"
#include "sort/sort.h"

#include <oneapi/tbb/parallel_sort.h>

int main(int argc, char **argv)
{
    struct bench bench;
    struct sort sort = sort_start(&bench, "onetbb", argc, argv);

    bench_onetbb_run(&bench, [&bench, &sort] {
        while (bench_again(&bench)) {
            sort_fill(&sort);
            bench_begin(&bench);
            tbb::parallel_sort(sort.numbers, sort.numbers + sort.count);
            bench_end(&bench);
            sort_check(&bench, &sort);
        }
    });
    return sort_end(&bench, &sort);
}
