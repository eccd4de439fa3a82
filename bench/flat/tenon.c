// SPDX-License-Identifier: MIT
//
// flat tenon — a nested scope, tenon_spawn() into it, join.

#include "common/tenon.h"
#include "flat/flat.h"

static int do_nothing(tenon_task *self, void *arg)
{
    (void)self;
    (void)arg;
    return TENON_OK;
}

static int count_itself(tenon_task *self, void *arg)
{
    uint64_t *ran_count = arg;

    (void)self;
    // relaxed: the join orders it before the check
    __atomic_fetch_add(ran_count, 1, __ATOMIC_RELAXED);
    return TENON_OK;
}

static tenon_status spawn_all(uint64_t n, tenon_task_fn *fn, void *arg)
{
    tenon_scope scope;
    tenon_status status = tenon_scope_open(&scope, NULL);

    if (status != TENON_OK) {
        return status;
    }
    for (uint64_t i = 0; i < n && status == TENON_OK; i++) {
        status = tenon_spawn(&scope, fn, arg);
    }
    return tenon_scope_join(&scope, status, NULL);
}

static int drive(tenon_task *self, void *arg)
{
    struct bench *bench = arg;
    uint64_t n = bench->operation_count;

    (void)self;
    while (bench_again(bench)) {
        tenon_task_fn *fn = bench_is_first(bench) ? count_itself : do_nothing;
        uint64_t ran_count = 0;

        bench_begin(bench);
        tenon_status status = spawn_all(n, fn, &ran_count);
        bench_end(bench);
        bench_require(bench, status == TENON_OK, tenon_status_name(status));
        flat_check(bench, ran_count);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;

    flat_start(&bench, "tenon", argc, argv);
    bench_tenon_run(&bench, drive, &bench);
    return bench_report(&bench);
}
