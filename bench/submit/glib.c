// SPDX-License-Identifier: MIT
//
// submit glib — an exclusive GThreadPool, waited for by freeing it: that needs
// no counter of tasks done.

#include "common/glib.h"
#include "submit/submit.h"

static void do_nothing(gpointer data, gpointer user_data)
{
    (void)data;
    (void)user_data;
}

static void count_itself(gpointer data, gpointer user_data)
{
    uint64_t *ran_count = user_data;

    (void)data;
    // relaxed: freeing the pool orders it before the check
    __atomic_fetch_add(ran_count, 1, __ATOMIC_RELAXED);
}

static void submit_share(void *context, uint64_t index, uint64_t count)
{
    GThreadPool *pool = context;

    (void)index;
    for (uint64_t i = 0; i < count; i++) {
        g_thread_pool_push(pool, pool, NULL);  // data may be anything but NULL
    }
}

int main(int argc, char **argv)
{
    struct bench bench;

    submit_start(&bench, "glib", argc, argv);
    while (bench_again(&bench)) {
        GFunc fn = bench_is_first(&bench) ? count_itself : do_nothing;
        uint64_t ran_count = 0;
        GThreadPool *pool = bench_glib_pool(&bench, fn, &ran_count);

        bench_begin(&bench);
        submit_all(&bench, submit_share, pool);
        g_thread_pool_free(pool, FALSE, TRUE);
        bench_end(&bench);
        submit_check(&bench, ran_count);
    }
    return bench_report(&bench);
}
