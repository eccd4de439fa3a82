// SPDX-License-Identifier: MIT
//
// sort tenon — tenon_parallel_sort(), which is stable, and calls a function for
// each comparison.

#include "common/tenon.h"
#include "sort/sort.h"

struct drive {
    struct bench *bench;
    struct sort sort;
};

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;
    struct sort *sort = &drive->sort;

    (void)self;
    while (bench_again(bench)) {
        sort_fill(sort);
        bench_begin(bench);
        tenon_status status = tenon_parallel_sort(
            sort->numbers, sort->count, sizeof(*sort->numbers), sort_compare,
            NULL, NULL, NULL);
        bench_end(bench);
        bench_require(bench, status == TENON_OK, tenon_status_name(status));
        sort_check(bench, sort);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct drive arg = {.bench = &bench};

    arg.sort = sort_start(&bench, "tenon", argc, argv);
    bench_tenon_run(&bench, drive, &arg);
    return sort_end(&bench, &arg.sort);
}
