// SPDX-License-Identifier: MIT
//
// idle tenon — an executor after a scope was joined.

#include "common/tenon.h"
#include "idle/idle.h"

static int work(tenon_task *self, void *arg)
{
    (void)self;
    idle_work(arg);
    return TENON_OK;
}

static tenon_status spawn_work(tenon_executor *executor, uint64_t *done_count)
{
    tenon_scope scope;
    tenon_status status =
        tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.executor = executor));

    if (status != TENON_OK) {
        return status;
    }
    for (int i = 0; i < IDLE_WORK_COUNT && status == TENON_OK; i++) {
        status = tenon_spawn(&scope, work, done_count);
    }
    return tenon_scope_join(&scope, status, NULL);
}

int main(int argc, char **argv)
{
    struct bench bench;
    uint64_t done_count = 0;

    idle_start(&bench, "tenon", argc, argv);
    tenon_executor *executor = bench_tenon_create(&bench);
    tenon_status status = spawn_work(executor, &done_count);
    bench_require(&bench, status == TENON_OK, tenon_status_name(status));
    idle_measure(&bench, done_count);
    bench_tenon_destroy(&bench, executor);
    return bench_report(&bench);
}
