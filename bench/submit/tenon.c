// SPDX-License-Identifier: MIT
//
// submit tenon — a root scope on the main thread, a reference to it for each
// submitter; the main thread joins.

#include "common/tenon.h"
#include "submit/submit.h"

struct round {
    const struct bench *bench;
    tenon_task_fn *fn;
    uint64_t ran_count;
    tenon_scope_ref refs[SUBMIT_SUBMITTERS_MAX];
};

static int do_nothing(tenon_task *self, void *arg)
{
    (void)self;
    (void)arg;
    return TENON_OK;
}

static int count_itself(tenon_task *self, void *arg)
{
    struct round *round = arg;

    (void)self;
    // relaxed: the join orders it before the check
    __atomic_fetch_add(&round->ran_count, 1, __ATOMIC_RELAXED);
    return TENON_OK;
}

static void submit_share(void *context, uint64_t index, uint64_t count)
{
    struct round *round = context;
    tenon_scope_ref *ref = &round->refs[index];
    tenon_status status = TENON_OK;

    for (uint64_t i = 0; i < count && status == TENON_OK; i++) {
        status = tenon_ref_spawn(ref, round->fn, round, NULL);
    }
    bench_require(round->bench, status == TENON_OK, tenon_status_name(status));
    tenon_scope_release(ref);
}

static tenon_status run_round(tenon_executor *executor, struct round *round)
{
    tenon_scope scope;
    tenon_status status =
        tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.executor = executor));

    if (status != TENON_OK) {
        return status;
    }
    for (uint64_t i = 0; i < round->bench->submitter_count; i++) {
        status = tenon_scope_acquire(&scope, &round->refs[i]);
        bench_require(
            round->bench, status == TENON_OK, tenon_status_name(status));
    }
    submit_all(round->bench, submit_share, round);
    return tenon_scope_join(&scope, TENON_OK, NULL);
}

int main(int argc, char **argv)
{
    struct bench bench;

    submit_start(&bench, "tenon", argc, argv);
    tenon_executor *executor = bench_tenon_create(&bench);

    while (bench_again(&bench)) {
        struct round round = {
            .bench = &bench,
            .fn = bench_is_first(&bench) ? count_itself : do_nothing};

        bench_begin(&bench);
        tenon_status status = run_round(executor, &round);
        bench_end(&bench);
        bench_require(&bench, status == TENON_OK, tenon_status_name(status));
        submit_check(&bench, round.ran_count);
    }
    bench_tenon_destroy(&bench, executor);
    return bench_report(&bench);
}
