// SPDX-License-Identifier: MIT
//
// timer — calls a function at a time, on a thread of its own.
//
// The thread is started when first needed, so that deadlines fire even if
// every worker is busy and cost nothing where there are none.

#ifndef TN_SCHED_TIMER_H
#define TN_SCHED_TIMER_H

#include "base/atomic.h"
#include "sync/heap.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

// Part of the layer above's object. Equal times fire in the order of `rank`.
struct tn_timer_entry {
    struct tn_heap_node node;
    uint64_t deadline_ns;
    uint32_t rank;
    uint32_t is_armed;  // guarded by the timer's lock
};

// Called with the timer's lock held: must not block, nor call the timer.
typedef void tn_timer_fire_fn(struct tn_timer_entry *entry);

struct tn_timer {
    pthread_mutex_t lock;
    struct tn_heap heap;  // guarded by lock
    bool has_thread;      // guarded by lock
    bool is_stopping;     // guarded by lock
    tn_timer_fire_fn *fire;
    pthread_t thread;
    char name[16];

    // Bumped under the lock when the thread should look again.
    _Atomic(uint32_t) changes;
};

// [one thread]
void tn_timer_init(
    struct tn_timer *timer, const char *name, tn_timer_fire_fn *fire);

// [one thread, blocks] No entry is armed any more. Ends the thread.
void tn_timer_fini(struct tn_timer *timer);

// [any] Call fire(entry) at its time. False: no thread could be started.
bool tn_timer_arm(struct tn_timer *timer, struct tn_timer_entry *entry);

// [any] After this the entry is neither armed nor being fired.
void tn_timer_disarm(struct tn_timer *timer, struct tn_timer_entry *entry);

#endif
