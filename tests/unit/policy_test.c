// SPDX-License-Identifier: MIT
//
// policy_test — when a scope stops by itself, and what its join comes to then.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(policy, .timeout = 60);

static void open_any_ok(tenon_scope *scope, tenon_executor *executor)
{
    must_open_with(
        scope, TENON_SCOPE_OPTIONS(
                       .executor = executor, .policy = TENON_POLICY_ANY_OK));
}

// Tasks that end when they are cancelled, but leave one worker to the others.
static void spawn_endless(tenon_scope *scope, tenon_executor *executor)
{
    uint32_t worker_count = pool_info(executor).worker_count;

    for (uint32_t i = 1; i < worker_count && i < 5; i++) {
        may_spawn(scope, task_until_cancelled, NULL);
    }
}

static void succeed_first(tenon_executor *executor)
{
    static int codes[] = {31, 32};

    for (int i = 0; i < 50; i++) {
        tenon_scope scope;
        tenon_report report;
        open_any_ok(&scope, executor);
        must_spawn(&scope, task_return, &codes[0]);
        must_spawn(&scope, task_return, &codes[1]);
        must_spawn_with(
            &scope, task_ok, NULL,
            TENON_TASK_OPTIONS(.name = "winner", .id = 12));
        spawn_endless(&scope, executor);
        must_join(&scope, &report, TENON_OK);
        cr_assert(eq(u64, report.ok_count, 1));
        cr_assert(eq(int, (int)report.cause.source, (int)TENON_CAUSE_POLICY));
        cr_assert(eq(str, report.cause.task_name, "winner"));
        cr_assert(eq(u64, report.cause.task_id, 12));
        cr_assert(report.cancelled);
        cr_assert(le(u64, report.failed_count, 2));
        cr_assert(eq(u64, report.error_count, report.failed_count));
        tenon_report_free(&report);
    }
}

Test(policy, any_ok_is_ok_with_the_first_success_which_cancels_the_rest)
{
    pool_each(succeed_first);
}

static void fail_all(tenon_executor *executor)
{
    static int codes[] = {31, 32, 33};
    tenon_scope scope;
    tenon_report report;

    open_any_ok(&scope, executor);
    for (int i = 0; i < 3; i++) {
        must_spawn(&scope, task_return, &codes[i]);
    }
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.error_count, 3));
    cr_expect(eq(u64, report.failed_count, 3));
    cr_expect(not(report.cancel_requested));
    tenon_report_free(&report);
}

Test(policy, any_ok_has_the_errors_of_all_if_all_fail)
{
    pool_each(fail_all);
}

static void try_nothing(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;

    open_any_ok(&scope, executor);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, TENON_ENORESULT));
    cr_expect(eq(str, (char *)report.primary->text, "no task succeeded"));
    cr_expect(eq(str, (char *)report.primary->domain, "tenon"));
    tenon_report_free(&report);
    // Nor if it was told to stop before one could succeed.
    open_any_ok(&scope, executor);
    tenon_scope_cancel(&scope, 0, NULL);
    must_join(&scope, NULL, TENON_ERRORS);
}

static void try_nothing_below_a_cancel(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_token token;
    tenon_report report;

    tenon_token_init(&token, NULL);
    tenon_token_cancel(&token, 0, NULL);
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .policy = TENON_POLICY_ANY_OK,
                        .parent = &token));
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(int, report.primary->code, TENON_ENORESULT));
    tenon_report_free(&report);
    tenon_token_fini(&token);
}

Test(policy, any_ok_that_nothing_stopped_has_an_error_even_below_a_cancel)
{
    pool_each(try_nothing_below_a_cancel);
}

Test(policy, any_ok_without_a_task_has_an_error)
{
    pool_each(try_nothing);
}

static void stop_before_success(
    tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_token token;
    tenon_report report;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .policy = TENON_POLICY_ANY_OK,
                        .timeout_ns = TENON_SECONDS(1)));
    must_spawn(&scope, task_until_cancelled, NULL);
    pool_move_clock(executor, clock, TENON_SECONDS(1));
    must_join(&scope, &report, TENON_TIMEOUT);
    cr_expect(eq(u64, report.error_count, 0));
    tenon_report_free(&report);
    tenon_token_init(&token, NULL);
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .policy = TENON_POLICY_ANY_OK,
                        .parent = &token));
    must_spawn(&scope, task_until_cancelled, NULL);
    tenon_token_cancel(&token, 0, NULL);
    must_join(&scope, NULL, TENON_CANCELLED);
    tenon_token_fini(&token);
}

Test(policy, any_ok_that_was_stopped_says_so)
{
    pool_each_clock(stop_before_success);
}

static void fail_body(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;

    open_any_ok(&scope, executor);
    must_spawn(&scope, task_ok, NULL);
    cr_expect(eq(int, tenon_scope_join(&scope, 44, &report), TENON_ERRORS));
    cr_expect(eq(int, report.primary->code, 44));
    tenon_report_free(&report);
}

Test(policy, any_ok_does_not_outweigh_a_failure_of_the_body)
{
    pool_each(fail_body);
}

static int win(tenon_task *self, void *arg)
{
    atomic_uint *winner_count = arg;

    (void)self;
    atomic_fetch_add(winner_count, 1);
    return TENON_OK;
}

static void race(tenon_executor *executor)
{
    for (int i = 0; i < 200; i++) {
        tenon_scope scope;
        tenon_report report;
        atomic_uint winner_count = 0;
        open_any_ok(&scope, executor);
        for (int k = 0; k < 6; k++) {
            may_spawn(&scope, win, &winner_count);
        }
        must_join(&scope, &report, TENON_OK);
        cr_assert(ge(u64, report.ok_count, 1));
        cr_assert(eq(u64, report.ok_count, atomic_load(&winner_count)));
        cr_assert(eq(
            u64, report.ok_count + report.dropped_count + report.rejected_count,
            6));
        tenon_report_free(&report);
    }
}

Test(policy, any_ok_drops_what_has_not_begun_when_one_has_succeeded)
{
    pool_each(race);
}

struct until {
    atomic_uint seen_count;
    atomic_uint dropped_count;
    uint64_t wanted_id;
};

static bool is_wanted(const tenon_completion *completion, void *context)
{
    struct until *until = context;

    atomic_fetch_add(&until->seen_count, 1);
    if (completion->outcome == TENON_OUTCOME_DROPPED) {
        atomic_fetch_add(&until->dropped_count, 1);
    }
    return completion->id == until->wanted_id;
}

static void stop_at_wanted(tenon_executor *executor)
{
    static int code = 9;
    tenon_scope scope;
    tenon_report report;
    struct until until = {.wanted_id = 3};

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .policy = TENON_POLICY_UNTIL,
                        .on_complete = is_wanted, .policy_context = &until));
    for (uint64_t id = 1; id <= 2; id++) {
        must_spawn_with(&scope, task_ok, NULL, TENON_TASK_OPTIONS(.id = id));
    }
    // A failure stops it as well, if it is the wanted one.
    must_spawn_with(
        &scope, task_return, &code, TENON_TASK_OPTIONS(.id = 3, .name = "x"));
    spawn_endless(&scope, executor);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_POLICY));
    cr_expect(eq(int, report.cause.code, 9));
    cr_expect(eq(u64, report.cause.task_id, 3));
    cr_expect(eq(u64, atomic_load(&until.seen_count), report.spawned_count));
    cr_expect(eq(u64, atomic_load(&until.dropped_count), report.dropped_count));
    tenon_report_free(&report);
}

Test(policy, until_hears_of_every_end_and_stops_when_it_has_enough)
{
    pool_each(stop_at_wanted);
}

static bool never(const tenon_completion *completion, void *context)
{
    (void)completion;
    (void)context;
    return false;
}

static void never_stop(tenon_executor *executor)
{
    static int code = 9;
    tenon_scope scope;
    tenon_report report;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .policy = TENON_POLICY_UNTIL,
                        .on_complete = never));
    must_spawn(&scope, task_return, &code);
    must_spawn(&scope, task_ok, NULL);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.ok_count, 1));
    cr_expect(not(report.cancel_requested));
    tenon_report_free(&report);
}

Test(policy, until_lets_failures_cancel_nobody)
{
    pool_each(never_stop);
}

// A quorum: three successes are enough, and then failures do not matter.
struct quorum {
    atomic_uint ok_count;
    tenon_status offered;
};

static bool has_quorum(const tenon_completion *completion, void *context)
{
    struct quorum *quorum = context;

    return completion->outcome == TENON_OUTCOME_OK &&
           atomic_fetch_add(&quorum->ok_count, 1) + 1 >= 3;
}

static tenon_status return_eperm(const tenon_report *report, void *context)
{
    (void)report;
    (void)context;
    return TENON_EPERM;
}

Test(policy, verdict_may_be_any_code_also_in_a_block)
{
    tenon_executor *executor = pool_create(1);
    tenon_status status = TENON_OK;

    TENON_SCOPE(
        scope, .executor = executor, .policy = TENON_POLICY_CUSTOM,
        .verdict = return_eperm, .status = &status)
    {
        must_spawn(&scope, task_ok, NULL);
    }
    cr_expect(eq(int, status, TENON_EPERM));
    pool_destroy(executor);
}

static tenon_status judge_quorum(const tenon_report *report, void *context)
{
    struct quorum *quorum = context;

    quorum->offered = report->status;
    return report->ok_count >= 3 ? TENON_OK : 1234;
}

static void open_quorum(
    tenon_scope *scope, tenon_executor *executor, struct quorum *quorum)
{
    must_open_with(
        scope, TENON_SCOPE_OPTIONS(
                       .executor = executor, .policy = TENON_POLICY_CUSTOM,
                       .on_complete = has_quorum, .verdict = judge_quorum,
                       .policy_context = quorum));
}

static void vote(tenon_executor *executor)
{
    static int code = 5;
    tenon_scope scope;
    tenon_report report;
    struct quorum quorum = {.ok_count = 0};

    open_quorum(&scope, executor, &quorum);
    must_spawn(&scope, task_return, &code);
    for (int i = 0; i < 3; i++) {
        must_spawn(&scope, task_ok, NULL);
    }
    spawn_endless(&scope, executor);
    must_join(&scope, &report, TENON_OK);
    cr_expect(
        eq(int, quorum.offered,
           (int)(report.error_count > 0 ? TENON_ERRORS : TENON_OK)));
    cr_expect(eq(int, report.status, TENON_OK));
    tenon_report_free(&report);
    quorum = (struct quorum){.ok_count = 0};
    open_quorum(&scope, executor, &quorum);
    must_spawn(&scope, task_return, &code);
    must_spawn(&scope, task_ok, NULL);
    must_join(&scope, &report, 1234);
    cr_expect(eq(int, quorum.offered, TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 1));
    tenon_report_free(&report);
}

Test(policy, custom_says_when_to_stop_and_what_it_comes_to)
{
    pool_each(vote);
}

Test(policy, nonsense_is_refused)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;

    cr_expect(
        eq(int,
           tenon_scope_open(
               &scope,
               TENON_SCOPE_OPTIONS(
                       .executor = executor, .policy = TENON_POLICY_UNTIL)),
           TENON_EINVAL));
    cr_expect(
        eq(int,
           tenon_scope_open(
               &scope,
               TENON_SCOPE_OPTIONS(
                       .executor = executor, .policy = TENON_POLICY_CUSTOM)),
           TENON_EINVAL));
    cr_expect(eq(
        int,
        tenon_scope_open(
            &scope, TENON_SCOPE_OPTIONS(
                            .executor = executor, .policy = TENON_POLICY_ANY_OK,
                            .on_complete = never)),
        TENON_EINVAL));
    cr_expect(
        eq(int,
           tenon_scope_open(
               &scope,
               TENON_SCOPE_OPTIONS(
                       .executor = executor, .policy = TENON_POLICY_FAIL_FAST,
                       .verdict = judge_quorum)),
           TENON_EINVAL));
    cr_expect(eq(
        int,
        tenon_scope_open(
            &scope, TENON_SCOPE_OPTIONS(
                            .executor = executor, .policy = (tenon_policy)5)),
        TENON_EINVAL));
    pool_destroy(executor);
}
