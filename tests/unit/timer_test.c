// SPDX-License-Identifier: MIT
//
// timer_test — fires at the time, in order of time and rank, unless disarmed.

#include "base/clock.h"
#include "gate.h"
#include "sched/timer.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define ENTRY_COUNT 64
#define SOON_NS UINT64_C(5000000)
#define NEVER_SOON_NS UINT64_C(3600000000000)

static struct tn_timer timer;
static struct tn_timer_entry entries[ENTRY_COUNT];
static struct gate fired;
static struct tn_timer_entry *order[ENTRY_COUNT];
static uint64_t fired_ns[ENTRY_COUNT];

// Writes are read after gate_wait_for().
static void fire(struct tn_timer_entry *entry)
{
    uint32_t count = gate_count(&fired);

    if (count < ENTRY_COUNT) {
        order[count] = entry;
        fired_ns[count] = tn_clock_now_ns();
    }
    gate_open(&fired);
}

static void make_timer(void)
{
    tn_timer_init(&timer, "timer_test", fire);
}

static void end_timer(void)
{
    tn_timer_fini(&timer);
}

static void arm(int i, uint64_t deadline_ns, uint32_t rank)
{
    entries[i].deadline_ns = deadline_ns;
    entries[i].rank = rank;
    cr_assert(tn_timer_arm(&timer, &entries[i]));
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
    arm(0, tn_clock_now_ns() + NEVER_SOON_NS, 0);
    cr_expect(timer.has_thread);
    tn_timer_disarm(&timer, &entries[0]);
}

Test(timer, fires_not_before_its_time)
{
    uint64_t deadline_ns = tn_clock_now_ns() + SOON_NS;

    arm(0, deadline_ns, 0);
    cr_assert(gate_wait(&fired));
    cr_expect(eq(ptr, order[0], &entries[0]));
    cr_expect(ge(u64, fired_ns[0], deadline_ns));
}

Test(timer, fires_what_is_past_at_once)
{
    uint64_t begin_ns = tn_clock_now_ns();

    arm(0, begin_ns - 1, 0);
    cr_assert(gate_wait(&fired));
    arm(1, 1, 0);
    cr_expect(gate_wait_for(&fired, 2));
}

Test(timer, fires_once)
{
    arm(0, tn_clock_now_ns(), 0);
    arm(1, tn_clock_now_ns() + SOON_NS, 0);
    expect_order((int[]){0, 1}, 2);
    tn_timer_disarm(&timer, &entries[0]);  // it is not being fired any more
    cr_expect(eq(u32, gate_count(&fired), 2));
}

// Arm `count` entries, all before the first of them is due; entry i at
// base + delays[i] with ranks[i]. On a slow machine it takes several tries.
static void arm_together(
    uint32_t count, const uint64_t *delays, const uint32_t *ranks)
{
    for (uint64_t delay_ns = SOON_NS;; delay_ns *= 2) {
        uint64_t base_ns = tn_clock_now_ns() + delay_ns;
        for (uint32_t i = 0; i < count; i++) {
            arm((int)i, base_ns + delays[i], ranks[i]);
        }
        if (tn_clock_now_ns() < base_ns) {
            return;
        }
        cr_assert(gate_wait_for(&fired, count));
        tn_timer_disarm(&timer, &entries[0]);  // the last fire has returned
        fired = (struct gate){0};
    }
}

Test(timer, fires_in_the_order_of_time)
{
    static const uint32_t ranks[] = {0, 1, 0, 5};

    arm_together(4, (uint64_t[]){3, 1, 4, 2}, ranks);
    expect_order((int[]){1, 3, 0, 2}, 4);
}

Test(timer, fires_equal_times_in_the_order_of_rank)
{
    static const uint64_t delays[ENTRY_COUNT];
    uint32_t ranks[ENTRY_COUNT];
    int expected[ENTRY_COUNT];

    // 7 has no common factor with 64: a permutation.
    for (int i = 0; i < ENTRY_COUNT; i++) {
        ranks[i] = (uint32_t)(i * 7 % ENTRY_COUNT);
        expected[ranks[i]] = i;
    }
    arm_together(ENTRY_COUNT, delays, ranks);
    expect_order(expected, ENTRY_COUNT);
}

Test(timer, earlier_one_armed_later_fires_first)
{
    uint64_t now_ns = tn_clock_now_ns();

    arm(0, now_ns + NEVER_SOON_NS, 0);
    arm(1, now_ns + SOON_NS, 0);
    expect_order((int[]){1}, 1);
    tn_timer_disarm(&timer, &entries[0]);
    cr_expect(eq(u32, gate_count(&fired), 1));
}

Test(timer, disarmed_one_never_fires)
{
    arm(0, tn_clock_now_ns() + NEVER_SOON_NS, 0);
    arm(1, tn_clock_now_ns() + NEVER_SOON_NS, 0);
    tn_timer_disarm(&timer, &entries[0]);
    cr_expect(eq(ptr, tn_heap_first(&timer.heap), &entries[1].node));
    tn_timer_disarm(&timer, &entries[1]);
    cr_expect(eq(ptr, tn_heap_first(&timer.heap), NULL));
    arm(2, tn_clock_now_ns(), 0);
    expect_order((int[]){2}, 1);
    cr_expect(eq(u32, gate_count(&fired), 1));
}

Test(timer, disarm_of_what_is_not_armed_does_nothing)
{
    tn_timer_disarm(&timer, &entries[0]);
    arm(1, tn_clock_now_ns(), 0);
    cr_assert(gate_wait(&fired));
    tn_timer_disarm(&timer, &entries[1]);
    tn_timer_disarm(&timer, &entries[1]);
    cr_expect(eq(u32, gate_count(&fired), 1));
}

Test(timer, fired_one_may_be_armed_again)
{
    for (uint32_t i = 1; i <= 20; i++) {
        arm(0, tn_clock_now_ns(), 0);
        cr_assert(gate_wait_for(&fired, i));
    }
}

Test(timer, many_armed_and_disarmed_leave_nothing_behind)
{
    uint64_t base_ns = tn_clock_now_ns() + NEVER_SOON_NS;

    for (int i = 0; i < 10000; i++) {
        arm(i % ENTRY_COUNT, base_ns - (uint64_t)i, 0);
        tn_timer_disarm(&timer, &entries[i % ENTRY_COUNT]);
    }
    cr_expect(eq(ptr, tn_heap_first(&timer.heap), NULL));
    cr_expect(eq(u32, gate_count(&fired), 0));
}
