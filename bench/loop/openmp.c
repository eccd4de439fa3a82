// SPDX-License-Identifier: MIT
//
// loop openmp — a static parallel loop.

#include "common/openmp.h"
#include "loop/loop.h"

static void run(const struct loop *loop, int thread_count)
{
    uint8_t *marks = loop->marks;
    size_t count = loop->count;

#pragma omp parallel for schedule(static) num_threads(thread_count)
    for (size_t i = 0; i < count; i++) {
        loop_turn(marks, i);
    }
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct loop loop;

    loop_start(&loop, &bench, bench_openmp_name(), argc, argv);
    bench.version = bench_compiler();
    while (bench_again(&bench)) {
        bench_begin(&bench);
        run(&loop, (int)bench.worker_count);
        bench_end(&bench);
        loop_check(&bench, &loop);
    }
    loop_end(&loop);
    return bench_report(&bench);
}
