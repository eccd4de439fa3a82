// SPDX-License-Identifier: MIT
//
// memory onetbb — one task_group; the arena lives on.

#include "common/onetbb.hpp"
#include "memory/memory.h"

#include <oneapi/tbb/task_group.h>

static void spawn_all(memory *memory, uint64_t count)
{
    tbb::task_group group;

    for (uint64_t i = 0; i < count; i++) {
        group.run([memory] { memory_task(memory); });
    }
    memory_spawned(memory);
    group.wait();
}

int main(int argc, char **argv)
{
    bench bench;
    memory memory;

    memory_start(&memory, &bench, "onetbb", argc, argv);
    bench_onetbb_run(&bench, [&memory] {
        spawn_all(&memory, 1000);
        memory_before(&memory);
        spawn_all(&memory, memory.task_count);
        memory_after(&memory);
    });
    return bench_report(&bench);
}
