// SPDX-License-Identifier: MIT
//
// wake onetbb — task_arena::enqueue(), and an event to wait for.

#include "common/onetbb.hpp"
#include "common/event.h"
#include "wake/wake.h"

int main(int argc, char **argv)
{
    bench bench;
    bench_event done = {0};
    wake wake = {0, 0};

    wake_start(&bench, "onetbb", argc, argv);
    bench_onetbb_foreign pool(&bench);

    while (bench_again(&bench)) {
        wake_pause(&bench);
        bench_begin(&bench);
        pool.arena.enqueue([&done, &wake] {
            wake_task(&wake);
            bench_event_set(&done);
        });
        bench_event_wait(&done);
        wake_end(&bench, &wake);
    }
    return bench_report(&bench);
}
