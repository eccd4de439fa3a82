// SPDX-License-Identifier: MIT
//
// cancelpoll — who polls, and when each has seen the cancel.
//
// Ordering:
//   E1 ended  the wait for the group orders seen_ns before the driver's look

#include "cancelpoll/cancelpoll.h"

#include <string.h>

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
    if (bench->worker_count > CANCELPOLL_POLLERS_MAX) {
        bench_usage(bench, "too many workers");
    }
    memset(polls, 0, sizeof(*polls));
    polls->poller_count = bench->worker_count - 1;
}

uint64_t cancelpoll_enter(struct cancelpoll *polls)
{
    // relaxed: a number, and a sign that says nothing else
    return __atomic_fetch_add(&polls->polling_count, 1, __ATOMIC_RELAXED);
}

void cancelpoll_seen(struct cancelpoll *polls, uint64_t poller)
{
    polls->pollers[poller].seen_ns = bench_now_ns();  // E1
}

void cancelpoll_begin(struct cancelpoll *polls, struct bench *bench)
{
    // relaxed: nothing is read because of it
    while (__atomic_load_n(&polls->polling_count, __ATOMIC_RELAXED) <
           polls->poller_count) {
    }
    bench_begin(bench);
}

void cancelpoll_end(
    struct cancelpoll *polls, struct bench *bench, uint64_t seen_ns)
{
    double cpu_ns = (double)(bench_cpu_ns() - bench->begin_cpu_ns);
    uint64_t last_ns = seen_ns;

    bench_check(
        bench, "the number of pollers", polls->polling_count,
        polls->poller_count);
    for (uint64_t i = 0; i < polls->poller_count; i++) {
        uint64_t poller_ns = polls->pollers[i].seen_ns;  // E1

        bench_require(
            bench, poller_ns >= bench->begin_ns,
            "wrong answer: cancelled before the cancel");
        last_ns = poller_ns > last_ns ? poller_ns : last_ns;
        polls->pollers[i].seen_ns = 0;
    }
    polls->polling_count = 0;
    bench_record(bench, (double)(last_ns - bench->begin_ns), cpu_ns);
}
