// SPDX-License-Identifier: MIT
//
// fib onetbb — parallel_invoke of both calls.
//
// All share one context: twice as fast as one each, which parallel_invoke and
// task_group make if given none.

#include "common/onetbb.hpp"
#include "fib/fib.h"

#include <oneapi/tbb/parallel_invoke.h>

static int fib(tbb::task_group_context &context, int n)
{
    if (n < 2) {
        return n;
    }
    int left;
    int right;

    tbb::parallel_invoke(
        [&context, &left, n] { left = fib(context, n - 1); },
        [&context, &right, n] { right = fib(context, n - 2); }, context);
    return left + right;
}

int main(int argc, char **argv)
{
    struct bench bench;
    int n = fib_start(&bench, "onetbb", argc, argv);

    bench_onetbb_run(&bench, [&bench, n] {
        tbb::task_group_context context;

        while (bench_again(&bench)) {
            bench_begin(&bench);
            int answer = fib(context, n);
            bench_end(&bench);
            fib_check(&bench, n, answer);
        }
    });
    return bench_report(&bench);
}
