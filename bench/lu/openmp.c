// SPDX-License-Identifier: MIT
//
// lu openmp — a task per block, and two taskwaits per step. (Depend clauses in
// their place took libomp 1.6 times as long with 2 threads, and libgomp 1.2
// times with 1; taskloop made no difference.)

#include "common/openmp.h"
#include "lu/lu.h"

static void take_step(const struct lu *lu, size_t step)
{
    lu_split(lu, step);
    for (size_t i = 0; i < lu_edge_count(lu, step); i++) {
#pragma omp task
        lu_solve(lu, step, i);
    }
#pragma omp taskwait
    for (size_t i = 0; i < lu_rest_count(lu, step); i++) {
#pragma omp task
        lu_subtract(lu, step, i);
    }
#pragma omp taskwait
}

static void decompose(const struct lu *lu)
{
    for (size_t step = 0; step < lu->side; step++) {
        take_step(lu, step);
    }
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct lu lu;

    lu_start(&lu, &bench, bench_openmp_name(), argc, argv);
    bench.version = bench_compiler();
#pragma omp parallel num_threads((int)bench.worker_count)
#pragma omp single
    while (bench_again(&bench)) {
        lu_reset(&lu);
        bench_begin(&bench);
        decompose(&lu);
        bench_end(&bench);
        lu_check(&bench, &lu);
    }
    lu_end(&lu);
    return bench_report(&bench);
}
