// SPDX-License-Identifier: MIT
//
// mixed tenon — two root scopes on the main thread: long tasks that go on by
// tenon_again(), until they are cancelled, and short ones.

#include "common/tenon.h"
#include "mixed/mixed.h"

struct round {
    struct mixed *mixed;
    tenon_scope longs;
    tenon_scope shorts;
};

static void must(const struct bench *bench, tenon_status status)
{
    bench_require(bench, status == TENON_OK, tenon_status_name(status));
}

static int compute(tenon_task *self, void *arg)
{
    const struct mixed *mixed = arg;

    for (int i = 0; i < MIXED_CHUNK_COUNT; i++) {
        if (tenon_cancelled(self)) {
            return TENON_CANCELLED;
        }
        mixed_chunk_run(mixed);
    }
    return tenon_again(self, 0);
}

static int run_short(tenon_task *self, void *arg)
{
    (void)self;
    mixed_short_run(arg);
    return TENON_OK;
}

static void submit_short(void *context, struct mixed_short *one)
{
    struct round *round = context;

    must(round->mixed->bench, tenon_spawn(&round->shorts, run_short, one));
}

static void run_round(struct mixed *mixed, tenon_executor *executor)
{
    const struct bench *bench = mixed->bench;
    const tenon_scope_options *options =
        TENON_SCOPE_OPTIONS(.executor = executor);
    struct round round = {.mixed = mixed};

    must(bench, tenon_scope_open(&round.longs, options));
    must(bench, tenon_scope_open(&round.shorts, options));
    for (uint64_t i = 0; i < bench->worker_count; i++) {
        must(bench, tenon_spawn(&round.longs, compute, mixed));
    }
    mixed_submit(mixed, submit_short, &round);
    must(bench, tenon_scope_join(&round.shorts, TENON_OK, NULL));
    tenon_scope_cancel(&round.longs, 0, NULL);
    must(bench, tenon_scope_join(&round.longs, TENON_OK, NULL));
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct mixed mixed;

    mixed_start(&mixed, &bench, "tenon", argc, argv);
    tenon_executor *executor = bench_tenon_create(&bench);

    while (bench_again(&bench)) {
        bench_begin(&bench);
        run_round(&mixed, executor);
        mixed_round_end(&mixed);
    }
    bench_tenon_destroy(&bench, executor);
    return mixed_end(&mixed);
}
