// SPDX-License-Identifier: MIT
//
// loop tenon — halved by forks down to a grain.

#include "common/tenon.h"
#include "common/range.h"
#include "loop/loop.h"

struct drive {
    struct bench *bench;
    struct loop loop;
};

static int take_turns(void *context, size_t first, size_t end)
{
    uint8_t *marks = context;

    for (size_t i = first; i < end; i++) {
        loop_turn(marks, i);
    }
    return TENON_OK;
}

static int run(tenon_task *self, const struct loop *loop)
{
    struct bench_range turns = {
        .fn = take_turns, .context = loop->marks, .grain = LOOP_GRAIN};

    return bench_run_range(self, &turns, 0, loop->count);
}

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;

    while (bench_again(bench)) {
        bench_begin(bench);
        int status = run(self, &drive->loop);
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
    bench_tenon_run(&bench, drive, &arg);
    loop_end(&arg.loop);
    return bench_report(&bench);
}
