// SPDX-License-Identifier: MIT
//
// cause_test — whatever cancels, what is below reads the whole of the cause:
// who asked, with which code, in which words.

#include "gate.h"
#include "must.h"
#include "pool.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(cause, .timeout = 60);

#define DELAY TENON_SECONDS(1)

enum { OWNER_ID = 5, ASKER_ID = 9 };

// A root scope "top" with a task "owner", which has a scope with a task that
// looks, and a task "asker", which cancels somehow.
struct tree {
    tenon_scope top;
    tenon_handle owner;
    struct gate is_deep;
    bool was_told;
    tenon_cause cause;  // seen by who looks
};

static int look(tenon_task *self, void *arg)
{
    struct tree *tree = arg;

    gate_open(&tree->is_deep);
    tenon_status slept = tenon_sleep_until(self, TENON_NO_DEADLINE);
    tree->was_told = tenon_task_cause(self, &tree->cause);
    return slept;
}

static int own(tenon_task *self, void *arg)
{
    (void)self;
    return tenon_run(NULL, look, arg, NULL);
}

// A scope with a deadline only if there is a clock.
static void grow(
    struct tree *tree, tenon_executor *executor, tenon_policy policy,
    uint64_t scope_timeout_ns, uint64_t task_timeout_ns)
{
    must_open_with(
        &tree->top, TENON_SCOPE_OPTIONS(
                            .executor = executor, .name = "top",
                            .policy = policy, .timeout_ns = scope_timeout_ns));
    cr_assert(zero(
        int, tenon_spawn_task(
                 &tree->top, &tree->owner, own, tree,
                 TENON_TASK_OPTIONS(
                         .name = "owner", .id = OWNER_ID,
                         .timeout_ns = task_timeout_ns))));
    cr_assert(gate_wait(&tree->is_deep));
}

static void ask(struct tree *tree, tenon_task_fn *asker)
{
    must_spawn_with(
        &tree->top, asker, tree,
        TENON_TASK_OPTIONS(.name = "asker", .id = ASKER_ID));
}

static void fell(
    struct tree *tree, const tenon_cause *expected, tenon_status status)
{
    tenon_report report;

    must_join(&tree->top, &report, status);
    tenon_report_free(&report);
    cr_assert(tree->was_told);
    cr_expect(eq(int, (int)tree->cause.source, (int)TENON_CAUSE_PARENT));
    cr_expect(eq(int, (int)tree->cause.origin, (int)expected->origin));
    cr_expect(eq(int, tree->cause.code, expected->code));
    cr_expect(eq(str, tree->cause.task_name, (char *)expected->task_name));
    cr_expect(eq(u64, tree->cause.task_id, expected->task_id));
    cr_expect(eq(str, tree->cause.scope_name, (char *)expected->scope_name));
    cr_expect(eq(str, tree->cause.text, (char *)expected->text));
}

static int fail(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_fail(self, 44, "disk %s", "full");
}

static void fail_above(tenon_executor *executor)
{
    struct tree tree = {.was_told = false};

    grow(&tree, executor, TENON_POLICY_FAIL_FAST, 0, 0);
    ask(&tree, fail);
    fell(
        &tree,
        &(tenon_cause){
            .origin = TENON_CAUSE_FAILURE,
            .code = 44,
            .task_name = "asker",
            .task_id = ASKER_ID,
            .scope_name = "top",
            .text = "disk full",
        },
        TENON_ERRORS);
}

Test(cause, of_a_failure_above_is_read_below)
{
    pool_each(fail_above);
}

static int cancel_scope(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_scope_cancel(tenon_task_scope(self), 45, "enough of %d", 7)
               ? TENON_OK
               : 1;
}

static int cancel_owner(tenon_task *self, void *arg)
{
    struct tree *tree = arg;

    (void)self;
    return tenon_handle_cancel(&tree->owner, 45, "enough of %d", 7) ? TENON_OK
                                                                    : 1;
}

static void cancel_above(tenon_executor *executor)
{
    tenon_task_fn *const askers[] = {cancel_scope, cancel_owner};

    for (int i = 0; i < 2; i++) {
        struct tree tree = {.was_told = false};
        grow(&tree, executor, TENON_POLICY_FAIL_FAST, 0, 0);
        ask(&tree, askers[i]);
        fell(
            &tree,
            &(tenon_cause){
                .origin = TENON_CAUSE_EXPLICIT,
                .code = 45,
                .task_name = "asker",
                .task_id = ASKER_ID,
                .scope_name = "top",
                .text = "enough of 7",
            },
            TENON_OK);
    }
}

Test(cause, of_a_cancel_by_a_task_is_read_below)
{
    pool_each(cancel_above);
}

static int succeed(tenon_task *self, void *arg)
{
    (void)self;
    (void)arg;
    return TENON_OK;
}

static void satisfy_above(tenon_executor *executor)
{
    struct tree tree = {.was_told = false};

    grow(&tree, executor, TENON_POLICY_ANY_OK, 0, 0);
    ask(&tree, succeed);
    fell(
        &tree,
        &(tenon_cause){
            .origin = TENON_CAUSE_POLICY,
            .task_name = "asker",
            .task_id = ASKER_ID,
            .scope_name = "top",
            .text = "a task succeeded",
        },
        TENON_OK);
}

Test(cause, of_a_policy_above_is_read_below)
{
    pool_each(satisfy_above);
}

static void pass_deadline(tenon_executor *executor, struct test_clock *clock)
{
    struct tree of_scope = {.was_told = false};
    struct tree of_task = {.was_told = false};

    grow(&of_scope, executor, TENON_POLICY_FAIL_FAST, DELAY, 0);
    pool_move_clock(executor, clock, DELAY);
    fell(
        &of_scope,
        &(tenon_cause){
            .origin = TENON_CAUSE_DEADLINE,
            .code = TENON_TIMEOUT,
            .scope_name = "top",
            .text = "deadline passed",
        },
        TENON_TIMEOUT);
    grow(&of_task, executor, TENON_POLICY_FAIL_FAST, 0, DELAY);
    pool_move_clock(executor, clock, DELAY);
    fell(
        &of_task,
        &(tenon_cause){
            .origin = TENON_CAUSE_DEADLINE,
            .code = TENON_TIMEOUT,
            .task_name = "owner",
            .task_id = OWNER_ID,
            .text = "deadline passed",
        },
        TENON_ERRORS);
}

Test(cause, of_a_deadline_above_is_read_below)
{
    pool_each_clock(pass_deadline);
}
