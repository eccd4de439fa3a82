// SPDX-License-Identifier: MIT
//
// cancelpoll onetbb — a task_group of its own for the tasks: what is queued in
// a cancelled one does not begin. They ask the context that is cancelled, which
// takes no look for the current task.

#include "common/onetbb.hpp"
#include "cancelpoll/cancelpoll.h"

#include <oneapi/tbb/task_group.h>

static void fill(
    tbb::task_group &group, tbb::task_group_context &context, cancelpoll *polls)
{
    for (uint64_t i = 0; i < polls->task_count; i++) {
        group.run([&context, polls] {
            uint64_t task = cancelpoll_enter(polls);

            while (!context.is_group_execution_cancelled()) {
            }
            cancelpoll_seen(polls, task);
        });
    }
}

static void drive(bench *bench, cancelpoll *polls)
{
    while (bench_again(bench)) {
        tbb::task_group_context context;
        tbb::task_group group;

        fill(group, context, polls);
        cancelpoll_begin(polls, bench);
        context.cancel_group_execution();
        group.wait();
        cancelpoll_end(polls, bench);
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
