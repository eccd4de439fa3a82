// SPDX-License-Identifier: MIT
//
// idle — who searches, who sleeps, and who wakes whom.
//
// The protocol, its state machine and its proof are in idle.md. A worker is
// working, searching or asleep; only the last two are counted here.

#ifndef TN_SCHED_IDLE_H
#define TN_SCHED_IDLE_H

#include "base/atomic.h"
#include "base/fence.h"
#include "sync/idle_state.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

struct tn_sleeper {
    // The sleeper and its waker compete.
    alignas(TN_CACHE_LINE) _Atomic(uint32_t) word;
};

struct tn_idle {
    // All write, pushers read: sleeping count << 16 | searching count.
    alignas(TN_CACHE_LINE) _Atomic(uint32_t) state;

    // Fixed after init.
    alignas(TN_CACHE_LINE) struct tn_sleeper *sleepers;  // one per worker
    uint32_t capacity;
    bool (*has_work)(void *context);  // looks at every queue
    void (*call)(void *context);      // rings at every queue
    void *context;
};

// [one thread] For workers 0 .. capacity-1 < 65536. `has_work(context)` is
// called after a fence and must see whatever was pushed before it;
// `call(context)` between two fences before that, when some sleep and nobody
// searches any more: who pushes later must see it. False: no memory.
bool tn_idle_init(
    struct tn_idle *idle, uint32_t capacity, bool (*has_work)(void *context),
    void (*call)(void *context), void *context);

// [one thread] Nobody sleeps any more. Accepts zeroed memory.
void tn_idle_fini(struct tn_idle *idle);

// [worker] Its thread begins, or comes back. Before anything else here.
void tn_idle_arrive(struct tn_idle *idle, uint32_t worker_index);

// [working worker] It pushes nothing until it arrives again.
void tn_idle_leave(struct tn_idle *idle, uint32_t worker_index);

// [worker] Out of work: from now on pushers rely on this worker to look.
void tn_idle_search(struct tn_idle *idle);

// [searching worker] Found work. Hands the search over if more is visible.
void tn_idle_found(struct tn_idle *idle, uint32_t worker_index);

// [searching worker, blocks] Sleep until woken, unless there is work. The
// worker searches again when this returns.
void tn_idle_sleep(struct tn_idle *idle, uint32_t worker_index);

// [any] Wake one sleeper, if there is one. It searches.
void tn_idle_wake_one(struct tn_idle *idle);

// [any] Wake every sleeper.
void tn_idle_wake_all(struct tn_idle *idle);

// [any] How many search now: a guess.
static inline uint32_t tn_idle_searching_count(struct tn_idle *idle)
{
    // relaxed: a guess.
    return tn_load_relaxed(&idle->state) & TN_IDLE_SEARCHING_MASK;
}

// [any] How many sleep or search now: a guess.
static inline uint32_t tn_idle_count(struct tn_idle *idle)
{
    // relaxed: a guess.
    uint32_t state = tn_load_relaxed(&idle->state);

    return state / TN_IDLE_SLEEPING_ONE + (state & TN_IDLE_SEARCHING_MASK);
}

// [worker] After a push: are all asleep who could look?
static inline bool tn_idle_must_wake(struct tn_idle *idle)
{
    tn_fence_light();  // E1, pairs with the heavy fences in idle.c
    // relaxed: E1 orders it after the push.
    return tn_idle_is_calling(tn_load_relaxed(&idle->state));
}

// [worker] After each push: wake somebody if all who could look are asleep.
static inline void tn_idle_notify(struct tn_idle *idle)
{
    if (__builtin_expect(tn_idle_must_wake(idle), 0)) {
        tn_idle_wake_one(idle);
    }
}

// [any] The same after a push by a read-modify-write.
static inline void tn_idle_notify_foreign(struct tn_idle *idle)
{
    tn_fence_after_update();  // E1
    tn_idle_notify(idle);
}

#endif
