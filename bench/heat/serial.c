// SPDX-License-Identifier: MIT
//
// heat serial — block after block.

#include "heat/heat.h"

static void run(struct heat *heat)
{
    for (int step = 0; step < HEAT_STEP_COUNT; step++) {
        for (size_t block = 0; block < heat->block_count; block++) {
            heat_block(heat, block);
        }
        heat_advance(heat);
    }
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct heat heat;

    heat_start(&heat, &bench, "serial", argc, argv);
    bench.version = bench_compiler();
    while (bench_again(&bench)) {
        heat_reset(&heat);
        bench_begin(&bench);
        run(&heat);
        bench_end(&bench);
        heat_check(&bench, &heat);
    }
    heat_end(&heat);
    return bench_report(&bench);
}
