// SPDX-License-Identifier: MIT
//
// triad tenon — in each pass the blocks halved by forks down to one.

#include "common/tenon.h"
#include "common/range.h"
#include "triad/triad.h"

struct drive {
    struct bench *bench;
    struct triad triad;
};

static int compute_blocks(void *context, size_t first, size_t end)
{
    const struct triad *triad = context;

    for (size_t block = first; block < end; block++) {
        triad_block(triad, block);
    }
    return TENON_OK;
}

static int run(tenon_task *self, struct triad *triad)
{
    struct bench_range blocks = {
        .fn = compute_blocks, .context = triad, .grain = 1};
    int status = TENON_OK;

    for (int pass = 0; pass < TRIAD_PASS_COUNT && status == TENON_OK; pass++) {
        triad_advance(triad);
        status = bench_run_range(self, &blocks, 0, triad->block_count);
    }
    return status;
}

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;

    while (bench_again(bench)) {
        bench_begin(bench);
        int status = run(self, &drive->triad);
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
