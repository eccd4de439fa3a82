// SPDX-License-Identifier: MIT
//
// cancelpoll — the problem: every worker but one polls in a loop; that one
// cancels them all, then polls too. The sample is the time from the call of the
// cancel to the last poll that sees it.
//
// With one worker nobody else polls: what is left is what the cancel takes. A
// repetition is one cancel.

#ifndef BENCH_CANCELPOLL_CANCELPOLL_H
#define BENCH_CANCELPOLL_CANCELPOLL_H

#include "common/bench.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CANCELPOLL_POLLERS_MAX 1024
#define CANCELPOLL_CACHE_LINE 64

struct cancelpoll {
    uint64_t poller_count;
    uint64_t polling_count;  // of those that poll already

    // Each written by one poller.
    struct cancelpoll_poller {
        uint64_t seen_ns __attribute__((aligned(CANCELPOLL_CACHE_LINE)));
    } pollers[CANCELPOLL_POLLERS_MAX];
};

// [driver] Begin the program. The size is of no use.
void cancelpoll_start(
    struct cancelpoll *polls, struct bench *bench, const char *implementation,
    int argc, char **argv);

// [poller] Give the poller a number, now that it is about to poll.
uint64_t cancelpoll_enter(struct cancelpoll *polls);

// [poller] The poller has seen the cancel.
void cancelpoll_seen(struct cancelpoll *polls, uint64_t poller);

// [driver, blocks] Wait until all poll, and start the clock.
void cancelpoll_begin(struct cancelpoll *polls, struct bench *bench);

// [driver] All have ended, and the driver's own poll saw the cancel at
// `seen_ns`: record, and make ready for the next one. Exits with 1 if one saw
// it before it was there.
void cancelpoll_end(
    struct cancelpoll *polls, struct bench *bench, uint64_t seen_ns);

#ifdef __cplusplus
}
#endif

#endif
