// SPDX-License-Identifier: MIT
//
// poll serial — the loop alone.

#include "poll/poll.h"

static uint64_t turn(uint64_t n)
{
    uint64_t turn_count = 0;

    for (uint64_t i = 0; i < n; i++) {
        turn_count += (uint64_t)bench_opaque(1);
    }
    return turn_count;
}

int main(int argc, char **argv)
{
    struct bench bench;

    poll_start(&bench, "serial", argc, argv);
    bench.version = bench_compiler();
    while (bench_again(&bench)) {
        bench_begin(&bench);
        uint64_t turn_count = turn(bench.operation_count);
        bench_end(&bench);
        poll_check(&bench, turn_count);
    }
    return bench_report(&bench);
}
