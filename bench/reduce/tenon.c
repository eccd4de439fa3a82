// SPDX-License-Identifier: MIT
//
// reduce tenon — in each pass the blocks halved by forks down to one, the sums
// handed up.

#include "common/tenon.h"
#include "reduce/reduce.h"

struct part {
    const struct reduce *reduce;
    size_t first;
    size_t end;
    double sum;
};

static int run_range(tenon_task *self, struct part *part);

static int run_half(tenon_task *self, void *arg)
{
    return run_range(self, arg);
}

// Sets the part's sum, at least one block.
static int run_range(tenon_task *self, struct part *part)
{
    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;
    }
    if (part->end - part->first == 1) {
        part->sum = reduce_block(part->reduce, part->first);
        return TENON_OK;
    }
    struct part left = *part;
    struct part right = *part;
    tenon_task child;

    left.end = part->first + (part->end - part->first) / 2;
    right.first = left.end;
    int64_t place = tenon_fork(self, &child, run_half, &right);
    int left_status = run_range(self, &left);
    int right_status = tenon_unfork(self, &child, place)
                           ? run_range(self, &right)
                           : tenon_join(self, &child);

    part->sum = left.sum + right.sum;
    return left_status != TENON_OK ? left_status : right_status;
}

static int run(tenon_task *self, const struct reduce *reduce, double *sum)
{
    int status = TENON_OK;

    *sum = 0;
    for (int i = 0; i < REDUCE_PASS_COUNT && status == TENON_OK; i++) {
        struct part all = {.reduce = reduce, .end = reduce->block_count};

        status = run_range(self, &all);
        *sum += all.sum;
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

    while (bench_again(bench)) {
        double sum = 0;

        bench_begin(bench);
        int status = run(self, &drive->reduce, &sum);
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
