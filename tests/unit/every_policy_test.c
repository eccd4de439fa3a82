// SPDX-License-Identifier: MIT
//
// every_policy_test — what no policy changes: the body is a member, and a
// cancel from above comes through.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(every_policy, .timeout = 60);

enum { CHILD_CODE = 4, BODY_CODE = 8 };

static bool has_never_enough(const tenon_completion *completion, void *context)
{
    (void)completion;
    (void)context;
    return false;
}

static tenon_status open_under(
    tenon_scope *scope, tenon_executor *executor, tenon_policy policy)
{
    bool is_users = policy >= TENON_POLICY_UNTIL;

    return tenon_scope_open(
        scope, TENON_SCOPE_OPTIONS(
                       .executor = executor, .policy = policy,
                       .on_complete = is_users ? has_never_enough : NULL));
}

typedef void policy_scene_fn(tenon_executor *executor, tenon_policy policy);

static void for_each_policy(tenon_executor *executor, policy_scene_fn *scene)
{
    for (int i = TENON_POLICY_FAIL_FAST; i <= TENON_POLICY_CUSTOM; i++) {
        scene(executor, (tenon_policy)i);
    }
}

// --- the body ---

static void fail_body(tenon_executor *executor, tenon_policy policy)
{
    for (int is_said = 0; is_said < 2; is_said++) {
        tenon_scope scope;
        tenon_report report;
        struct gate started = {0};

        cr_assert(zero(int, open_under(&scope, executor, policy)));
        must_spawn(&scope, task_announce_until_cancelled, &started);
        cr_assert(gate_wait(&started));
        if (is_said) {
            cr_expect(
                eq(int, tenon_scope_fail(&scope, BODY_CODE, "the body"),
                   BODY_CODE));
            cr_expect(tenon_scope_cancelled(&scope));
        }
        cr_expect(eq(
            int, tenon_scope_join(&scope, BODY_CODE, &report), TENON_ERRORS));
        cr_expect(eq(u64, report.cancelled_count, 1), "policy %d", policy);
        cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_FAILURE));
        cr_expect(eq(u64, report.error_count, 1));
        cr_expect(eq(int, report.primary->code, BODY_CODE));
        tenon_report_free(&report);
    }
}

static void fail_bodies(tenon_executor *executor)
{
    for_each_policy(executor, fail_body);
}

Test(every_policy, failure_of_the_body_cancels_the_children)
{
    pool_each(fail_bodies);
}

static void push_gate(const tenon_completion *completion, void *gate)
{
    (void)completion;
    gate_open(gate);
}

static int fail_when_told(tenon_task *self, void *arg)
{
    gate_open(arg);
    return task_await_cancel(self) ? CHILD_CODE : TASK_IN_VAIN;
}

static void expect_both(
    tenon_scope *scope, int first_code, int second_code, tenon_policy policy)
{
    tenon_report report;

    cr_expect(
        eq(int, tenon_scope_join(scope, BODY_CODE, &report), TENON_ERRORS));
    cr_expect(eq(u64, report.failed_count, 1));
    cr_assert(eq(u64, report.error_count, 2), "policy %d", policy);
    cr_expect(eq(int, report.errors->code, first_code));
    cr_expect(eq(int, report.errors->next->code, second_code));
    tenon_report_free(&report);
}

// The child before the body, then after it.
static void fail_both(tenon_executor *executor, tenon_policy policy)
{
    static int code = CHILD_CODE;
    struct gate ended = {0};
    struct gate started = {0};
    tenon_scope scope;

    cr_assert(zero(int, open_under(&scope, executor, policy)));
    must_spawn_with(
        &scope, task_return, &code,
        TENON_TASK_OPTIONS(.on_done = push_gate, .on_done_context = &ended));
    cr_assert(gate_wait(&ended));
    expect_both(&scope, CHILD_CODE, BODY_CODE, policy);

    cr_assert(zero(int, open_under(&scope, executor, policy)));
    must_spawn(&scope, fail_when_told, &started);
    cr_assert(gate_wait(&started));
    cr_expect(
        eq(int, tenon_scope_fail(&scope, BODY_CODE, "the body"), BODY_CODE));
    expect_both(&scope, BODY_CODE, CHILD_CODE, policy);
}

static void fail_both_ways(tenon_executor *executor)
{
    for_each_policy(executor, fail_both);
}

Test(every_policy, failures_of_child_and_body_are_both_told)
{
    pool_each(fail_both_ways);
}

// --- a cancel from above ---

struct inner {
    tenon_policy policy;
    bool opens_late;
    struct gate started;
    tenon_status joined;
    tenon_report report;
};

static int own_inner(tenon_task *self, void *arg)
{
    struct inner *inner = arg;
    tenon_scope scope;

    if (inner->opens_late) {
        gate_open(&inner->started);
    }
    if ((inner->opens_late && !task_await_cancel(self)) ||
        open_under(&scope, NULL, inner->policy) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status spawned =
        tenon_spawn(&scope, task_announce_until_cancelled, &inner->started);
    inner->joined = tenon_scope_join(&scope, spawned, &inner->report);
    return inner->joined;
}

static void cancel_above(tenon_executor *executor, tenon_policy policy)
{
    for (int opens_late = 0; opens_late < 2; opens_late++) {
        tenon_scope scope;
        struct inner inner = {.policy = policy, .opens_late = opens_late};

        must_open(&scope, executor);
        must_spawn(&scope, own_inner, &inner);
        cr_assert(gate_wait(&inner.started));
        cr_expect(tenon_scope_cancel(&scope, 1, "from above"));
        must_join(&scope, NULL, TENON_OK);
        cr_expect(eq(int, inner.joined, TENON_CANCELLED), "policy %d", policy);
        cr_expect(
            eq(int, (int)inner.report.cause.source, (int)TENON_CAUSE_PARENT));
        cr_expect(eq(u64, inner.report.cancelled_count, !opens_late));
        cr_expect(eq(u64, inner.report.rejected_count, opens_late));
        cr_expect(eq(u64, inner.report.error_count, 0));
        tenon_report_free(&inner.report);
    }
}

static void cancel_above_each(tenon_executor *executor)
{
    for_each_policy(executor, cancel_above);
}

Test(every_policy, lets_a_cancel_from_above_through)
{
    pool_each(cancel_above_each);
}
