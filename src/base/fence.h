// SPDX-License-Identifier: MIT
//
// fence — a store-then-load fence of which one side pays for both.
//
// Dekker's pattern (each side stores, then loads what the other stored) needs
// a full fence on both sides. Where one side is far more frequent, it issues
// the light fence, which costs no instruction, and the rare side the heavy
// one, which makes every running thread of the process pass a full fence.
//
// Source: Linux membarrier(2), MEMBARRIER_CMD_PRIVATE_EXPEDITED; the idea from
// Dice, Huang and Yang, "Asymmetric Dekker Synchronization" (2001).
// Where the call is missing, or TENON_FENCE=portable is set in the
// environment, both are the C11 seq_cst fence.

#ifndef TN_BASE_FENCE_H
#define TN_BASE_FENCE_H

#include "base/atomic.h"

#include <stdbool.h>
#include <stdint.h>

// Written once by tn_fence_setup(), before any second thread of ours.
extern bool tn_fence_is_asymmetric;

// [any] Choose the implementation, once for the process. Before any other use.
void tn_fence_setup(void);

// [any] The rare side.
void tn_fence_heavy(void);

// [any] When to give up waiting for what would spare a heavy fence, a time of
// CLOCK_MONOTONIC: after as long as one costs the `running_count` threads that
// it interrupts together, as each loses about as much as who issues it. So the
// two together take no more than twice the better one (the ski rental problem:
// Karlin, Manasse, Rudolph and Sleator, "Competitive snoopy caching",
// Algorithmica 1988). But no longer than 20 us, however many they are: what is
// ready must not wait for that.
uint64_t tn_fence_patience_ns(uint32_t running_count);

// [any] The frequent side; pairs with tn_fence_heavy() only.
static inline void tn_fence_light(void)
{
    if (__builtin_expect(tn_fence_is_asymmetric, true)) {
        tn_fence_compiler();
    } else {
        tn_fence_seqcst();
    }
}

#endif
