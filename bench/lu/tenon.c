// SPDX-License-Identifier: MIT
//
// lu tenon — in each step tenon_parallel_for() over the blocks at the edge, then
// over those that are left.

#include "common/tenon.h"
#include "lu/lu.h"

struct drive {
    struct bench *bench;
    struct lu lu;
};

struct step {
    const struct lu *lu;
    size_t number;
};

static int solve_blocks(
    tenon_task *self, size_t first, size_t end, void *context)
{
    const struct step *step = context;

    (void)self;
    for (size_t i = first; i < end; i++) {
        lu_solve(step->lu, step->number, i);
    }
    return TENON_OK;
}

static int subtract_blocks(
    tenon_task *self, size_t first, size_t end, void *context)
{
    const struct step *step = context;

    (void)self;
    for (size_t i = first; i < end; i++) {
        lu_subtract(step->lu, step->number, i);
    }
    return TENON_OK;
}

static tenon_status take_step(struct step *step)
{
    size_t edge_count = lu_edge_count(step->lu, step->number);

    lu_split(step->lu, step->number);
    tenon_status status =
        tenon_parallel_for(0, edge_count, solve_blocks, step, NULL, NULL);
    if (status != TENON_OK) {
        return status;
    }
    return tenon_parallel_for(
        0, lu_rest_count(step->lu, step->number), subtract_blocks, step, NULL,
        NULL);
}

static tenon_status decompose(const struct lu *lu)
{
    tenon_status status = TENON_OK;

    for (size_t i = 0; i < lu->side && status == TENON_OK; i++) {
        struct step step = {.lu = lu, .number = i};

        status = take_step(&step);
    }
    return status;
}

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;

    (void)self;
    while (bench_again(bench)) {
        lu_reset(&drive->lu);
        bench_begin(bench);
        tenon_status status = decompose(&drive->lu);
        bench_end(bench);
        bench_require(bench, status == TENON_OK, "a task failed");
        lu_check(bench, &drive->lu);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct drive arg = {.bench = &bench};

    lu_start(&arg.lu, &bench, "tenon", argc, argv);
    bench_tenon_run(&bench, drive, &arg);
    lu_end(&arg.lu);
    return bench_report(&bench);
}
