// SPDX-License-Identifier: MIT
//
// as_completed_test — the scenarios of asyncio's gather, wait and as_completed:
// outcomes in the order of input, of ends, or as far as there are any by then.

#include "gate.h"
#include "group.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(as_completed, .timeout = 60);

enum { COUNT = 4, FAILURE = 41 };

#define DELAY TENON_SECONDS(10)

struct job {
    struct gate started;
    struct gate may_end;
    int status;
    int result;  // once more than its number
};

// Jobs that end when the test says so; all at the same time on any number of
// workers.
struct jobs {
    tenon_scope scope;
    tenon_handle handles[COUNT];
    tenon_handle *all[COUNT];
    struct job each[COUNT];
};

// Does not look whether it is told to stop.
static int run_job(tenon_task *self, void *arg)
{
    struct job *job = arg;

    gate_open(&job->started);
    tenon_blocking_begin(self);
    bool in_time = gate_wait(&job->may_end);
    tenon_blocking_end(self);
    job->result++;
    return in_time ? job->status : TASK_IN_VAIN;
}

static void begin_jobs(
    struct jobs *jobs, tenon_executor *executor, tenon_policy policy)
{
    *jobs = (struct jobs){.all = {NULL}};
    must_open_with(
        &jobs->scope,
        TENON_SCOPE_OPTIONS(.executor = executor, .policy = policy));
    for (int i = 0; i < COUNT; i++) {
        jobs->each[i].result = i;
        jobs->all[i] = &jobs->handles[i];
        cr_assert(eq(
            int,
            tenon_spawn_task(
                &jobs->scope, &jobs->handles[i], run_job, &jobs->each[i], NULL),
            TENON_OK));
    }
    for (int i = 0; i < COUNT; i++) {
        cr_assert(gate_wait(&jobs->each[i].started));
    }
}

static void end_job(struct jobs *jobs, int i, int status)
{
    jobs->each[i].status = status;
    gate_open(&jobs->each[i].may_end);
}

static void end_jobs(struct jobs *jobs, int first, int status)
{
    for (int i = first; i < COUNT; i++) {
        end_job(jobs, i, status);
    }
}

static tenon_status wait_for(
    struct jobs *jobs, size_t count, tenon_wait_for condition,
    uint64_t deadline_ns)
{
    return tenon_wait_until(jobs->all, count, condition, deadline_ns);
}

static void expect_outcome(struct jobs *jobs, int i, tenon_outcome expected)
{
    tenon_outcome outcome = TENON_OUTCOME_NONE;

    cr_assert(
        eq(int, tenon_handle_outcome(&jobs->handles[i], &outcome, NULL),
           TENON_OK));
    cr_expect(eq(int, (int)outcome, (int)expected));
}

// --- in the order of ends ---

static void give_in_order(tenon_executor *executor)
{
    static const int ends[COUNT] = {2, 0, 3, 1};
    struct jobs jobs;
    tenon_handle *next = NULL;

    begin_jobs(&jobs, executor, TENON_POLICY_FAIL_FAST);
    for (int i = 0; i < COUNT; i++) {
        end_job(&jobs, ends[i], TENON_OK);
        cr_assert(eq(int, tenon_scope_next(&jobs.scope, &next), TENON_OK));
        cr_expect(eq(ptr, next, jobs.all[ends[i]]));
    }
    cr_expect(eq(int, tenon_scope_next(&jobs.scope, &next), TENON_END));
    must_join(&jobs.scope, NULL, TENON_OK);
}

Test(as_completed, gives_the_handles_put_in_as_they_end)
{
    pool_each(give_in_order);
}

static void take_up_again(tenon_executor *executor)
{
    struct jobs jobs;
    tenon_handle *next = NULL;
    unsigned given_count[COUNT] = {0};

    begin_jobs(&jobs, executor, TENON_POLICY_FAIL_FAST);
    end_jobs(&jobs, 0, TENON_OK);
    for (int i = 0; i < COUNT / 2; i++) {
        cr_assert(eq(int, tenon_scope_next(&jobs.scope, &next), TENON_OK));
        given_count[next - jobs.handles]++;
    }
    // Other waits take nothing from it.
    cr_expect(
        eq(int, wait_for(&jobs, COUNT, TENON_WAIT_ALL, TENON_NO_DEADLINE),
           TENON_OK));
    while (tenon_scope_next(&jobs.scope, &next) == TENON_OK) {
        given_count[next - jobs.handles]++;
    }
    must_join(&jobs.scope, NULL, TENON_OK);
    for (int i = 0; i < COUNT; i++) {
        cr_expect(eq(uint, given_count[i], 1));
    }
}

Test(as_completed, stream_that_was_left_is_taken_up_where_it_was)
{
    pool_each(take_up_again);
}

// --- until a time ---

// A task that waits; the clock moves when it does, or before.
struct waiter {
    struct group group;
    struct job jobs[2];
    tenon_handle handles[2];
    tenon_handle *given[3];
    tenon_status waited[3];
};

// A wait runs children on its own stack, which holds it up: so they begin
// elsewhere before it.
static tenon_status spawn_two(
    tenon_task *self, tenon_scope *scope, struct waiter *waiter)
{
    tenon_status status = tenon_scope_open(scope, NULL);

    for (int i = 0; i < 2 && status == TENON_OK; i++) {
        status = tenon_spawn_task(
            scope, &waiter->handles[i], run_job, &waiter->jobs[i], NULL);
    }
    tenon_blocking_begin(self);
    for (int i = 0; i < 2 && status == TENON_OK; i++) {
        status = gate_wait(&waiter->jobs[i].started) ? TENON_OK : TASK_IN_VAIN;
    }
    tenon_blocking_end(self);
    return status;
}

static int stream_until(tenon_task *self, void *arg)
{
    struct waiter *waiter = arg;
    tenon_scope scope;
    tenon_status body = spawn_two(self, &scope, waiter);

    for (int i = 0; i < 3 && body == TENON_OK; i++) {
        gate_open(&waiter->group.started);
        waiter->waited[i] = tenon_scope_next_until(
            &scope, i < 2 ? CLOCK_BEGIN_NS + DELAY : TENON_NO_DEADLINE,
            &waiter->given[i]);
    }
    waiter->group.is_still_set = tenon_cancelled(self);
    return tenon_scope_join(&scope, body, NULL);
}

static void stream_in_time(tenon_executor *executor, struct test_clock *clock)
{
    struct waiter waiter = {.given = {NULL}};

    group_begin(&waiter.group, executor, stream_until, 1);
    gate_open(&waiter.jobs[1].may_end);
    cr_assert(gate_wait_for(&waiter.group.started, 2));
    pool_move_clock(executor, clock, DELAY);
    cr_assert(gate_wait_for(&waiter.group.started, 3));
    gate_open(&waiter.jobs[0].may_end);
    group_end(&waiter.group, NULL, TENON_OUTCOME_OK);
    cr_expect(eq(int, waiter.waited[0], TENON_OK));
    cr_expect(eq(ptr, waiter.given[0], &waiter.handles[1]));
    cr_expect(eq(int, waiter.waited[1], TENON_ENOTREADY));
    cr_expect(eq(ptr, waiter.given[1], NULL));
    cr_expect(eq(int, waiter.waited[2], TENON_OK));
    cr_expect(eq(ptr, waiter.given[2], &waiter.handles[0]));
    cr_expect(not(waiter.group.is_still_set));
}

Test(as_completed, deadline_of_a_stream_ends_the_wait_and_not_the_tasks)
{
    pool_each_clock(stream_in_time);
}

static int wait_until(tenon_task *self, void *arg)
{
    struct waiter *waiter = arg;
    tenon_handle *const handles[] = {&waiter->handles[0], &waiter->handles[1]};
    tenon_scope scope;
    tenon_status body = spawn_two(self, &scope, waiter);

    if (body == TENON_OK) {
        waiter->waited[0] =
            tenon_wait_until(handles, 2, TENON_WAIT_FIRST, TENON_NO_DEADLINE);
        gate_open(&waiter->group.started);
        waiter->waited[1] = tenon_wait_until(
            handles, 2, TENON_WAIT_ALL, CLOCK_BEGIN_NS + DELAY);
        waiter->group.slept = tenon_handle_outcome(handles[0], NULL, NULL);
        waiter->group.joined = tenon_handle_outcome(handles[1], NULL, NULL);
        waiter->group.is_still_set = tenon_cancelled(self);
    }
    gate_open(&waiter->jobs[1].may_end);
    return tenon_scope_join(&scope, body, NULL);
}

static void wait_in_time(tenon_executor *executor, struct test_clock *clock)
{
    struct waiter waiter = {.given = {NULL}};

    gate_open(&waiter.jobs[0].may_end);
    group_begin(&waiter.group, executor, wait_until, 1);
    pool_move_clock(executor, clock, DELAY);
    group_end(&waiter.group, NULL, TENON_OUTCOME_OK);
    cr_expect(eq(int, waiter.waited[0], TENON_OK));
    cr_expect(eq(int, waiter.waited[1], TENON_ENOTREADY));
    cr_expect(eq(int, waiter.group.slept, TENON_OK));
    cr_expect(eq(int, waiter.group.joined, TENON_ENOTREADY));
    cr_expect(not(waiter.group.is_still_set));
}

Test(as_completed, wait_that_ran_out_of_time_leaves_what_has_ended_to_be_asked)
{
    pool_each_clock(wait_in_time);
}

// --- what has come to pass before ---

static void wait_afterwards(tenon_executor *executor)
{
    struct jobs jobs;

    begin_jobs(&jobs, executor, TENON_POLICY_COLLECT_ALL);
    end_job(&jobs, 0, FAILURE);
    end_jobs(&jobs, 1, TENON_OK);
    cr_assert(
        eq(int, wait_for(&jobs, COUNT, TENON_WAIT_ALL, TENON_NO_DEADLINE),
           TENON_OK));
    // At a time long past.
    cr_expect(eq(int, wait_for(&jobs, COUNT, TENON_WAIT_ALL, 1), TENON_OK));
    cr_expect(eq(int, wait_for(&jobs, COUNT, TENON_WAIT_ERROR, 1), TENON_OK));
    cr_expect(eq(int, wait_for(&jobs, COUNT, TENON_WAIT_FIRST, 1), TENON_OK));
    expect_outcome(&jobs, 0, TENON_OUTCOME_FAILED);
    for (int i = 1; i < COUNT; i++) {
        expect_outcome(&jobs, i, TENON_OUTCOME_OK);
    }
    must_join(&jobs.scope, NULL, TENON_ERRORS);
}

Test(as_completed, wait_for_what_has_ended_needs_no_time)
{
    pool_each(wait_afterwards);
}

static void fail_before_wait(tenon_executor *executor)
{
    struct jobs jobs;

    begin_jobs(&jobs, executor, TENON_POLICY_COLLECT_ALL);
    end_job(&jobs, 0, FAILURE);
    cr_assert(eq(
        int, wait_for(&jobs, 1, TENON_WAIT_ALL, TENON_NO_DEADLINE), TENON_OK));
    cr_expect(eq(int, wait_for(&jobs, COUNT, TENON_WAIT_ERROR, 1), TENON_OK));
    cr_expect(
        eq(int, wait_for(&jobs, COUNT, TENON_WAIT_ALL, 1), TENON_ENOTREADY));
    for (int i = 1; i < COUNT; i++) {
        cr_expect(
            eq(int, tenon_handle_outcome(jobs.all[i], NULL, NULL),
               TENON_ENOTREADY));
    }
    end_jobs(&jobs, 1, TENON_OK);
    must_join(&jobs.scope, NULL, TENON_ERRORS);
}

Test(as_completed, failure_before_the_wait_for_one_leaves_the_others_running)
{
    pool_each(fail_before_wait);
}

static void wait_for_twice_the_same(tenon_executor *executor)
{
    struct jobs jobs;

    begin_jobs(&jobs, executor, TENON_POLICY_FAIL_FAST);
    tenon_handle *const doubled[] = {jobs.all[0], jobs.all[0], jobs.all[1]};
    end_job(&jobs, 0, TENON_OK);
    cr_expect(eq(
        int, wait_for(&jobs, 1, TENON_WAIT_ALL, TENON_NO_DEADLINE), TENON_OK));
    cr_expect(eq(
        int, tenon_wait_until(doubled, 3, TENON_WAIT_ALL, 1), TENON_ENOTREADY));
    end_job(&jobs, 1, TENON_OK);
    cr_expect(
        eq(int, tenon_wait_until(doubled, 3, TENON_WAIT_ALL, TENON_NO_DEADLINE),
           TENON_OK));
    end_jobs(&jobs, 2, TENON_OK);
    must_join(&jobs.scope, NULL, TENON_OK);
}

Test(as_completed, handle_given_twice_is_one_task)
{
    pool_each(wait_for_twice_the_same);
}

// --- a waiter that is cancelled ---

struct member {
    struct jobs jobs;
    tenon_handle handle;
    struct gate waits;
    tenon_status waited;
};

static int wait_as_member(tenon_task *self, void *arg)
{
    struct member *member = arg;

    (void)self;
    gate_open(&member->waits);
    member->waited = tenon_wait_until(
        member->jobs.all, COUNT, TENON_WAIT_ALL, TENON_NO_DEADLINE);
    return member->waited;
}

static void cancel_waiter(tenon_executor *executor)
{
    struct member member = {.waited = TENON_OK};
    tenon_handle *waiter = &member.handle;

    begin_jobs(&member.jobs, executor, TENON_POLICY_FAIL_FAST);
    cr_assert(
        eq(int,
           tenon_spawn_task(
               &member.jobs.scope, waiter, wait_as_member, &member, NULL),
           TENON_OK));
    cr_assert(gate_wait(&member.waits));
    cr_expect(tenon_handle_cancel(waiter, 0, NULL));
    cr_expect(
        eq(int, tenon_wait_until(&waiter, 1, TENON_WAIT_ALL, TENON_NO_DEADLINE),
           TENON_OK));
    cr_expect(eq(int, member.waited, TENON_CANCELLED));
    end_jobs(&member.jobs, 0, TENON_OK);
    must_join(&member.jobs.scope, NULL, TENON_OK);
    for (int i = 0; i < COUNT; i++) {
        expect_outcome(&member.jobs, i, TENON_OUTCOME_OK);
    }
}

Test(as_completed, cancel_of_who_waits_leaves_the_others_running)
{
    pool_each(cancel_waiter);
}

static int wait_then_sleep(tenon_task *self, void *arg)
{
    struct waiter *waiter = arg;
    tenon_handle *handle = &waiter->handles[0];
    tenon_scope scope;
    tenon_status body = spawn_two(self, &scope, waiter);

    if (body == TENON_OK) {
        waiter->waited[0] =
            tenon_wait_until(&handle, 1, TENON_WAIT_ALL, TENON_NO_DEADLINE);
        body = group_sleep(self, &waiter->group);
    }
    return tenon_scope_join(&scope, body, NULL);
}

static void cancel_after_wait(tenon_executor *executor)
{
    struct waiter waiter = {.given = {NULL}};
    tenon_outcome outcome = TENON_OUTCOME_NONE;

    gate_open(&waiter.jobs[0].may_end);
    group_begin(&waiter.group, executor, wait_then_sleep, 1);
    cr_expect(tenon_handle_cancel(&waiter.group.owner, 0, NULL));
    gate_open(&waiter.jobs[1].may_end);
    group_end(&waiter.group, NULL, TENON_OUTCOME_CANCELLED);
    cr_expect(eq(int, waiter.waited[0], TENON_OK));
    cr_assert(
        eq(int, tenon_handle_outcome(&waiter.handles[0], &outcome, NULL),
           TENON_OK));
    cr_expect(eq(int, (int)outcome, (int)TENON_OUTCOME_OK));
}

Test(as_completed, cancel_after_a_wait_keeps_what_was_waited_for)
{
    pool_each(cancel_after_wait);
}

// --- in the order of input ---

static void gather(tenon_executor *executor)
{
    static const int ends[COUNT] = {1, 3, 0, 2};
    struct jobs jobs;

    begin_jobs(&jobs, executor, TENON_POLICY_FAIL_FAST);
    for (int i = 0; i < COUNT; i++) {
        end_job(&jobs, ends[i], TENON_OK);
    }
    must_join(&jobs.scope, NULL, TENON_OK);
    for (int i = 0; i < COUNT; i++) {
        expect_outcome(&jobs, i, TENON_OUTCOME_OK);
        cr_expect(eq(int, jobs.each[i].result, i + 1));
    }
}

Test(as_completed, results_lie_in_the_order_of_input_after_the_join)
{
    pool_each(gather);
}

static void gather_one_failure(tenon_executor *executor)
{
    struct jobs jobs;
    tenon_report report;

    begin_jobs(&jobs, executor, TENON_POLICY_FAIL_FAST);
    end_job(&jobs, 0, TENON_OK);
    cr_assert(eq(
        int, wait_for(&jobs, 1, TENON_WAIT_ALL, TENON_NO_DEADLINE), TENON_OK));
    end_job(&jobs, 1, FAILURE);
    cr_assert(task_await_scope_cancel(&jobs.scope));
    end_job(&jobs, 2, TENON_OK);
    end_job(&jobs, 3, FAILURE + 1);
    must_join(&jobs.scope, &report, TENON_ERRORS);
    group_expect_errors(&report, 2, FAILURE);
    cr_expect(eq(u64, group_count_code(&report, FAILURE + 1), 1));
    expect_outcome(&jobs, 0, TENON_OUTCOME_OK);
    expect_outcome(&jobs, 1, TENON_OUTCOME_FAILED);
    expect_outcome(&jobs, 2, TENON_OUTCOME_OK);
    expect_outcome(&jobs, 3, TENON_OUTCOME_FAILED);
    cr_expect(eq(int, jobs.each[0].result, 1));
    tenon_report_free(&report);
}

Test(as_completed, first_failure_is_primary_and_good_results_stay)
{
    pool_each(gather_one_failure);
}

static void gather_mixture(tenon_executor *executor)
{
    struct group group = {.told_count = 0};
    tenon_handle handles[COUNT];
    tenon_task_fn *const fns[COUNT] = {
        task_ok, group_sleep, group_fail_at_gate, group_sleep};
    static const tenon_outcome expected[COUNT] = {
        TENON_OUTCOME_OK, TENON_OUTCOME_CANCELLED, TENON_OUTCOME_FAILED,
        TENON_OUTCOME_CANCELLED};
    tenon_outcome outcome = TENON_OUTCOME_NONE;
    tenon_report report;

    must_open_with(
        &group.around,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    for (int i = 0; i < COUNT; i++) {
        cr_assert(eq(
            int,
            tenon_spawn_task(&group.around, &handles[i], fns[i], &group, NULL),
            TENON_OK));
    }
    cr_assert(gate_wait_for(&group.started, 3));
    cr_expect(tenon_handle_cancel(&handles[1], 0, NULL));
    gate_open(&group.may_end);
    cr_expect(tenon_handle_cancel(&handles[3], 0, NULL));
    must_join(&group.around, &report, TENON_ERRORS);
    group_expect_errors(&report, 1, GROUP_CODE);
    for (int i = 0; i < COUNT; i++) {
        cr_assert(eq(
            int, tenon_handle_outcome(&handles[i], &outcome, NULL), TENON_OK));
        cr_expect(eq(int, (int)outcome, (int)expected[i]));
    }
    tenon_report_free(&report);
}

Test(as_completed, slots_tell_apart_who_failed_and_who_was_cancelled)
{
    pool_each(gather_mixture);
}

// Gathers again and again, as long as it is let.
static int gather_for_ever(tenon_task *self, void *arg)
{
    struct group *group = arg;
    tenon_status status = TENON_OK;

    (void)self;
    while (status == TENON_OK) {
        tenon_scope scope;
        tenon_handle handle;
        tenon_report report = {.status = TENON_OK};
        status = tenon_scope_open(
            &scope, TENON_SCOPE_OPTIONS(.policy = TENON_POLICY_COLLECT_ALL));
        if (status == TENON_OK) {
            status = tenon_spawn_task(&scope, &handle, task_ok, NULL, NULL);
            status = tenon_scope_join(&scope, status, &report);
        }
        gate_open(&group->started);
        group->report = report;
    }
    return status;
}

static void cancel_gatherer(tenon_executor *executor)
{
    struct group group = {.told_count = 0};

    group_begin(&group, executor, gather_for_ever, 3);
    cr_expect(tenon_handle_cancel(&group.owner, 5, "no more"));
    group_end(&group, NULL, TENON_OUTCOME_CANCELLED);
    cr_expect(eq(int, group.report.status, TENON_CANCELLED));
    cr_expect(eq(int, group.report.cause.code, 5));
    cr_expect(eq(str, group.report.cause.text, "no more"));
    tenon_report_free(&group.report);
}

Test(as_completed, cancel_ends_who_collects_all_again_and_again)
{
    pool_each(cancel_gatherer);
}
