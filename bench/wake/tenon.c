// SPDX-License-Identifier: MIT
//
// wake tenon — a root scope, opened before the clock starts; tenon_spawn() into
// it by its owner, join.

#include "common/tenon.h"
#include "wake/wake.h"

static int run_one(tenon_task *self, void *arg)
{
    (void)self;
    wake_task(arg);
    return TENON_OK;
}

static tenon_status wake_once(
    struct bench *bench, tenon_executor *executor, struct wake *wake)
{
    tenon_scope scope;
    tenon_status status =
        tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.executor = executor));

    if (status != TENON_OK) {
        return status;
    }
    wake_pause(bench);
    bench_begin(bench);
    status = tenon_spawn(&scope, run_one, wake);
    return tenon_scope_join(&scope, status, NULL);
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct wake wake = {.task_count = 0};

    wake_start(&bench, "tenon", argc, argv);
    tenon_executor *executor = bench_tenon_create(&bench);

    while (bench_again(&bench)) {
        tenon_status status = wake_once(&bench, executor, &wake);

        bench_require(&bench, status == TENON_OK, tenon_status_name(status));
        wake_end(&bench, &wake);
    }
    bench_tenon_destroy(&bench, executor);
    return bench_report(&bench);
}
