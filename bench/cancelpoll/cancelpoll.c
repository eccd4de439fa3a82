// SPDX-License-Identifier: MIT
//
// cancelpoll — who polls, and when each has seen the cancel.
//
// Ordering:
//   E1 ended  the wait for the group orders seen_ns before the driver's look

#include "cancelpoll/cancelpoll.h"

#include <stdlib.h>
#include <string.h>

#define TASKS_MAX 10000000

void cancelpoll_start(
    struct cancelpoll *polls, struct bench *bench, const char *implementation,
    int argc, char **argv)
{
    bench_init(bench, "cancelpoll", implementation);
    bench->size = "1";
    bench->operation_count = 1;
    bench->repeat_count = 1000;
    bench->warmup_count = 100;
    bench_parse(bench, argc, argv);
    polls->task_count = bench_size_number(bench, TASKS_MAX);
    polls->begun_count = 0;
    size_t size_bytes = polls->task_count * sizeof(*polls->tasks);
    polls->tasks = aligned_alloc(CANCELPOLL_CACHE_LINE, size_bytes);
    bench_require(bench, polls->tasks != NULL, "no memory");
    memset(polls->tasks, 0, size_bytes);
}

uint64_t cancelpoll_enter(struct cancelpoll *polls)
{
    // relaxed: a number, and a sign that says nothing else
    return __atomic_fetch_add(&polls->begun_count, 1, __ATOMIC_RELAXED);
}

void cancelpoll_seen(struct cancelpoll *polls, uint64_t task)
{
    polls->tasks[task].seen_ns = bench_now_ns();  // E1
}

void cancelpoll_begin(struct cancelpoll *polls, struct bench *bench)
{
    uint64_t others = bench->worker_count - 1;
    uint64_t wanted = others < polls->task_count ? others : polls->task_count;

    // relaxed: nothing is read because of it
    while (__atomic_load_n(&polls->begun_count, __ATOMIC_RELAXED) < wanted) {
    }
    bench_begin(bench);
}

void cancelpoll_end(struct cancelpoll *polls, struct bench *bench)
{
    double cpu_ns = (double)(bench_cpu_ns() - bench->begin_cpu_ns);
    uint64_t last_ns = 0;

    bench_check(
        bench, "the number of tasks that polled", polls->begun_count,
        polls->task_count);
    for (uint64_t i = 0; i < polls->task_count; i++) {
        uint64_t seen_ns = polls->tasks[i].seen_ns;  // E1

        bench_require(
            bench, seen_ns >= bench->begin_ns,
            "wrong answer: cancelled before the cancel");
        last_ns = seen_ns > last_ns ? seen_ns : last_ns;
        polls->tasks[i].seen_ns = 0;
    }
    polls->begun_count = 0;
    bench_record(bench, (double)(last_ns - bench->begin_ns), cpu_ns);
}
