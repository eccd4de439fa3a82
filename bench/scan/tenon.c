// SPDX-License-Identifier: MIT
//
// scan tenon — tenon_parallel_scan() in each pass.

#include "common/tenon.h"
#include "scan/scan.h"

static int add_items(
    tenon_task *self, size_t first, size_t end, void *result, void *context)
{
    (void)self;
    *(uint64_t *)result += scan_add(context, first, end);
    return TENON_OK;
}

static int write_items(
    tenon_task *self, size_t first, size_t end, void *result, void *context)
{
    uint64_t *total = result;

    (void)self;
    *total = scan_write(context, first, end, *total);
    return TENON_OK;
}

static void add(void *left, const void *right, void *context)
{
    (void)context;
    *(uint64_t *)left += *(const uint64_t *)right;
}

static tenon_status run(struct scan *scan)
{
    static const uint64_t nothing = 0;
    const tenon_reduction reduction = {
        .fold = add_items,
        .combine = add,
        .identity = &nothing,
        .size = sizeof(nothing)};
    tenon_status status = TENON_OK;

    for (int i = 0; i < SCAN_PASS_COUNT && status == TENON_OK; i++) {
        status = tenon_parallel_scan(
            0, scan->count, &reduction, write_items, scan, NULL, NULL);
    }
    return status;
}

struct drive {
    struct bench *bench;
    struct scan scan;
};

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;

    (void)self;
    while (bench_again(bench)) {
        bench_begin(bench);
        tenon_status status = run(&drive->scan);
        bench_end(bench);
        bench_require(bench, status == TENON_OK, "a task failed");
        scan_check(bench, &drive->scan);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct drive arg = {.bench = &bench};

    scan_start(&arg.scan, &bench, "tenon", argc, argv);
    bench_tenon_run(&bench, drive, &arg);
    scan_end(&arg.scan);
    return bench_report(&bench);
}
