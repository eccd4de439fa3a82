// SPDX-License-Identifier: MIT
//
// gather_failure_test — calls that fail, or are stopped: each has its error,
// and those that have succeeded stay.

#include "calls.h"
#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(gather_failure, .timeout = 60);

#define MANY 50

struct square {
    int number;
    int result;
};

static int compute_square(tenon_task *self, void *arg)
{
    struct square *square = arg;

    (void)self;
    square->result = square->number * square->number;
    return TENON_OK;
}

static void prepare_squares(
    tenon_call *calls, struct square *squares, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        squares[i] = (struct square){.number = (int)i + 3};
        calls[i] = (tenon_call){.fn = compute_square, .arg = &squares[i]};
    }
}

// Stopped by a cancel, at work or before.
static void expect_stopped(const tenon_call *call)
{
    cr_expect(
        call->outcome == TENON_OUTCOME_CANCELLED ||
        call->outcome == TENON_OUTCOME_DROPPED);
    cr_expect(eq(int, call->status, TENON_CANCELLED));
    cr_expect(eq(ptr, (void *)call->error, NULL));
}

// --- failures ---

static void fail_one(tenon_executor *executor)
{
    struct task_step failing = {.status = 31};
    struct gate started = {0};
    struct square square = {.number = 4};
    tenon_call calls[] = {
        {.fn = task_announce_and_sleep, .arg = &started},
        {.fn = compute_square, .arg = &square},
        {.fn = task_step_aside, .arg = &failing, .name = "failing"},
        {.fn = task_announce_and_sleep, .arg = &started},
    };
    struct calls_gather gatherer = {.calls = calls, .call_count = 4};
    tenon_scope scope;

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    must_spawn(&scope, calls_gather_in_task, &gatherer);
    cr_assert(gate_wait_for(&started, 2));
    cr_assert(gate_wait(&failing.started));
    gate_open(&failing.may_end);
    must_join(&scope, NULL, TENON_ERRORS);
    cr_expect(eq(int, gatherer.status, TENON_ERRORS));
    cr_expect(eq(u64, gatherer.report.failed_count, 1));
    cr_expect(
        eq(int, (int)gatherer.report.cause.source, (int)TENON_CAUSE_FAILURE));
    calls_expect(&calls[0], TENON_OUTCOME_CANCELLED, TENON_CANCELLED);
    calls_expect(&calls[2], TENON_OUTCOME_FAILED, 31);
    calls_expect(&calls[3], TENON_OUTCOME_CANCELLED, TENON_CANCELLED);
    cr_assert(ne(ptr, (void *)calls[2].error, NULL));
    cr_expect(eq(ptr, (void *)calls[2].error, (void *)gatherer.report.primary));
    cr_expect(eq(u64, calls[2].error->task_id, 3));
    cr_expect(eq(str, (char *)calls[2].error->task_name, "failing"));
    tenon_report_free(&gatherer.report);
}

Test(gather_failure, first_failure_cancels_the_rest)
{
    pool_each(fail_one);
}

// One at a time, in order: what has come before the failure stays, what would
// come after it is not begun.
static void fail_in_order(tenon_executor *executor)
{
    static int code = 31;
    struct square squares[5];
    tenon_call calls[5];
    tenon_report report;

    prepare_squares(calls, squares, 5);
    calls[2] = (tenon_call){.fn = task_return, .arg = &code};
    cr_expect(
        eq(int,
           tenon_gather(
               calls, 5,
               TENON_SCOPE_OPTIONS(.executor = executor, .max_running = 1),
               &report),
           TENON_ERRORS));
    for (int i = 0; i < 2; i++) {
        calls_expect(&calls[i], TENON_OUTCOME_OK, TENON_OK);
        cr_expect(eq(int, squares[i].result, (i + 3) * (i + 3)));
    }
    calls_expect(&calls[2], TENON_OUTCOME_FAILED, 31);
    for (int i = 3; i < 5; i++) {
        calls_expect(&calls[i], TENON_OUTCOME_DROPPED, TENON_CANCELLED);
        cr_expect(zero(int, squares[i].result));
    }
    // After one that was refused nobody asks for the next.
    cr_expect(
        eq(u64, report.dropped_count + report.rejected_count,
           report.rejected_count == 0 ? 2 : report.spawned_count - 2));
    tenon_report_free(&report);
}

Test(
    gather_failure,
    what_succeeded_before_the_failure_stays_and_the_rest_is_dropped)
{
    pool_each(fail_in_order);
}

static void fail_at_any_time(tenon_executor *executor)
{
    static int code = 31;

    for (int i = 0; i < 200; i++) {
        struct square squares[8];
        tenon_call calls[8];
        tenon_report report;
        prepare_squares(calls, squares, 8);
        calls[i % 8] = (tenon_call){.fn = task_return, .arg = &code};
        cr_assert(eq(
            int,
            tenon_gather(
                calls, 8, TENON_SCOPE_OPTIONS(.executor = executor), &report),
            TENON_ERRORS));
        for (int k = 0; k < 8; k++) {
            if (k == i % 8) {
                calls_expect(&calls[k], TENON_OUTCOME_FAILED, 31);
            } else if (squares[k].result != 0) {
                calls_expect(&calls[k], TENON_OUTCOME_OK, TENON_OK);
            } else {
                calls_expect(&calls[k], TENON_OUTCOME_DROPPED, TENON_CANCELLED);
            }
        }
        tenon_report_free(&report);
    }
}

Test(gather_failure, every_call_has_run_or_is_dropped_whenever_one_fails)
{
    pool_each(fail_at_any_time);
}

static void reuse_calls(tenon_executor *executor)
{
    int codes[] = {31, 32};
    tenon_call calls[] = {
        {.fn = task_return, .arg = &codes[0]},
        {.fn = task_return, .arg = &codes[1]},
    };
    tenon_report report;
    const tenon_scope_options *options =
        TENON_SCOPE_OPTIONS(.executor = executor);

    cr_expect(
        eq(int, tenon_gather_all(calls, 2, options, &report), TENON_ERRORS));
    tenon_report_free(&report);
    cr_expect(eq(int, tenon_gather_all(calls, 2, options, NULL), TENON_ERRORS));
    for (int i = 0; i < 2; i++) {
        cr_expect(eq(int, (int)calls[i].outcome, (int)TENON_OUTCOME_FAILED));
        cr_expect(eq(ptr, (void *)calls[i].error, NULL));  // without a report
        codes[i] = TENON_OK;
    }
    cr_expect(zero(int, tenon_gather(calls, 2, options, &report)));
    calls_expect(&calls[0], TENON_OUTCOME_OK, TENON_OK);
    calls_expect(&calls[1], TENON_OUTCOME_OK, TENON_OK);
    tenon_report_free(&report);
}

Test(gather_failure, calls_may_be_made_again)
{
    pool_each(reuse_calls);
}

// --- all failures ---

static void fail_half(tenon_executor *executor)
{
    tenon_call calls[2 * MANY];
    int codes[2 * MANY];
    tenon_report report;

    for (int i = 0; i < 2 * MANY; i++) {
        codes[i] = i % 2 == 0 ? TENON_OK : i;
        calls[i] = (tenon_call){.fn = task_return, .arg = &codes[i]};
    }
    cr_expect(
        eq(int,
           tenon_gather_all(
               calls, 2 * MANY, TENON_SCOPE_OPTIONS(.executor = executor),
               &report),
           TENON_ERRORS));
    cr_expect(not(report.cancel_requested));
    cr_expect(eq(u64, report.failed_count, MANY));
    cr_expect(eq(u64, report.error_count, MANY));
    cr_expect(eq(sz, report.kept_count, MANY));
    for (int i = 0; i < 2 * MANY; i++) {
        calls_expect(
            &calls[i], i % 2 == 0 ? TENON_OUTCOME_OK : TENON_OUTCOME_FAILED,
            codes[i]);
        if (calls[i].error != NULL) {
            cr_expect(eq(u64, calls[i].error->task_id, (uint64_t)i + 1));
        }
    }
    tenon_report_free(&report);
}

Test(gather_failure, all_keeps_every_error_with_its_call_and_cancels_nobody)
{
    pool_each(fail_half);
}

static void gather_failing(
    tenon_call *calls, size_t call_count, tenon_executor *executor,
    tenon_report *report, uint64_t error_count)
{
    cr_expect(
        eq(int,
           tenon_gather_all(
               calls, call_count, TENON_SCOPE_OPTIONS(.executor = executor),
               report),
           TENON_ERRORS));
    cr_expect(eq(u64, report->error_count, error_count));
}

// A call may give its scope more tasks, with ids of their own.
static int spawn_with_same_id(tenon_task *self, void *arg)
{
    return tenon_spawn_with(
        tenon_task_scope(self), task_return, arg, TENON_TASK_OPTIONS(.id = 2));
}

static void fail_beside(tenon_executor *executor)
{
    static int code = 31;
    struct square square = {.number = 4};
    tenon_call calls[] = {
        {.fn = spawn_with_same_id, .arg = &code},
        {.fn = compute_square, .arg = &square},
    };
    tenon_report report;

    gather_failing(calls, 2, executor, &report, 1);
    calls_expect(&calls[0], TENON_OUTCOME_OK, TENON_OK);
    calls_expect(&calls[1], TENON_OUTCOME_OK, TENON_OK);
    tenon_report_free(&report);
}

Test(gather_failure, errors_of_what_a_call_spawned_are_no_other_calls)
{
    pool_each(fail_beside);
}

struct twins {
    int code;
    struct gate other_has_failed;
};

static void note_other(const tenon_completion *completion, void *context)
{
    struct twins *twins = context;

    if (completion->outcome == TENON_OUTCOME_FAILED) {
        gate_open(&twins->other_has_failed);
    }
}

static int spawn_twin(tenon_task *self, void *arg)
{
    struct twins *twins = arg;

    return tenon_spawn_with(
        tenon_task_scope(self), task_return, &twins->code,
        TENON_TASK_OPTIONS(
                .id = 1, .on_done = note_other, .on_done_context = twins));
}

static int fail_after_twin(tenon_task *self, void *arg)
{
    struct twins *twins = arg;

    return gate_is_open(&twins->other_has_failed)
               ? tenon_fail(self, twins->code, "the call's own")
               : tenon_again(self, 1000);
}

static void fail_alike(tenon_executor *executor)
{
    struct twins twins = {.code = 31};
    tenon_call calls[] = {
        {.fn = fail_after_twin, .arg = &twins},
        {.fn = spawn_twin, .arg = &twins},
    };
    tenon_report report;

    gather_failing(calls, 2, executor, &report, 2);
    calls_expect(&calls[0], TENON_OUTCOME_FAILED, 31);
    calls_expect(&calls[1], TENON_OUTCOME_OK, TENON_OK);
    cr_assert(ne(ptr, (void *)calls[0].error, NULL));
    cr_expect(eq(str, (char *)calls[0].error->text, "the call's own"));
    tenon_report_free(&report);
}

Test(gather_failure, error_of_a_call_is_its_own_though_another_has_id_and_code)
{
    pool_each(fail_alike);
}

static int fail_by_fork(tenon_task *self, void *arg)
{
    tenon_task child;

    tenon_fork(self, &child, task_return, arg);
    return tenon_join(self, &child);
}

static void pass_on(tenon_executor *executor)
{
    static int code = 31;
    tenon_call call = {.fn = fail_by_fork, .arg = &code};
    tenon_report report;

    gather_failing(&call, 1, executor, &report, 1);
    cr_expect(eq(int, report.errors->code, 31));
    cr_expect(zero(u64, report.errors->task_id));
    cr_expect(eq(int, (int)call.outcome, (int)TENON_OUTCOME_FAILED));
    cr_expect(eq(int, call.status, 31));
    cr_expect(eq(ptr, (void *)call.error, NULL));
    tenon_report_free(&report);
}

Test(gather_failure, error_that_a_call_passed_on_from_a_fork_is_the_forks)
{
    pool_each(pass_on);
}

static void fail_inside(tenon_executor *executor)
{
    static int codes[] = {31, TENON_OK, 33};
    tenon_call calls[3];
    struct calls_gather gatherer = {
        .calls = calls,
        .call_count = 3,
        .goes_on = true,
        .has_no_report = true,
    };
    tenon_report report;

    for (int i = 0; i < 3; i++) {
        calls[i] = (tenon_call){.fn = task_return, .arg = &codes[i]};
    }
    cr_expect(
        eq(int, tenon_run(executor, calls_gather_in_task, &gatherer, &report),
           TENON_ERRORS));
    cr_expect(eq(int, gatherer.status, TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, TENON_ERRORS));
    uint64_t sum = 0;
    for (const tenon_error *error = report.primary->children; error != NULL;
         error = error->next) {
        sum += (uint64_t)error->code;
    }
    cr_expect(eq(u64, sum, 31 + 33));
    for (int i = 0; i < 3; i++) {
        cr_expect(eq(int, calls[i].status, codes[i]));
        cr_expect(eq(ptr, (void *)calls[i].error, NULL));
    }
    tenon_report_free(&report);
}

Test(gather_failure, without_a_report_errors_travel_up_to_the_tasks_own)
{
    pool_each(fail_inside);
}

// --- stopped ---

static void expire(tenon_executor *executor, struct test_clock *clock)
{
    struct gate started = {0};
    struct square square = {.number = 4};
    tenon_call calls[] = {
        {.fn = task_announce_and_sleep, .arg = &started},
        {.fn = compute_square, .arg = &square},
        {.fn = task_announce_and_sleep, .arg = &started},
    };
    struct calls_gather gatherer = {
        .calls = calls,
        .call_count = 3,
        .options = TENON_SCOPE_OPTIONS(.timeout_ns = TENON_SECONDS(1)),
    };
    tenon_scope scope;

    must_open(&scope, executor);
    must_spawn(&scope, calls_gather_in_task, &gatherer);
    cr_assert(gate_wait_for(&started, 2));
    pool_move_clock(executor, clock, TENON_SECONDS(1));
    must_join(&scope, NULL, TENON_ERRORS);
    cr_expect(eq(int, gatherer.status, TENON_TIMEOUT));
    calls_expect(&calls[0], TENON_OUTCOME_CANCELLED, TENON_CANCELLED);
    calls_expect(&calls[2], TENON_OUTCOME_CANCELLED, TENON_CANCELLED);
    cr_expect(
        calls[1].outcome == TENON_OUTCOME_OK ||
        calls[1].outcome == TENON_OUTCOME_DROPPED);
    tenon_report_free(&gatherer.report);
}

Test(gather_failure, deadline_among_the_options_stops_all)
{
    pool_each_clock(expire);
}

static void cancel_outside(tenon_executor *executor)
{
    struct gate started = {0};
    tenon_call calls[] = {
        {.fn = task_announce_and_sleep, .arg = &started},
        {.fn = task_announce_and_sleep, .arg = &started},
    };
    struct calls_gather gatherer = {.calls = calls, .call_count = 2};
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    must_spawn(&scope, calls_gather_in_task, &gatherer);
    cr_assert(gate_wait_for(&started, 2));
    tenon_scope_cancel(&scope, 5, "enough");
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.cancelled_count, 1));
    cr_expect(eq(int, gatherer.status, TENON_CANCELLED));
    cr_expect(eq(int, gatherer.report.cause.code, 5));
    expect_stopped(&calls[0]);
    expect_stopped(&calls[1]);
    tenon_report_free(&gatherer.report);
    tenon_report_free(&report);
}

Test(gather_failure, cancel_from_outside_stops_all)
{
    pool_each(cancel_outside);
}

static void begin_cancelled(tenon_executor *executor)
{
    atomic_uint count = 0;
    tenon_token token;
    tenon_call calls[3];

    tenon_token_init(&token, NULL);
    tenon_token_cancel(&token, 0, NULL);
    for (int i = 0; i < 3; i++) {
        calls[i] = (tenon_call){.fn = task_count, .arg = &count};
    }
    cr_expect(eq(
        int,
        tenon_gather(
            calls, 3,
            TENON_SCOPE_OPTIONS(.executor = executor, .parent = &token), NULL),
        TENON_CANCELLED));
    for (int i = 0; i < 3; i++) {
        calls_expect(&calls[i], TENON_OUTCOME_DROPPED, TENON_CANCELLED);
    }
    cr_expect(zero(u32, atomic_load(&count)));
    tenon_token_fini(&token);
}

Test(gather_failure, below_a_cancel_nothing_is_started_and_all_are_dropped)
{
    pool_each(begin_cancelled);
}
