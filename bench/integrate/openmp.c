// SPDX-License-Identifier: MIT
//
// integrate openmp — a task for the left half, the right one in place,
// taskwait.

#include "common/openmp.h"
#include "integrate/integrate.h"

static double integrate_area_of(const struct integrate_interval *whole)
{
    struct integrate_interval left;
    struct integrate_interval right;
    double left_area;
    double area;

    if (!integrate_halve(whole, &left, &right, &area)) {
        return area;
    }
#pragma omp task shared(left, left_area)
    left_area = integrate_area_of(&left);
    double right_area = integrate_area_of(&right);
#pragma omp taskwait
    return left_area + right_area;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct integrate integrate =
        integrate_start(&bench, bench_openmp_name(), argc, argv);

    bench.version = bench_compiler();
#pragma omp parallel num_threads((int)bench.worker_count)
#pragma omp single
    while (bench_again(&bench)) {
        bench_begin(&bench);
        double area = integrate_area_of(&integrate.whole);
        bench_end(&bench);
        integrate_check(&bench, &integrate, area);
    }
    return bench_report(&bench);
}
