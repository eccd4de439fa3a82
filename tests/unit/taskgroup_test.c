// SPDX-License-Identifier: MIT
//
// taskgroup_test — the scenarios of asyncio's task groups: a task with children
// of its own joins or sleeps, some fail, some are told to stop.

#include "gate.h"
#include "group.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(taskgroup, .timeout = 60);

// --- the owner is cancelled ---

static void cancel_while_joining(tenon_executor *executor)
{
    struct group group = {.child = group_sleep, .child_count = 5};

    group_begin(&group, executor, group_own, 5);
    cr_expect(tenon_handle_cancel(&group.owner, 7, "test"));
    group_end(&group, NULL, TENON_OUTCOME_CANCELLED);
    cr_expect(eq(int, group.joined, TENON_CANCELLED));
    cr_expect(eq(uint, atomic_load(&group.told_count), 5));
    cr_expect(eq(u64, group.report.cancelled_count, 5));
    cr_expect(eq(int, group.report.cause.code, 7));
    cr_expect(eq(str, group.report.cause.text, "test"));
    tenon_report_free(&group.report);
}

Test(taskgroup, cancel_of_an_owner_that_joins_stops_all_children)
{
    pool_each(cancel_while_joining);
}

static void cancel_while_asleep(tenon_executor *executor)
{
    for (int child_count = 0; child_count <= 5; child_count += 5) {
        struct group group = {
            .child = group_sleep,
            .child_count = child_count,
            .body_sleeps = true,
        };
        group_begin(&group, executor, group_own, (uint32_t)child_count + 1);
        cr_expect(tenon_handle_cancel(&group.owner, 0, NULL));
        group_end(&group, NULL, TENON_OUTCOME_CANCELLED);
        cr_expect(eq(int, group.slept, TENON_CANCELLED));
        cr_expect(eq(int, group.joined, TENON_CANCELLED));
        cr_expect(eq(
            uint, atomic_load(&group.told_count), (unsigned)child_count + 1));
        tenon_report_free(&group.report);
    }
}

Test(taskgroup, cancel_of_an_owner_that_sleeps_stops_it_and_all_children)
{
    pool_each(cancel_while_asleep);
}

static void fail_all_when_told(tenon_executor *executor)
{
    struct group group = {
        .child = group_fail_when_told, .child_count = 5, .body_sleeps = true};

    group_begin(&group, executor, group_own, 6);
    cr_expect(tenon_handle_cancel(&group.owner, 0, NULL));
    group_end(&group, NULL, TENON_OUTCOME_FAILED);
    cr_expect(eq(int, group.joined, TENON_ERRORS));
    group_expect_errors(&group.report, 5, GROUP_CODE);
    cr_expect(group.report.primary->after_cancel);
    cr_expect(group.is_still_set);
    tenon_report_free(&group.report);
}

Test(taskgroup, failures_of_children_told_to_stop_outrank_the_cancel)
{
    pool_each(fail_all_when_told);
}

static void fail_body_when_told(tenon_executor *executor)
{
    struct group group = {.body_sleeps = true, .body_code = GROUP_CODE};

    group_begin(&group, executor, group_own, 1);
    cr_expect(tenon_handle_cancel(&group.owner, 0, NULL));
    group_end(&group, NULL, TENON_OUTCOME_FAILED);
    cr_expect(eq(int, group.joined, TENON_ERRORS));
    group_expect_errors(&group.report, 1, GROUP_CODE);
    cr_expect(group.report.primary->after_cancel);
    tenon_report_free(&group.report);
}

Test(taskgroup, failure_of_a_body_told_to_stop_outranks_the_cancel)
{
    pool_each(fail_body_when_told);
}

static int run_own(tenon_task *self, void *arg)
{
    (void)self;
    return tenon_run(NULL, group_own, arg, NULL);
}

// The owner itself, then one that only waits for it.
static void fail_in_cleanup(tenon_executor *executor)
{
    tenon_task_fn *const owners[] = {group_own, run_own};

    for (int i = 0; i < 2; i++) {
        struct group group = {
            .child = group_fail_at_gate,
            .child_count = 1,
            .body_sleeps = true,
            .body_ends_child = true,
        };
        group_begin(&group, executor, owners[i], 2);
        cr_expect(tenon_handle_cancel(&group.owner, 0, NULL));
        group_end(&group, NULL, TENON_OUTCOME_FAILED);
        cr_expect(eq(int, group.slept, TENON_CANCELLED));
        cr_expect(eq(int, group.joined, TENON_ERRORS));
        group_expect_errors(&group.report, 1, GROUP_CODE);
        cr_expect(group.report.primary->after_cancel);
        tenon_report_free(&group.report);
    }
}

Test(taskgroup, failure_while_the_cancelled_body_cleans_up_is_told)
{
    pool_each(fail_in_cleanup);
}

static void fail_and_cancel(tenon_executor *executor)
{
    struct group group = {
        .child = group_fail_at_gate, .child_count = 1, .sleeps_after = true};

    group_begin(&group, executor, group_own, 1);
    cr_expect(tenon_handle_cancel(&group.owner, 0, NULL));
    gate_open(&group.may_end);
    // The errors are read; the next wait meets the cancel.
    group_end(&group, NULL, TENON_OUTCOME_CANCELLED);
    cr_expect(eq(int, group.joined, TENON_ERRORS));
    group_expect_errors(&group.report, 1, GROUP_CODE);
    cr_expect(group.is_still_set);
    cr_expect(eq(uint, atomic_load(&group.told_count), 1));
    tenon_report_free(&group.report);
}

Test(taskgroup, failure_and_cancel_at_once_are_both_met)
{
    pool_each(fail_and_cancel);
}

static int ignore_once(tenon_task *self, void *arg)
{
    return group_sleep(self, arg) == TENON_CANCELLED &&
                   group_sleep(self, arg) == TENON_CANCELLED
               ? TENON_OK
               : TASK_IN_VAIN;
}

static void cancel_for_good(tenon_executor *executor)
{
    struct group group = {.told_count = 0};

    group_begin(&group, executor, ignore_once, 1);
    cr_expect(tenon_handle_cancel(&group.owner, 0, NULL));
    group_end(&group, NULL, TENON_OUTCOME_OK);
    cr_expect(eq(uint, atomic_load(&group.told_count), 2));
}

Test(taskgroup, cancel_that_was_ignored_ends_the_next_wait_too)
{
    pool_each(cancel_for_good);
}

static int cancel_itself(tenon_task *self, void *arg)
{
    struct group *group = arg;

    tenon_handle_cancel(&group->owner, 0, "by myself");
    group->joined = tenon_run(NULL, group_sleep, group, NULL);
    return group->body_sleeps ? group_sleep(self, group) : TENON_OK;
}

static void cancel_from_within(tenon_executor *executor)
{
    for (int sleeps = 0; sleeps < 2; sleeps++) {
        struct group group = {.body_sleeps = sleeps == 1};
        group_begin(&group, executor, cancel_itself, 0);
        // Told so at its end, it has ended well all the same.
        group_end(
            &group, NULL,
            sleeps == 1 ? TENON_OUTCOME_CANCELLED : TENON_OUTCOME_OK);
        cr_expect(eq(int, group.joined, TENON_CANCELLED));
    }
}

Test(taskgroup, task_may_cancel_itself_and_what_it_waits_for_next)
{
    pool_each(cancel_from_within);
}

static int own_shielded(tenon_task *self, void *arg)
{
    struct group *group = arg;
    tenon_scope scope;

    if (tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.is_shielded = true)) !=
        TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status body = tenon_spawn(&scope, group_fail_at_gate, group);
    group->joined = tenon_scope_join(&scope, body, NULL);
    group->is_still_set = tenon_cancelled(self);
    return group->joined;
}

static void fail_behind_shield(tenon_executor *executor)
{
    tenon_report report;
    struct group group = {.joined = TASK_IN_VAIN};

    group_begin(&group, executor, own_shielded, 1);
    cr_expect(tenon_handle_cancel(&group.owner, 0, NULL));
    gate_open(&group.may_end);
    group_end(&group, &report, TENON_OUTCOME_FAILED);
    cr_expect(eq(int, group.joined, TENON_ERRORS));
    cr_expect(group.is_still_set);
    cr_expect(eq(u64, group_count_code(&report, GROUP_CODE), 1));
    tenon_report_free(&report);
}

Test(
    taskgroup, failure_behind_a_shield_is_told_although_all_around_is_cancelled)
{
    pool_each(fail_behind_shield);
}

// --- a child fails, or the body ---

static void fail_beside_sleepers(tenon_executor *executor)
{
    struct group group = {
        .child = group_fail_at_gate,
        .child_count = 3,
        .other = group_sleep,
        .other_count = 1,
        .body_sleeps = true,
    };

    group_begin(&group, executor, group_own, 5);
    gate_open(&group.may_end);
    group_end(&group, NULL, TENON_OUTCOME_FAILED);
    cr_expect(eq(int, group.slept, TENON_CANCELLED));
    cr_expect(eq(int, group.joined, TENON_ERRORS));
    cr_expect(eq(uint, atomic_load(&group.told_count), 2));
    group_expect_errors(&group.report, 3, GROUP_CODE);
    cr_expect(eq(u64, group.report.failed_count, 3));
    cr_expect(eq(u64, group.report.cancelled_count, 1));
    cr_expect(not(group.is_still_set));
    tenon_report_free(&group.report);
}

Test(taskgroup, failure_of_a_child_stops_the_others_and_the_body_only)
{
    pool_each(fail_beside_sleepers);
}

static int fail_as_body(tenon_task *self, void *arg)
{
    struct group *group = arg;
    tenon_scope scope;

    if (tenon_scope_open(&scope, NULL) != TENON_OK ||
        group_spawn(&scope, group_sleep, 2, group) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    if (group->body_sleeps) {
        tenon_blocking_begin(self);
        gate_wait_for(&group->started, 2);
        tenon_blocking_end(self);
    }
    group->joined = tenon_scope_join(&scope, GROUP_CODE, &group->report);
    group->is_still_set = tenon_cancelled(self);
    return group->joined;
}

static void fail_body(tenon_executor *executor)
{
    for (int waits = 0; waits < 2; waits++) {
        struct group group = {.body_sleeps = waits == 1};
        group_begin(&group, executor, fail_as_body, 0);
        group_end(&group, NULL, TENON_OUTCOME_FAILED);
        cr_expect(eq(int, group.joined, TENON_ERRORS));
        group_expect_errors(&group.report, 1, GROUP_CODE);
        cr_expect(eq(
            u64, group.report.cancelled_count + group.report.dropped_count, 2));
        cr_expect(not(waits == 1 && group.report.dropped_count != 0));
        cr_expect(not(group.is_still_set));
        tenon_report_free(&group.report);
    }
}

Test(taskgroup, failure_of_the_body_stops_children_begun_or_not)
{
    pool_each(fail_body);
}

static void fail_twice(tenon_executor *executor)
{
    struct group group = {
        .child = group_fail_at_gate,
        .child_count = 1,
        .body_sleeps = true,
        .body_code = GROUP_OTHER_CODE,
    };

    group_begin(&group, executor, group_own, 2);
    gate_open(&group.may_end);
    group_end(&group, NULL, TENON_OUTCOME_FAILED);
    group_expect_errors(&group.report, 2, GROUP_CODE);
    cr_expect(eq(u64, group_count_code(&group.report, GROUP_OTHER_CODE), 1));
    cr_expect(not(group.is_still_set));
    tenon_report_free(&group.report);
}

Test(taskgroup, failures_of_a_child_and_of_the_body_it_stopped_are_both_told)
{
    pool_each(fail_twice);
}

static void fail_fatally(tenon_executor *executor)
{
    struct group group = {
        .child = group_fail_at_gate,
        .child_count = 1,
        .body_sleeps = true,
        .body_code = GROUP_OTHER_CODE,
        .body_is_fatal = true,
    };

    group_begin(&group, executor, group_own, 2);
    gate_open(&group.may_end);
    group_end(&group, NULL, TENON_OUTCOME_FAILED);
    group_expect_errors(&group.report, 2, GROUP_OTHER_CODE);
    cr_expect(eq(int, group.report.cause.code, GROUP_CODE));
    tenon_report_free(&group.report);
}

Test(taskgroup, fatal_failure_of_the_body_outranks_that_of_a_child_before_it)
{
    pool_each(fail_fatally);
}

// Of all tests, which run in a process each: what the children spawned.
static tenon_status spawned;
static atomic_uint ran_count;

static int spawn_when_told(tenon_task *self, void *arg)
{
    tenon_status status = group_sleep(self, arg);

    spawned = tenon_spawn(tenon_task_scope(self), task_count, &ran_count);
    return status;
}

static void spawn_too_late(tenon_executor *executor)
{
    struct group group = {
        .child = group_fail_at_gate,
        .child_count = 1,
        .other = spawn_when_told,
        .other_count = 1,
    };

    group_begin(&group, executor, group_own, 2);
    gate_open(&group.may_end);
    group_end(&group, NULL, TENON_OUTCOME_FAILED);
    cr_expect(eq(int, spawned, TENON_CANCELLED));
    cr_expect(eq(uint, atomic_load(&ran_count), 0));
    group_expect_errors(&group.report, 1, GROUP_CODE);
    cr_expect(eq(u64, group.report.rejected_count, 1));
    tenon_report_free(&group.report);
}

Test(taskgroup, spawn_after_a_failure_is_refused)
{
    pool_each(spawn_too_late);
}

static int spawn_what_fails(tenon_task *self, void *arg)
{
    static int code = GROUP_CODE;

    spawned = tenon_spawn(tenon_task_scope(self), task_return, &code);
    return group_sleep(self, arg);
}

static void fail_what_was_spawned(tenon_executor *executor)
{
    struct group group = {.child = spawn_what_fails, .child_count = 1};

    group_begin(&group, executor, group_own, 1);
    group_end(&group, NULL, TENON_OUTCOME_FAILED);
    cr_expect(eq(int, spawned, TENON_OK));
    cr_expect(eq(uint, atomic_load(&group.told_count), 1));
    group_expect_errors(&group.report, 1, GROUP_CODE);
    tenon_report_free(&group.report);
}

Test(taskgroup, failure_of_what_a_child_spawned_stops_that_child)
{
    pool_each(fail_what_was_spawned);
}

// Every head grows two, for ever; one of them fails.
static int grow_heads(tenon_task *self, void *arg)
{
    if (atomic_fetch_add(&ran_count, 1) == 100) {
        return GROUP_CODE;
    }
    return group_spawn(tenon_task_scope(self), grow_heads, 2, arg);
}

static void fail_hydra(tenon_executor *executor)
{
    struct group group = {.child = grow_heads, .child_count = 1};

    atomic_store(&ran_count, 0);
    group_begin(&group, executor, group_own, 0);
    group_end(&group, NULL, TENON_OUTCOME_FAILED);
    group_expect_errors(&group.report, 1, GROUP_CODE);
    cr_expect(gt(uint, atomic_load(&ran_count), 100));
    tenon_report_free(&group.report);
}

Test(taskgroup, failure_ends_endless_spawning)
{
    pool_each(fail_hydra);
}

// What each held is given back at its end, while the scope goes on.
static void end_one_by_one(tenon_executor *executor)
{
    tenon_scope scope;
    atomic_uint destroyed_count = 0;

    must_open(&scope, executor);
    for (unsigned i = 1; i <= 20; i++) {
        must_spawn_with(
            &scope, task_ok, &destroyed_count,
            TENON_TASK_OPTIONS(.destroy_arg = task_destroy_count));
        cr_assert(eq(
            int, tenon_scope_wait_until(&scope, TENON_NO_DEADLINE), TENON_OK));
        cr_expect(eq(uint, atomic_load(&destroyed_count), i));
    }
    must_join(&scope, NULL, TENON_OK);
}

Test(taskgroup, tasks_that_ended_leave_nothing_with_a_scope_that_goes_on)
{
    pool_each(end_one_by_one);
}

// --- a scope in a scope of the same task ---

static void fail_inner_when_told(tenon_executor *executor)
{
    for (int other_count = 0; other_count < 2; other_count++) {
        tenon_report report;
        struct group group = {
            .child = group_fail_when_told,
            .child_count = 5,
            .other = group_sleep,
            .other_count = other_count,
            .body_sleeps = true,
        };
        group_begin(&group, executor, group_own_two, (uint32_t)other_count + 6);
        cr_expect(tenon_handle_cancel(&group.owner, 0, NULL));
        group_end(&group, &report, TENON_OUTCOME_FAILED);
        cr_expect(eq(int, group.joined, TENON_ERRORS));
        cr_expect(eq(int, group.outer_joined, TENON_ERRORS));
        group_expect_errors(&report, 1, TENON_ERRORS);
        cr_expect(eq(u64, group_count_code(&report, GROUP_CODE), 5));
        tenon_report_free(&report);
    }
}

Test(taskgroup, errors_of_an_inner_scope_travel_up_through_the_outer_one)
{
    pool_each(fail_inner_when_told);
}

static void fail_outer(tenon_executor *executor)
{
    tenon_report report;
    struct group group = {
        .child = group_sleep,
        .child_count = 1,
        .other = group_fail_at_gate,
        .other_count = 1,
    };

    group_begin(&group, executor, group_own_two, 2);
    gate_open(&group.may_end);
    group_end(&group, &report, TENON_OUTCOME_FAILED);
    cr_expect(eq(int, group.joined, TENON_CANCELLED));
    cr_expect(eq(int, group.outer_joined, TENON_ERRORS));
    cr_assert(ne(ptr, (void *)report.primary->children, NULL));
    cr_expect(eq(int, report.primary->children->code, GROUP_CODE));
    cr_expect(eq(ptr, (void *)report.primary->children->next, NULL));
    tenon_report_free(&report);
}

Test(taskgroup, failure_in_the_outer_scope_stops_the_inner_one)
{
    pool_each(fail_outer);
}

static void fail_inner(tenon_executor *executor)
{
    tenon_report report;
    struct group group = {
        .child = group_fail_at_gate,
        .child_count = 1,
        .other = group_sleep,
        .other_count = 1,
    };

    group_begin(&group, executor, group_own_two, 2);
    gate_open(&group.may_end);
    group_end(&group, &report, TENON_OUTCOME_FAILED);
    cr_expect(eq(int, group.joined, TENON_ERRORS));
    cr_expect(eq(int, group.outer_joined, TENON_ERRORS));
    cr_expect(eq(uint, atomic_load(&group.told_count), 1));
    cr_expect(eq(u64, group_count_code(&report, GROUP_CODE), 1));
    tenon_report_free(&report);
}

Test(taskgroup, failure_of_the_inner_scope_passed_on_stops_the_outer_one)
{
    pool_each(fail_inner);
}

static int fail_otherwise_at_gate(tenon_task *self, void *arg)
{
    return group_fail_at_gate(self, arg) == GROUP_CODE ? GROUP_OTHER_CODE
                                                       : TASK_IN_VAIN;
}

static void fail_both(tenon_executor *executor)
{
    tenon_report report;
    struct group group = {
        .child = group_fail_at_gate,
        .child_count = 1,
        .other = fail_otherwise_at_gate,
        .other_count = 1,
        .handles_inner = true,
    };

    group_begin(&group, executor, group_own_two, 2);
    gate_open(&group.may_end);
    group_end(&group, &report, TENON_OUTCOME_FAILED);
    group_expect_errors(&group.report, 1, GROUP_CODE);
    cr_expect(eq(int, group.outer_joined, TENON_ERRORS));
    cr_expect(eq(u64, group_count_code(&report, GROUP_OTHER_CODE), 1));
    cr_expect(eq(u64, group_count_code(&report, GROUP_CODE), 0));
    cr_expect(not(group.is_still_set));
    tenon_report_free(&group.report);
    tenon_report_free(&report);
}

Test(taskgroup, failures_of_two_scopes_at_once_stay_with_their_own)
{
    pool_each(fail_both);
}
