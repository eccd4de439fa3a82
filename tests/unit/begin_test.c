// SPDX-License-Identifier: MIT
//
// begin_test — tasks that begin at a time: they hold no worker until then, and
// a cancel does not wait for it.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"
#include "units.h"
#include "visit.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(begin, .timeout = 60);

#define DELAY TENON_SECONDS(10)

static void begin_later(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    struct visit visits[3] = {{.count = 0}};
    struct visit at_once = {.count = 0};

    must_open(&scope, executor);
    must_spawn_with(
        &scope, visit_note, &visits[0], TENON_TASK_OPTIONS(.delay_ns = DELAY));
    must_spawn_with(
        &scope, visit_note, &visits[1],
        TENON_TASK_OPTIONS(
                .delay_ns = 1, .begin_ns = CLOCK_BEGIN_NS + 2 * DELAY));
    must_spawn_with(
        &scope, visit_note, &visits[2],
        TENON_TASK_OPTIONS(.delay_ns = DELAY, .begin_ns = 1));
    must_spawn_with(
        &scope, visit_note, &at_once,
        TENON_TASK_OPTIONS(.begin_ns = CLOCK_BEGIN_NS - 1));
    cr_expect(eq(
        int, tenon_scope_wait_until(&scope, CLOCK_BEGIN_NS), TENON_ENOTREADY));
    pool_move_clock(executor, clock, DELAY);
    pool_move_clock(executor, clock, DELAY);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(ge(u64, atomic_load(&visits[0].last_ns), CLOCK_BEGIN_NS + DELAY));
    cr_expect(ge(u64, atomic_load(&visits[2].last_ns), CLOCK_BEGIN_NS + DELAY));
    visit_expect(&visits[1], 1, CLOCK_BEGIN_NS + 2 * DELAY);
    cr_expect(eq(u32, atomic_load(&at_once.count), 1));
}

Test(begin, task_begins_not_before_the_later_of_its_times)
{
    pool_each_clock(begin_later);
}

static void hold_nobody(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    struct visit late = {.count = 0};
    atomic_uint ran_count = 0;

    must_open(&scope, executor);
    for (int i = 0; i < 100; i++) {
        must_spawn_with(
            &scope, visit_note, &late, TENON_TASK_OPTIONS(.delay_ns = DELAY));
    }
    for (int i = 0; i < 100; i++) {
        must_run(executor, task_count, &ran_count, TENON_OK);
    }
    cr_expect(eq(u32, atomic_load(&ran_count), 100));
    cr_expect(eq(u32, atomic_load(&late.count), 0));
    pool_move_clock(executor, clock, DELAY);
    must_join(&scope, NULL, TENON_OK);
    visit_expect(&late, 100, CLOCK_BEGIN_NS + DELAY);
}

Test(begin, tasks_hold_no_worker_until_they_begin)
{
    pool_each_clock(hold_nobody);
}

static void cancel_early(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_report report;
    struct visit visit = {.count = 0};

    (void)clock;
    must_open(&scope, executor);
    for (int i = 0; i < 10; i++) {
        must_spawn_with(
            &scope, visit_note, &visit,
            TENON_TASK_OPTIONS(
                    .delay_ns = DELAY, .destroy_arg = visit_note_destroyed));
    }
    tenon_scope_cancel(&scope, 1, "not needed");
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.dropped_count, 10));
    cr_expect(eq(u32, atomic_load(&visit.count), 0));
    cr_expect(eq(u32, atomic_load(&visit.destroyed_count), 10));
    tenon_report_free(&report);
}

Test(begin, cancelled_before_it_begins_is_dropped_at_once)
{
    pool_each_clock(cancel_early);
}

static void cancel_one(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_handle handles[2];
    tenon_outcome outcomes[2];
    struct visit visits[2] = {{.count = 0}};

    must_open(&scope, executor);
    for (int i = 0; i < 2; i++) {
        tenon_status status = tenon_spawn_task(
            &scope, &handles[i], visit_note, &visits[i],
            TENON_TASK_OPTIONS(.delay_ns = DELAY));
        cr_assert(eq(int, status, TENON_OK));
    }
    cr_expect(tenon_handle_cancel(&handles[0], 0, NULL));
    tenon_handle *dropped = &handles[0];
    cr_expect(eq(
        int, tenon_wait_until(&dropped, 1, TENON_WAIT_ALL, TENON_NO_DEADLINE),
        TENON_OK));
    pool_move_clock(executor, clock, DELAY);
    must_join(&scope, NULL, TENON_OK);
    for (int i = 0; i < 2; i++) {
        cr_assert(
            zero(int, tenon_handle_outcome(&handles[i], &outcomes[i], NULL)));
    }
    cr_expect(eq(int, (int)outcomes[0], TENON_OUTCOME_DROPPED));
    cr_expect(eq(int, (int)outcomes[1], TENON_OUTCOME_OK));
    visit_expect(&visits[1], 1, CLOCK_BEGIN_NS + DELAY);
}

Test(begin, one_of_several_is_cancelled_by_its_handle)
{
    pool_each_clock(cancel_one);
}

static int note_if_cancelled(tenon_task *self, void *arg)
{
    return tenon_cancelled(self) ? visit_note(self, arg) : 1;
}

static void clean_up(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    struct visit visit = {.count = 0};

    (void)clock;
    must_open(&scope, executor);
    must_spawn_with(
        &scope, note_if_cancelled, &visit,
        TENON_TASK_OPTIONS(.delay_ns = DELAY, .start_always = true));
    tenon_scope_cancel(&scope, 1, "not needed");
    must_join(&scope, NULL, TENON_OK);
    visit_expect(&visit, 1, CLOCK_BEGIN_NS);
}

Test(begin, start_always_begins_at_once_after_a_cancel)
{
    pool_each_clock(clean_up);
}

static void pass_own_deadline(
    tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_report report;
    struct visit visit = {.count = 0};

    must_open(&scope, executor);
    must_spawn_with(
        &scope, visit_note, &visit,
        TENON_TASK_OPTIONS(.delay_ns = 2 * DELAY, .timeout_ns = DELAY));
    pool_move_clock(executor, clock, DELAY);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(int, report.primary->code, TENON_TIMEOUT));
    cr_expect(eq(u32, atomic_load(&visit.count), 0));
    tenon_report_free(&report);
}

Test(begin, deadline_before_the_begin_fails_the_task)
{
    pool_each_clock(pass_own_deadline);
}

// It lines up on the timer's thread.
static bool is_waited_for(void *limiter)
{
    uint64_t waiting_count = 0;

    tenon_limiter_look(limiter, NULL, &waiting_count);
    return waiting_count > 0;
}

static void take_units_late(tenon_executor *executor, struct test_clock *clock)
{
    tenon_limiter limiter;
    tenon_scope scope;
    struct visit visit = {.count = 0};

    tenon_limiter_init(&limiter, 2);
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .limiter = &limiter));
    must_spawn_with(
        &scope, visit_note, &visit,
        TENON_TASK_OPTIONS(.delay_ns = DELAY, .unit_count = 2));
    units_expect(&limiter, 0, 0);
    cr_assert(zero(int, tenon_limiter_try_acquire(&limiter, 1)));
    pool_move_clock(executor, clock, DELAY);
    cr_assert(gate_poll(is_waited_for, &limiter));
    tenon_limiter_release(&limiter, 1);
    must_join(&scope, NULL, TENON_OK);
    visit_expect(&visit, 1, CLOCK_BEGIN_NS + DELAY);
    units_expect(&limiter, 0, 0);
    tenon_limiter_fini(&limiter);
}

Test(begin, task_takes_units_of_its_limiter_only_when_it_begins)
{
    pool_each_clock(take_units_late);
}

static void contradict(tenon_executor *executor)
{
    tenon_scope scope;
    struct visit visit = {.count = 0};
    const tenon_task_options *later = TENON_TASK_OPTIONS(.delay_ns = DELAY);

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .max_running = 1));
    tenon_status tried =
        tenon_try_spawn(&scope, NULL, visit_note, &visit, later);
    tenon_status waited = tenon_spawn_until(
        &scope, NULL, visit_note, &visit, later, TENON_NO_DEADLINE);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(int, tried, TENON_EINVAL));
    cr_expect(eq(int, waited, TENON_EINVAL));
    cr_expect(eq(u32, atomic_load(&visit.count), 0));
}

Test(begin, units_now_and_a_begin_later_contradict_each_other)
{
    pool_each(contradict);
}
