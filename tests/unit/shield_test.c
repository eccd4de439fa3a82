// SPDX-License-Identifier: MIT
//
// shield_test — a scope that what is around it cannot cancel, nor hurry; but it
// is still joined, and can cancel itself.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(shield, .timeout = 60);

#define DELAY TENON_SECONDS(10)

struct shielded {
    struct gate is_open;
    struct gate may_end;
    tenon_token *token;
    bool saw_inside;
    bool saw_after;
    bool member_saw;
    uint64_t deadline_inside_ns;
    uint64_t deadline_outside_ns;
    tenon_status joined;
};

static int look(tenon_task *self, void *arg)
{
    struct shielded *shielded = arg;

    gate_open(&shielded->is_open);
    bool in_time = gate_wait(&shielded->may_end);
    shielded->member_saw = tenon_cancelled(self);
    return in_time ? TENON_OK : TASK_IN_VAIN;
}

static int shield_member(tenon_task *self, void *arg)
{
    struct shielded *shielded = arg;
    tenon_scope scope;

    if (tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.is_shielded = true)) !=
        TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status body = tenon_spawn(&scope, look, shielded);
    if (!gate_wait(&shielded->may_end)) {
        body = TASK_IN_VAIN;
    }
    shielded->saw_inside = tenon_cancelled(self);
    shielded->joined = tenon_scope_join(&scope, body, NULL);
    shielded->saw_after = tenon_cancelled(self);
    return TENON_OK;
}

static void cancel_around(tenon_executor *executor)
{
    tenon_scope scope;
    struct shielded shielded = {.saw_inside = true, .member_saw = true};

    must_open(&scope, executor);
    must_spawn(&scope, shield_member, &shielded);
    cr_assert(gate_wait(&shielded.is_open));
    tenon_scope_cancel(&scope, 3, "from outside");
    gate_open(&shielded.may_end);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(not(shielded.saw_inside));
    cr_expect(not(shielded.member_saw));
    cr_expect(eq(int, shielded.joined, TENON_OK));
    cr_expect(shielded.saw_after);
}

// The body waits for the member, so both must run.
Test(shield, keeps_a_cancel_from_outside_out_until_it_is_joined)
{
    pool_each_parallel(cancel_around);
}

static int open_cancelled(tenon_task *self, void *arg)
{
    struct shielded *shielded = arg;
    tenon_scope scope;
    struct gate started = {0};

    if (!task_await_cancel(self)) {
        return TASK_IN_VAIN;
    }
    // Opened when everything around is cancelled already.
    if (tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.is_shielded = true)) !=
        TENON_OK) {
        return TASK_IN_VAIN;
    }
    shielded->saw_inside = tenon_cancelled(self);
    tenon_status body =
        tenon_spawn(&scope, task_announce_until_cancelled, &started);
    shielded->member_saw = !tenon_scope_cancel(&scope, 0, "itself");
    shielded->joined = tenon_scope_join(&scope, body, NULL);
    shielded->saw_after = tenon_cancelled(self);
    return TENON_CANCELLED;
}

static void cancel_inside(tenon_executor *executor)
{
    tenon_scope scope;
    struct shielded shielded = {.saw_inside = true, .member_saw = true};

    must_open(&scope, executor);
    must_spawn(&scope, open_cancelled, &shielded);
    tenon_scope_cancel(&scope, 3, "from outside");
    tenon_report report;
    must_join(&scope, &report, TENON_OK);
    if (report.dropped_count == 0) {
        cr_expect(not(shielded.saw_inside));
        cr_expect(not(shielded.member_saw));
        cr_expect(eq(int, shielded.joined, TENON_OK));
        cr_expect(shielded.saw_after);
    }
    tenon_report_free(&report);
}

static void cancel_inside_often(tenon_executor *executor)
{
    for (int i = 0; i < 200; i++) {
        cancel_inside(executor);
    }
}

Test(shield, can_be_opened_when_cancelled_and_cancels_itself)
{
    pool_each(cancel_inside_often);
}

static int shield_with_deadline(tenon_task *self, void *arg)
{
    struct shielded *shielded = arg;
    tenon_scope scope;

    shielded->deadline_outside_ns = tenon_task_deadline(self);
    if (tenon_scope_open(
            &scope, TENON_SCOPE_OPTIONS(
                            .is_shielded = true,
                            .deadline_ns = CLOCK_BEGIN_NS + 2 * DELAY)) !=
        TENON_OK) {
        return TASK_IN_VAIN;
    }
    shielded->deadline_inside_ns = tenon_task_deadline(self);
    tenon_status body =
        tenon_spawn(&scope, task_announce_until_cancelled, &shielded->is_open);
    shielded->joined = tenon_scope_join(&scope, body, NULL);
    return TENON_OK;
}

static void pass_deadlines(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    struct shielded shielded = {.joined = TASK_IN_VAIN};

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .timeout_ns = DELAY));
    must_spawn(&scope, shield_with_deadline, &shielded);
    cr_assert(gate_wait(&shielded.is_open));
    pool_move_clock(executor, clock, DELAY);
    cr_assert(task_await_scope_cancel(&scope));
    pool_move_clock(executor, clock, DELAY);
    must_join(&scope, NULL, TENON_OK);  // it stopped nothing
    cr_expect(eq(int, shielded.joined, TENON_TIMEOUT));
    cr_expect(eq(u64, shielded.deadline_outside_ns, CLOCK_BEGIN_NS + DELAY));
    cr_expect(eq(u64, shielded.deadline_inside_ns, CLOCK_BEGIN_NS + 2 * DELAY));
}

Test(shield, has_a_deadline_of_its_own_only)
{
    pool_each_clock(pass_deadlines);
}

static int shield_with_token(tenon_task *self, void *arg)
{
    struct shielded *shielded = arg;
    tenon_scope scope;

    if (tenon_scope_open(
            &scope, TENON_SCOPE_OPTIONS(
                            .is_shielded = true, .parent = shielded->token)) !=
        TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status body =
        tenon_spawn(&scope, task_announce_until_cancelled, &shielded->is_open);
    shielded->joined = tenon_scope_join(&scope, body, NULL);
    shielded->saw_after = tenon_cancelled(self);
    return TENON_OK;
}

static void cancel_token(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_token token;
    struct shielded shielded = {.token = &token, .saw_after = true};

    tenon_token_init(&token, NULL);
    must_open(&scope, executor);
    must_spawn(&scope, shield_with_token, &shielded);
    cr_assert(gate_wait(&shielded.is_open));
    tenon_token_cancel(&token, 1, "hard stop");
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(int, shielded.joined, TENON_CANCELLED));
    cr_expect(not(shielded.saw_after));
    tenon_token_fini(&token);
}

Test(shield, heeds_the_token_that_it_was_given)
{
    pool_each(cancel_token);
}
