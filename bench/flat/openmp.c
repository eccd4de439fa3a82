// SPDX-License-Identifier: MIT
//
// flat openmp — tasks, then taskwait. (With more than 64 tasks waiting per
// thread, and always with one thread, libgomp runs a task where it is
// spawned; libomp does so with one thread.)

#include "common/openmp.h"
#include "flat/flat.h"

static void spawn_empty(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
#pragma omp task
        bench_opaque(0);  // gcc drops a task that is really empty
    }
#pragma omp taskwait
}

static void spawn_counting(uint64_t n, uint64_t *ran_count)
{
    for (uint64_t i = 0; i < n; i++) {
#pragma omp task firstprivate(ran_count)
        {
            // relaxed: the taskwait orders it before the check
            __atomic_fetch_add(ran_count, 1, __ATOMIC_RELAXED);
        }
    }
#pragma omp taskwait
}

int main(int argc, char **argv)
{
    struct bench bench;
    uint64_t n = flat_start(&bench, bench_openmp_name(), argc, argv);

    bench.version = bench_compiler();
#pragma omp parallel num_threads((int)bench.worker_count)
#pragma omp single
    while (bench_again(&bench)) {
        uint64_t ran_count = 0;

        bench_begin(&bench);
        if (bench_is_first(&bench)) {
            spawn_counting(n, &ran_count);
        } else {
            spawn_empty(n);
        }
        bench_end(&bench);
        flat_check(&bench, ran_count);
    }
    return bench_report(&bench);
}
