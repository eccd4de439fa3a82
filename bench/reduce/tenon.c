// SPDX-License-Identifier: MIT
//
// reduce tenon — tenon_parallel_reduce() over the blocks in each pass.

#include "common/tenon.h"
#include "reduce/reduce.h"

static int add_blocks(
    tenon_task *self, size_t first, size_t end, void *result, void *context)
{
    double *sum = result;

    (void)self;
    for (size_t block = first; block < end; block++) {
        *sum += reduce_block(context, block);
    }
    return TENON_OK;
}

static void add(void *left, const void *right, void *context)
{
    (void)context;
    *(double *)left += *(const double *)right;
}

static tenon_status run(struct reduce *reduce, double *sum)
{
    static const double nothing = 0;
    const tenon_reduction reduction = {
        .fold = add_blocks,
        .combine = add,
        .identity = &nothing,
        .size = sizeof(nothing)};
    tenon_status status = TENON_OK;

    for (int i = 0; i < REDUCE_PASS_COUNT && status == TENON_OK; i++) {
        double pass_sum = 0;

        status = tenon_parallel_reduce(
            0, reduce->block_count, &reduction, &pass_sum, reduce, NULL, NULL);
        *sum += pass_sum;
    }
    return status;
}

struct drive {
    struct bench *bench;
    struct reduce reduce;
};

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;

    (void)self;
    while (bench_again(bench)) {
        double sum = 0;

        bench_begin(bench);
        tenon_status status = run(&drive->reduce, &sum);
        bench_end(bench);
        bench_require(bench, status == TENON_OK, "a task failed");
        reduce_check(bench, &drive->reduce, sum);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct drive arg = {.bench = &bench};

    reduce_start(&arg.reduce, &bench, "tenon", argc, argv);
    bench_tenon_run(&bench, drive, &arg);
    reduce_end(&arg.reduce);
    return bench_report(&bench);
}
