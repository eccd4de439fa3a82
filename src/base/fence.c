// SPDX-License-Identifier: MIT
//
// fence — chooses between membarrier and plain fences, once for the process.

#include "base/fence.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/platform.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// Where nothing is known yet.
#define COST_DEFAULT_NS UINT64_C(1000)
// One that was preempted says nothing about the others.
#define COST_MAX_NS UINT64_C(20000)
// Of a thief that asks. No less than a fence may cost.
#define PATIENCE_MAX_NS COST_MAX_NS

bool tn_fence_is_asymmetric;

static _Atomic(uint64_t) cost_ns = COST_DEFAULT_NS;

static pthread_once_t setup_once = PTHREAD_ONCE_INIT;

static void setup(void)
{
    const char *choice = getenv("TENON_FENCE");

    if (choice != NULL && strcmp(choice, "portable") == 0) {
        return;
    }
    tn_fence_is_asymmetric = tn_membarrier_register();
}

void tn_fence_setup(void)
{
    pthread_once(&setup_once, setup);
}

void tn_fence_heavy(void)
{
    if (!tn_fence_is_asymmetric) {
        tn_fence_seqcst();
        return;
    }
    uint64_t begin_ns = tn_clock_now_ns();
    // The light side has no fence of its own: there is nothing to fall back to.
    tn_require(tn_membarrier(), "membarrier was granted, then refused");
    uint64_t took_ns = tn_clock_now_ns() - begin_ns;

    took_ns = took_ns < COST_MAX_NS ? took_ns : COST_MAX_NS;
    // relaxed: an estimate; one of two at the same time is lost.
    tn_store_relaxed(&cost_ns, (7 * tn_load_relaxed(&cost_ns) + took_ns) / 8);
}

uint64_t tn_fence_patience_ns(uint32_t running_count)
{
    uint64_t count = running_count == 0 ? 1 : running_count;
    // relaxed: an estimate.
    uint64_t patience_ns = count * tn_load_relaxed(&cost_ns);

    return tn_clock_now_ns() +
           (patience_ns < PATIENCE_MAX_NS ? patience_ns : PATIENCE_MAX_NS);
}
