// SPDX-License-Identifier: MIT
//
// reduce serial — block after block.

#include "reduce/reduce.h"

static double run(const struct reduce *reduce)
{
    double sum = 0;

    for (int pass = 0; pass < REDUCE_PASS_COUNT; pass++) {
        for (size_t block = 0; block < reduce->block_count; block++) {
            sum += reduce_block(reduce, block);
        }
    }
    return sum;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct reduce reduce;

    reduce_start(&reduce, &bench, "serial", argc, argv);
    bench.version = bench_compiler();
    while (bench_again(&bench)) {
        bench_begin(&bench);
        double sum = run(&reduce);
        bench_end(&bench);
        reduce_check(&bench, &reduce, sum);
    }
    reduce_end(&reduce);
    return bench_report(&bench);
}
