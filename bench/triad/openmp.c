// SPDX-License-Identifier: MIT
//
// triad openmp — a static parallel loop per pass.

#include "common/openmp.h"
#include "triad/triad.h"

static void run(struct triad *triad, int thread_count)
{
    for (int pass = 0; pass < TRIAD_PASS_COUNT; pass++) {
        triad_advance(triad);
#pragma omp parallel for schedule(static) num_threads(thread_count)
        for (size_t block = 0; block < triad->block_count; block++) {
            triad_block(triad, block);
        }
    }
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct triad triad;

    triad_start(&triad, &bench, bench_openmp_name(), argc, argv);
    bench.version = bench_compiler();
    while (bench_again(&bench)) {
        bench_begin(&bench);
        run(&triad, (int)bench.worker_count);
        bench_end(&bench);
        triad_check(&bench, &triad);
    }
    triad_end(&triad);
    return bench_report(&bench);
}
