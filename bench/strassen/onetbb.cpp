// SPDX-License-Identifier: MIT
//
// strassen onetbb — a task_group per node, a task for each product but the
// last, which the caller makes by run_and_wait; one context for all.

#include "common/onetbb.hpp"
#include "strassen/strassen.h"

#include <oneapi/tbb/task_group.h>

static void multiply(tbb::task_group_context &context, const strassen &whole)
{
    strassen products[STRASSEN_PRODUCTS];

    if (strassen_block(&whole)) {
        return;
    }
    strassen_split(&whole, products);
    tbb::task_group group(context);

    for (int i = STRASSEN_PRODUCTS - 1; i > 0; i--) {
        const strassen &product = products[i];

        group.run([&context, &product] { multiply(context, product); });
    }
    group.run_and_wait(
        [&context, &products] { multiply(context, products[0]); });
    strassen_combine(&whole);
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct strassen strassen = strassen_start(&bench, "onetbb", argc, argv);

    bench_onetbb_run(&bench, [&bench, &strassen] {
        tbb::task_group_context context;

        while (strassen_again(&bench, &strassen)) {
            bench_begin(&bench);
            multiply(context, strassen);
            bench_end(&bench);
            strassen_check(&bench, &strassen);
        }
    });
    return strassen_end(&bench, &strassen);
}
