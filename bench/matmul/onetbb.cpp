// SPDX-License-Identifier: MIT
//
// matmul onetbb — parallel_invoke of both halves, one context for all.

#include "common/onetbb.hpp"
#include "matmul/matmul.h"

#include <oneapi/tbb/parallel_invoke.h>

static void multiply(tbb::task_group_context &context, const matmul &whole)
{
    matmul halves[2];

    if (matmul_is_block(&whole)) {
        matmul_block(&whole);
        return;
    }
    if (!matmul_halve(&whole, halves)) {
        multiply(context, halves[0]);
        multiply(context, halves[1]);
        return;
    }
    tbb::parallel_invoke(
        [&context, &halves] { multiply(context, halves[0]); },
        [&context, &halves] { multiply(context, halves[1]); }, context);
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct matmul matmul = matmul_start(&bench, "onetbb", argc, argv);

    bench_onetbb_run(&bench, [&bench, &matmul] {
        tbb::task_group_context context;

        while (matmul_again(&bench, &matmul)) {
            bench_begin(&bench);
            multiply(context, matmul);
            bench_end(&bench);
            matmul_check(&bench, &matmul);
        }
    });
    return matmul_end(&bench, &matmul);
}
