// SPDX-License-Identifier: MIT
//
// skynet serial — ten calls instead of ten tasks.

#include "skynet/skynet.h"

static uint64_t skynet(uint64_t first, uint64_t leaf_count)
{
    if (leaf_count == 1) {
        return first;
    }
    uint64_t child_leaf_count = leaf_count / SKYNET_CHILDREN;
    uint64_t sum = 0;

    for (int i = 0; i < SKYNET_CHILDREN; i++) {
        sum += skynet(first, child_leaf_count);
        first += child_leaf_count;
    }
    return sum;
}

int main(int argc, char **argv)
{
    struct bench bench;
    uint64_t leaf_count = skynet_start(&bench, "serial", argc, argv);

    bench.version = bench_compiler();
    while (bench_again(&bench)) {
        uint64_t first = (uint64_t)bench_opaque(0);

        bench_begin(&bench);
        uint64_t sum = skynet(first, leaf_count);
        bench_end(&bench);
        skynet_check(&bench, leaf_count, sum);
    }
    return bench_report(&bench);
}
