// SPDX-License-Identifier: MIT
//
// skynet openmp — a task per child, the sums in an array, taskwait.

#include "common/openmp.h"
#include "skynet/skynet.h"

static uint64_t skynet(uint64_t first, uint64_t leaf_count)
{
    if (leaf_count == 1) {
        return first;
    }
    uint64_t child_leaf_count = leaf_count / SKYNET_CHILDREN;
    uint64_t sums[SKYNET_CHILDREN];
    uint64_t sum = 0;

    for (int i = 0; i < SKYNET_CHILDREN; i++) {
#pragma omp task shared(sums) firstprivate(first, child_leaf_count, i)
        sums[i] = skynet(first, child_leaf_count);
        first += child_leaf_count;
    }
#pragma omp taskwait
    for (int i = 0; i < SKYNET_CHILDREN; i++) {
        sum += sums[i];
    }
    return sum;
}

int main(int argc, char **argv)
{
    struct bench bench;
    uint64_t leaf_count = skynet_start(&bench, bench_openmp_name(), argc, argv);

    bench.version = bench_compiler();
#pragma omp parallel num_threads((int)bench.worker_count)
#pragma omp single
    while (bench_again(&bench)) {
        bench_begin(&bench);
        uint64_t sum = skynet(0, leaf_count);
        bench_end(&bench);
        skynet_check(&bench, leaf_count, sum);
    }
    return bench_report(&bench);
}
