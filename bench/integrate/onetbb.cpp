// SPDX-License-Identifier: MIT
//
// integrate onetbb — parallel_invoke of both halves. All share one context,
// which is the faster way.

#include "common/onetbb.hpp"
#include "integrate/integrate.h"

#include <oneapi/tbb/parallel_invoke.h>

static double integrate_area_of(
    tbb::task_group_context &context, const integrate_interval &whole)
{
    integrate_interval left;
    integrate_interval right;
    double left_area;
    double right_area;
    double area;

    if (!integrate_halve(&whole, &left, &right, &area)) {
        return area;
    }
    tbb::parallel_invoke(
        [&] { left_area = integrate_area_of(context, left); },
        [&] { right_area = integrate_area_of(context, right); }, context);
    return left_area + right_area;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct integrate integrate = integrate_start(&bench, "onetbb", argc, argv);

    bench_onetbb_run(&bench, [&bench, &integrate] {
        tbb::task_group_context context;

        while (bench_again(&bench)) {
            bench_begin(&bench);
            double area = integrate_area_of(context, integrate.whole);
            bench_end(&bench);
            integrate_check(&bench, &integrate, area);
        }
    });
    return bench_report(&bench);
}
