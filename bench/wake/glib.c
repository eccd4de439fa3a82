// SPDX-License-Identifier: MIT
//
// wake glib — g_thread_pool_push(), and an event to wait for.

#include "common/glib.h"
#include "common/event.h"
#include "wake/wake.h"

struct call {
    struct bench_event done;
    struct wake wake;
};

static void run_one(gpointer data, gpointer user_data)
{
    struct call *call = data;

    (void)user_data;
    wake_task(&call->wake);
    bench_event_set(&call->done);
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct call call = {.wake = {.task_count = 0}};

    wake_start(&bench, "glib", argc, argv);
    GThreadPool *pool = bench_glib_pool(&bench, run_one, NULL);

    while (bench_again(&bench)) {
        wake_pause(&bench);
        bench_begin(&bench);
        g_thread_pool_push(pool, &call, NULL);
        bench_event_wait(&call.done);
        wake_end(&bench, &call.wake);
    }
    g_thread_pool_free(pool, FALSE, TRUE);
    return bench_report(&bench);
}
