// SPDX-License-Identifier: MIT
//
// heat tenon — in each step the rows halved by forks down to a block.

#include "common/tenon.h"
#include "common/range.h"
#include "heat/heat.h"

struct drive {
    struct bench *bench;
    struct heat heat;
};

static int compute_blocks(void *context, size_t first, size_t end)
{
    const struct heat *heat = context;

    for (size_t block = first; block < end; block++) {
        heat_block(heat, block);
    }
    return TENON_OK;
}

static int run(tenon_task *self, struct heat *heat)
{
    struct bench_range blocks = {
        .fn = compute_blocks, .context = heat, .grain = 1};
    int status = TENON_OK;

    for (int step = 0; step < HEAT_STEP_COUNT && status == TENON_OK; step++) {
        status = bench_run_range(self, &blocks, 0, heat->block_count);
        heat_advance(heat);
    }
    return status;
}

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;

    while (bench_again(bench)) {
        heat_reset(&drive->heat);
        bench_begin(bench);
        int status = run(self, &drive->heat);
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
    bench_tenon_run(&bench, drive, &arg);
    heat_end(&arg.heat);
    return bench_report(&bench);
}
