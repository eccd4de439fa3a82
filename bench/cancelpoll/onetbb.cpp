// SPDX-License-Identifier: MIT
//
// cancelpoll onetbb — a task_group with a task per poller. They ask the group's
// context, which takes no look for the current task.

#include "common/onetbb.hpp"
#include "cancelpoll/cancelpoll.h"

#include <oneapi/tbb/task_group.h>

static void spawn_pollers(
    tbb::task_group &group, tbb::task_group_context &context, cancelpoll *polls)
{
    for (uint64_t i = 0; i < polls->poller_count; i++) {
        group.run([&context, polls] {
            uint64_t poller = cancelpoll_enter(polls);

            while (!context.is_group_execution_cancelled()) {
            }
            cancelpoll_seen(polls, poller);
        });
    }
}

static void drive(bench *bench, cancelpoll *polls)
{
    while (bench_again(bench)) {
        tbb::task_group_context context;
        tbb::task_group group(context);

        spawn_pollers(group, context, polls);
        cancelpoll_begin(polls, bench);
        group.cancel();
        while (!context.is_group_execution_cancelled()) {
        }
        uint64_t seen_ns = bench_now_ns();
        group.wait();
        cancelpoll_end(polls, bench, seen_ns);
    }
}

int main(int argc, char **argv)
{
    static cancelpoll polls;
    bench bench;

    cancelpoll_start(&polls, &bench, "onetbb", argc, argv);
    bench_onetbb_run(&bench, [&bench] { drive(&bench, &polls); });
    return bench_report(&bench);
}
