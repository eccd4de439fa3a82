// SPDX-License-Identifier: MIT
//
// idle openmp — the threads that a runtime keeps after a parallel region.

#include "common/openmp.h"
#include "idle/idle.h"

int main(int argc, char **argv)
{
    struct bench bench;
    uint64_t done_count = 0;

    idle_start(&bench, bench_openmp_name(), argc, argv);
    bench.version = bench_compiler();
#pragma omp parallel num_threads((int)bench.worker_count)
#pragma omp single
    for (int i = 0; i < IDLE_WORK_COUNT; i++) {
#pragma omp task shared(done_count)
        idle_work(&done_count);
    }
    idle_measure(&bench, done_count);
    return bench_report(&bench);
}
