// SPDX-License-Identifier: MIT
//
// loop onetbb — parallel_for, statically partitioned.

#include "common/onetbb.hpp"
#include "loop/loop.h"

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>

using range = tbb::blocked_range<size_t>;

static void run(const loop *loop)
{
    uint8_t *marks = loop->marks;

    tbb::parallel_for(
        range(0, loop->count),
        [marks](const range &turns) {
            for (size_t i = turns.begin(); i != turns.end(); i++) {
                loop_turn(marks, i);
            }
        },
        tbb::static_partitioner());
}

int main(int argc, char **argv)
{
    struct bench bench;
    loop loop;

    loop_start(&loop, &bench, "onetbb", argc, argv);
    bench_onetbb_run(&bench, [&bench, &loop] {
        while (bench_again(&bench)) {
            bench_begin(&bench);
            run(&loop);
            bench_end(&bench);
            loop_check(&bench, &loop);
        }
    });
    loop_end(&loop);
    return bench_report(&bench);
}
