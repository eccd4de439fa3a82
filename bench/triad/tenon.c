// SPDX-License-Identifier: MIT
//
// triad tenon — tenon_parallel_for() over the blocks in each pass.

#include "common/tenon.h"
#include "triad/triad.h"

struct drive {
    struct bench *bench;
    struct triad triad;
};

static int compute_blocks(
    tenon_task *self, size_t first, size_t end, void *context)
{
    const struct triad *triad = context;

    (void)self;
    for (size_t block = first; block < end; block++) {
        triad_block(triad, block);
    }
    return TENON_OK;
}

static tenon_status run(struct triad *triad)
{
    tenon_status status = TENON_OK;

    for (int pass = 0; pass < TRIAD_PASS_COUNT && status == TENON_OK; pass++) {
        triad_advance(triad);
        status = tenon_parallel_for(
            0, triad->block_count, compute_blocks, triad, NULL, NULL);
    }
    return status;
}

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;

    (void)self;
    while (bench_again(bench)) {
        bench_begin(bench);
        tenon_status status = run(&drive->triad);
        bench_end(bench);
        bench_require(bench, status == TENON_OK, "a task failed");
        triad_check(bench, &drive->triad);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct drive arg = {.bench = &bench};

    triad_start(&arg.triad, &bench, "tenon", argc, argv);
    bench_tenon_run(&bench, drive, &arg);
    triad_end(&arg.triad);
    return bench_report(&bench);
}
