// SPDX-License-Identifier: MIT
//
// strassen serial — the seven products one after the other.

#include "strassen/strassen.h"

static void multiply(const struct strassen *whole)
{
    struct strassen products[STRASSEN_PRODUCTS];

    if (strassen_block(whole)) {
        return;
    }
    strassen_split(whole, products);
    for (int i = 0; i < STRASSEN_PRODUCTS; i++) {
        multiply(&products[i]);
    }
    strassen_combine(whole);
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct strassen strassen = strassen_start(&bench, "serial", argc, argv);

    bench.version = bench_compiler();
    while (strassen_again(&bench, &strassen)) {
        bench_begin(&bench);
        multiply(&strassen);
        bench_end(&bench);
        strassen_check(&bench, &strassen);
    }
    return strassen_end(&bench, &strassen);
}
