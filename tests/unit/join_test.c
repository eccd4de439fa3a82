// SPDX-License-Identifier: MIT
//
// join_test — what a scope came to: ERRORS before TIMEOUT before CANCELLED
// before OK, and exact counters.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sched.h>
#include <tenon/tenon.h>

#define AN_HOUR TENON_SECONDS(3600)

static void expect_sum(const tenon_report *report)
{
    cr_expect(
        eq(u64, report->spawned_count,
           report->ok_count + report->failed_count + report->cancelled_count +
               report->dropped_count));
}

TestSuite(join, .timeout = 60);

// --- the status ---

static void join_failed(tenon_executor *executor)
{
    static int code = 5;
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    must_spawn(&scope, task_return, &code);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(int, report.status, TENON_ERRORS));
    cr_expect(eq(u64, report.failed_count, 1));
    cr_expect(report.cancel_requested);
    cr_expect(report.cancelled);
    tenon_report_free(&report);
}

Test(join, is_errors_when_a_task_failed)
{
    pool_each(join_failed);
}

static void join_timed_out(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .timeout_ns = TENON_MILLISECONDS(2)));
    may_spawn(&scope, task_until_cancelled, NULL);
    must_join(&scope, &report, TENON_TIMEOUT);
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_DEADLINE));
    expect_sum(&report);
    tenon_report_free(&report);
}

Test(join, is_timeout_when_the_deadline_stopped_something)
{
    pool_each(join_timed_out);
}

static void join_cancelled(tenon_executor *executor)
{
    tenon_token token;
    tenon_scope scope;
    tenon_report report;
    struct gate started = {0};

    tenon_token_init(&token, NULL);
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .parent = &token));
    must_spawn(&scope, task_announce_until_cancelled, &started);
    cr_assert(gate_wait(&started));
    tenon_token_cancel(&token, 1, "from outside");
    must_join(&scope, &report, TENON_CANCELLED);
    cr_expect(eq(u64, report.cancelled_count, 1));
    cr_expect(report.cancel_requested);
    cr_expect(not(report.cancelled));
    tenon_report_free(&report);
    tenon_token_fini(&token);
}

Test(join, is_cancelled_when_something_outside_stopped_something)
{
    pool_each(join_cancelled);
}

static void join_self_cancelled(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct gate started = {0};

    must_open(&scope, executor);
    must_spawn(&scope, task_announce_until_cancelled, &started);
    cr_assert(gate_wait(&started));
    cr_expect(tenon_scope_cancel(&scope, 1, "enough"));
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.cancelled_count, 1));
    cr_expect(report.cancel_requested);
    cr_expect(report.cancelled);
    tenon_report_free(&report);
}

Test(join, is_ok_with_a_flag_when_the_scope_cancelled_itself)
{
    pool_each(join_self_cancelled);
}

static void join_unheard(tenon_executor *executor)
{
    tenon_token token;
    tenon_scope scope;
    tenon_report report;
    struct task_step step = {.status = TENON_OK};

    tenon_token_init(&token, NULL);
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .parent = &token));
    must_spawn(&scope, task_step, &step);
    cr_assert(gate_wait(&step.started));
    tenon_token_cancel(&token, 1, "after the last poll");
    gate_open(&step.may_end);
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.ok_count, 1));
    cr_expect(eq(u64, report.cancelled_count, 0));
    cr_expect(report.cancel_requested);
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_PARENT));
    tenon_report_free(&report);
    tenon_token_fini(&token);
}

Test(join, is_ok_when_a_cancel_stopped_nothing)
{
    pool_each(join_unheard);
}

static void join_timed_out_idly(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .timeout_ns = TENON_MILLISECONDS(1)));
    cr_assert(task_await_scope_cancel(&scope));
    must_join(&scope, &report, TENON_OK);
    cr_expect(report.cancel_requested);
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_DEADLINE));
    tenon_report_free(&report);
}

Test(join, is_ok_when_a_deadline_stopped_nothing)
{
    pool_each(join_timed_out_idly);
}

static int fail_when_cancelled(tenon_task *self, void *arg)
{
    (void)arg;
    return task_await_cancel(self) ? 5 : TASK_IN_VAIN;
}

static void join_failed_and_timed_out(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .timeout_ns = TENON_MILLISECONDS(2)));
    may_spawn(&scope, fail_when_cancelled, NULL);
    tenon_status status = tenon_scope_join(&scope, TENON_OK, &report);
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_DEADLINE));
    // The deadline may have been faster than the task.
    bool has_run = report.failed_count == 1;
    cr_expect(eq(int, status, has_run ? TENON_ERRORS : TENON_TIMEOUT));
    cr_expect(eq(int, has_run, report.primary != NULL));
    cr_expect(eq(int, has_run, has_run &&report.primary->after_cancel));
    tenon_report_free(&report);
}

Test(join, is_errors_rather_than_timeout)
{
    pool_each(join_failed_and_timed_out);
}

static void join_failed_and_cancelled(tenon_executor *executor)
{
    tenon_token token;
    tenon_scope scope;
    tenon_report report;

    tenon_token_init(&token, NULL);
    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .parent = &token, .timeout_ns = AN_HOUR));
    must_spawn(&scope, fail_when_cancelled, NULL);
    tenon_token_cancel(&token, 1, "from outside");
    tenon_status status = tenon_scope_join(&scope, TENON_OK, &report);
    // The task may have been dropped before it could fail.
    cr_expect(
        eq(int, status,
           report.dropped_count == 1 ? TENON_CANCELLED : TENON_ERRORS));
    expect_sum(&report);
    tenon_report_free(&report);
    tenon_token_fini(&token);
}

Test(join, is_errors_rather_than_cancelled)
{
    pool_each(join_failed_and_cancelled);
}

// --- the body ---

Test(join, counts_the_body_as_a_member_that_fails)
{
    tenon_executor *executor = pool_create(2);
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    must_spawn(&scope, task_until_cancelled, NULL);
    cr_assert(eq(int, tenon_scope_join(&scope, 6, &report), TENON_ERRORS));
    cr_expect(eq(int, report.body_status, 6));
    cr_expect(eq(u64, report.failed_count, 0));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, 6));
    cr_expect(eq(str, (char *)report.primary->task_name, ""));
    cr_expect(eq(u64, report.cancelled_count + report.dropped_count, 1));
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_FAILURE));
    tenon_report_free(&report);
    pool_destroy(executor);
}

Test(join, cancels_the_tasks_of_a_failed_body_under_every_policy)
{
    tenon_executor *executor = pool_create(2);
    tenon_scope scope;
    tenon_report report;

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    must_spawn(&scope, task_until_cancelled, NULL);
    cr_assert(eq(int, tenon_scope_join(&scope, 6, &report), TENON_ERRORS));
    cr_expect(eq(u64, report.cancelled_count + report.dropped_count, 1));
    tenon_report_free(&report);
    pool_destroy(executor);
}

Test(join, takes_a_cancelled_body_for_an_error_unless_it_was_asked_to_stop)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    cr_expect(eq(
        int, tenon_scope_join(&scope, TENON_CANCELLED, &report), TENON_ERRORS));
    cr_expect(eq(int, report.primary->code, TENON_CANCELLED));
    tenon_report_free(&report);

    must_open(&scope, executor);
    tenon_scope_cancel(&scope, 1, "enough");
    cr_expect(
        eq(int, tenon_scope_join(&scope, TENON_CANCELLED, &report), TENON_OK));
    cr_expect(eq(u64, report.error_count, 0));
    tenon_report_free(&report);
    pool_destroy(executor);
}

Test(join, is_cancelled_when_only_the_body_was_stopped)
{
    tenon_executor *executor = pool_create(1);
    tenon_token token;
    tenon_scope scope;

    tenon_token_init(&token, NULL);
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .parent = &token));
    tenon_token_cancel(&token, 1, "from outside");
    cr_expect(eq(
        int, tenon_scope_join(&scope, TENON_CANCELLED, NULL), TENON_CANCELLED));
    tenon_token_fini(&token);
    pool_destroy(executor);
}

// --- counters ---

struct mixture {
    atomic_uint ran_count;
};

static int mix(tenon_task *self, void *arg)
{
    static const int codes[] = {TENON_OK, 3, TENON_CANCELLED, 4};
    struct mixture *mixture = arg;
    unsigned number = atomic_fetch_add(&mixture->ran_count, 1);

    (void)self;
    return codes[number % 4];
}

// Under collect-all every task runs: 250 of each kind.
static void count_mixture(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct mixture mixture = {.ran_count = 0};

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    for (int i = 0; i < 1000; i++) {
        must_spawn(&scope, mix, &mixture);
    }
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.spawned_count, 1000));
    cr_expect(eq(u64, report.ok_count, 250));
    cr_expect(eq(u64, report.failed_count, 750));  // nobody was asked to stop
    cr_expect(eq(u64, report.cancelled_count, 0));
    cr_expect(eq(u64, report.dropped_count, 0));
    cr_expect(eq(u64, report.error_count, 750));
    cr_expect(eq(sz, report.kept_count, 16));
    tenon_report_free(&report);
}

Test(join, counts_every_task_of_a_scope_that_collects_all)
{
    pool_each(count_mixture);
}

static void count_stopped(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct mixture mixture = {.ran_count = 0};
    uint64_t refused_count = 0;
    uint64_t started_count = 0;

    must_open(&scope, executor);
    for (int i = 0; i < 1000; i++) {
        tenon_status status = tenon_spawn(&scope, mix, &mixture);
        started_count += status == TENON_OK;
        refused_count += status == TENON_CANCELLED;
    }
    must_join(&scope, &report, TENON_ERRORS);
    expect_sum(&report);
    cr_expect(eq(u64, started_count + refused_count, 1000));
    cr_expect(eq(u64, report.spawned_count, started_count));
    cr_expect(eq(u64, report.rejected_count, refused_count));
    cr_expect(eq(u64, report.error_count, report.failed_count));
    cr_expect(
        eq(u64, report.spawned_count - report.dropped_count,
           atomic_load(&mixture.ran_count)));
    tenon_report_free(&report);
}

Test(join, counts_every_task_of_a_scope_that_failed_fast)
{
    pool_each(count_stopped);
}

Test(join, leaves_the_report_untouched_on_misuse)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_report report = {.spawned_count = 77};

    must_open(&scope, executor);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(
        eq(int, tenon_scope_join(&scope, TENON_OK, &report), TENON_EALREADY));
    cr_expect(eq(u64, report.spawned_count, 77));
    pool_destroy(executor);
}

// --- not before its time ---

// Ends only when the owner has had every chance to return from its join.
struct straggler {
    int status;
    struct gate started;
    struct gate joins;
    atomic_bool has_joined;
    bool was_left;  // by an owner that went on
};

static int straggle(tenon_task *self, void *arg)
{
    struct straggler *straggler = arg;
    bool was_patient = false;

    gate_open(&straggler->started);
    was_patient = gate_wait(&straggler->joins);
    for (int i = 0; i < 300 && !straggler->was_left; i++) {
        sched_yield();
        straggler->was_left = atomic_load(&straggler->has_joined);
    }
    (void)self;
    return was_patient ? straggler->status : TASK_IN_VAIN;
}

static tenon_status join_straggler(
    struct straggler *straggler, tenon_executor *executor, bool is_cancelled)
{
    tenon_scope scope;
    tenon_status status =
        tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.executor = executor));

    if (status != TENON_OK) {
        return status;
    }
    status = tenon_spawn(&scope, straggle, straggler);
    if (is_cancelled && status == TENON_OK && gate_wait(&straggler->started)) {
        tenon_scope_cancel(&scope, 1, "ignored");
    }
    gate_open(&straggler->joins);
    status = tenon_scope_join(&scope, status, NULL);
    atomic_store(&straggler->has_joined, true);
    return status;
}

static int own_straggler(tenon_task *self, void *arg)
{
    (void)self;
    return join_straggler(arg, NULL, false);
}

static void join_stragglers(tenon_executor *executor)
{
    static const int statuses[] = {TENON_OK, 9, TENON_CANCELLED};

    for (int i = 0; i < 60; i++) {
        struct straggler of_main = {.status = statuses[i % 3]};
        struct straggler of_task = {.status = TENON_OK};
        tenon_status expected = i % 3 == 1 ? TENON_ERRORS : TENON_OK;

        cr_expect(
            eq(int, join_straggler(&of_main, executor, i % 3 == 2), expected));
        cr_assert(not(of_main.was_left));
        must_run(executor, own_straggler, &of_task, TENON_OK);
        cr_assert(not(of_task.was_left));
    }
}

Test(join, returns_not_while_somebody_is_left)
{
    pool_each(join_stragglers);
}
