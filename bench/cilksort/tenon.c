// SPDX-License-Identifier: MIT
//
// cilksort tenon — fork all but the first of what may run at the same time, do
// that, take the others back or join them, the last one first; poll in each.

#include "common/tenon.h"
#include "cilksort/cilksort.h"

static int merge(tenon_task *self, void *arg);

static int merge_both(tenon_task *self, struct cilksort_merge merges[2])
{
    tenon_task child;
    int64_t place = tenon_fork(self, &child, merge, &merges[1]);
    int first_status = merge(self, &merges[0]);
    int second_status = tenon_unfork(self, &child, place)
                            ? merge(self, &merges[1])
                            : tenon_join(self, &child);

    return first_status != TENON_OK ? first_status : second_status;
}

static int merge(tenon_task *self, void *arg)
{
    const struct cilksort_merge *whole = arg;
    struct cilksort_merge halves[2];

    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;
    }
    if (cilksort_merge_small(whole)) {
        return TENON_OK;
    }
    cilksort_halve(whole, halves);
    return merge_both(self, halves);
}

static int sort(tenon_task *self, void *arg);

static int sort_quarters(
    tenon_task *self, struct cilksort_range quarters[CILKSORT_QUARTERS])
{
    tenon_task children[CILKSORT_QUARTERS];
    int64_t places[CILKSORT_QUARTERS];

    for (int i = 1; i < CILKSORT_QUARTERS; i++) {
        places[i] = tenon_fork(self, &children[i], sort, &quarters[i]);
    }
    int status = sort(self, &quarters[0]);

    for (int i = CILKSORT_QUARTERS - 1; i > 0; i--) {
        int quarter_status = tenon_unfork(self, &children[i], places[i])
                                 ? sort(self, &quarters[i])
                                 : tenon_join(self, &children[i]);

        status = quarter_status != TENON_OK ? quarter_status : status;
    }
    return status;
}

static int sort(tenon_task *self, void *arg)
{
    const struct cilksort_range *whole = arg;
    struct cilksort_range quarters[CILKSORT_QUARTERS];
    struct cilksort_merge merges[3];

    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;
    }
    if (cilksort_sort_small(whole)) {
        return TENON_OK;
    }
    cilksort_quarter(whole, quarters, merges);
    int status = sort_quarters(self, quarters);
    if (status == TENON_OK) {
        status = merge_both(self, merges);
    }
    return status == TENON_OK ? merge(self, &merges[2]) : status;
}

struct drive {
    struct bench *bench;
    struct cilksort cilksort;
};

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;

    while (cilksort_again(bench, &drive->cilksort)) {
        bench_begin(bench);
        int status = sort(self, &drive->cilksort.range);
        bench_end(bench);
        bench_require(bench, status == TENON_OK, "a task failed");
        cilksort_check(bench, &drive->cilksort);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct drive arg = {.bench = &bench};

    arg.cilksort = cilksort_start(&bench, "tenon", argc, argv);
    bench_tenon_run(&bench, drive, &arg);
    return cilksort_end(&bench, &arg.cilksort);
}
