// SPDX-License-Identifier: MIT
//
// roundtrip — the problem: a thread that is not the pool's own submits one
// task, and waits until it has run. A repetition is one such trip.
//
// Before each trip the caller lets `pause_ns` pass, computing: after 1 ms the
// workers are asleep (the default); after 0 they may still be awake. A pool
// whose workers still spin after 100 us is among the rivals.

#ifndef BENCH_ROUNDTRIP_ROUNDTRIP_H
#define BENCH_ROUNDTRIP_ROUNDTRIP_H

#include "common/bench.h"

// [driver] Begin the program. The size is of no use.
static inline void roundtrip_start(
    struct bench *bench, const char *implementation, int argc, char **argv)
{
    bench_init(bench, "roundtrip", implementation);
    bench->size = "1";
    bench->repeat_count = 1000;
    bench->warmup_count = 100;
    bench->pause_ns = 1000000;
    bench->operation_count = 1;
    bench_parse(bench, argc, argv);
}

// [driver] Pause, then start the clock.
static inline void roundtrip_begin(struct bench *bench)
{
    uint64_t end_ns = bench_now_ns() + bench->pause_ns;

    while (bench_now_ns() < end_ns) {
    }
    bench_begin(bench);
}

// [driver] Stop the clock. `trip_count` tasks must have run by now.
static inline void roundtrip_end(struct bench *bench, uint64_t trip_count)
{
    bench_end(bench);
    bench_check(bench, "the number of tasks run", trip_count, bench->round);
}

#endif
