// SPDX-License-Identifier: MIT
//
// matmul openmp — a task for the first half, the second one in place, taskwait.

#include "common/openmp.h"
#include "matmul/matmul.h"

static void multiply(const struct matmul *whole)
{
    struct matmul halves[2];

    if (matmul_is_block(whole)) {
        matmul_block(whole);
        return;
    }
    if (!matmul_halve(whole, halves)) {
        multiply(&halves[0]);
        multiply(&halves[1]);
        return;
    }
#pragma omp task shared(halves)
    multiply(&halves[0]);
    multiply(&halves[1]);
#pragma omp taskwait
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct matmul matmul =
        matmul_start(&bench, bench_openmp_name(), argc, argv);

    bench.version = bench_compiler();
#pragma omp parallel num_threads((int)bench.worker_count)
#pragma omp single
    while (matmul_again(&bench, &matmul)) {
        bench_begin(&bench);
        multiply(&matmul);
        bench_end(&bench);
        matmul_check(&bench, &matmul);
    }
    return matmul_end(&bench, &matmul);
}
