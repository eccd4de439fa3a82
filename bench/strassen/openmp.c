// SPDX-License-Identifier: MIT
//
// strassen openmp — a task for each product but the first, taskwait.

#include "common/openmp.h"
#include "strassen/strassen.h"

static void multiply(const struct strassen *whole)
{
    struct strassen products[STRASSEN_PRODUCTS];

    if (strassen_block(whole)) {
        return;
    }
    strassen_split(whole, products);
    for (int i = 1; i < STRASSEN_PRODUCTS; i++) {
#pragma omp task shared(products) firstprivate(i)
        multiply(&products[i]);
    }
    multiply(&products[0]);
#pragma omp taskwait
    strassen_combine(whole);
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct strassen strassen =
        strassen_start(&bench, bench_openmp_name(), argc, argv);

    bench.version = bench_compiler();
#pragma omp parallel num_threads((int)bench.worker_count)
#pragma omp single
    while (strassen_again(&bench, &strassen)) {
        bench_begin(&bench);
        multiply(&strassen);
        bench_end(&bench);
        strassen_check(&bench, &strassen);
    }
    return strassen_end(&bench, &strassen);
}
