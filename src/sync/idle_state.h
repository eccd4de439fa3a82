// SPDX-License-Identifier: MIT
//
// idle_state — the word that counts who looks for work and who sleeps.
//
// sched/idle.c changes it; who pushes looks at it. sched/idle.md says why that
// is enough.

#ifndef TN_SYNC_IDLE_STATE_H
#define TN_SYNC_IDLE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#define TN_IDLE_SEARCHING_ONE UINT32_C(1)
#define TN_IDLE_SLEEPING_ONE (UINT32_C(1) << 16)
#define TN_IDLE_SEARCHING_MASK (TN_IDLE_SLEEPING_ONE - 1)

// [any] Do some sleep, and does nobody search? Then who pushes wakes one.
static inline bool tn_idle_is_calling(uint32_t state)
{
    return state != 0 && (state & TN_IDLE_SEARCHING_MASK) == 0;
}

#endif
