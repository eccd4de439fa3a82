// SPDX-License-Identifier: MIT
//
// lu onetbb — two parallel_for per step, over blocks.

#include "common/onetbb.hpp"
#include "lu/lu.h"

#include <oneapi/tbb/parallel_for.h>

static void decompose(const lu *lu)
{
    for (size_t step = 0; step < lu->side; step++) {
        lu_split(lu, step);
        tbb::parallel_for(size_t{0}, lu_edge_count(lu, step), [=](size_t i) {
            lu_solve(lu, step, i);
        });
        tbb::parallel_for(size_t{0}, lu_rest_count(lu, step), [=](size_t i) {
            lu_subtract(lu, step, i);
        });
    }
}

int main(int argc, char **argv)
{
    struct bench bench;
    lu lu;

    lu_start(&lu, &bench, "onetbb", argc, argv);
    bench_onetbb_run(&bench, [&bench, &lu] {
        while (bench_again(&bench)) {
            lu_reset(&lu);
            bench_begin(&bench);
            decompose(&lu);
            bench_end(&bench);
            lu_check(&bench, &lu);
        }
    });
    lu_end(&lu);
    return bench_report(&bench);
}
