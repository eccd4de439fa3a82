// SPDX-License-Identifier: MIT
//
// wait — a parker per thread, and the loop around it.
//
// The orders are those of src/sync/parker.c: who was unparked knows what was
// done before.

#include "wait.h"

#include "checker/model.h"

#include "base/futex.h"
#include "sched/worker.h"
#include "sync/parker.h"

enum { EMPTY, PARKED, NOTIFIED };

static _Atomic(uint32_t) words[MC_THREADS + 1];
static int retracts_left;

void wait_reset(int retract_count)
{
    retracts_left = retract_count;
}

static void park(uint32_t parker, uint64_t deadline_ns)
{
    uint32_t expected = EMPTY;

    if (tn_cas_relaxed(&words[parker], &expected, PARKED)) {
        tn_futex_wait_until(&words[parker], PARKED, deadline_ns);
    }
    tn_exchange_acquire(&words[parker], EMPTY);
}

void tn_parker_unpark(uint32_t parker)
{
    mc_check(parker != TN_PARKER_NONE);
    mc_check(parker <= MC_THREADS);
    if (tn_exchange_release(&words[parker], NOTIFIED) == PARKED) {
        tn_futex_wake(&words[parker], 1);
    }
}

// True: the wait is over.
static bool park_until_done(struct tn_wait *wait, uint32_t parker)
{
    while (!wait->is_done(wait)) {
        bool is_timed = retracts_left > 0;

        park(parker, is_timed ? 1 : TN_FOREVER);
        if (is_timed) {
            retracts_left--;
            wait->retract(wait);
            return false;
        }
    }
    return true;
}

void tn_thread_wait(struct tenon_executor *executor, struct tn_wait *wait)
{
    uint32_t parker = (uint32_t)mc_thread_index() + 1;

    (void)executor;
    while (!wait->is_done(wait)) {
        if (wait->announce(wait, parker) && park_until_done(wait, parker)) {
            return;
        }
    }
}
