// SPDX-License-Identifier: MIT
//
// skynet onetbb — a task_group per call, a task per child. All groups share one
// context, which is the faster way.

#include "common/onetbb.hpp"
#include "skynet/skynet.h"

#include <oneapi/tbb/task_group.h>

static uint64_t skynet(
    tbb::task_group_context &context, uint64_t first, uint64_t leaf_count)
{
    if (leaf_count == 1) {
        return first;
    }
    uint64_t child_leaf_count = leaf_count / SKYNET_CHILDREN;
    uint64_t sums[SKYNET_CHILDREN];
    uint64_t sum = 0;
    tbb::task_group group(context);

    for (uint64_t &child_sum : sums) {
        group.run([&context, &child_sum, first, child_leaf_count] {
            child_sum = skynet(context, first, child_leaf_count);
        });
        first += child_leaf_count;
    }
    group.wait();
    for (uint64_t child_sum : sums) {
        sum += child_sum;
    }
    return sum;
}

int main(int argc, char **argv)
{
    struct bench bench;
    uint64_t leaf_count = skynet_start(&bench, "onetbb", argc, argv);

    bench_onetbb_run(&bench, [&bench, leaf_count] {
        tbb::task_group_context context;

        while (bench_again(&bench)) {
            bench_begin(&bench);
            uint64_t sum = skynet(context, 0, leaf_count);
            bench_end(&bench);
            skynet_check(&bench, leaf_count, sum);
        }
    });
    return bench_report(&bench);
}
