// SPDX-License-Identifier: MIT
//
// triad serial — block after block.

#include "triad/triad.h"

static void run(struct triad *triad)
{
    for (int pass = 0; pass < TRIAD_PASS_COUNT; pass++) {
        triad_advance(triad);
        for (size_t block = 0; block < triad->block_count; block++) {
            triad_block(triad, block);
        }
    }
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct triad triad;

    triad_start(&triad, &bench, "serial", argc, argv);
    bench.version = bench_compiler();
    while (bench_again(&bench)) {
        bench_begin(&bench);
        run(&triad);
        bench_end(&bench);
        triad_check(&bench, &triad);
    }
    triad_end(&triad);
    return bench_report(&bench);
}
