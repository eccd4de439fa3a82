// SPDX-License-Identifier: MIT
//
// integrate serial — the left half, then the right one.

#include "integrate/integrate.h"

static double integrate_area_of(const struct integrate_interval *whole)
{
    struct integrate_interval left;
    struct integrate_interval right;
    double area;

    if (!integrate_halve(whole, &left, &right, &area)) {
        return area;
    }
    double left_area = integrate_area_of(&left);
    double right_area = integrate_area_of(&right);

    return left_area + right_area;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct integrate integrate = integrate_start(&bench, "serial", argc, argv);

    bench.version = bench_compiler();
    while (bench_again(&bench)) {
        bench_begin(&bench);
        double area = integrate_area_of(&integrate.whole);
        bench_end(&bench);
        integrate_check(&bench, &integrate, area);
    }
    return bench_report(&bench);
}
