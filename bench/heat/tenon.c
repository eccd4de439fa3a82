// SPDX-License-Identifier: MIT
//
// heat tenon — tenon_parallel_for() over the blocks of rows in each step.

#include "common/tenon.h"
#include "heat/heat.h"

struct drive {
    struct bench *bench;
    struct heat heat;
};

static int compute_blocks(
    tenon_task *self, size_t first, size_t end, void *context)
{
    const struct heat *heat = context;

    (void)self;
    for (size_t block = first; block < end; block++) {
        heat_block(heat, block);
    }
    return TENON_OK;
}

static tenon_status run(struct heat *heat)
{
    tenon_status status = TENON_OK;

    for (int step = 0; step < HEAT_STEP_COUNT && status == TENON_OK; step++) {
        status = tenon_parallel_for(
            0, heat->block_count, compute_blocks, heat, NULL, NULL);
        heat_advance(heat);
    }
    return status;
}

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;

    (void)self;
    while (bench_again(bench)) {
        heat_reset(&drive->heat);
        bench_begin(bench);
        tenon_status status = run(&drive->heat);
        bench_end(bench);
        bench_require(bench, status == TENON_OK, "a task failed");
        heat_check(bench, &drive->heat);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct drive arg = {.bench = &bench};

    heat_start(&arg.heat, &bench, "tenon", argc, argv);
    bench_tenon_run_waiting(&bench, TENON_WAIT_ACTIVE, drive, &arg);
    heat_end(&arg.heat);
    return bench_report(&bench);
}
