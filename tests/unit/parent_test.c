// SPDX-License-Identifier: MIT
//
// parent_test — what a scope is opened below cancels it, even before
// it was opened.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(parent, .timeout = 60);

struct birth {
    struct gate may_open;
    tenon_status spawned;
    tenon_status joined;
    bool was_set;
    tenon_report report;
};

static int open_late(tenon_task *self, void *arg)
{
    struct birth *birth = arg;
    tenon_scope scope;

    if (!task_await_cancel(self) || tenon_scope_open(&scope, NULL) != 0) {
        return TASK_IN_VAIN;
    }
    birth->was_set = tenon_scope_cancelled(&scope);
    birth->spawned = tenon_spawn(&scope, task_ok, NULL);
    birth->joined = tenon_scope_join(&scope, TENON_CANCELLED, &birth->report);
    return birth->joined;
}

static void open_in_cancelled(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct birth birth = {.was_set = false};
    struct gate started = {0};

    must_open(&scope, executor);
    must_spawn(&scope, open_late, &birth);
    must_spawn(&scope, task_announce_until_cancelled, &started);
    cr_assert(gate_wait(&started));
    tenon_scope_cancel(&scope, 1, "stop");
    must_join(&scope, &report, TENON_OK);
    if (report.dropped_count == 0) {
        cr_expect(birth.was_set);
        cr_expect(eq(int, birth.spawned, TENON_CANCELLED));
        cr_expect(eq(int, birth.joined, TENON_CANCELLED));
        cr_expect(
            eq(int, (int)birth.report.cause.source, (int)TENON_CAUSE_PARENT));
        cr_expect(eq(u64, birth.report.rejected_count, 1));
    }
    tenon_report_free(&birth.report);
    tenon_report_free(&report);
}

Test(parent, scope_opened_inside_a_cancelled_one_is_born_cancelled)
{
    pool_each_parallel(open_in_cancelled);
}

// --- free-standing tokens ---

static void open_below_token(tenon_executor *executor)
{
    tenon_token token;
    tenon_scope scope;
    tenon_cause cause;

    tenon_token_init(&token, NULL);
    tenon_token_cancel(&token, 3, "before open");
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .parent = &token));
    cr_expect(tenon_scope_cancelled(&scope));
    cr_expect(eq(int, tenon_spawn(&scope, task_ok, NULL), TENON_CANCELLED));
    cr_assert(tenon_scope_cause(&scope, &cause));
    cr_expect(eq(int, (int)cause.source, (int)TENON_CAUSE_PARENT));
    cr_expect(eq(int, (int)cause.origin, (int)TENON_CAUSE_EXPLICIT));
    cr_expect(eq(int, cause.code, 3));
    must_join(&scope, NULL, TENON_CANCELLED);
    tenon_token_fini(&token);
}

Test(parent, scope_below_a_set_token_is_born_cancelled)
{
    pool_each(open_below_token);
}

static int run_below_token(tenon_task *self, void *arg)
{
    tenon_scope scope;
    struct gate started = {0};
    tenon_token *token = arg;

    (void)self;
    if (tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.parent = token)) != 0) {
        return 1;
    }
    tenon_status spawned =
        tenon_spawn(&scope, task_announce_until_cancelled, &started);
    tenon_token_cancel(token, 1, "only here");
    tenon_status joined = tenon_scope_join(&scope, TENON_OK, NULL);
    // The task's own scope is not below the token.
    return spawned == TENON_OK && joined == TENON_CANCELLED &&
                   !tenon_cancelled(self)
               ? TENON_OK
               : 2;
}

static void nest_below_token(tenon_executor *executor)
{
    tenon_token token;

    tenon_token_init(&token, NULL);
    must_run(executor, run_below_token, &token, TENON_OK);
    tenon_token_fini(&token);
}

Test(parent, token_is_one_more_parent_of_a_nested_scope)
{
    pool_each(nest_below_token);
}

Test(parent, token_below_a_scope_sees_its_cancel)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_token token;

    must_open(&scope, executor);
    tenon_token_init(&token, tenon_scope_token(&scope));
    cr_expect(not(tenon_token_cancelled(&token)));
    tenon_scope_cancel(&scope, 1, "stop");
    cr_expect(tenon_token_cancelled(&token));
    tenon_token_fini(&token);
    must_join(&scope, NULL, TENON_OK);
    pool_destroy(executor);
}

static void poll_joined(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_token token;

    tenon_token_init(&token, NULL);
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .parent = &token));
    must_join(&scope, NULL, TENON_OK);
    tenon_token_cancel(&token, 1, "after join");
    cr_expect(not(tenon_scope_cancelled(&scope)));
    tenon_token_fini(&token);
}

Test(parent, joined_scope_has_nothing_above)
{
    pool_each(poll_joined);
}
