// SPDX-License-Identifier: MIT
//
// timer — a thread that sleeps until the first deadline.
//
// Roles:    any thread arms and disarms; the timer's own thread fires.
// Progress: arm and disarm take a lock, and arm may start the thread; disarm
//           waits while the entry is being fired.
// Memory:   entries belong to the caller, from arm until disarm returns.
// Ordering:
//   E1 change  set, tick: add-release changes -> thread: load-acquire changes
//              (the clock's move; then the heap by the lock: the futex does not
//              sleep on an old first deadline)
//   E2 fired   thread: add firings (lock held) -> disarm: load firings (lock
//              held) (likewise)

#include "sched/timer.h"

#include "base/clock.h"
#include "base/futex.h"
#include "base/platform.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>

enum { IDLE, ARMED, FIRED };

static struct tn_timer_entry *entry_of(const struct tn_heap_node *node)
{
    return (struct tn_timer_entry *)node;  // its first member
}

static uint64_t deadline_of(const struct tn_timer_entry *entry)
{
    // relaxed: written with the lock held, read so or as a time of its own.
    return tn_load_relaxed(&entry->deadline_ns);
}

static bool is_before(
    const struct tn_heap_node *a, const struct tn_heap_node *b)
{
    const struct tn_timer_entry *x = entry_of(a);
    const struct tn_timer_entry *y = entry_of(b);

    uint64_t x_ns = deadline_of(x);
    uint64_t y_ns = deadline_of(y);
    return x_ns != y_ns ? x_ns < y_ns : x->rank < y->rank;
}

// Whose thread this is, or NULL.
static __thread const struct tn_timer *timer_here;

void tn_timer_init(
    struct tn_timer *timer, const char *name, struct tn_clock clock)
{
    pthread_mutex_init(&timer->lock, NULL);
    tn_heap_init(&timer->heap, is_before);
    timer->firing = NULL;
    timer->waiter_count = 0;
    timer->has_thread = false;
    timer->is_stopping = false;
    timer->clock = clock;
    snprintf(timer->name, sizeof(timer->name), "%.9s-timer", name);
    tn_atomic_init(&timer->changes, 0);
    tn_atomic_init(&timer->firings, 0);
}

static void fire_locked(struct tn_timer *timer, struct tn_timer_entry *entry)
{
    tn_heap_remove(&timer->heap, &entry->node);
    entry->state = FIRED;
    timer->firing = entry;
    pthread_mutex_unlock(&timer->lock);
    entry->fire(entry);
    pthread_mutex_lock(&timer->lock);
    timer->firing = NULL;
    // relaxed: E2, the lock orders it.
    tn_add_relaxed(&timer->firings, 1);
    if (timer->waiter_count > 0) {
        tn_futex_wake(&timer->firings, INT_MAX);
    }
}

// Returns the next deadline.
static uint64_t fire_due_locked(struct tn_timer *timer, uint64_t now_ns)
{
    struct tn_heap_node *first = NULL;

    while ((first = tn_heap_first(&timer->heap)) != NULL) {
        struct tn_timer_entry *entry = entry_of(first);
        if (deadline_of(entry) > now_ns) {
            return deadline_of(entry);
        }
        fire_locked(timer, entry);
    }
    return TN_FOREVER;
}

static bool is_stopping(struct tn_timer *timer)
{
    pthread_mutex_lock(&timer->lock);
    bool result = timer->is_stopping;
    pthread_mutex_unlock(&timer->lock);
    return result;
}

static void *thread_main(void *argument)
{
    struct tn_timer *timer = argument;

    timer_here = timer;
    tn_thread_set_name(timer->name);
    for (;;) {
        uint32_t seen = tn_load_acquire(&timer->changes);  // E1
        if (is_stopping(timer)) {
            return NULL;
        }
        // Somebody's clock may have a lock of its own: not below ours.
        uint64_t now_ns = tn_timer_now_ns(timer);
        pthread_mutex_lock(&timer->lock);
        uint64_t next_ns = fire_due_locked(timer, now_ns);
        pthread_mutex_unlock(&timer->lock);
        // Another clock says when it moves.
        tn_futex_wait_until(
            &timer->changes, seen,
            tn_clock_is_real(&timer->clock) ? next_ns : TN_FOREVER);
    }
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

static void look_again(struct tn_timer *timer)
{
    tn_add_release(&timer->changes, 1);  // E1
    tn_futex_wake(&timer->changes, 1);
}

void tn_timer_fini(struct tn_timer *timer)
{
    pthread_mutex_lock(&timer->lock);
    timer->is_stopping = true;
    look_again(timer);
    bool has_thread = timer->has_thread;
    pthread_mutex_unlock(&timer->lock);
    if (has_thread) {
        pthread_join(timer->thread, NULL);
    }
    pthread_mutex_destroy(&timer->lock);
}

// Its firing may arm it again: first that, then the heap.
static void remove_locked(struct tn_timer *timer, struct tn_timer_entry *entry)
{
    while (timer->firing == entry && !tn_timer_is_here(timer)) {
        // relaxed: E2, the lock orders it.
        uint32_t seen = tn_load_relaxed(&timer->firings);
        timer->waiter_count++;
        pthread_mutex_unlock(&timer->lock);
        tn_futex_wait_until(&timer->firings, seen, TN_FOREVER);
        pthread_mutex_lock(&timer->lock);
        timer->waiter_count--;
    }
    if (entry->state == ARMED) {
        tn_heap_remove(&timer->heap, &entry->node);
        entry->state = IDLE;
    }
}

static void insert_locked(struct tn_timer *timer, struct tn_timer_entry *entry)
{
    entry->state = ARMED;
    tn_heap_insert(&timer->heap, &entry->node);
    if (tn_heap_first(&timer->heap) == &entry->node) {
        look_again(timer);
    }
}

static enum tn_timer_result set_locked(
    struct tn_timer *timer, struct tn_timer_entry *entry,
    tn_timer_fire_fn *fire, uint64_t deadline_ns, uint32_t rank,
    uint64_t now_ns)
{
    bool is_past = deadline_ns <= now_ns;

    if (deadline_ns != TN_FOREVER && !is_past && !start_locked(timer)) {
        return TN_TIMER_NO_THREAD;
    }
    remove_locked(timer, entry);
    if (entry->state == FIRED) {
        return TN_TIMER_FIRED;
    }
    entry->fire = fire;
    entry->rank = rank;
    // relaxed: see deadline_of().
    tn_store_relaxed(&entry->deadline_ns, deadline_ns);
    if (is_past) {
        entry->state = FIRED;
        return TN_TIMER_PAST;
    }
    if (deadline_ns != TN_FOREVER) {
        insert_locked(timer, entry);
    }
    return TN_TIMER_SET;
}

enum tn_timer_result tn_timer_set(
    struct tn_timer *timer, struct tn_timer_entry *entry,
    tn_timer_fire_fn *fire, uint64_t deadline_ns, uint32_t rank)
{
    // Not below our lock: see thread_main().
    uint64_t now_ns = tn_timer_now_ns(timer);

    pthread_mutex_lock(&timer->lock);
    enum tn_timer_result result =
        set_locked(timer, entry, fire, deadline_ns, rank, now_ns);
    pthread_mutex_unlock(&timer->lock);
    return result;
}

void tn_timer_repeat(
    struct tn_timer *timer, struct tn_timer_entry *entry, uint64_t deadline_ns)
{
    pthread_mutex_lock(&timer->lock);
    // relaxed: see deadline_of().
    tn_store_relaxed(&entry->deadline_ns, deadline_ns);
    insert_locked(timer, entry);
    pthread_mutex_unlock(&timer->lock);
}

bool tn_timer_disarm(struct tn_timer *timer, struct tn_timer_entry *entry)
{
    pthread_mutex_lock(&timer->lock);
    bool was_armed = entry->state == ARMED;
    remove_locked(timer, entry);
    pthread_mutex_unlock(&timer->lock);
    return was_armed;
}

bool tn_timer_is_here(const struct tn_timer *timer)
{
    return timer_here == timer;
}

void tn_timer_tick(struct tn_timer *timer)
{
    look_again(timer);
}
