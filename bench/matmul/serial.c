// SPDX-License-Identifier: MIT
//
// matmul serial — one half, then the other.

#include "matmul/matmul.h"

static void multiply(const struct matmul *whole)
{
    struct matmul halves[2];

    if (matmul_is_block(whole)) {
        matmul_block(whole);
        return;
    }
    matmul_halve(whole, halves);
    multiply(&halves[0]);
    multiply(&halves[1]);
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct matmul matmul = matmul_start(&bench, "serial", argc, argv);

    bench.version = bench_compiler();
    while (matmul_again(&bench, &matmul)) {
        bench_begin(&bench);
        multiply(&matmul);
        bench_end(&bench);
        matmul_check(&bench, &matmul);
    }
    return matmul_end(&bench, &matmul);
}
