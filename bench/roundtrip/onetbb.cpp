// SPDX-License-Identifier: MIT
//
// roundtrip onetbb — task_arena::enqueue(), and an event to wait for.

#include "common/onetbb.hpp"
#include "common/event.h"
#include "roundtrip/roundtrip.h"

int main(int argc, char **argv)
{
    bench bench;
    bench_event done = {0};
    uint64_t trip_count = 0;

    roundtrip_start(&bench, "onetbb", argc, argv);
    bench_onetbb_foreign pool(&bench);

    while (bench_again(&bench)) {
        roundtrip_begin(&bench);
        pool.arena.enqueue([&done, &trip_count] {
            trip_count++;
            bench_event_set(&done);
        });
        bench_event_wait(&done);
        roundtrip_end(&bench, trip_count);
    }
    return bench_report(&bench);
}
