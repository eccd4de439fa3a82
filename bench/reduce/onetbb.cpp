// SPDX-License-Identifier: MIT
//
// reduce onetbb — a parallel_reduce per pass, statically partitioned.

#include "common/onetbb.hpp"
#include "reduce/reduce.h"

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_reduce.h>

#include <functional>

using range = tbb::blocked_range<size_t>;

static double run(const reduce *reduce)
{
    double sum = 0;

    for (int pass = 0; pass < REDUCE_PASS_COUNT; pass++) {
        sum += tbb::parallel_reduce(
            range(0, reduce->block_count), 0.0,
            [reduce](const range &blocks, double part) {
                for (size_t i = blocks.begin(); i != blocks.end(); i++) {
                    part += reduce_block(reduce, i);
                }
                return part;
            },
            std::plus<double>(), tbb::static_partitioner());
    }
    return sum;
}

int main(int argc, char **argv)
{
    struct bench bench;
    reduce reduce;

    reduce_start(&reduce, &bench, "onetbb", argc, argv);
    bench_onetbb_run(&bench, [&bench, &reduce] {
        while (bench_again(&bench)) {
            bench_begin(&bench);
            double sum = run(&reduce);
            bench_end(&bench);
            reduce_check(&bench, &reduce, sum);
        }
    });
    reduce_end(&reduce);
    return bench_report(&bench);
}
