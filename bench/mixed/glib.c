// SPDX-License-Identifier: MIT
//
// mixed glib — g_thread_pool_push() for both: first come, first served. As no
// long task waits behind its like, a sort function that prefers the short ones
// changes nothing.

#include "common/glib.h"
#include "mixed/mixed.h"

struct round {
    GThreadPool *pool;
    struct mixed_wait wait;
};

// The data of a long task is the round, that of a short one itself.
static void run_one(gpointer data, gpointer user_data)
{
    struct round *round = user_data;

    if (data != round) {
        mixed_wait_short(&round->wait, data);
    } else if (mixed_wait_long(&round->wait)) {
        g_thread_pool_push(round->pool, round, NULL);
    }
}

static void submit_short(void *context, struct mixed_short *one)
{
    struct round *round = context;

    g_thread_pool_push(round->pool, one, NULL);
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct mixed mixed;
    struct round round;

    mixed_start(&mixed, &bench, "glib", argc, argv);
    round.pool = bench_glib_pool(&bench, run_one, &round);
    while (bench_again(&bench)) {
        mixed_wait_init(&round.wait, &mixed);
        bench_begin(&bench);
        for (uint64_t i = 0; i < bench.worker_count; i++) {
            g_thread_pool_push(round.pool, &round, NULL);
        }
        mixed_submit(&mixed, submit_short, &round);
        mixed_wait_end(&round.wait);
        mixed_round_end(&mixed);
    }
    g_thread_pool_free(round.pool, FALSE, TRUE);
    return mixed_end(&mixed);
}
