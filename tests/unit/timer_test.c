// SPDX-License-Identifier: MIT
//
// timer_test — fires at the time, in order of time and rank, unless disarmed or
// moved. Most tests move the clock themselves.

#include "base/clock.h"
#include "clock.h"
#include "gate.h"
#include "sched/timer.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define ENTRY_COUNT 64
#define SOON_NS UINT64_C(5000000)

static struct test_clock manual;
static struct tn_timer timer;
static struct tn_timer_entry entries[ENTRY_COUNT];
static struct gate fired;
static struct tn_timer_entry *order[ENTRY_COUNT];

// Writes are read after gate_wait_for().
static void fire(struct tn_timer_entry *entry)
{
    uint32_t count = gate_count(&fired);

    if (count < ENTRY_COUNT) {
        order[count] = entry;
    }
    gate_open(&fired);
}

static void make_timer(void)
{
    struct tn_clock clock = {test_clock_now_ns, &manual};

    tn_timer_init(&timer, "timer_test", clock);
    for (int i = 0; i < ENTRY_COUNT; i++) {
        entries[i].deadline_ns = TN_FOREVER;
    }
}

static void end_timer(void)
{
    tn_timer_fini(&timer);
}

static uint64_t in(uint64_t delay_ns)
{
    return tn_timer_now_ns(&timer) + delay_ns;
}

static enum tn_timer_result set(int i, uint64_t deadline_ns, uint32_t rank)
{
    return tn_timer_set(&timer, &entries[i], fire, deadline_ns, rank);
}

static void must_set(int i, uint64_t deadline_ns, uint32_t rank)
{
    cr_assert(eq(int, set(i, deadline_ns, rank), TN_TIMER_SET));
}

static void move_clock(uint64_t by_ns)
{
    test_clock_move(&manual, by_ns);
    tn_timer_tick(&timer);
}

// The first `count` to fire were entries[expected[0]], ...
static void expect_order(const int *expected, uint32_t count)
{
    cr_assert(gate_wait_for(&fired, count));
    for (uint32_t i = 0; i < count; i++) {
        cr_assert(eq(int, (int)(order[i] - entries), expected[i]));
    }
}

TestSuite(timer, .init = make_timer, .fini = end_timer, .timeout = 60);

Test(timer, has_no_thread_before_it_is_needed)
{
    cr_expect(not(timer.has_thread));
    cr_expect(eq(int, set(1, in(0), 0), TN_TIMER_PAST));
    must_set(2, TN_FOREVER, 0);
    cr_expect(not(timer.has_thread));
    must_set(0, in(1), 0);
    cr_expect(timer.has_thread);
    tn_timer_disarm(&timer, &entries[0]);
}

Test(timer, fires_at_its_time_by_the_clock_given)
{
    must_set(0, in(10), 0);
    must_set(1, in(20), 0);
    move_clock(9);
    move_clock(1);
    expect_order((int[]){0}, 1);
    move_clock(9);
    cr_expect(tn_timer_disarm(&timer, &entries[1]));
    cr_expect(eq(u32, gate_count(&fired), 1));
}

static struct tn_timer real;
static uint64_t real_fired_ns;

static void note_time(struct tn_timer_entry *entry)
{
    (void)entry;
    real_fired_ns = tn_clock_now_ns();
    gate_open(&fired);
}

Test(timer, fires_not_before_its_time_by_the_system_clock)
{
    struct tn_clock system_clock = {NULL, NULL};
    uint64_t deadline_ns = tn_clock_now_ns() + SOON_NS;

    tn_timer_init(&real, "real", system_clock);
    cr_assert(
        eq(int, tn_timer_set(&real, &entries[0], note_time, deadline_ns, 0),
           TN_TIMER_SET));
    cr_assert(gate_wait(&fired));
    tn_timer_fini(&real);
    cr_expect(ge(u64, real_fired_ns, deadline_ns));
}

Test(timer, leaves_what_is_past_to_the_caller)
{
    cr_expect(eq(int, set(0, in(0), 0), TN_TIMER_PAST));
    cr_expect(eq(int, set(1, 1, 0), TN_TIMER_PAST));
    cr_expect(eq(int, set(1, in(1), 0), TN_TIMER_FIRED));
    cr_expect(eq(u32, gate_count(&fired), 0));
}

Test(timer, fires_once)
{
    must_set(0, in(1), 0);
    must_set(1, in(2), 0);
    move_clock(2);
    expect_order((int[]){0, 1}, 2);
    cr_expect(eq(int, set(0, in(1), 0), TN_TIMER_FIRED));
    move_clock(1);
    cr_expect(not(tn_timer_disarm(&timer, &entries[1])));
    cr_expect(eq(u32, gate_count(&fired), 2));
}

Test(timer, fires_in_the_order_of_time)
{
    static const uint64_t delays[] = {3, 1, 4, 2};

    for (int i = 0; i < 4; i++) {
        must_set(i, in(delays[i]), (uint32_t)(i % 3));
    }
    move_clock(4);
    expect_order((int[]){1, 3, 0, 2}, 4);
}

Test(timer, fires_equal_times_in_the_order_of_rank)
{
    int expected[ENTRY_COUNT];

    // 7 has no common factor with 64: a permutation.
    for (int i = 0; i < ENTRY_COUNT; i++) {
        uint32_t rank = (uint32_t)(i * 7 % ENTRY_COUNT);
        expected[rank] = i;
        must_set(i, in(1), rank);
    }
    move_clock(1);
    expect_order(expected, ENTRY_COUNT);
}

Test(timer, earlier_one_set_later_fires_first)
{
    must_set(0, in(1000), 0);
    must_set(1, in(1), 0);
    move_clock(1);
    expect_order((int[]){1}, 1);
    cr_expect(tn_timer_disarm(&timer, &entries[0]));
    cr_expect(eq(u32, gate_count(&fired), 1));
}

Test(timer, moved_one_fires_at_its_last_time)
{
    must_set(0, in(1), 0);
    must_set(1, in(5), 0);
    must_set(2, in(4), 0);
    must_set(0, in(3), 0);       // later
    must_set(1, in(1), 0);       // earlier
    must_set(2, TN_FOREVER, 0);  // never
    move_clock(2);
    expect_order((int[]){1}, 1);
    move_clock(10);
    expect_order((int[]){1, 0}, 2);
    cr_expect(not(tn_timer_disarm(&timer, &entries[2])));
}

Test(timer, moved_into_the_past_is_left_to_the_caller)
{
    must_set(0, in(1000), 0);
    cr_expect(eq(int, set(0, in(0), 0), TN_TIMER_PAST));
    move_clock(1000);
    cr_expect(not(tn_timer_disarm(&timer, &entries[0])));
    cr_expect(eq(u32, gate_count(&fired), 0));
}

Test(timer, many_moves_leave_nothing_behind)
{
    for (uint64_t i = 0; i < 10000; i++) {
        must_set(0, in(1 + i % 100), 0);
    }
    cr_expect(eq(ptr, tn_heap_first(&timer.heap), &entries[0].node));
    cr_expect(tn_timer_disarm(&timer, &entries[0]));
    cr_expect(eq(ptr, tn_heap_first(&timer.heap), NULL));
}

Test(timer, disarmed_one_never_fires)
{
    must_set(0, in(1), 0);
    must_set(1, in(1), 0);
    cr_expect(tn_timer_disarm(&timer, &entries[0]));
    cr_expect(eq(ptr, tn_heap_first(&timer.heap), &entries[1].node));
    cr_expect(tn_timer_disarm(&timer, &entries[1]));
    cr_expect(eq(ptr, tn_heap_first(&timer.heap), NULL));
    must_set(2, in(1), 0);
    move_clock(1);
    expect_order((int[]){2}, 1);
}

Test(timer, disarm_of_what_is_not_set_does_nothing)
{
    cr_expect(not(tn_timer_disarm(&timer, &entries[0])));
    must_set(0, in(1), 0);
    cr_expect(tn_timer_disarm(&timer, &entries[0]));
    cr_expect(not(tn_timer_disarm(&timer, &entries[0])));
}

static struct gate may_return;
static struct gate has_begun;
static atomic_bool has_returned;

static void fire_slowly(struct tn_timer_entry *entry)
{
    (void)entry;
    gate_open(&has_begun);
    gate_wait(&may_return);
    atomic_store(&has_returned, true);
}

static void *let_return(void *arg)
{
    (void)arg;
    gate_open(&may_return);
    return NULL;
}

Test(timer, disarm_waits_for_a_firing)
{
    pthread_t helper;

    cr_assert(
        eq(int, tn_timer_set(&timer, &entries[0], fire_slowly, in(1), 0),
           TN_TIMER_SET));
    move_clock(1);
    cr_assert(gate_wait(&has_begun));
    // While it fires, the timer's lock is free.
    must_set(1, in(1000), 0);
    cr_assert(tn_timer_disarm(&timer, &entries[1]));
    cr_assert(eq(int, pthread_create(&helper, NULL, let_return, NULL), 0));
    cr_expect(not(tn_timer_disarm(&timer, &entries[0])));
    cr_expect(atomic_load(&has_returned));
    pthread_join(helper, NULL);
}

static void fire_and_disarm(struct tn_timer_entry *entry)
{
    tn_timer_disarm(&timer, entry);
    fire(entry);
}

Test(timer, entry_may_be_disarmed_from_its_own_firing)
{
    cr_assert(
        eq(int, tn_timer_set(&timer, &entries[0], fire_and_disarm, in(1), 0),
           TN_TIMER_SET));
    move_clock(1);
    expect_order((int[]){0}, 1);
}

// A clock with a lock of its own, as a simulation may have.
static pthread_mutex_t clock_lock = PTHREAD_MUTEX_INITIALIZER;
static struct gate is_reading;

static uint64_t read_locked(void *context)
{
    gate_open(&is_reading);
    pthread_mutex_lock(&clock_lock);
    uint64_t now_ns = test_clock_now_ns(context);
    pthread_mutex_unlock(&clock_lock);
    return now_ns;
}

static void *set_far(void *arg)
{
    struct tn_timer *of = arg;

    tn_timer_set(of, &entries[0], fire, TN_FOREVER - 1, 0);
    return NULL;
}

Test(timer, holds_no_lock_while_it_reads_the_clock)
{
    struct tn_clock clock = {read_locked, &manual};
    struct tn_timer locked;
    pthread_t thread;

    tn_timer_init(&locked, "locked", clock);
    pthread_mutex_lock(&clock_lock);
    cr_assert(eq(int, pthread_create(&thread, NULL, set_far, &locked), 0));
    cr_assert(gate_wait(&is_reading));
    // The other one waits for the clock; none of these may wait for it.
    tn_timer_tick(&locked);
    cr_expect(not(tn_timer_disarm(&locked, &entries[1])));
    pthread_mutex_unlock(&clock_lock);
    pthread_join(thread, NULL);
    cr_expect(tn_timer_disarm(&locked, &entries[0]));
    tn_timer_fini(&locked);
}
