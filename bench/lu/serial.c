// SPDX-License-Identifier: MIT
//
// lu serial — block after block.

#include "lu/lu.h"

static void decompose(const struct lu *lu)
{
    for (size_t step = 0; step < lu->side; step++) {
        lu_split(lu, step);
        for (size_t i = 0; i < lu_edge_count(lu, step); i++) {
            lu_solve(lu, step, i);
        }
        for (size_t i = 0; i < lu_rest_count(lu, step); i++) {
            lu_subtract(lu, step, i);
        }
    }
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct lu lu;

    lu_start(&lu, &bench, "serial", argc, argv);
    bench.version = bench_compiler();
    while (bench_again(&bench)) {
        lu_reset(&lu);
        bench_begin(&bench);
        decompose(&lu);
        bench_end(&bench);
        lu_check(&bench, &lu);
    }
    lu_end(&lu);
    return bench_report(&bench);
}
