// SPDX-License-Identifier: MIT
//
// 05-deadline — work that may take only so long.
//
// A scope can be given a timeout (so long from now) or a deadline (a moment of
// tenon_now_ns()). When it passes, the scope is cancelled: to the tasks inside,
// a timeout is a cancellation like any other. Outside, it is an outcome of its
// own: join returns TENON_TIMEOUT if anything had to be stopped, and TENON_OK
// if all was done in time, however narrowly. What was finished stands.
//
// The deadline bounds the tasks, not the join: a task that never polls keeps
// the join waiting. And it nests. A task whose inner scope runs out of time
// returns that status, and so has failed as far as its parent is concerned;
// the parent's other tasks hear of it only if the parent's policy says so.
//
// Of the three downloads below one is stuck for ever. The timeout is measured
// from open, holds for all of them together, and saves what the others fetched.

#include <stdio.h>
#include <time.h>

#include <tenon/tenon.h>

struct download {
    const char *name;
    int block_count;  // negative: they never end
    int fetched_count;
};

static void wait_for_block(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static int fetch(tenon_task *self, void *arg)
{
    struct download *download = arg;

    while (download->fetched_count != download->block_count) {
        if (tenon_cancelled(self)) {
            return TENON_CANCELLED;
        }
        wait_for_block();
        download->fetched_count++;
    }
    return TENON_OK;
}

static void fetch_all(tenon_executor *executor)
{
    struct download downloads[] = {
        {.name = "index", .block_count = 3},
        {.name = "mirror", .block_count = -1},
        {.name = "readme", .block_count = 1},
    };
    tenon_scope scope;

    tenon_status status = tenon_scope_open(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .timeout_ns = TENON_MILLISECONDS(500)));
    if (status != TENON_OK) {
        return;
    }
    tenon_status body = TENON_OK;
    for (size_t i = 0; i < 3 && body == TENON_OK; i++) {
        body = tenon_spawn(&scope, fetch, &downloads[i]);
    }
    status = tenon_scope_join(&scope, body, NULL);

    printf("%s\n", tenon_status_name(status));
    for (size_t i = 0; i < 3; i++) {
        bool done = downloads[i].fetched_count == downloads[i].block_count;
        printf("%s: %s\n", downloads[i].name, done ? "done" : "stopped");
    }
}

// The stuck task holds a worker, so there must be two, on any machine.
int main(void)
{
    tenon_executor *executor;

    if (tenon_executor_create(
            &executor, TENON_EXECUTOR_OPTIONS(.worker_count = 2)) != TENON_OK) {
        return 1;
    }
    fetch_all(executor);
    return tenon_executor_destroy(executor) == TENON_OK ? 0 : 1;
}
