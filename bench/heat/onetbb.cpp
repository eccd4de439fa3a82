// SPDX-License-Identifier: MIT
//
// heat onetbb — a parallel_for per step, its partitioner remembering which
// thread had which rows.

#include "common/onetbb.hpp"
#include "heat/heat.h"

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>

using range = tbb::blocked_range<size_t>;

static void run(heat *heat, tbb::affinity_partitioner &partitioner)
{
    for (int step = 0; step < HEAT_STEP_COUNT; step++) {
        tbb::parallel_for(
            range(0, heat->block_count),
            [heat](const range &blocks) {
                for (size_t i = blocks.begin(); i != blocks.end(); i++) {
                    heat_block(heat, i);
                }
            },
            partitioner);
        heat_advance(heat);
    }
}

int main(int argc, char **argv)
{
    struct bench bench;
    heat heat;

    heat_start(&heat, &bench, "onetbb", argc, argv);
    bench_onetbb_run(&bench, [&bench, &heat] {
        tbb::affinity_partitioner partitioner;

        while (bench_again(&bench)) {
            heat_reset(&heat);
            bench_begin(&bench);
            run(&heat, partitioner);
            bench_end(&bench);
            heat_check(&bench, &heat);
        }
    });
    heat_end(&heat);
    return bench_report(&bench);
}
