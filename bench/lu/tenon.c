// SPDX-License-Identifier: MIT
//
// lu tenon — in each step the blocks at the edge, then those that are left,
// halved by forks down to one.

#include "common/tenon.h"
#include "common/range.h"
#include "lu/lu.h"

struct drive {
    struct bench *bench;
    struct lu lu;
};

struct step {
    const struct lu *lu;
    size_t number;
};

static int solve_blocks(void *context, size_t first, size_t end)
{
    const struct step *step = context;

    for (size_t i = first; i < end; i++) {
        lu_solve(step->lu, step->number, i);
    }
    return TENON_OK;
}

static int subtract_blocks(void *context, size_t first, size_t end)
{
    const struct step *step = context;

    for (size_t i = first; i < end; i++) {
        lu_subtract(step->lu, step->number, i);
    }
    return TENON_OK;
}

// The last step has no blocks besides the one on the diagonal.
static int take_step(tenon_task *self, struct step *step)
{
    struct bench_range edge = {.fn = solve_blocks, .context = step, .grain = 1};
    struct bench_range rest = {
        .fn = subtract_blocks, .context = step, .grain = 1};
    size_t edge_count = lu_edge_count(step->lu, step->number);

    lu_split(step->lu, step->number);
    if (edge_count == 0) {
        return TENON_OK;
    }
    int status = bench_run_range(self, &edge, 0, edge_count);
    if (status != TENON_OK) {
        return status;
    }
    return bench_run_range(
        self, &rest, 0, lu_rest_count(step->lu, step->number));
}

static int decompose(tenon_task *self, const struct lu *lu)
{
    int status = TENON_OK;

    for (size_t i = 0; i < lu->side && status == TENON_OK; i++) {
        struct step step = {.lu = lu, .number = i};

        status = take_step(self, &step);
    }
    return status;
}

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;

    while (bench_again(bench)) {
        lu_reset(&drive->lu);
        bench_begin(bench);
        int status = decompose(self, &drive->lu);
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
