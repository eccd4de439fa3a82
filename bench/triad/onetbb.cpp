// SPDX-License-Identifier: MIT
//
// triad onetbb — a parallel_for per pass, statically partitioned.

#include "common/onetbb.hpp"
#include "triad/triad.h"

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>

using range = tbb::blocked_range<size_t>;

static void run(triad *triad)
{
    for (int pass = 0; pass < TRIAD_PASS_COUNT; pass++) {
        triad_advance(triad);
        tbb::parallel_for(
            range(0, triad->block_count),
            [triad](const range &blocks) {
                for (size_t i = blocks.begin(); i != blocks.end(); i++) {
                    triad_block(triad, i);
                }
            },
            tbb::static_partitioner());
    }
}

int main(int argc, char **argv)
{
    struct bench bench;
    triad triad;

    triad_start(&triad, &bench, "onetbb", argc, argv);
    bench_onetbb_run(&bench, [&bench, &triad] {
        while (bench_again(&bench)) {
            bench_begin(&bench);
            run(&triad);
            bench_end(&bench);
            triad_check(&bench, &triad);
        }
    });
    triad_end(&triad);
    return bench_report(&bench);
}
