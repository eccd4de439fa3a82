// SPDX-License-Identifier: MIT
//
// locks — one has it, the next knows what that one did, and nobody else does.

#include "litmus/litmus.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// Two steps, which another thread must not come between.
static void count(void)
{
    int seen = tn_load_relaxed(&x);

    tn_store_relaxed(&x, seen + 1);
    mc_plain_write(&plain, plain + 1);
}

THREAD(count_locked)
{
    pthread_mutex_lock(&lock);
    count();
    pthread_mutex_unlock(&lock);
}

THREAD(count_unlocked)
{
    count();
}

THREAD(mark_after_lock)
{
    pthread_mutex_lock(&lock);
    tn_store_relaxed(&x, 1);
    pthread_mutex_unlock(&lock);
}

// Whether it comes before the other or after.
THREAD(look_in_lock)
{
    pthread_mutex_lock(&lock);
    r[0] = tn_load_relaxed(&x);
    pthread_mutex_unlock(&lock);
}

THREAD(look_in_lock_later)
{
    pthread_mutex_lock(&lock);
    r[1] = tn_load_relaxed(&x);
    pthread_mutex_unlock(&lock);
}

THREAD(lock_twice)
{
    pthread_mutex_lock(&lock);
    pthread_mutex_lock(&lock);
}

THREAD(destroy_taken)
{
    pthread_mutex_lock(&lock);
    pthread_mutex_destroy(&lock);
}

static void read_x(const void *arg)
{
    (void)arg;
    r[0] = tn_load_relaxed(&x);
}

const struct litmus litmus_locks[] = {
    {
        .name = "lock_is_exclusive",
        .bodies = {count_locked, count_locked, count_locked},
        .last = read_x,
        .register_count = 1,
        .expected = "3",
    },
    {
        .name = "lock_goes_to_any_who_asks",
        .bodies = {mark_after_lock, look_in_lock, look_in_lock_later},
        .register_count = 2,
        .expected = "00 01 10 11",
    },
    {
        .name = "lock_orders_only_those_who_take_it",
        .bodies = {count_locked, count_unlocked},
        .expected_failure = "data race",
    },
    {
        .name = "lock_taken_twice_waits_for_ever",
        .bodies = {lock_twice},
        .expected_failure = "asleep for ever",
    },
    {
        .name = "lock_does_not_end_while_taken",
        .bodies = {destroy_taken},
        .expected_failure = "a lock ends that somebody has",
    },
    {.name = NULL},
};
