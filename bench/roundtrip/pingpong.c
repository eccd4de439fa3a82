// SPDX-License-Identifier: MIT
//
// roundtrip pingpong — no pool: two threads that wake each other by futex. The
// floor for whoever sleeps before each trip.

#include "common/event.h"
#include "roundtrip/roundtrip.h"

#include <pthread.h>

struct table {
    struct bench_event ping;
    struct bench_event pong;
    uint64_t trip_count;
    bool ended;
};

static void *partner_main(void *arg)
{
    struct table *table = arg;

    for (;;) {
        bench_event_wait(&table->ping);
        if (table->ended) {
            return NULL;
        }
        table->trip_count++;
        bench_event_set(&table->pong);
    }
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct table table = {.trip_count = 0};
    pthread_t partner;

    roundtrip_start(&bench, "pingpong", argc, argv);
    bench.version = "futex";
    int error = pthread_create(&partner, NULL, partner_main, &table);
    bench_require(&bench, error == 0, "cannot start a thread");
    while (bench_again(&bench)) {
        roundtrip_begin(&bench);
        bench_event_set(&table.ping);
        bench_event_wait(&table.pong);
        roundtrip_end(&bench, table.trip_count);
    }
    table.ended = true;
    bench_event_set(&table.ping);
    pthread_join(partner, NULL);
    return bench_report(&bench);
}
