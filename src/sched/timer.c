// SPDX-License-Identifier: MIT
//
// timer — a thread that sleeps until the first deadline.
//
// Roles:    any thread arms and disarms; the timer's own thread fires.
// Progress: arm and disarm take a lock, and arm may start the thread.
// Memory:   entries belong to the caller, from arm until disarm returns.
// Ordering:
//   E1 change  arm: add changes (lock held) -> thread: load changes (lock held)
//              (the futex then does not sleep on an old first deadline)

#include "sched/timer.h"

#include "base/clock.h"
#include "base/futex.h"
#include "base/platform.h"

#include <signal.h>
#include <stdio.h>

static struct tn_timer_entry *entry_of(const struct tn_heap_node *node)
{
    return (struct tn_timer_entry *)node;  // its first member
}

static bool is_before(
    const struct tn_heap_node *a, const struct tn_heap_node *b)
{
    const struct tn_timer_entry *x = entry_of(a);
    const struct tn_timer_entry *y = entry_of(b);

    if (x->deadline_ns != y->deadline_ns) {
        return x->deadline_ns < y->deadline_ns;
    }
    return x->rank < y->rank;
}

void tn_timer_init(
    struct tn_timer *timer, const char *name, tn_timer_fire_fn *fire)
{
    pthread_mutex_init(&timer->lock, NULL);
    tn_heap_init(&timer->heap, is_before);
    timer->has_thread = false;
    timer->is_stopping = false;
    timer->fire = fire;
    snprintf(timer->name, sizeof(timer->name), "%.9s-timer", name);
    tn_atomic_init(&timer->changes, 0);
}

// Returns the next deadline.
static uint64_t fire_due_locked(struct tn_timer *timer)
{
    struct tn_heap_node *first = NULL;
    uint64_t now_ns = tn_clock_now_ns();

    while ((first = tn_heap_first(&timer->heap)) != NULL) {
        struct tn_timer_entry *entry = entry_of(first);
        if (entry->deadline_ns > now_ns) {
            return entry->deadline_ns;
        }
        tn_heap_remove(&timer->heap, first);
        entry->is_armed = 0;
        timer->fire(entry);
    }
    return TN_FOREVER;
}

static void *thread_main(void *argument)
{
    struct tn_timer *timer = argument;

    tn_thread_set_name(timer->name);
    pthread_mutex_lock(&timer->lock);
    while (!timer->is_stopping) {
        uint64_t next_ns = fire_due_locked(timer);
        // relaxed: E1, the lock orders it.
        uint32_t seen = tn_load_relaxed(&timer->changes);
        pthread_mutex_unlock(&timer->lock);
        tn_futex_wait_until(&timer->changes, seen, next_ns);
        pthread_mutex_lock(&timer->lock);
    }
    pthread_mutex_unlock(&timer->lock);
    return NULL;
}

static bool start_locked(struct tn_timer *timer)
{
    sigset_t all;
    sigset_t old;

    if (!timer->has_thread) {
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        timer->has_thread =
            pthread_create(&timer->thread, NULL, thread_main, timer) == 0;
        pthread_sigmask(SIG_SETMASK, &old, NULL);
    }
    return timer->has_thread;
}

static void wake_locked(struct tn_timer *timer)
{
    // relaxed: E1, the lock orders it.
    tn_add_relaxed(&timer->changes, 1);
    tn_futex_wake(&timer->changes, 1);
}

void tn_timer_fini(struct tn_timer *timer)
{
    pthread_mutex_lock(&timer->lock);
    timer->is_stopping = true;
    wake_locked(timer);
    bool has_thread = timer->has_thread;
    pthread_mutex_unlock(&timer->lock);
    if (has_thread) {
        pthread_join(timer->thread, NULL);
    }
    pthread_mutex_destroy(&timer->lock);
}

bool tn_timer_arm(struct tn_timer *timer, struct tn_timer_entry *entry)
{
    pthread_mutex_lock(&timer->lock);
    bool has_started = start_locked(timer);
    if (has_started) {
        entry->is_armed = 1;
        tn_heap_insert(&timer->heap, &entry->node);
        if (tn_heap_first(&timer->heap) == &entry->node) {
            wake_locked(timer);
        }
    }
    pthread_mutex_unlock(&timer->lock);
    return has_started;
}

void tn_timer_disarm(struct tn_timer *timer, struct tn_timer_entry *entry)
{
    pthread_mutex_lock(&timer->lock);
    if (entry->is_armed != 0) {
        tn_heap_remove(&timer->heap, &entry->node);
        entry->is_armed = 0;
    }
    pthread_mutex_unlock(&timer->lock);
}
