// SPDX-License-Identifier: MIT
//
// wake pingpong — no pool: one thread wakes another by futex. The floor for
// whoever lets workers sleep.

#include "common/event.h"
#include "wake/wake.h"

#include <pthread.h>

struct table {
    struct bench_event ping;
    struct bench_event pong;
    struct wake wake;
    bool has_ended;
};

static void *partner_main(void *arg)
{
    struct table *table = arg;

    for (;;) {
        bench_event_wait(&table->ping);
        if (table->has_ended) {
            return NULL;
        }
        wake_task(&table->wake);
        bench_event_set(&table->pong);
    }
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct table table = {.has_ended = false};
    pthread_t partner;

    wake_start(&bench, "pingpong", argc, argv);
    bench.version = "futex";
    int error = pthread_create(&partner, NULL, partner_main, &table);
    bench_require(&bench, error == 0, "cannot start a thread");
    while (bench_again(&bench)) {
        wake_pause(&bench);
        bench_begin(&bench);
        bench_event_set(&table.ping);
        bench_event_wait(&table.pong);
        wake_end(&bench, &table.wake);
    }
    table.has_ended = true;
    bench_event_set(&table.ping);
    pthread_join(partner, NULL);
    return bench_report(&bench);
}
