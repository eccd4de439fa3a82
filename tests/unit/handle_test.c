// SPDX-License-Identifier: MIT
//
// handle_test — one task is cancelled, times out and is asked for its outcome,
// and its siblings go on.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(handle, .timeout = 60);

#define DELAY TENON_SECONDS(10)

static void must_spawn_task(
    tenon_scope *scope, tenon_handle *handle, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options)
{
    cr_assert(
        eq(int, tenon_spawn_task(scope, handle, fn, arg, options), TENON_OK));
}

static void expect_outcome(
    const tenon_handle *handle, tenon_outcome outcome, int status)
{
    tenon_outcome ended = TENON_OUTCOME_NONE;
    int returned = TASK_IN_VAIN;

    cr_expect(eq(int, tenon_handle_outcome(handle, &ended, &returned), 0));
    cr_expect(eq(int, (int)ended, (int)outcome));
    cr_expect(eq(int, returned, status));
}

static void cancel_one(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    tenon_handle cancelled;
    tenon_handle sibling;
    struct gate started = {0};
    atomic_uint count = 0;

    must_open(&scope, executor);
    must_spawn_task(
        &scope, &cancelled, task_announce_until_cancelled, &started, NULL);
    cr_assert(gate_wait(&started));
    must_spawn_task(&scope, &sibling, task_count, &count, NULL);
    cr_expect(tenon_handle_cancel(&cancelled, 5, "not needed"));
    cr_expect(not(tenon_handle_cancel(&cancelled, 5, "again")));
    must_join(&scope, &report, TENON_OK);
    expect_outcome(&cancelled, TENON_OUTCOME_CANCELLED, TENON_CANCELLED);
    expect_outcome(&sibling, TENON_OUTCOME_OK, TENON_OK);
    cr_expect(eq(u64, report.cancelled_count, 1));
    cr_expect(eq(u64, report.error_count, 0));
    cr_expect(not(report.cancel_requested));
    tenon_report_free(&report);
}

Test(handle, cancel_stops_this_task_alone_and_is_no_error)
{
    pool_each(cancel_one);
}

static void cancel_queued(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    tenon_handle handle;
    struct task_step steps[16] = {{.status = TENON_OK}};
    uint32_t worker_count = pool_info(executor).worker_count;
    atomic_uint ran_count = 0;

    must_open(&scope, executor);
    for (uint32_t i = 0; i < worker_count; i++) {
        must_spawn(&scope, task_step, &steps[i]);
        cr_assert(gate_wait(&steps[i].started));
    }
    // Every worker is busy: it stays queued.
    must_spawn_task(&scope, &handle, task_count, &ran_count, NULL);
    cr_expect(
        eq(int, tenon_handle_outcome(&handle, NULL, NULL), TENON_ENOTREADY));
    cr_expect(tenon_handle_cancel(&handle, 0, NULL));
    for (uint32_t i = 0; i < worker_count; i++) {
        gate_open(&steps[i].may_end);
    }
    must_join(&scope, &report, TENON_OK);
    expect_outcome(&handle, TENON_OUTCOME_DROPPED, TENON_CANCELLED);
    cr_expect(eq(uint, atomic_load(&ran_count), 0));
    cr_expect(eq(u64, report.dropped_count, 1));
    tenon_report_free(&report);
}

Test(handle, cancel_before_it_begins_drops_it)
{
    pool_each(cancel_queued);
}

// Below the task: a nested scope with a task, and a forked child.
struct below {
    struct gate started;
    tenon_cause cause;
    int forked_status;
};

static int wait_and_tell(tenon_task *self, void *arg)
{
    struct below *below = arg;

    gate_open(&below->started);
    bool was_cancelled = task_await_cancel(self);
    tenon_task_cause(self, &below->cause);
    return was_cancelled ? TENON_CANCELLED : TASK_IN_VAIN;
}

static int nest_and_fork(tenon_task *self, void *arg)
{
    struct below *below = arg;
    tenon_scope scope;
    tenon_task child;

    if (tenon_scope_open(&scope, NULL) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status body = tenon_spawn(&scope, wait_and_tell, below);
    tenon_status status = tenon_scope_join(&scope, body, NULL);
    // Begun after the cancel: dropped.
    tenon_fork(self, &child, task_ok, NULL);
    below->forked_status = tenon_join(self, &child);
    return status;
}

static void cancel_tree(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_handle handle;
    struct below below = {.forked_status = TENON_OK};

    must_open(&scope, executor);
    must_spawn_task(&scope, &handle, nest_and_fork, &below, NULL);
    cr_assert(gate_wait(&below.started));
    cr_expect(tenon_handle_cancel(&handle, 7, "the whole subtree"));
    must_join(&scope, NULL, TENON_OK);
    expect_outcome(&handle, TENON_OUTCOME_CANCELLED, TENON_CANCELLED);
    cr_expect(eq(int, (int)below.cause.source, (int)TENON_CAUSE_PARENT));
    cr_expect(eq(int, (int)below.cause.origin, (int)TENON_CAUSE_EXPLICIT));
    cr_expect(eq(int, below.cause.code, 7));
    cr_expect(eq(str, below.cause.text, "the whole subtree"));
    cr_expect(eq(int, below.forked_status, TENON_CANCELLED));
}

Test(handle, cancel_reaches_everything_below_the_task)
{
    pool_each(cancel_tree);
}

static int fork_until_cancelled(tenon_task *self, void *arg)
{
    tenon_task child;

    tenon_fork(self, &child, task_announce_until_cancelled, arg);
    return tenon_join(self, &child);
}

static void cancel_forked(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_handle handle;
    struct gate started = {0};

    must_open(&scope, executor);
    must_spawn_task(&scope, &handle, fork_until_cancelled, &started, NULL);
    cr_assert(gate_wait(&started));
    cr_expect(tenon_handle_cancel(&handle, 0, NULL));
    must_join(&scope, NULL, TENON_OK);
    expect_outcome(&handle, TENON_OUTCOME_CANCELLED, TENON_CANCELLED);
}

Test(handle, cancel_reaches_forked_children_on_any_worker)
{
    for (int i = 0; i < 50; i++) {
        pool_each(cancel_forked);
    }
}

static void cancel_late(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_handle handle;
    tenon_handle refused;

    must_open(&scope, executor);
    must_spawn_task(&scope, &handle, task_ok, NULL, NULL);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(not(tenon_handle_cancel(&handle, 0, NULL)));
    expect_outcome(&handle, TENON_OUTCOME_OK, TENON_OK);
    must_open(&scope, executor);
    tenon_scope_cancel(&scope, 0, NULL);
    cr_expect(
        eq(int, tenon_spawn_task(&scope, &refused, task_ok, NULL, NULL),
           TENON_CANCELLED));
    cr_expect(not(tenon_handle_cancel(&refused, 0, NULL)));
    cr_expect(
        eq(int, tenon_handle_outcome(&refused, NULL, NULL), TENON_ENOTREADY));
    must_join(&scope, NULL, TENON_OK);
}

Test(handle, cancel_of_a_task_that_has_ended_or_never_was_is_false)
{
    tenon_handle zeroed = {.id = 0};

    cr_expect(not(tenon_handle_cancel(&zeroed, 0, NULL)));
    pool_each(cancel_late);
}

static int ignore_cancel(tenon_task *self, void *arg)
{
    gate_open(arg);
    return task_await_cancel(self) ? TENON_OK : TASK_IN_VAIN;
}

static void finish_anyway(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_handle handle;
    struct gate started = {0};

    must_open(&scope, executor);
    must_spawn_task(&scope, &handle, ignore_cancel, &started, NULL);
    cr_assert(gate_wait(&started));
    cr_expect(tenon_handle_cancel(&handle, 0, NULL));
    must_join(&scope, NULL, TENON_OK);
    expect_outcome(&handle, TENON_OUTCOME_OK, TENON_OK);
}

Test(handle, result_of_a_task_that_ends_well_after_its_cancel_stands)
{
    pool_each(finish_anyway);
}

static void race(tenon_executor *executor)
{
    for (int i = 0; i < 200; i++) {
        tenon_scope scope;
        tenon_report report;
        tenon_handle handles[4];
        unsigned cancelled_count = 0;
        must_open(&scope, executor);
        for (int k = 0; k < 4; k++) {
            must_spawn_task(&scope, &handles[k], task_ok, NULL, NULL);
        }
        for (int k = 0; k < 4; k++) {
            cancelled_count += tenon_handle_cancel(&handles[k], 1, "race");
        }
        must_join(&scope, &report, TENON_OK);
        cr_assert(eq(u64, report.ok_count + report.dropped_count, 4));
        cr_assert(le(u64, report.dropped_count, cancelled_count));
        tenon_report_free(&report);
    }
}

Test(handle, cancel_races_the_end_and_either_wins)
{
    pool_each(race);
}

static void time_out_one(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_report report;
    tenon_handle slow;
    tenon_handle sibling;
    struct gate started = {0};

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    must_spawn_task(
        &scope, &slow, task_announce_until_cancelled, &started,
        TENON_TASK_OPTIONS(.name = "slow", .id = 33, .timeout_ns = DELAY));
    must_spawn_task(&scope, &sibling, task_ok, NULL, NULL);
    cr_assert(gate_wait(&started));
    pool_move_clock(executor, clock, DELAY);
    must_join(&scope, &report, TENON_ERRORS);
    expect_outcome(&slow, TENON_OUTCOME_FAILED, TENON_TIMEOUT);
    expect_outcome(&sibling, TENON_OUTCOME_OK, TENON_OK);
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, TENON_TIMEOUT));
    cr_expect(eq(str, (char *)report.primary->task_name, "slow"));
    cr_expect(eq(u64, report.primary->task_id, 33));
    tenon_report_free(&report);
}

Test(handle, timeout_of_a_task_is_its_failure)
{
    pool_each_clock(time_out_one);
}

static void time_out_forgotten(
    tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_report report;
    struct gate started = {0};
    atomic_uint destroyed_count = 0;

    must_open(&scope, executor);
    must_spawn_with(
        &scope, task_announce_until_cancelled, &started,
        TENON_TASK_OPTIONS(.deadline_ns = CLOCK_BEGIN_NS + DELAY));
    cr_assert(gate_wait(&started));
    pool_move_clock(executor, clock, DELAY);
    // The failure cancels the rest.
    cr_assert(task_await_scope_cancel(&scope));
    cr_expect(
        eq(int,
           tenon_spawn_with(
               &scope, task_ok, &destroyed_count,
               TENON_TASK_OPTIONS(
                       .timeout_ns = DELAY, .destroy_arg = task_destroy_count)),
           TENON_CANCELLED));
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(int, report.primary->code, TENON_TIMEOUT));
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_FAILURE));
    cr_expect(eq(uint, atomic_load(&destroyed_count), 1));
    tenon_report_free(&report);
}

Test(handle, timeout_needs_no_handle)
{
    pool_each_clock(time_out_forgotten);
}

static void begin_too_late(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_report report;
    tenon_handle handle;
    atomic_uint ran_count = 0;

    (void)clock;
    must_open(&scope, executor);
    must_spawn_task(
        &scope, &handle, task_count, &ran_count,
        TENON_TASK_OPTIONS(.deadline_ns = CLOCK_BEGIN_NS - 1));
    must_join(&scope, &report, TENON_ERRORS);
    expect_outcome(&handle, TENON_OUTCOME_FAILED, TENON_TIMEOUT);
    cr_expect(eq(uint, atomic_load(&ran_count), 0));
    cr_expect(eq(u64, report.failed_count, 1));
    cr_expect(eq(u64, report.dropped_count, 0));
    tenon_report_free(&report);
}

Test(handle, task_whose_deadline_has_passed_fails_without_running)
{
    pool_each_clock(begin_too_late);
}

static void end_in_time(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_handle handle;
    struct task_step step = {.status = TENON_OK};

    must_open(&scope, executor);
    must_spawn_task(
        &scope, &handle, task_step, &step,
        TENON_TASK_OPTIONS(.timeout_ns = DELAY));
    cr_assert(gate_wait(&step.started));
    pool_move_clock(executor, clock, DELAY - 1);
    gate_open(&step.may_end);
    must_join(&scope, NULL, TENON_OK);
    pool_move_clock(executor, clock, DELAY);
    expect_outcome(&handle, TENON_OUTCOME_OK, TENON_OK);
}

Test(handle, task_that_ends_in_time_has_not_timed_out)
{
    pool_each_clock(end_in_time);
}

struct done {
    atomic_uint count;
    tenon_completion completion;
    unsigned destroyed_before;
    atomic_uint destroyed_count;
};

static void note_done(const tenon_completion *completion, void *context)
{
    struct done *done = context;

    done->completion = *completion;
    done->destroyed_before = atomic_load(&done->destroyed_count);
    atomic_fetch_add(&done->count, 1);
}

static void destroy_done(void *arg)
{
    struct done *done = arg;

    atomic_fetch_add(&done->destroyed_count, 1);
}

static int fail_with_nine(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_task_id(self) == 4 ? 9 : TASK_IN_VAIN;
}

static void expect_done(
    struct done *done, tenon_outcome outcome, int status,
    const tenon_handle *handle)
{
    cr_expect(eq(uint, atomic_load(&done->count), 1));
    cr_expect(eq(uint, done->destroyed_before, 0));
    cr_expect(eq(uint, atomic_load(&done->destroyed_count), 1));
    cr_expect(eq(int, (int)done->completion.outcome, (int)outcome));
    cr_expect(eq(int, done->completion.status, status));
    cr_expect(eq(u64, done->completion.id, 4));
    cr_expect(eq(ptr, done->completion.handle, (void *)handle));
}

static void tell_done(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_handle handle;
    struct done kept = {.count = 0};
    struct done forgotten = {.count = 0};
    struct done dropped = {.count = 0};

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    must_spawn_task(
        &scope, &handle, fail_with_nine, &kept,
        TENON_TASK_OPTIONS(
                .id = 4, .name = "nine", .on_done = note_done,
                .on_done_context = &kept, .destroy_arg = destroy_done));
    must_spawn_with(
        &scope, task_ok, &forgotten,
        TENON_TASK_OPTIONS(
                .id = 4, .on_done = note_done, .on_done_context = &forgotten,
                .destroy_arg = destroy_done));
    tenon_report report;
    must_join(&scope, &report, TENON_ERRORS);
    expect_done(&kept, TENON_OUTCOME_FAILED, 9, &handle);
    cr_expect(eq(ptr, kept.completion.arg, &kept));
    cr_expect(eq(ptr, (void *)kept.completion.error, (void *)report.errors));
    expect_done(&forgotten, TENON_OUTCOME_OK, TENON_OK, NULL);
    cr_expect(eq(ptr, (void *)forgotten.completion.error, NULL));
    tenon_report_free(&report);

    tenon_token token;
    tenon_token_init(&token, NULL);
    struct task_step step = {.status = TENON_OK};
    uint32_t worker_count = pool_info(executor).worker_count;
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .parent = &token));
    for (uint32_t i = 0; i < worker_count; i++) {
        must_spawn(&scope, task_step, &step);
    }
    cr_assert(gate_wait_for(&step.started, worker_count));
    must_spawn_with(
        &scope, task_ok, &dropped,
        TENON_TASK_OPTIONS(
                .id = 4, .on_done = note_done, .on_done_context = &dropped,
                .destroy_arg = destroy_done));
    tenon_token_cancel(&token, 0, NULL);
    gate_open(&step.may_end);
    must_join(&scope, NULL, TENON_CANCELLED);
    expect_done(&dropped, TENON_OUTCOME_DROPPED, TENON_CANCELLED, NULL);
    tenon_token_fini(&token);
}

Test(handle, done_callback_runs_once_before_the_destructor_and_the_join)
{
    pool_each(tell_done);
}

struct always {
    struct task_step step;
    bool was_cancelled;
    atomic_uint plain_count;
};

static int clean_up(tenon_task *self, void *arg)
{
    struct always *always = arg;

    always->was_cancelled = tenon_cancelled(self);
    return TENON_OK;
}

static void start_anyway(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct always always = {.step = {.status = TENON_OK}};
    uint32_t worker_count = pool_info(executor).worker_count;

    must_open(&scope, executor);
    for (uint32_t i = 0; i < worker_count; i++) {
        must_spawn(&scope, task_step, &always.step);
    }
    cr_assert(gate_wait_for(&always.step.started, worker_count));
    must_spawn_with(
        &scope, clean_up, &always, TENON_TASK_OPTIONS(.start_always = true));
    must_spawn(&scope, task_count, &always.plain_count);
    tenon_scope_cancel(&scope, 0, NULL);
    gate_open(&always.step.may_end);
    must_join(&scope, &report, TENON_OK);
    cr_expect(always.was_cancelled);
    cr_expect(eq(uint, atomic_load(&always.plain_count), 0));
    cr_expect(eq(u64, report.dropped_count, 1));
    cr_expect(eq(u64, report.ok_count, worker_count + 1));
    tenon_report_free(&report);
}

Test(handle, start_always_runs_a_queued_task_with_its_token_set)
{
    pool_each(start_anyway);
}

struct busy_done {
    tenon_scope *scope;
    atomic_uint ran_count;
    tenon_status ran;
    tenon_status joined;
    tenon_status spawned;
};

static void use_scopes(const tenon_completion *completion, void *context)
{
    struct busy_done *busy = context;

    (void)completion;
    busy->ran = tenon_run(NULL, task_count, &busy->ran_count, NULL);
    busy->joined = tenon_scope_join(busy->scope, TENON_OK, NULL);
    busy->spawned = tenon_spawn(busy->scope, task_count, &busy->ran_count);
}

static void use_scopes_when_done(tenon_executor *executor)
{
    tenon_scope scope;
    struct busy_done busy = {.scope = &scope, .ran = TASK_IN_VAIN};

    must_open(&scope, executor);
    must_spawn_with(
        &scope, task_ok, NULL,
        TENON_TASK_OPTIONS(.on_done = use_scopes, .on_done_context = &busy));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(int, busy.ran, TENON_OK));
    cr_expect(eq(int, busy.joined, TENON_EDEADLK));
    cr_expect(eq(int, busy.spawned, TENON_OK));
    cr_expect(eq(uint, atomic_load(&busy.ran_count), 2));
}

Test(handle, done_callback_is_a_part_of_the_task)
{
    pool_each(use_scopes_when_done);
}
