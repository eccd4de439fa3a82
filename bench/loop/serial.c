// SPDX-License-Identifier: MIT
//
// loop serial — the loop alone.

#include "loop/loop.h"

static void run(const struct loop *loop)
{
    uint8_t *marks = loop->marks;

    for (size_t i = 0; i < loop->count; i++) {
        loop_turn(marks, i);
    }
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct loop loop;

    loop_start(&loop, &bench, "serial", argc, argv);
    bench.version = bench_compiler();
    while (bench_again(&bench)) {
        bench_begin(&bench);
        run(&loop);
        bench_end(&bench);
        loop_check(&bench, &loop);
    }
    loop_end(&loop);
    return bench_report(&bench);
}
