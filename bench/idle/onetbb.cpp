// SPDX-License-Identifier: MIT
//
// idle onetbb — an arena after a task_group was waited for.

#include "common/onetbb.hpp"
#include "idle/idle.h"

#include <oneapi/tbb/task_group.h>

int main(int argc, char **argv)
{
    bench bench;
    uint64_t done_count = 0;

    idle_start(&bench, "onetbb", argc, argv);
    bench_onetbb_foreign pool(&bench);

    pool.arena.execute([&done_count] {
        tbb::task_group group;

        for (int i = 0; i < IDLE_WORK_COUNT; i++) {
            group.run([&done_count] { idle_work(&done_count); });
        }
        group.wait();
    });
    idle_measure(&bench, done_count);
    return bench_report(&bench);
}
