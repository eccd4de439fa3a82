// SPDX-License-Identifier: MIT
//
// roundtrip glib — g_thread_pool_push(), and an event to wait for: cheaper
// than GLib's own mutex and condition.

#include "common/glib.h"
#include "common/event.h"
#include "roundtrip/roundtrip.h"

struct trip {
    struct bench_event done;
    uint64_t trip_count;
};

static void make_trip(gpointer data, gpointer user_data)
{
    struct trip *trip = data;

    (void)user_data;
    trip->trip_count++;
    bench_event_set(&trip->done);
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct trip trip = {.trip_count = 0};

    roundtrip_start(&bench, "glib", argc, argv);
    GThreadPool *pool = bench_glib_pool(&bench, make_trip, NULL);

    while (bench_again(&bench)) {
        roundtrip_begin(&bench);
        g_thread_pool_push(pool, &trip, NULL);
        bench_event_wait(&trip.done);
        roundtrip_end(&bench, trip.trip_count);
    }
    g_thread_pool_free(pool, FALSE, TRUE);
    return bench_report(&bench);
}
