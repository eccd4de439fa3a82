// SPDX-License-Identifier: MIT
//
// fib openmp — a task for the left call, the right one in place, taskwait.

#include "common/openmp.h"
#include "fib/fib.h"

static int fib(int n)
{
    if (n < 2) {
        return n;
    }
    int left;

#pragma omp task shared(left)
    left = fib(n - 1);
    int right = fib(n - 2);
#pragma omp taskwait
    return left + right;
}

int main(int argc, char **argv)
{
    struct bench bench;
    int n = fib_start(&bench, bench_openmp_name(), argc, argv);

    bench.version = bench_compiler();
#pragma omp parallel num_threads((int)bench.worker_count)
#pragma omp single
    while (bench_again(&bench)) {
        bench_begin(&bench);
        int answer = fib(n);
        bench_end(&bench);
        fib_check(&bench, n, answer);
    }
    return bench_report(&bench);
}
