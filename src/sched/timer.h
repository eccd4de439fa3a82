// SPDX-License-Identifier: MIT
//
// timer — calls a function at a time, on a thread of its own.
//
// The thread is started when first needed, so that deadlines fire even if
// every worker is busy and cost nothing where there are none.

#ifndef TN_SCHED_TIMER_H
#define TN_SCHED_TIMER_H

#include "base/atomic.h"
#include "base/clock.h"
#include "sync/heap.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct tn_timer_entry;

// Called on the timer's thread without any lock.
typedef void tn_timer_fire_fn(struct tn_timer_entry *entry);

// Part of an object of the layer above; zero `state` and set the deadline to
// TN_FOREVER before use. Written with the timer's lock held.
struct tn_timer_entry {
    struct tn_heap_node node;
    tn_timer_fire_fn *fire;
    _Atomic(uint64_t) deadline_ns;  // readable without the lock
    uint32_t rank;                  // of equal times the lower fires first
    uint32_t state;
};

enum tn_timer_result {
    TN_TIMER_SET,
    TN_TIMER_PAST,       // it counts as fired; the caller fires it
    TN_TIMER_FIRED,      // before, or just now: nothing was done
    TN_TIMER_NO_THREAD,  // none could be started: nothing was done
};

struct tn_timer {
    pthread_mutex_t lock;
    struct tn_heap heap;            // guarded by lock
    struct tn_timer_entry *firing;  // guarded by lock
    uint32_t waiter_count;          // guarded by lock; for a firing to end
    bool has_thread;                // guarded by lock
    bool is_stopping;               // guarded by lock
    pthread_t thread;
    struct tn_clock clock;
    char name[16];

    // Bumped when the thread should look again.
    _Atomic(uint32_t) changes;

    // Bumped under the lock after each firing.
    _Atomic(uint32_t) firings;
};

// [one thread]
void tn_timer_init(
    struct tn_timer *timer, const char *name, struct tn_clock clock);

// [one thread, blocks] No entry is armed any more. Ends the thread.
void tn_timer_fini(struct tn_timer *timer);

// [any, blocks] Call fire(entry) at `deadline_ns` (TN_FOREVER: never), whatever
// was set before, unless it has fired. Waits while it is being fired.
enum tn_timer_result tn_timer_set(
    struct tn_timer *timer, struct tn_timer_entry *entry,
    tn_timer_fire_fn *fire, uint64_t deadline_ns, uint32_t rank);

// [timer's thread] Arm the entry that is just being fired once more.
void tn_timer_repeat(
    struct tn_timer *timer, struct tn_timer_entry *entry, uint64_t deadline_ns);

// [any, blocks] After this the entry is neither armed nor being fired; but one
// that calls this from its own firing goes on with that. True: it was armed.
bool tn_timer_disarm(struct tn_timer *timer, struct tn_timer_entry *entry);

// [any] Is the caller the timer's thread? Then it must not wait for the timer.
bool tn_timer_is_here(const struct tn_timer *timer);

// [any] The clock has been moved.
void tn_timer_tick(struct tn_timer *timer);

// [any] The time by the timer's clock.
static inline uint64_t tn_timer_now_ns(const struct tn_timer *timer)
{
    return tn_clock_read_ns(&timer->clock);
}

#endif
