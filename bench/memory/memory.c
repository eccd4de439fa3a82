// SPDX-License-Identifier: MIT
//
// memory — the gate, and the three moments at which memory is looked at.
//
// Ordering:
//   E1 open  memory_spawned: store-release is_open -> memory_task:
//            load-acquire is_open  (nothing but the order of events)

#include "memory/memory.h"

#include <string.h>
#include <time.h>

// So that a task knows the thread that must not wait at the gate.
static _Thread_local bool is_spawner;

void memory_start(
    struct memory *memory, struct bench *bench, const char *implementation,
    int argc, char **argv)
{
    bench_init(bench, "memory", implementation);
    bench->size = MEMORY_SIZE_DEFAULT;
    bench->unit = "MiB";
    bench->repeat_count = 1;
    bench->warmup_count = 0;
    bench_parse(bench, argc, argv);
    memset(memory, 0, sizeof(*memory));
    memory->bench = bench;
    memory->task_count = bench_size_number(bench, MEMORY_SIZE_MAX);
    memory->is_open = 1;
}

void memory_before(struct memory *memory)
{
    // relaxed: spawning a task orders both before the task
    __atomic_store_n(&memory->is_open, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&memory->ran_count, 0, __ATOMIC_RELAXED);
    is_spawner = true;
    bench_again(memory->bench);
    memory->before_mib = bench_memory_mib(memory->bench, "VmRSS");
    bench_begin(memory->bench);
}

void memory_spawned(struct memory *memory)
{
    __atomic_store_n(&memory->is_open, 1, __ATOMIC_RELEASE);  // E1
}

void memory_task(struct memory *memory)
{
    const struct timespec moment = {.tv_nsec = 1000000};

    while (!__atomic_load_n(&memory->is_open, __ATOMIC_ACQUIRE) &&  // E1
           !is_spawner) {
        nanosleep(&moment, NULL);
    }
    // relaxed: the join orders it before the check
    __atomic_fetch_add(&memory->ran_count, 1, __ATOMIC_RELAXED);
}

void memory_after(struct memory *memory)
{
    struct bench *bench = memory->bench;
    uint64_t cpu_ns = bench_cpu_ns() - bench->begin_cpu_ns;
    double after_mib = bench_memory_mib(bench, "VmRSS");

    bench_check(
        bench, "the number of tasks run", memory->ran_count,
        memory->task_count);
    bench_count(bench, "before_mib", memory->before_mib);
    bench_count(bench, "peak_mib", bench_memory_mib(bench, "VmHWM"));
    bench_count(bench, "after_mib", after_mib);
    bench_record(bench, after_mib - memory->before_mib, (double)cpu_ns);
}
