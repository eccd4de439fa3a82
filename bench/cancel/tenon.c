// SPDX-License-Identifier: MIT
//
// cancel tenon — a nested scope, tenon_scope_cancel(), join; the report has the
// count of tasks dropped.

#include "common/tenon.h"
#include "cancel/cancel.h"

struct drive {
    struct bench *bench;
    uint64_t n;
};

static int poll_until_cancelled(tenon_task *self, void *arg)
{
    cancel_begun(arg);
    while (!tenon_cancelled(self)) {
    }
    return TENON_CANCELLED;
}

static void open_and_fill(
    const struct drive *drive, tenon_scope *scope, uint64_t *begun_count)
{
    tenon_status status = tenon_scope_open(scope, NULL);

    for (uint64_t i = 0; i < drive->n && status == TENON_OK; i++) {
        status = tenon_spawn(scope, poll_until_cancelled, begun_count);
    }
    bench_require(drive->bench, status == TENON_OK, tenon_status_name(status));
}

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;

    (void)self;
    while (bench_again(bench)) {
        tenon_scope scope;
        tenon_report report;
        uint64_t begun_count = 0;

        open_and_fill(drive, &scope, &begun_count);
        bench_begin(bench);
        tenon_scope_cancel(&scope, 0, NULL);
        tenon_status status = tenon_scope_join(&scope, TENON_OK, &report);
        bench_end(bench);
        bench_require(bench, status == TENON_OK, tenon_status_name(status));
        cancel_check(bench, drive->n, begun_count, report.dropped_count);
        tenon_report_free(&report);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct drive arg = {.bench = &bench};

    arg.n = cancel_start(&bench, "tenon", argc, argv);
    bench_tenon_run(&bench, drive, &arg);
    return bench_report(&bench);
}
