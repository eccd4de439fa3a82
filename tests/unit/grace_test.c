// SPDX-License-Identifier: MIT
//
// grace_test — a stop in two steps: first the word, then, when the time that it
// gives is over, the cancel.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#include <tenon/tenon.h>

TestSuite(grace, .timeout = 60);

#define GRACE TENON_SECONDS(10)

static bool is_set(void *token)
{
    return tenon_token_cancelled(token);
}

static void must_init(
    tenon_stop *stop, tenon_executor *executor, uint64_t grace_ns,
    tenon_token *parent)
{
    cr_assert(zero(
        int, tenon_stop_init(
                 stop, TENON_STOP_OPTIONS(
                               .executor = executor, .grace_ns = grace_ns,
                               .parent = parent))));
}

static void must_open_below(
    tenon_scope *scope, tenon_executor *executor, tenon_token *token)
{
    must_open_with(
        scope, TENON_SCOPE_OPTIONS(.executor = executor, .parent = token));
}

// A deadline just before is fired first, so who sees it knows that nothing due
// by then is left.
static void pass(
    tenon_executor *executor, struct test_clock *clock, uint64_t by_ns)
{
    tenon_token token;

    tenon_token_init(&token, NULL);
    cr_assert(zero(
        int, tenon_token_set_deadline(
                 &token, executor, tenon_executor_now_ns(executor) + by_ns)));
    pool_move_clock(executor, clock, by_ns);
    cr_assert(gate_poll(is_set, &token));
    tenon_token_fini(&token);
}

static void take_both_steps(tenon_executor *executor, struct test_clock *clock)
{
    tenon_stop stop;
    tenon_scope scope;
    tenon_report report;
    tenon_cause cause;
    struct gate started = {0};

    must_init(&stop, executor, GRACE, NULL);
    must_open_below(&scope, executor, &stop.hard);
    must_spawn(&scope, task_announce_and_sleep, &started);
    cr_assert(gate_wait(&started));
    pass(executor, clock, 5 * GRACE);  // the time does not run yet
    cr_expect(not(tenon_stop_wanted(&stop)));
    cr_expect(tenon_token_cancel(&stop.please, 7, "new version"));
    cr_expect(tenon_stop_wanted(&stop));
    cr_expect(not(tenon_token_cancelled(&stop.hard)));
    pass(executor, clock, GRACE - 1);
    cr_expect(not(tenon_token_cancelled(&stop.hard)));
    cr_expect(not(tenon_scope_cancelled(&scope)));
    pool_move_clock(executor, clock, 1);
    must_join(&scope, &report, TENON_CANCELLED);
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_PARENT));
    cr_expect(eq(int, (int)report.cause.origin, (int)TENON_CAUSE_DEADLINE));
    cr_expect(tenon_token_cause(&stop.hard, &cause));
    cr_expect(eq(int, (int)cause.source, (int)TENON_CAUSE_DEADLINE));
    cr_expect(tenon_token_cause(&stop.please, &cause));
    cr_expect(eq(int, (int)cause.source, (int)TENON_CAUSE_EXPLICIT));
    cr_expect(eq(int, cause.code, 7));
    cr_expect(eq(str, cause.text, "new version"));
    tenon_report_free(&report);
    tenon_stop_fini(&stop);
}

Test(grace, first_step_asks_and_the_second_cancels_when_the_time_is_over)
{
    pool_each_clock(take_both_steps);
}

// Ends well when it is asked to.
struct listener {
    tenon_stop *stop;
    struct gate started;
};

static int is_asked(tenon_task *self, void *arg)
{
    struct listener *listener = arg;

    gate_open(&listener->started);
    tenon_blocking_begin(self);
    bool in_time = gate_poll(is_set, &listener->stop->please);
    tenon_blocking_end(self);
    return in_time && !tenon_cancelled(self) ? TENON_OK : TASK_IN_VAIN;
}

static void end_well(tenon_executor *executor, struct test_clock *clock)
{
    tenon_stop stop;
    tenon_scope scope;
    tenon_report report;
    struct listener listener = {.stop = &stop};

    (void)clock;
    must_init(&stop, executor, GRACE, NULL);
    must_open_below(&scope, executor, &stop.hard);
    must_spawn(&scope, is_asked, &listener);
    cr_assert(gate_wait(&listener.started));
    cr_expect(tenon_token_cancel(&stop.please, 0, NULL));
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.ok_count, 1));
    cr_expect(not(report.cancel_requested));
    cr_expect(not(tenon_token_cancelled(&stop.hard)));
    tenon_report_free(&report);
    tenon_stop_fini(&stop);
}

Test(grace, who_ends_in_time_is_not_cancelled)
{
    pool_each_clock(end_well);
}

// Of what nobody else would read.
static void count_unobserved(const tenon_report *report, void *context)
{
    (void)report;
    atomic_fetch_add((atomic_uint *)context, 1);
}

static void stop_hard(tenon_executor *executor, struct test_clock *clock)
{
    atomic_uint unobserved_count = 0;

    tenon_set_unobserved_hook(count_unobserved, &unobserved_count);
    for (int is_asked_before = 0; is_asked_before <= 1; is_asked_before++) {
        tenon_stop stop;
        tenon_scope scope;
        tenon_cause cause;
        struct gate started = {0};
        must_init(&stop, executor, GRACE, NULL);
        must_open_below(&scope, executor, &stop.hard);
        must_spawn(&scope, task_announce_and_sleep, &started);
        cr_assert(gate_wait(&started));
        if (is_asked_before) {
            cr_expect(tenon_token_cancel(&stop.please, 7, NULL));
        }
        cr_expect(tenon_token_cancel(&stop.hard, 8, "now"));
        cr_expect(tenon_stop_wanted(&stop));
        must_join(&scope, NULL, TENON_CANCELLED);
        pass(executor, clock, 2 * GRACE);
        cr_expect(tenon_token_cause(&stop.hard, &cause));
        cr_expect(eq(int, cause.code, 8));
        cr_expect(eq(int, (int)cause.source, (int)TENON_CAUSE_EXPLICIT));
        tenon_stop_fini(&stop);
    }
    tenon_set_unobserved_hook(NULL, NULL);
    cr_expect(zero(u32, atomic_load(&unobserved_count)));
}

Test(grace, second_step_may_be_taken_at_once)
{
    pool_each_clock(stop_hard);
}

static void stop_from_above(tenon_executor *executor, struct test_clock *clock)
{
    for (int is_set_before = 0; is_set_before <= 1; is_set_before++) {
        tenon_token parent;
        tenon_stop stop;
        tenon_cause cause;
        (void)clock;
        tenon_token_init(&parent, NULL);
        if (is_set_before) {
            tenon_token_cancel(&parent, 9, "all of it");
        }
        must_init(&stop, executor, GRACE, &parent);
        tenon_token_cancel(&parent, 9, "all of it");
        cr_expect(tenon_token_cancelled(&stop.hard));
        cr_expect(tenon_stop_wanted(&stop));
        cr_expect(tenon_token_cause(&stop.hard, &cause));
        cr_expect(eq(int, (int)cause.source, (int)TENON_CAUSE_PARENT));
        cr_expect(eq(int, cause.code, 9));
        tenon_stop_fini(&stop);
        tenon_token_fini(&parent);
    }
}

Test(grace, what_is_above_takes_both_steps_at_once)
{
    pool_each_clock(stop_from_above);
}

static void give_none(tenon_executor *executor, struct test_clock *clock)
{
    tenon_stop stop;
    tenon_cause cause;

    (void)clock;
    must_init(&stop, executor, 0, NULL);
    cr_expect(tenon_token_cancel(&stop.please, 7, NULL));
    cr_expect(tenon_token_cancelled(&stop.hard));
    cr_expect(tenon_token_cause(&stop.hard, &cause));
    cr_expect(eq(int, (int)cause.source, (int)TENON_CAUSE_DEADLINE));
    cr_expect(tenon_token_cause(&stop.please, &cause));
    cr_expect(eq(int, cause.code, 7));
    tenon_stop_fini(&stop);
}

Test(grace, none_takes_both_steps_at_once)
{
    pool_each_clock(give_none);
}

static void give_for_ever(tenon_executor *executor, struct test_clock *clock)
{
    tenon_stop stop;

    must_init(&stop, executor, UINT64_MAX, NULL);
    cr_expect(tenon_token_cancel(&stop.please, 7, NULL));
    pass(executor, clock, TENON_SECONDS(1000000));
    cr_expect(not(tenon_token_cancelled(&stop.hard)));
    tenon_stop_fini(&stop);
}

Test(grace, may_be_as_long_as_a_number_can_say)
{
    pool_each_clock(give_for_ever);
}

static void ask_twice(tenon_executor *executor, struct test_clock *clock)
{
    tenon_stop stop;
    tenon_cause cause;

    must_init(&stop, executor, GRACE, NULL);
    cr_expect(tenon_token_cancel(&stop.please, 1, NULL));
    pass(executor, clock, GRACE / 2);
    cr_expect(not(tenon_token_cancel(&stop.please, 2, NULL)));
    cr_expect(
        eq(u64, tenon_token_deadline(&stop.hard), CLOCK_BEGIN_NS + GRACE));
    pool_move_clock(executor, clock, GRACE / 2);
    cr_assert(gate_poll(is_set, &stop.hard));
    cr_expect(tenon_token_cause(&stop.please, &cause));
    cr_expect(eq(int, cause.code, 1));
    tenon_stop_fini(&stop);
}

Test(grace, is_not_made_longer_by_asking_twice)
{
    pool_each_clock(ask_twice);
}

static void end_early(tenon_executor *executor, struct test_clock *clock)
{
    tenon_stop stop;
    tenon_stop zeroed = {.grace_ns = 0};

    must_init(&stop, executor, GRACE, NULL);
    cr_expect(tenon_token_cancel(&stop.please, 1, NULL));
    tenon_stop_fini(&stop);
    memset(&stop, 0, sizeof(stop));  // nobody may look at it
    pass(executor, clock, GRACE);
    cr_expect(not(tenon_token_cancelled(&stop.hard)));
    tenon_stop_fini(&stop);
    tenon_stop_fini(&zeroed);
    must_init(&stop, executor, GRACE, NULL);
    tenon_stop_fini(&stop);  // never asked for
}

Test(grace, ends_with_its_stop)
{
    pool_each_clock(end_early);
}

static void stop_new_work(tenon_executor *executor, struct test_clock *clock)
{
    tenon_stop stop;
    tenon_scope intake;
    tenon_scope work;
    struct gate started = {0};

    must_init(&stop, executor, GRACE, NULL);
    must_open_below(&intake, executor, &stop.please);
    must_open_below(&work, executor, &stop.hard);
    must_spawn(&intake, task_announce_and_sleep, &started);
    must_spawn(&work, task_announce_and_sleep, &started);
    cr_assert(gate_wait_for(&started, 2));
    cr_expect(tenon_token_cancel(&stop.please, 1, NULL));
    cr_expect(eq(int, tenon_spawn(&intake, task_ok, NULL), TENON_CANCELLED));
    must_join(&intake, NULL, TENON_CANCELLED);
    must_spawn(&work, task_ok, NULL);
    cr_expect(not(tenon_scope_cancelled(&work)));
    pool_move_clock(executor, clock, GRACE);
    must_join(&work, NULL, TENON_CANCELLED);
    tenon_stop_fini(&stop);
}

Test(grace, scope_below_the_first_step_ends_with_it)
{
    pool_each_clock(stop_new_work);
}

static int stop_in_task(tenon_task *self, void *arg)
{
    tenon_executor **found = arg;
    tenon_stop stop;

    (void)self;
    tenon_status status = tenon_stop_init(&stop, NULL);
    if (status == TENON_OK) {
        *found = stop.executor;
        tenon_token_cancel(&stop.please, 0, NULL);
        status = tenon_token_cancelled(&stop.hard) ? TENON_OK : 1;
        tenon_stop_fini(&stop);
    }
    return status;
}

static void find_executor(tenon_executor *executor)
{
    tenon_executor *found = NULL;

    must_run(executor, stop_in_task, &found, TENON_OK);
    cr_expect(eq(ptr, found, executor));
}

Test(grace, goes_by_the_clock_of_the_tasks_own_executor)
{
    pool_each(find_executor);
}

static void refuse(tenon_executor *executor)
{
    tenon_stop stop;
    tenon_stop_options unknown = {.struct_size = 1, .executor = executor};

    cr_expect(
        eq(int, tenon_stop_init(NULL, TENON_STOP_OPTIONS(.executor = executor)),
           TENON_EINVAL));
    cr_expect(eq(int, tenon_stop_init(&stop, &unknown), TENON_EINVAL));
}

Test(grace, nonsense_is_refused)
{
    pool_each(refuse);
}

static void ask_at_the_last_moment(
    tenon_executor *executor, struct test_clock *clock)
{
    for (int i = 0; i < 200; i++) {
        tenon_stop stop;
        tenon_scope scope;
        must_init(&stop, executor, 1, NULL);
        must_open_below(&scope, executor, &stop.hard);
        must_spawn(&scope, task_until_cancelled, NULL);
        cr_assert(tenon_token_cancel(&stop.please, 0, NULL));
        pool_move_clock(executor, clock, 1);
        bool was_first = tenon_token_cancel(&stop.hard, 5, NULL);
        must_join(&scope, NULL, TENON_CANCELLED);
        tenon_cause cause;
        cr_assert(tenon_token_cause(&stop.hard, &cause));
        cr_assert(
            eq(int, (int)cause.source,
               (int)(was_first ? TENON_CAUSE_EXPLICIT : TENON_CAUSE_DEADLINE)));
        tenon_stop_fini(&stop);
    }
}

Test(grace, end_of_it_and_a_cancel_give_one_cause)
{
    pool_each_clock(ask_at_the_last_moment);
}
