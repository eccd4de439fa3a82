// SPDX-License-Identifier: MIT
//
// timeouts_test — the scenarios of asyncio's timeouts: a body sleeps in a scope
// with a deadline, a task has one of its own, and something else happens too.

#include "gate.h"
#include "group.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(timeouts, .timeout = 60);

#define DELAY TENON_SECONDS(10)
#define AT(delay_ns) (CLOCK_BEGIN_NS + (delay_ns))

// --- a scope with a deadline ---

static void sleep_too_long(tenon_executor *executor, struct test_clock *clock)
{
    struct group group = {.deadline_ns = AT(DELAY), .body_sleeps = true};

    group_begin(&group, executor, group_own, 1);
    pool_move_clock(executor, clock, DELAY);
    // The owner passes on what the join said: it has failed.
    group_end(&group, NULL, TENON_OUTCOME_FAILED);
    cr_expect(eq(u64, group.read_ns, AT(DELAY)));
    cr_expect(eq(int, group.slept, TENON_CANCELLED));
    cr_expect(eq(int, group.joined, TENON_TIMEOUT));
    cr_expect(
        eq(int, (int)group.report.cause.source, (int)TENON_CAUSE_DEADLINE));
    cr_expect(not(group.is_still_set));
    tenon_report_free(&group.report);
}

Test(timeouts, deadline_can_be_read_and_is_a_cancel_inside_a_timeout_outside)
{
    pool_each_clock(sleep_too_long);
}

static void sleep_no_time(tenon_executor *executor, struct test_clock *clock)
{
    struct group group = {.deadline_ns = AT(0), .body_sleeps = true};

    (void)clock;
    group_begin(&group, executor, group_own, 1);
    group_end(&group, NULL, TENON_OUTCOME_FAILED);
    cr_expect(eq(int, group.slept, TENON_CANCELLED));
    cr_expect(eq(int, group.joined, TENON_TIMEOUT));
    tenon_report_free(&group.report);
}

Test(timeouts, deadline_of_this_very_moment_ends_the_first_wait)
{
    pool_each_clock(sleep_no_time);
}

static int fail_in_block(tenon_task *self, void *arg)
{
    struct group *group = arg;
    tenon_scope scope;

    if (tenon_scope_open(
            &scope, TENON_SCOPE_OPTIONS(.deadline_ns = group->deadline_ns)) !=
        TENON_OK) {
        return TASK_IN_VAIN;
    }
    group->joined = tenon_scope_join(&scope, GROUP_CODE, &group->report);
    group->slept = group_sleep(self, group);
    return group->slept;
}

static void fail_in_time(tenon_executor *executor, struct test_clock *clock)
{
    struct group group = {.deadline_ns = AT(DELAY)};

    group_begin(&group, executor, fail_in_block, 1);
    pool_move_clock(executor, clock, 2 * DELAY);
    cr_expect(tenon_handle_cancel(&group.owner, 0, NULL));
    group_end(&group, NULL, TENON_OUTCOME_CANCELLED);
    cr_expect(eq(int, group.joined, TENON_ERRORS));
    group_expect_errors(&group.report, 1, GROUP_CODE);
    cr_expect(not(group.report.primary->after_cancel));
    cr_expect(
        eq(int, (int)group.report.cause.source, (int)TENON_CAUSE_FAILURE));
    tenon_report_free(&group.report);
}

Test(timeouts, failure_in_time_is_told_as_it_is)
{
    pool_each_clock(fail_in_time);
}

static void fail_when_late(tenon_executor *executor, struct test_clock *clock)
{
    struct group group = {
        .deadline_ns = AT(DELAY),
        .body_sleeps = true,
        .body_code = GROUP_CODE,
    };

    group_begin(&group, executor, group_own, 1);
    pool_move_clock(executor, clock, DELAY);
    group_end(&group, NULL, TENON_OUTCOME_FAILED);
    cr_expect(eq(int, group.slept, TENON_CANCELLED));
    cr_expect(eq(int, group.joined, TENON_ERRORS));
    group_expect_errors(&group.report, 1, GROUP_CODE);
    cr_expect(group.report.primary->after_cancel);
    cr_expect(
        eq(int, (int)group.report.cause.source, (int)TENON_CAUSE_DEADLINE));
    tenon_report_free(&group.report);
}

Test(timeouts, failure_in_answer_to_a_timeout_outranks_it)
{
    pool_each_clock(fail_when_late);
}

static void fail_below(tenon_executor *executor, struct test_clock *clock)
{
    tenon_report report;
    struct group group = {
        .deadline_ns = AT(DELAY),
        .child = group_fail_when_told,
        .child_count = 1,
        .body_sleeps = true,
    };

    group_begin(&group, executor, group_own_two, 2);
    pool_move_clock(executor, clock, DELAY);
    group_end(&group, &report, TENON_OUTCOME_FAILED);
    cr_expect(eq(int, group.joined, TENON_ERRORS));
    cr_expect(eq(int, group.outer_joined, TENON_ERRORS));
    cr_expect(eq(u64, group_count_code(&report, GROUP_CODE), 1));
    cr_expect(eq(u64, group_count_code(&report, TENON_TIMEOUT), 0));
    tenon_report_free(&report);
}

Test(timeouts, failure_of_a_child_that_an_outer_timeout_stopped_travels_up)
{
    pool_each_clock(fail_below);
}

static void cancel_in_time(tenon_executor *executor, struct test_clock *clock)
{
    struct group group = {.deadline_ns = AT(DELAY), .body_sleeps = true};

    group_begin(&group, executor, group_own, 1);
    cr_expect(tenon_handle_cancel(&group.owner, 0, NULL));
    pool_move_clock(executor, clock, 2 * DELAY);
    group_end(&group, NULL, TENON_OUTCOME_CANCELLED);
    cr_expect(eq(int, group.slept, TENON_CANCELLED));
    cr_expect(eq(int, group.joined, TENON_CANCELLED));
    cr_expect(eq(int, (int)group.report.cause.source, (int)TENON_CAUSE_PARENT));
    tenon_report_free(&group.report);
}

Test(timeouts, cancel_before_the_deadline_is_no_timeout)
{
    pool_each_clock(cancel_in_time);
}

// --- one deadline inside another ---

// The inner deadline lies one delay ahead, the outer one two.
struct nest {
    struct group group;
    bool is_busy;  // the body of the inner one does not look before both passed
    tenon_status outer_slept;
};

static bool see_both_pass(tenon_scope *outer, struct nest *nest)
{
    gate_open(&nest->group.started);
    return task_await_scope_cancel(outer);
}

static int nest_deadlines(tenon_task *self, void *arg)
{
    struct nest *nest = arg;
    struct group *group = &nest->group;
    tenon_scope outer;
    tenon_scope inner;

    if (tenon_scope_open(
            &outer, TENON_SCOPE_OPTIONS(.deadline_ns = AT(2 * DELAY))) !=
            TENON_OK ||
        tenon_scope_open(
            &inner, TENON_SCOPE_OPTIONS(.deadline_ns = AT(DELAY))) !=
            TENON_OK) {
        return TASK_IN_VAIN;
    }
    if (nest->is_busy && !see_both_pass(&outer, nest)) {
        return TASK_IN_VAIN;
    }
    group->slept = group_sleep(self, group);
    group->joined = tenon_scope_join(&inner, group->slept, NULL);
    nest->outer_slept = group_sleep(self, group);
    group->outer_joined = tenon_scope_join(&outer, nest->outer_slept, NULL);
    return TENON_OK;
}

static void expect_both_timed_out(struct nest *nest)
{
    group_end(&nest->group, NULL, TENON_OUTCOME_OK);
    cr_expect(eq(int, nest->group.slept, TENON_CANCELLED));
    cr_expect(eq(int, nest->group.joined, TENON_TIMEOUT));
    cr_expect(eq(int, nest->outer_slept, TENON_CANCELLED));
    cr_expect(eq(int, nest->group.outer_joined, TENON_TIMEOUT));
}

static void pass_in_turn(tenon_executor *executor, struct test_clock *clock)
{
    struct nest nest = {.is_busy = false};

    group_begin(&nest.group, executor, nest_deadlines, 1);
    pool_move_clock(executor, clock, DELAY);
    cr_assert(gate_wait_for(&nest.group.started, 2));
    pool_move_clock(executor, clock, DELAY);
    expect_both_timed_out(&nest);
}

Test(timeouts, inner_one_that_was_handled_leaves_the_outer_one_in_force)
{
    pool_each_clock(pass_in_turn);
}

static void pass_together(tenon_executor *executor, struct test_clock *clock)
{
    struct nest nest = {.is_busy = true};

    group_begin(&nest.group, executor, nest_deadlines, 1);
    pool_move_clock(executor, clock, 5 * DELAY);
    expect_both_timed_out(&nest);
}

Test(timeouts, deadlines_that_pass_while_the_body_is_busy_are_both_met)
{
    pool_each_clock(pass_together);
}

// --- deadlines that move, and time for cleaning up ---

struct moves {
    struct group group;
    uint64_t read_ns[3];
    tenon_status moved[2];
};

static int move_deadline(tenon_task *self, void *arg)
{
    struct moves *moves = arg;
    struct group *group = &moves->group;
    tenon_scope scope;

    if (tenon_scope_open(
            &scope, TENON_SCOPE_OPTIONS(.deadline_ns = AT(DELAY))) !=
        TENON_OK) {
        return TASK_IN_VAIN;
    }
    moves->read_ns[0] = tenon_task_deadline(self);
    moves->moved[0] = tenon_scope_set_deadline(&scope, AT(2 * DELAY));
    moves->read_ns[1] = tenon_task_deadline(self);
    moves->moved[1] = tenon_scope_set_deadline(&scope, TENON_NO_DEADLINE);
    moves->read_ns[2] = tenon_task_deadline(self);
    group->slept = group_sleep(self, group);
    group->joined = tenon_scope_join(&scope, group->slept, &group->report);
    return group->joined;
}

static void move_then_cancel(tenon_executor *executor, struct test_clock *clock)
{
    struct moves moves = {.moved = {TASK_IN_VAIN, TASK_IN_VAIN}};

    group_begin(&moves.group, executor, move_deadline, 1);
    pool_move_clock(executor, clock, 5 * DELAY);
    cr_expect(tenon_handle_cancel(&moves.group.owner, 0, NULL));
    group_end(&moves.group, NULL, TENON_OUTCOME_CANCELLED);
    cr_expect(eq(int, moves.moved[0], TENON_OK));
    cr_expect(eq(int, moves.moved[1], TENON_OK));
    cr_expect(eq(u64, moves.read_ns[0], AT(DELAY)));
    cr_expect(eq(u64, moves.read_ns[1], AT(2 * DELAY)));
    cr_expect(eq(u64, moves.read_ns[2], TENON_NO_DEADLINE));
    cr_expect(eq(int, moves.group.joined, TENON_CANCELLED));
    tenon_report_free(&moves.group.report);
}

Test(timeouts, deadline_is_read_as_it_was_moved_and_gone_when_taken_away)
{
    pool_each_clock(move_then_cancel);
}

struct cleanup {
    struct group group;
    tenon_status plain;     // a wait without a shield
    tenon_status shielded;  // one behind it, with a deadline of its own
    tenon_status shield_joined;
};

static void clean_up(tenon_task *self, struct cleanup *cleanup)
{
    struct group *group = &cleanup->group;
    tenon_scope shield;

    cleanup->plain = group_sleep(self, group);
    if (tenon_scope_open(
            &shield,
            TENON_SCOPE_OPTIONS(.is_shielded = true, .timeout_ns = DELAY)) !=
        TENON_OK) {
        return;
    }
    cleanup->shielded = group_sleep(self, group);
    cleanup->shield_joined = tenon_scope_join(&shield, cleanup->shielded, NULL);
}

static int sleep_then_clean_up(tenon_task *self, void *arg)
{
    struct cleanup *cleanup = arg;
    struct group *group = &cleanup->group;
    tenon_scope scope;

    if (tenon_scope_open(
            &scope, TENON_SCOPE_OPTIONS(.deadline_ns = AT(DELAY))) !=
        TENON_OK) {
        return TASK_IN_VAIN;
    }
    group->slept = group_sleep(self, group);
    clean_up(self, cleanup);
    group->joined = tenon_scope_join(&scope, group->slept, &group->report);
    return group->joined;
}

static void clean_up_when_told(
    tenon_executor *executor, struct test_clock *clock, bool is_late)
{
    struct cleanup cleanup = {.shield_joined = TASK_IN_VAIN};

    group_begin(&cleanup.group, executor, sleep_then_clean_up, 1);
    if (is_late) {
        pool_move_clock(executor, clock, DELAY);
    } else {
        cr_expect(tenon_handle_cancel(&cleanup.group.owner, 0, NULL));
    }
    cr_assert(gate_wait_for(&cleanup.group.started, 3));
    pool_move_clock(executor, clock, DELAY);
    group_end(
        &cleanup.group, NULL,
        is_late ? TENON_OUTCOME_FAILED : TENON_OUTCOME_CANCELLED);
    cr_expect(eq(int, cleanup.plain, TENON_CANCELLED));
    cr_expect(eq(int, cleanup.shielded, TENON_CANCELLED));
    cr_expect(eq(int, cleanup.shield_joined, TENON_TIMEOUT));
    cr_expect(eq(
        int, cleanup.group.joined, is_late ? TENON_TIMEOUT : TENON_CANCELLED));
    tenon_report_free(&cleanup.group.report);
}

static void clean_up_late(tenon_executor *executor, struct test_clock *clock)
{
    clean_up_when_told(executor, clock, true);
}

Test(timeouts, cleanup_after_a_timeout_has_time_of_its_own_behind_a_shield)
{
    pool_each_clock(clean_up_late);
}

static void clean_up_cancelled(
    tenon_executor *executor, struct test_clock *clock)
{
    clean_up_when_told(executor, clock, false);
}

Test(timeouts, cleanup_after_a_cancel_has_time_of_its_own_behind_a_shield)
{
    pool_each_clock(clean_up_cancelled);
}

// --- a task with a timeout of its own ---

static void begin_with_timeout(
    struct group *group, tenon_executor *executor, tenon_task_fn *fn)
{
    must_open(&group->around, executor);
    cr_assert(
        eq(int,
           tenon_spawn_task(
               &group->around, &group->owner, fn, group,
               TENON_TASK_OPTIONS(.timeout_ns = DELAY)),
           TENON_OK));
    cr_assert(gate_wait(&group->started));
}

static void expect_status(const struct group *group, int expected)
{
    int status = TASK_IN_VAIN;

    cr_assert(
        eq(int, tenon_handle_outcome(&group->owner, NULL, &status), TENON_OK));
    cr_expect(eq(int, status, expected));
}

static int end_well_when_told(tenon_task *self, void *arg)
{
    return group_sleep(self, arg) == TENON_CANCELLED ? TENON_OK : TASK_IN_VAIN;
}

static void end_well_late(tenon_executor *executor, struct test_clock *clock)
{
    struct group group = {.told_count = 0};

    begin_with_timeout(&group, executor, end_well_when_told);
    pool_move_clock(executor, clock, DELAY);
    group_end(&group, NULL, TENON_OUTCOME_OK);
    expect_status(&group, TENON_OK);
    cr_expect(eq(uint, atomic_load(&group.told_count), 1));
}

Test(timeouts, result_of_a_task_that_ends_well_after_its_timeout_stands)
{
    pool_each_clock(end_well_late);
}

// Its cleanup does not heed that it was told to stop.
static int clean_up_at_gate(tenon_task *self, void *arg)
{
    struct group *group = arg;

    group->slept = group_sleep(self, group);
    return group_fail_at_gate(self, group) == GROUP_CODE ? group->slept
                                                         : TASK_IN_VAIN;
}

static void wait_for_cleanup(tenon_executor *executor, struct test_clock *clock)
{
    struct group group = {.told_count = 0};

    begin_with_timeout(&group, executor, clean_up_at_gate);
    pool_move_clock(executor, clock, DELAY);
    cr_assert(gate_wait_for(&group.started, 2));
    cr_expect(eq(
        int, tenon_handle_outcome(&group.owner, NULL, NULL), TENON_ENOTREADY));
    cr_expect(
        eq(int, tenon_scope_try_join(&group.around, TENON_OK, NULL),
           TENON_ENOTREADY));
    gate_open(&group.may_end);
    group_end(&group, NULL, TENON_OUTCOME_FAILED);
    expect_status(&group, TENON_TIMEOUT);
    cr_expect(eq(int, group.slept, TENON_CANCELLED));
}

Test(timeouts, task_that_timed_out_is_waited_for_while_it_cleans_up)
{
    pool_each_clock(wait_for_cleanup);
}

static void fail_late(tenon_executor *executor, struct test_clock *clock)
{
    struct group group = {.told_count = 0};

    begin_with_timeout(&group, executor, group_fail_when_told);
    pool_move_clock(executor, clock, DELAY);
    group_end(&group, NULL, TENON_OUTCOME_FAILED);
    expect_status(&group, GROUP_CODE);
}

Test(timeouts, failure_of_a_task_in_answer_to_its_timeout_is_its_own)
{
    pool_each_clock(fail_late);
}
