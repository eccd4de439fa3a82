// SPDX-License-Identifier: MIT
//
// parker_test — one wake-up per unpark, never lost, and a number per thread.

#include "base/clock.h"
#include "gate.h"
#include "sync/parker.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdlib.h>

#define MANY 200  // more than three chunks of the table

TestSuite(parker, .timeout = 60);

struct sleeper {
    pthread_t thread;
    struct gate ready;
    struct gate may_end;
    atomic_bool is_awaited;  // what it parks for
    uint32_t number;
    int message;  // plain: the unpark carries it
    int seen;
};

static void *number_main(void *arg)
{
    struct sleeper *sleeper = arg;

    sleeper->number = tn_parker_of_thread();
    gate_open(&sleeper->ready);
    gate_wait(&sleeper->may_end);
    return NULL;
}

static void *sleeper_main(void *arg)
{
    struct sleeper *sleeper = arg;

    sleeper->number = tn_parker_of_thread();
    gate_open(&sleeper->ready);
    do {
        tn_parker_park_until(sleeper->number, TN_FOREVER);
    } while (!atomic_load_explicit(&sleeper->is_awaited, memory_order_relaxed));
    return NULL;
}

static void *reader_main(void *arg)
{
    struct sleeper *sleeper = arg;

    sleeper_main(arg);
    sleeper->seen = sleeper->message;
    return NULL;
}

static void start(struct sleeper *sleeper, void *(*fn)(void *arg))
{
    *sleeper = (struct sleeper){.number = TN_PARKER_NONE};
    pthread_create(&sleeper->thread, NULL, fn, sleeper);
}

static void finish(struct sleeper *sleeper)
{
    gate_open(&sleeper->may_end);
    pthread_join(sleeper->thread, NULL);
}

Test(parker, number_stays_the_same)
{
    uint32_t number = tn_parker_of_thread();

    cr_expect(ne(u32, number, TN_PARKER_NONE));
    cr_expect(eq(u32, tn_parker_of_thread(), number));
}

Test(parker, numbers_of_living_threads_differ)
{
    struct sleeper *sleepers = calloc(MANY, sizeof(*sleepers));
    unsigned equal_count = 0;
    bool is_used[MANY + 2] = {true};  // number 0 is nobody's

    for (int i = 0; i < MANY; i++) {
        start(&sleepers[i], number_main);
    }
    for (int i = 0; i < MANY; i++) {
        cr_assert(gate_wait(&sleepers[i].ready));
        uint32_t number = sleepers[i].number;
        cr_assert(le(u32, number, MANY + 1));
        equal_count += is_used[number];
        is_used[number] = true;
    }
    for (int i = 0; i < MANY; i++) {
        finish(&sleepers[i]);
    }
    cr_expect(eq(uint, equal_count, 0));
    free(sleepers);
}

Test(parker, number_of_an_ended_thread_is_used_again)
{
    struct sleeper sleeper;
    uint32_t number = 0;

    for (int i = 0; i < 100; i++) {
        start(&sleeper, number_main);
        finish(&sleeper);
        number = number < sleeper.number ? sleeper.number : number;
    }
    cr_expect(le(u32, number, 2));  // 1 may be the main thread's
}

static pthread_key_t late_key;

struct late {
    uint32_t number;
    struct sleeper other;
};

// Runs when the thread has already given its number back once.
static void take_number_late(void *arg)
{
    struct late *late = arg;

    late->number = tn_parker_of_thread();
    start(&late->other, number_main);
    finish(&late->other);
}

static void *late_main(void *arg)
{
    tn_parker_of_thread();  // its key is older: it ends before ours
    pthread_key_create(&late_key, take_number_late);
    pthread_setspecific(late_key, arg);
    return NULL;
}

Test(parker, number_taken_while_a_thread_ends_is_its_own_too)
{
    pthread_t thread;
    struct late late = {.number = TN_PARKER_NONE};

    pthread_create(&thread, NULL, late_main, &late);
    pthread_join(thread, NULL);
    cr_expect(ne(u32, late.number, TN_PARKER_NONE));
    cr_expect(ne(u32, late.other.number, late.number));
}

Test(parker, unpark_before_park_is_kept)
{
    uint32_t number = tn_parker_of_thread();
    uint64_t begin_ns = tn_clock_now_ns();

    tn_parker_unpark(number);
    tn_parker_park_until(number, begin_ns + GATE_PATIENCE_NS);
    cr_expect(lt(u64, tn_clock_now_ns(), begin_ns + GATE_PATIENCE_NS));
}

Test(parker, park_ends_at_its_deadline)
{
    uint32_t number = tn_parker_of_thread();
    uint64_t deadline_ns = tn_clock_now_ns() + 5000000;

    while (tn_clock_now_ns() < deadline_ns) {
        tn_parker_park_until(number, deadline_ns);
    }
    tn_parker_park_until(number, deadline_ns);  // in the past: at once
    cr_expect(lt(u64, tn_clock_now_ns(), deadline_ns + GATE_PATIENCE_NS));
}

Test(parker, without_a_number_only_the_clock_ends_it)
{
    uint64_t deadline_ns = tn_clock_now_ns() + 5000000;

    tn_parker_park_until(TN_PARKER_NONE, deadline_ns);
    cr_expect(ge(u64, tn_clock_now_ns(), deadline_ns));
}

// What is written before the unpark is read after the park.
Test(parker, unpark_wakes_its_thread_and_carries_a_message)
{
    struct sleeper sleeper;
    unsigned wrong_count = 0;

    for (int i = 1; i <= 300; i++) {
        start(&sleeper, reader_main);
        cr_assert(gate_wait(&sleeper.ready));
        sleeper.message = i;
        atomic_store(&sleeper.is_awaited, true);
        tn_parker_unpark(sleeper.number);
        finish(&sleeper);
        wrong_count += sleeper.seen != i;
    }
    cr_expect(eq(uint, wrong_count, 0));
}

Test(parker, unpark_of_an_ended_thread_harms_nobody)
{
    struct sleeper sleeper;

    start(&sleeper, number_main);
    finish(&sleeper);
    for (int i = 0; i < 10; i++) {
        tn_parker_unpark(sleeper.number);
    }
    // The number's next thread wakes for no reason once, and parks again.
    start(&sleeper, sleeper_main);
    cr_assert(gate_wait(&sleeper.ready));
    atomic_store(&sleeper.is_awaited, true);
    tn_parker_unpark(sleeper.number);
    finish(&sleeper);
}

Test(parker, unpark_wakes_only_its_own_thread)
{
    struct sleeper *sleepers = calloc(MANY, sizeof(*sleepers));

    for (int i = 0; i < MANY; i++) {
        start(&sleepers[i], sleeper_main);
        cr_assert(gate_wait(&sleepers[i].ready));
    }
    for (int i = MANY - 1; i >= 0; i--) {
        atomic_store(&sleepers[i].is_awaited, true);
        tn_parker_unpark(sleepers[i].number);
        finish(&sleepers[i]);  // hangs unless just this one wakes
    }
    free(sleepers);
}
