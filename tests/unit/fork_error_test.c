// SPDX-License-Identifier: MIT
//
// fork_error_test — a forked child's failure is recorded once, whoever passes
// it on.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(fork_error, .timeout = 60);

struct parallel {
    struct gate child_runs;
    struct gate parent_runs;
};

static int meet_parent(tenon_task *self, void *arg)
{
    struct parallel *parallel = arg;

    (void)self;
    gate_open(&parallel->child_runs);
    return gate_wait(&parallel->parent_runs) ? 31 : TASK_IN_VAIN;
}

static int fail_deep(tenon_task *self, void *arg)
{
    int depth = *(int *)arg - 1;
    tenon_task other;
    tenon_task child;

    if (depth < 0) {
        return tenon_fail(self, 13, "at the bottom");
    }
    tenon_fork(self, &other, task_ok, NULL);  // the child is not the last job
    tenon_fork(self, &child, fail_deep, &depth);
    tenon_status status = tenon_join(self, &child);
    tenon_status other_status = tenon_join(self, &other);
    bool is_right = other_status == TENON_OK || other_status == TENON_CANCELLED;
    return is_right ? status : 1;
}

static void pass_on(tenon_executor *executor)
{
    tenon_report report;
    int depth = 10;

    cr_assert(
        eq(int, tenon_run(executor, fail_deep, &depth, &report), TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(sz, report.kept_count, 1));
    cr_expect(eq(int, report.primary->code, 13));
    cr_expect(eq(str, (char *)report.primary->text, "at the bottom"));
    cr_expect(eq(u64, report.failed_count, 1));
    tenon_report_free(&report);
}

Test(fork_error, failure_that_parents_pass_on_is_recorded_once)
{
    pool_each(pass_on);
}

static int steal_and_fail(tenon_task *self, void *arg)
{
    meet_parent(self, arg);
    return tenon_fail(self, 14, "far away");
}

static int pass_on_stolen(tenon_task *self, void *arg)
{
    struct parallel *parallel = arg;
    tenon_task child;

    tenon_fork(self, &child, steal_and_fail, parallel);
    gate_wait(&parallel->child_runs);
    gate_open(&parallel->parent_runs);
    return tenon_join(self, &child);
}

static void pass_on_from_thief(tenon_executor *executor)
{
    tenon_report report;
    struct parallel parallel = {.child_runs = {0}};

    cr_assert(
        eq(int, tenon_run(executor, pass_on_stolen, &parallel, &report),
           TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, 14));
    cr_expect(eq(str, (char *)report.primary->text, "far away"));
    tenon_report_free(&report);
}

Test(fork_error, failure_on_another_worker_is_recorded_once)
{
    pool_each_parallel(pass_on_from_thief);
}

static int swallow(tenon_task *self, void *arg)
{
    int depth = 0;
    tenon_task child;

    (void)arg;
    tenon_fork(self, &child, fail_deep, &depth);
    return tenon_join(self, &child) == 13 ? TENON_OK : 1;
}

static void swallow_failure(tenon_executor *executor)
{
    tenon_report report;

    cr_assert(
        eq(int, tenon_run(executor, swallow, NULL, &report), TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(u64, report.ok_count, 1));
    cr_expect(eq(u64, report.failed_count, 0));
    tenon_report_free(&report);
}

Test(fork_error, failure_that_the_parent_swallows_is_recorded_all_the_same)
{
    pool_each(swallow_failure);
}

static int fail_otherwise(tenon_task *self, void *arg)
{
    return swallow(self, arg) == TENON_OK ? tenon_fail(self, 15, "my own") : 1;
}

static void fail_twice(tenon_executor *executor)
{
    tenon_report report;

    cr_assert(eq(
        int, tenon_run(executor, fail_otherwise, NULL, &report), TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 2));
    cr_expect(eq(int, report.primary->code, 13));
    cr_expect(eq(int, report.errors->next->code, 15));
    cr_expect(report.errors->next->after_cancel);
    tenon_report_free(&report);
}

Test(fork_error, failure_of_the_parent_is_another_error)
{
    pool_each(fail_twice);
}

struct two {
    int codes[2];
    int passed_on;  // which of them the parent returns
};

static int join_two(tenon_task *self, void *arg)
{
    struct two *two = arg;
    tenon_task children[2];
    int statuses[2];

    tenon_fork(self, &children[0], task_return, &two->codes[0]);
    tenon_fork(self, &children[1], task_return, &two->codes[1]);
    statuses[1] = tenon_join(self, &children[1]);
    statuses[0] = tenon_join(self, &children[0]);
    return statuses[two->passed_on];
}

// With both errors kept, and with one of them.
static void fail_both(tenon_executor *executor)
{
    for (int i = 0; i < 4; i++) {
        struct two two = {{4, 5}, i % 2};
        tenon_scope scope;
        tenon_report report;

        must_open_with(
            &scope, TENON_SCOPE_OPTIONS(
                            .executor = executor, .max_errors = i < 2 ? 16 : 1,
                            .policy = TENON_POLICY_COLLECT_ALL));
        must_spawn(&scope, join_two, &two);
        must_join(&scope, &report, TENON_ERRORS);
        cr_expect(eq(u64, report.error_count, 2));
        cr_expect(eq(u64, report.failed_count, 1));
        tenon_report_free(&report);
    }
}

Test(fork_error, failures_of_two_children_are_two_errors_whichever_is_passed_on)
{
    pool_each(fail_both);
}

// Errors of a nested scope wait in the task while a child fails.
static int nest_then_fork(tenon_task *self, void *arg)
{
    int code = 6;
    tenon_task child;

    tenon_status nested = tenon_run(NULL, task_return, arg, NULL);
    tenon_fork(self, &child, task_return, &code);
    tenon_status joined = tenon_join(self, &child);
    return nested == TENON_ERRORS ? joined : 1;
}

static void fail_beside_nested(tenon_executor *executor)
{
    int code = 5;
    uint64_t child_count = 0;
    const tenon_error *error = NULL;
    tenon_report report;

    cr_assert(
        eq(int, tenon_run(executor, nest_then_fork, &code, &report),
           TENON_ERRORS));
    while ((error = tenon_report_next(&report, error, NULL)) != NULL) {
        child_count += error->parent != NULL && error->code == 5;
    }
    cr_expect(eq(u64, child_count, 1));  // it has not been lost
    cr_expect(eq(int, report.primary->code, 6));
    tenon_report_free(&report);
}

Test(fork_error, failure_that_is_passed_on_carries_the_errors_of_nested_scopes)
{
    pool_each(fail_beside_nested);
}

// A scope that a child leaves open, in memory that outlives its frame.
struct left {
    tenon_scope scope;
    struct task_waiter waiter;
    struct gate forker_runs;
};

// Long enough for the waiter to look around several times.
#define LOOK_NS UINT64_C(20000000)

// Its children lie about while the waiter looks for its own.
static int fork_until_looked_at(tenon_task *self, void *arg)
{
    struct left *left = arg;
    tenon_task children[8];

    gate_open(&left->forker_runs);
    bool was_cancelled = task_await_cancel(self);
    uint64_t end_ns = tenon_now_ns() + LOOK_NS;
    while (tenon_now_ns() < end_ns) {
        for (int i = 0; i < 8; i++) {
            tenon_fork(self, &children[i], task_ok, NULL);
        }
        for (int i = 7; i >= 0; i--) {
            (void)!tenon_join(self, &children[i]);  // dropped
        }
    }
    tenon_scope_release(&left->waiter.ref);
    return was_cancelled ? TENON_CANCELLED : TASK_IN_VAIN;
}

static int leave_open(tenon_task *self, void *arg)
{
    struct left *left = arg;

    (void)self;
    if (tenon_scope_open(&left->scope, NULL) != TENON_OK ||
        tenon_spawn(&left->scope, task_wait_for_ref, &left->waiter) !=
            TENON_OK ||
        !gate_wait(&left->waiter.is_open) ||
        tenon_spawn(&left->scope, fork_until_looked_at, left) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    return gate_wait(&left->forker_runs) ? TENON_OK : TASK_IN_VAIN;
}

static int join_who_leaves(tenon_task *self, void *arg)
{
    tenon_task child;

    tenon_fork(self, &child, leave_open, arg);
    return tenon_join(self, &child);
}

static void leave_behind(tenon_executor *executor)
{
    for (int i = 0; i < 5; i++) {
        struct left left = {.waiter = {.joined = TENON_EINVAL}};
        tenon_report report;
        tenon_status status =
            tenon_run(executor, join_who_leaves, &left, &report);
        cr_assert(eq(int, status, TENON_ERRORS));
        cr_expect(eq(u64, report.error_count, 1));
        cr_expect(eq(int, report.primary->code, TENON_ESTRUCT));
        tenon_report_free(&report);
    }
}

Test(fork_error, scope_that_a_joined_child_left_open_is_closed_as_its_own)
{
    pool_each_parallel(leave_behind);
}

// --- tenon_fork_join() ---

static int fail_at_once(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_fail(self, 15, "at once");
}

static int recover_too_late(tenon_task *self, void *arg)
{
    atomic_uint count = 0;

    (void)arg;
    // Recorded and heeded while this task goes on.
    if (tenon_fork_join(self, task_count, &count) != TENON_OK ||
        tenon_fork_join(self, fail_at_once, NULL) != 15 ||
        !tenon_cancelled(self)) {
        return 1;
    }
    // Cancelled: what is to be forked is dropped.
    tenon_status status = tenon_fork_join(self, task_count, &count);
    bool is_dropped = status == TENON_CANCELLED && atomic_load(&count) == 1;
    return is_dropped ? TENON_OK : 2;
}

static void fail_in_place(tenon_executor *executor)
{
    tenon_report report;

    cr_assert(
        eq(int, tenon_run(executor, recover_too_late, NULL, &report),
           TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, 15));
    cr_expect(eq(str, (char *)report.primary->text, "at once"));
    cr_expect(not(report.primary->after_cancel));
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_FAILURE));
    tenon_report_free(&report);
}

Test(fork_error, child_that_is_joined_at_once_is_a_task)
{
    pool_each(fail_in_place);
}
