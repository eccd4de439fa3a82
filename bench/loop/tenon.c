// SPDX-License-Identifier: MIT
//
// loop tenon — tenon_parallel_for().

#include "common/tenon.h"
#include "loop/loop.h"

struct drive {
    struct bench *bench;
    struct loop loop;
};

static int take_turns(tenon_task *self, size_t first, size_t end, void *context)
{
    uint8_t *marks = context;

    (void)self;
    for (size_t i = first; i < end; i++) {
        loop_turn(marks, i);
    }
    return TENON_OK;
}

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;

    (void)self;
    while (bench_again(bench)) {
        bench_begin(bench);
        tenon_status status = tenon_parallel_for(
            0, drive->loop.count, take_turns, drive->loop.marks, NULL, NULL);
        bench_end(bench);
        bench_require(bench, status == TENON_OK, "a task failed");
        loop_check(bench, &drive->loop);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct drive arg = {.bench = &bench};

    loop_start(&arg.loop, &bench, "tenon", argc, argv);
    bench_tenon_run_waiting(&bench, TENON_WAIT_ACTIVE, drive, &arg);
    loop_end(&arg.loop);
    return bench_report(&bench);
}
