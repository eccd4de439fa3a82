// SPDX-License-Identifier: MIT
//
// cancelpoll tenon — a nested scope with tasks that start always, cancelled by
// its owner.

#include "common/tenon.h"
#include "cancelpoll/cancelpoll.h"

struct drive {
    struct bench *bench;
    struct cancelpoll polls;
};

static int poll_until_cancelled(tenon_task *self, void *arg)
{
    struct cancelpoll *polls = arg;
    uint64_t task = cancelpoll_enter(polls);

    while (!tenon_cancelled(self)) {
    }
    cancelpoll_seen(polls, task);
    return TENON_CANCELLED;
}

static tenon_status open_and_fill(tenon_scope *scope, struct cancelpoll *polls)
{
    tenon_status status = tenon_scope_open(scope, NULL);

    for (uint64_t i = 0; i < polls->task_count && status == TENON_OK; i++) {
        status = tenon_spawn_with(
            scope, poll_until_cancelled, polls,
            TENON_TASK_OPTIONS(.start_always = true));
    }
    return status;
}

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;

    (void)self;
    while (bench_again(bench)) {
        tenon_scope scope;
        tenon_status status = open_and_fill(&scope, &drive->polls);

        bench_require(bench, status == TENON_OK, tenon_status_name(status));
        cancelpoll_begin(&drive->polls, bench);
        tenon_scope_cancel(&scope, 0, NULL);
        status = tenon_scope_join(&scope, TENON_OK, NULL);
        bench_require(bench, status == TENON_OK, tenon_status_name(status));
        cancelpoll_end(&drive->polls, bench);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    static struct drive arg;
    struct bench bench;

    arg.bench = &bench;
    cancelpoll_start(&arg.polls, &bench, "tenon", argc, argv);
    bench_tenon_run(&bench, drive, &arg);
    return bench_report(&bench);
}
