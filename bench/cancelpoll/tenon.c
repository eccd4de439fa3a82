// SPDX-License-Identifier: MIT
//
// cancelpoll tenon — a nested scope with a task per poller, cancelled by its
// owner.

#include "common/tenon.h"
#include "cancelpoll/cancelpoll.h"

struct drive {
    struct bench *bench;
    struct cancelpoll polls;
};

static int poll_until_cancelled(tenon_task *self, void *arg)
{
    struct cancelpoll *polls = arg;
    uint64_t poller = cancelpoll_enter(polls);

    while (!tenon_cancelled(self)) {
    }
    cancelpoll_seen(polls, poller);
    return TENON_CANCELLED;
}

static tenon_status spawn_pollers(tenon_scope *scope, struct cancelpoll *polls)
{
    tenon_status status = tenon_scope_open(scope, NULL);

    for (uint64_t i = 0; i < polls->poller_count && status == TENON_OK; i++) {
        status = tenon_spawn(scope, poll_until_cancelled, polls);
    }
    return status;
}

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;

    while (bench_again(bench)) {
        tenon_scope scope;
        tenon_status status = spawn_pollers(&scope, &drive->polls);

        bench_require(bench, status == TENON_OK, tenon_status_name(status));
        cancelpoll_begin(&drive->polls, bench);
        tenon_scope_cancel(&scope, 0, NULL);
        while (!tenon_cancelled(self)) {
        }
        uint64_t seen_ns = bench_now_ns();
        status = tenon_scope_join(&scope, TENON_OK, NULL);
        bench_require(bench, status == TENON_OK, tenon_status_name(status));
        cancelpoll_end(&drive->polls, bench, seen_ns);
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
