// SPDX-License-Identifier: MIT
//
// cancel_test — a request that everything below a scope sees, and nothing
// above.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <string.h>
#include <tenon/tenon.h>

TestSuite(cancel, .timeout = 60);

static void cancel_running(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct gate started = {0};

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .name = "loop"));
    must_spawn(&scope, task_announce_until_cancelled, &started);
    cr_assert(gate_wait(&started));
    cr_expect(not(tenon_scope_cancelled(&scope)));
    cr_expect(tenon_scope_cancel(&scope, 12, "because of %s", "rain"));
    cr_expect(tenon_scope_cancelled(&scope));
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.cancelled_count, 1));
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_EXPLICIT));
    cr_expect(eq(int, report.cause.code, 12));
    cr_expect(eq(str, report.cause.text, "because of rain"));
    cr_expect(eq(str, report.cause.scope_name, "loop"));
    cr_expect(eq(str, report.cause.task_name, ""));
    tenon_report_free(&report);
}

Test(cancel, running_task_is_asked_to_stop)
{
    pool_each(cancel_running);
}

// The only worker is held: what waits behind it is dropped.
Test(cancel, queued_tasks_are_dropped)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_report report;
    struct task_step step = {.status = TENON_OK};
    atomic_uint count = 0;
    tenon_handle kept;
    tenon_outcome outcome = TENON_OUTCOME_NONE;
    int status = 0;

    must_open(&scope, executor);
    must_spawn(&scope, task_step, &step);
    cr_assert(gate_wait(&step.started));
    for (int i = 0; i < 50; i++) {
        must_spawn(&scope, task_count, &count);
    }
    cr_assert(
        eq(int, tenon_spawn_task(&scope, &kept, task_count, &count, NULL),
           TENON_OK));
    tenon_scope_cancel(&scope, 1, "stop");
    gate_open(&step.may_end);
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 0));
    cr_expect(eq(u64, report.ok_count, 1));
    cr_expect(eq(u64, report.dropped_count, 51));
    cr_assert(
        eq(int, tenon_handle_outcome(&kept, &outcome, &status), TENON_OK));
    cr_expect(eq(int, (int)outcome, (int)TENON_OUTCOME_DROPPED));
    cr_expect(eq(int, status, TENON_CANCELLED));
    tenon_report_free(&report);
    pool_destroy(executor);
}

static void spawn_late(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    atomic_uint count = 0;

    must_open(&scope, executor);
    tenon_scope_cancel(&scope, 1, "stop");
    for (int i = 0; i < 3; i++) {
        cr_expect(
            eq(int, tenon_spawn(&scope, task_count, &count), TENON_CANCELLED));
    }
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 0));
    cr_expect(eq(u64, report.spawned_count, 0));
    cr_expect(eq(u64, report.rejected_count, 3));
    tenon_report_free(&report);
}

Test(cancel, spawns_are_refused_and_counted)
{
    pool_each(spawn_late);
}

struct hydra {
    tenon_scope *scope;
    atomic_uint head_count;
};

// Every head grows two, for ever, whatever it is told.
static int grow_heads(tenon_task *self, void *arg)
{
    struct hydra *hydra = arg;

    (void)self;
    if (atomic_fetch_add(&hydra->head_count, 1) == 1000) {
        tenon_scope_cancel(hydra->scope, 1, "enough heads");
    }
    for (int i = 0; i < 2; i++) {
        if (tenon_spawn(hydra->scope, grow_heads, hydra) == TENON_ENOMEM) {
            return 1;
        }
    }
    return TENON_OK;
}

static void end_hydra(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct hydra hydra = {.scope = &scope};

    must_open(&scope, executor);
    must_spawn(&scope, grow_heads, &hydra);
    must_join(&scope, &report, TENON_OK);
    cr_expect(gt(u64, report.rejected_count, 0));
    cr_expect(
        eq(u64, report.spawned_count, report.ok_count + report.dropped_count));
    tenon_report_free(&report);
}

Test(cancel, endless_spawning_ends)
{
    pool_each(end_hydra);
}

Test(cancel, second_one_changes_nothing)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_cause cause;

    must_open(&scope, executor);
    cr_expect(tenon_scope_cancel(&scope, 1, "first"));
    cr_expect(not(tenon_scope_cancel(&scope, 2, "second")));
    cr_assert(tenon_scope_cause(&scope, &cause));
    cr_expect(eq(int, cause.code, 1));
    must_join(&scope, NULL, TENON_OK);
    pool_destroy(executor);
}

Test(cancel, after_join_does_nothing)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;

    must_open(&scope, executor);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(not(tenon_scope_cancel(&scope, 1, "late")));
    cr_expect(not(tenon_scope_cancelled(&scope)));
    pool_destroy(executor);
}

Test(cancel, before_open_does_nothing)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope = {.phase = 0};

    cr_expect(not(tenon_scope_cancel(&scope, 1, "early")));
    must_open(&scope, executor);
    cr_expect(not(tenon_scope_cancelled(&scope)));
    must_join(&scope, NULL, TENON_OK);
    pool_destroy(executor);
}

Test(cancel, cause_is_in_the_report_after_join)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_report report;
    tenon_cause cause = {.code = 0};

    must_open(&scope, executor);
    tenon_scope_cancel(&scope, 33, "enough");
    must_join(&scope, &report, TENON_OK);
    cr_expect(not(tenon_scope_cause(&scope, &cause)));
    cr_expect(eq(int, report.cause.code, 33));
    cr_expect(eq(str, report.cause.text, "enough"));
    tenon_report_free(&report);
    pool_destroy(executor);
}

// --- up and down the tree ---

struct chain {
    struct gate is_deep;
    tenon_cause cause;
    tenon_cause inner_cause;
    bool was_seen_inside;
    bool owner_was_set;  // after the inner scope was cancelled
    tenon_status inner_status;
    int depth;
};

static int descend(tenon_task *self, void *arg)
{
    struct chain *chain = arg;

    if (chain->depth > 0) {
        chain->depth--;
        return tenon_run(NULL, descend, chain, NULL);
    }
    gate_open(&chain->is_deep);
    bool was_cancelled = task_await_cancel(self);
    tenon_task_cause(self, &chain->cause);
    return was_cancelled ? TENON_CANCELLED : TASK_IN_VAIN;
}

static void cancel_top(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct chain chain = {.depth = 5};

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .name = "top"));
    must_spawn_with(
        &scope, descend, &chain, TENON_TASK_OPTIONS(.name = "miner"));
    cr_assert(gate_wait(&chain.is_deep));
    tenon_scope_cancel(&scope, 8, "everybody out");
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.cancelled_count, 1));
    cr_expect(eq(int, (int)chain.cause.source, (int)TENON_CAUSE_PARENT));
    cr_expect(eq(int, (int)chain.cause.origin, (int)TENON_CAUSE_EXPLICIT));
    cr_expect(eq(int, chain.cause.code, 8));
    cr_expect(eq(str, chain.cause.text, "everybody out"));
    cr_expect(eq(str, chain.cause.scope_name, "top"));
    tenon_report_free(&report);
}

Test(cancel, reaches_the_deepest_task_with_the_origin_of_the_cause)
{
    pool_each(cancel_top);
}

static int cancel_inner(tenon_task *self, void *arg)
{
    struct chain *chain = arg;
    tenon_scope inner;
    struct gate started = {0};

    if (tenon_scope_open(&inner, NULL) != TENON_OK) {
        return 1;
    }
    tenon_status status =
        tenon_spawn(&inner, task_announce_until_cancelled, &started);
    tenon_scope_cancel(&inner, 4, "inner only");
    chain->was_seen_inside = tenon_cancelled(self);
    tenon_scope_cause(&inner, &chain->inner_cause);
    chain->inner_status = tenon_scope_join(&inner, TENON_OK, NULL);
    chain->owner_was_set = tenon_cancelled(self);
    return status;
}

static void cancel_below(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct chain chain = {.depth = 0};

    must_open(&scope, executor);
    must_spawn_with(
        &scope, cancel_inner, &chain, TENON_TASK_OPTIONS(.name = "owner"));
    must_join(&scope, &report, TENON_OK);
    cr_expect(chain.was_seen_inside);
    cr_expect(not(chain.owner_was_set));
    cr_expect(not(report.cancel_requested));
    cr_expect(eq(int, chain.inner_status, TENON_OK));
    cr_expect(eq(str, chain.inner_cause.task_name, "owner"));
    cr_expect(eq(u64, report.ok_count, 1));
    tenon_report_free(&report);
}

Test(cancel, leaves_the_owner_alone)
{
    pool_each(cancel_below);
}
