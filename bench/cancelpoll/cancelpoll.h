// SPDX-License-Identifier: MIT
//
// cancelpoll — the problem: n tasks share a token that is cancelled. Each other
// worker runs one of them, which polls in a loop; the rest are queued, and poll
// when they begin. The sample is the time from the call of the cancel to the
// poll that is the last to see it. A repetition is one cancel.
//
// What is queued begins in spite of the cancel, as tasks that have something to
// put away do. (The drop of tasks that need not begin is `cancel`.)

#ifndef BENCH_CANCELPOLL_CANCELPOLL_H
#define BENCH_CANCELPOLL_CANCELPOLL_H

#include "common/bench.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CANCELPOLL_CACHE_LINE 64

// Written by one task.
struct cancelpoll_task {
    uint64_t seen_ns __attribute__((aligned(CANCELPOLL_CACHE_LINE)));
};

struct cancelpoll {
    uint64_t task_count;
    uint64_t begun_count;
    struct cancelpoll_task *tasks;  // until the program ends
};

// [driver] Begin the program. The size is the number of tasks.
void cancelpoll_start(
    struct cancelpoll *polls, struct bench *bench, const char *implementation,
    int argc, char **argv);

// [task] Give the task a number, now that it is about to poll.
uint64_t cancelpoll_enter(struct cancelpoll *polls);

// [task] It has seen the cancel.
void cancelpoll_seen(struct cancelpoll *polls, uint64_t task);

// [driver, blocks] Wait until all others poll, and start the clock.
void cancelpoll_begin(struct cancelpoll *polls, struct bench *bench);

// [driver] All have ended: record, and make ready for the next one. Exits with
// 1 if one saw the cancel before it was there, or not all did.
void cancelpoll_end(struct cancelpoll *polls, struct bench *bench);

#ifdef __cplusplus
}
#endif

#endif
