// SPDX-License-Identifier: MIT
//
// fib serial — the two calls, as the compiler likes them best.

#include "fib/fib.h"

static int fib(int n)
{
    if (n < 2) {
        return n;
    }
    return fib(n - 1) + fib(n - 2);
}

int main(int argc, char **argv)
{
    struct bench bench;
    int n = fib_start(&bench, "serial", argc, argv);

    bench.version = bench_compiler();
    while (bench_again(&bench)) {
        bench_begin(&bench);
        int answer = bench_opaque(fib(bench_opaque(n)));
        bench_end(&bench);
        fib_check(&bench, n, answer);
    }
    return bench_report(&bench);
}
