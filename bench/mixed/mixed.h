// SPDX-License-Identifier: MIT
//
// mixed — the problem: every worker is busy with long tasks, of 1 ms of
// computation each; a thread that is not the pool's own submits a short one
// every 200 us. The sample is the median of the times from when a short task
// should have been submitted to when it begins.
//
// The loop is open: a short task that is late delays no other one, and one
// submitted late was late already. As many long tasks as workers are there at
// any time: one that ends is followed by the next, behind what is queued. Nobody
// preempts, so with one worker half a millisecond is good and one the most.
// Counters: 50, 99 and 99.9 % of all short tasks begin within so many
// nanoseconds, and the slowest.

#ifndef BENCH_MIXED_MIXED_H
#define BENCH_MIXED_MIXED_H

#include "common/bench.h"
#include "common/event.h"

#define MIXED_SIZE_DEFAULT "2000"
#define MIXED_SIZE_MAX 10000000
#define MIXED_PERIOD_NS 200000
#define MIXED_LONG_NS 1000000
#define MIXED_CHUNK_COUNT 16

#ifdef __cplusplus
extern "C" {
#endif

struct mixed_short {
    uint64_t due_ns;
    uint64_t latency_ns;
};

struct mixed {
    struct bench *bench;
    uint64_t short_count;  // the size
    uint64_t turn_count;   // of the computation in a chunk of a long task
    struct mixed_short *shorts;
    uint64_t *latencies_ns;  // of all rounds that count
    uint64_t latency_count;
};

// How the foreign thread submits a short task.
typedef void mixed_submit_fn(void *context, struct mixed_short *one);

// [driver] Begin the program, and find out how much is 1 ms of computation.
void mixed_start(
    struct mixed *mixed, struct bench *bench, const char *implementation,
    int argc, char **argv);

// [foreign, blocks] The long tasks are submitted: submit the short ones, each
// at its time.
void mixed_submit(struct mixed *mixed, mixed_submit_fn *fn, void *context);

// [worker] What a short task does.
void mixed_short_run(struct mixed_short *one);

// [worker] Compute a chunk of a long task. It has MIXED_CHUNK_COUNT of them.
void mixed_chunk_run(const struct mixed *mixed);

// [driver] All short tasks have ended: record. Exits with 1 if one has not run.
void mixed_round_end(struct mixed *mixed);

// [driver] Report, free; returns the program's exit status.
int mixed_end(struct mixed *mixed);

// For pools without a wait of their own: counts what has not ended yet.
struct mixed_wait {
    struct mixed *mixed;
    uint64_t short_count;
    uint64_t long_count;
    uint32_t is_over;
    struct bench_event shorts_ended;
    struct bench_event longs_ended;
};

// [driver] Before anything is submitted.
void mixed_wait_init(struct mixed_wait *wait, struct mixed *mixed);

// [worker] A short task.
void mixed_wait_short(struct mixed_wait *wait, struct mixed_short *one);

// [worker] A long task. True: submit one more.
bool mixed_wait_long(struct mixed_wait *wait);

// [driver, blocks] Until all short tasks have ended; then end the long ones.
void mixed_wait_end(struct mixed_wait *wait);

#ifdef __cplusplus
}
#endif

#endif
