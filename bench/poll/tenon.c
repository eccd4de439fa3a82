// SPDX-License-Identifier: MIT
//
// poll tenon — tenon_cancelled() in every turn; nothing is ever cancelled.

#include "common/tenon.h"
#include "poll/poll.h"

static uint64_t turn(tenon_task *self, uint64_t n)
{
    uint64_t turn_count = 0;

    for (uint64_t i = 0; i < n && !tenon_cancelled(self); i++) {
        turn_count += (uint64_t)bench_opaque(1);
    }
    return turn_count;
}

static int drive(tenon_task *self, void *arg)
{
    struct bench *bench = arg;

    while (bench_again(bench)) {
        bench_begin(bench);
        uint64_t turn_count = turn(self, bench->operation_count);
        bench_end(bench);
        poll_check(bench, turn_count);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;

    poll_start(&bench, "tenon", argc, argv);
    bench_tenon_run(&bench, drive, &bench);
    return bench_report(&bench);
}
