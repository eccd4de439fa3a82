// SPDX-License-Identifier: MIT
//
// token_deadline_test — a token that belongs to no scope is set at a time, and
// with it all scopes below.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(token_deadline, .timeout = 60);

#define DELAY TENON_SECONDS(10)

static bool is_set(void *token)
{
    return tenon_token_cancelled(token);
}

static void stop_scopes(tenon_executor *executor, struct test_clock *clock)
{
    tenon_token token;
    tenon_scope scopes[2];
    tenon_report report;
    struct gate started = {0};

    tenon_token_init(&token, NULL);
    for (int i = 0; i < 2; i++) {
        must_open_with(
            &scopes[i],
            TENON_SCOPE_OPTIONS(.executor = executor, .parent = &token));
        must_spawn(&scopes[i], task_announce_until_cancelled, &started);
    }
    cr_assert(gate_wait(&started));
    cr_assert(zero(
        int,
        tenon_token_set_deadline(&token, executor, CLOCK_BEGIN_NS + DELAY)));
    cr_expect(
        eq(u64, tenon_token_deadline(tenon_scope_token(&scopes[0])),
           CLOCK_BEGIN_NS + DELAY));
    pool_move_clock(executor, clock, DELAY);
    for (int i = 1; i >= 0; i--) {
        must_join(&scopes[i], &report, TENON_CANCELLED);
        cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_PARENT));
        cr_expect(eq(int, (int)report.cause.origin, (int)TENON_CAUSE_DEADLINE));
        tenon_report_free(&report);
    }
    tenon_token_fini(&token);
}

Test(token_deadline, stops_all_scopes_below_at_its_time)
{
    pool_each_clock(stop_scopes);
}

static void move(tenon_executor *executor, struct test_clock *clock)
{
    tenon_token token;

    tenon_token_init(&token, NULL);
    for (uint64_t i = 1; i <= 10000; i++) {
        cr_assert(zero(
            int, tenon_token_set_deadline(
                     &token, executor, CLOCK_BEGIN_NS + DELAY + i)));
    }
    cr_assert(zero(
        int, tenon_token_set_deadline(&token, executor, TENON_NO_DEADLINE)));
    pool_move_clock(executor, clock, 2 * DELAY);
    cr_expect(not(tenon_token_cancelled(&token)));
    cr_assert(
        zero(int, tenon_token_set_deadline(&token, executor, CLOCK_BEGIN_NS)));
    cr_expect(tenon_token_cancelled(&token));  // at once
    cr_expect(
        eq(int, tenon_token_set_deadline(&token, executor, TENON_NO_DEADLINE),
           TENON_EALREADY));
    tenon_token_fini(&token);
    tenon_token_init(&token, NULL);
    tenon_token_cancel(&token, 1, "by hand");
    cr_expect(eq(
        int,
        tenon_token_set_deadline(&token, executor, CLOCK_BEGIN_NS + 3 * DELAY),
        TENON_EALREADY));
    tenon_token_fini(&token);
}

Test(token_deadline, may_be_moved_until_it_has_passed)
{
    pool_each_clock(move);
}

static void end_before(tenon_executor *executor, struct test_clock *clock)
{
    tenon_token tokens[2];

    for (int i = 0; i < 2; i++) {
        tenon_token_init(&tokens[i], NULL);
        cr_assert(zero(
            int, tenon_token_set_deadline(
                     &tokens[i], executor, CLOCK_BEGIN_NS + DELAY)));
    }
    tenon_token_fini(&tokens[0]);
    tokens[0] = (tenon_token){.kind = 0};
    pool_move_clock(executor, clock, DELAY);
    cr_assert(gate_poll(is_set, &tokens[1]));
    cr_expect(not(tenon_token_cancelled(&tokens[0])));
    tenon_token_fini(&tokens[1]);
}

Test(token_deadline, ends_with_its_token)
{
    pool_each_clock(end_before);
}

static void refuse(tenon_executor *executor)
{
    tenon_executor *other = pool_create(1);
    tenon_scope scope;
    tenon_token token;

    tenon_token_init(&token, NULL);
    must_open(&scope, executor);
    cr_expect(
        eq(int, tenon_token_set_deadline(&token, executor, 0), TENON_EINVAL));
    cr_expect(
        eq(int, tenon_token_set_deadline(NULL, executor, 1), TENON_EINVAL));
    cr_expect(eq(
        int, tenon_token_set_deadline(tenon_scope_token(&scope), executor, 1),
        TENON_EINVAL));
    cr_assert(zero(
        int, tenon_token_set_deadline(&token, executor, TENON_NO_DEADLINE)));
    cr_expect(
        eq(int, tenon_token_set_deadline(&token, other, TENON_NO_DEADLINE),
           TENON_EINVAL));
    must_join(&scope, NULL, TENON_OK);
    tenon_token_fini(&token);
    pool_destroy(other);
}

Test(token_deadline, needs_a_time_one_executor_and_a_token_of_its_own)
{
    pool_each(refuse);
}

// --- beside other deadlines ---

static void keep_clocks_apart(
    tenon_executor *executor, struct test_clock *clock)
{
    struct test_clock other_clock = {0};
    tenon_scope scopes[2];
    tenon_token below;
    tenon_token above;

    (void)clock;
    tenon_executor *other = pool_create_with(TENON_EXECUTOR_OPTIONS(
            .worker_count = 1, .clock = {test_clock_now_ns, &other_clock}));
    tenon_token_init(&above, NULL);
    cr_assert(zero(
        int,
        tenon_token_set_deadline(&above, other, CLOCK_BEGIN_NS + 3 * DELAY)));
    must_open_with(
        &scopes[0], TENON_SCOPE_OPTIONS(
                            .executor = executor, .parent = &above,
                            .deadline_ns = CLOCK_BEGIN_NS + DELAY));
    must_open_with(
        &scopes[1],
        TENON_SCOPE_OPTIONS(.executor = executor, .parent = &above));
    tenon_token_init(&below, tenon_scope_token(&scopes[0]));
    cr_assert(zero(
        int,
        tenon_token_set_deadline(&below, other, CLOCK_BEGIN_NS + 2 * DELAY)));
    // What another clock says is not this one's.
    cr_expect(
        eq(u64, tenon_token_deadline(tenon_scope_token(&scopes[0])),
           CLOCK_BEGIN_NS + DELAY));
    cr_expect(
        eq(u64, tenon_token_deadline(tenon_scope_token(&scopes[1])),
           TENON_NO_DEADLINE));
    cr_expect(
        eq(u64, tenon_token_deadline(&below), CLOCK_BEGIN_NS + 2 * DELAY));
    pool_move_clock(other, &other_clock, 2 * DELAY);
    cr_assert(gate_poll(is_set, &below));
    cr_expect(not(tenon_scope_cancelled(&scopes[0])));
    must_join(&scopes[1], NULL, TENON_OK);
    tenon_token_fini(&below);
    must_join(&scopes[0], NULL, TENON_OK);
    tenon_token_fini(&above);
    pool_destroy(other);
}

Test(token_deadline, of_one_clock_is_not_compared_with_that_of_another)
{
    pool_each_clock(keep_clocks_apart);
}

static void pass_both(tenon_executor *executor, struct test_clock *clock)
{
    tenon_token token;
    tenon_scope scope;
    tenon_report report;
    struct gate started = {0};

    tenon_token_init(&token, NULL);
    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .parent = &token, .timeout_ns = DELAY));
    must_spawn(&scope, task_announce_until_cancelled, &started);
    cr_assert(gate_wait(&started));
    cr_assert(zero(
        int,
        tenon_token_set_deadline(&token, executor, CLOCK_BEGIN_NS + DELAY)));
    pool_move_clock(executor, clock, DELAY);
    must_join(&scope, &report, TENON_CANCELLED);
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_PARENT));
    cr_expect(eq(int, (int)report.cause.origin, (int)TENON_CAUSE_DEADLINE));
    tenon_report_free(&report);
    tenon_token_fini(&token);
}

Test(token_deadline, equal_to_that_of_a_scope_below_comes_first)
{
    pool_each_clock(pass_both);
}
