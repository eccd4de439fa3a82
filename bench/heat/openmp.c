// SPDX-License-Identifier: MIT
//
// heat openmp — one parallel region, a static loop in it for each step; its
// barrier is the join.

#include "common/openmp.h"
#include "heat/heat.h"

static void run(struct heat *heat, int thread_count)
{
#pragma omp parallel num_threads(thread_count)
    for (int step = 0; step < HEAT_STEP_COUNT; step++) {
#pragma omp for schedule(static)
        for (size_t block = 0; block < heat->block_count; block++) {
            heat_block(heat, block);
        }
#pragma omp single
        heat_advance(heat);
    }
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct heat heat;

    heat_start(&heat, &bench, bench_openmp_name(), argc, argv);
    bench.version = bench_compiler();
    while (bench_again(&bench)) {
        heat_reset(&heat);
        bench_begin(&bench);
        run(&heat, (int)bench.worker_count);
        bench_end(&bench);
        heat_check(&bench, &heat);
    }
    heat_end(&heat);
    return bench_report(&bench);
}
