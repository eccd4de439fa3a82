// SPDX-License-Identifier: MIT
//
// fork_cancel_test — forked children see the token of their parent's scope,
// and mix with scopes and spawns.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(fork_cancel, .timeout = 60);

struct late {
    atomic_uint ran_count;
    tenon_status joined;
};

static int cancel_before_join(tenon_task *self, void *arg)
{
    struct late *late = arg;
    tenon_task child;

    tenon_fork(self, &child, task_count, &late->ran_count);
    tenon_scope_cancel(tenon_task_scope(self), 1, "no more");
    late->joined = tenon_join(self, &child);
    return TENON_CANCELLED;
}

static void drop_child(tenon_executor *executor)
{
    for (int i = 0; i < 100; i++) {
        tenon_scope scope;
        tenon_report report;
        struct late late = {.joined = 77};

        must_open(&scope, executor);
        must_spawn(&scope, cancel_before_join, &late);
        must_join(&scope, &report, TENON_OK);
        // A thief may have begun with the child before the cancel.
        unsigned ran_count = atomic_load(&late.ran_count);
        cr_assert(
            eq(int, late.joined, ran_count == 1 ? TENON_OK : TENON_CANCELLED));
        cr_assert(eq(u64, report.cancelled_count, 1));
        tenon_report_free(&report);
    }
}

Test(fork_cancel, child_not_yet_begun_is_dropped)
{
    pool_each(drop_child);
}

Test(fork_cancel, child_is_dropped_by_a_lone_worker)
{
    tenon_executor *executor = pool_create(1);
    struct late late = {.joined = 77};

    must_run(executor, cancel_before_join, &late, TENON_OK);
    cr_expect(eq(uint, atomic_load(&late.ran_count), 0));
    cr_expect(eq(int, late.joined, TENON_CANCELLED));
    pool_destroy(executor);
}

static int wait_below(tenon_task *self, void *arg)
{
    tenon_task child;

    tenon_fork(self, &child, task_announce_until_cancelled, arg);
    return tenon_join(self, &child);
}

static void cancel_child(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct gate started = {0};

    must_open(&scope, executor);
    must_spawn(&scope, wait_below, &started);
    cr_assert(gate_wait(&started));
    tenon_scope_cancel(&scope, 1, "stop");
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.cancelled_count, 1));
    cr_expect(eq(u64, report.error_count, 0));
    tenon_report_free(&report);
}

Test(fork_cancel, running_child_is_asked_to_stop)
{
    pool_each(cancel_child);
}

static int return_cancelled(tenon_task *self, void *arg)
{
    static int code = TENON_CANCELLED;
    tenon_task child;

    (void)arg;
    tenon_fork(self, &child, task_return, &code);
    return tenon_join(self, &child) == TENON_CANCELLED ? TENON_OK : 1;
}

static void cancel_unasked(tenon_executor *executor)
{
    tenon_report report;

    cr_assert(
        eq(int, tenon_run(executor, return_cancelled, NULL, &report),
           TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, TENON_CANCELLED));
    tenon_report_free(&report);
}

Test(fork_cancel, child_that_was_not_asked_to_stop_has_failed)
{
    pool_each(cancel_unasked);
}

static int fail_when_cancelled(tenon_task *self, void *arg)
{
    (void)arg;
    return task_await_cancel(self) ? 5 : TASK_IN_VAIN;
}

static int fork_and_fail(tenon_task *self, void *arg)
{
    static int code = 4;
    tenon_task first;
    tenon_task second;

    (void)arg;
    tenon_fork(self, &first, fail_when_cancelled, NULL);
    tenon_fork(self, &second, task_return, &code);
    int second_status = tenon_join(self, &second);
    int first_status = tenon_join(self, &first);
    // The first one may have been dropped.
    return second_status == 4 &&
                   (first_status == 5 || first_status == TENON_CANCELLED)
               ? 4
               : 1;
}

static void fail_beside(tenon_executor *executor)
{
    tenon_report report;

    cr_assert(eq(
        int, tenon_run(executor, fork_and_fail, NULL, &report), TENON_ERRORS));
    cr_expect(eq(int, report.primary->code, 4));
    cr_expect(eq(int, report.cause.code, 4));
    cr_expect(eq(u64, report.failed_count, 1));
    tenon_report_free(&report);
}

Test(fork_cancel, failing_child_cancels_its_siblings)
{
    pool_each(fail_beside);
}

// --- mixed with scopes and spawns ---

struct mixture {
    atomic_uint count;
    int depth;
};

// At each level: a fork, and a nested scope with a spawn, in between.
static int mix(tenon_task *self, void *arg)
{
    struct mixture *mixture = arg;
    struct mixture below = {.depth = mixture->depth - 1};
    tenon_task child;
    tenon_scope scope;

    if (mixture->depth == 0) {
        atomic_fetch_add(&mixture->count, 1);
        return TENON_OK;
    }
    tenon_fork(self, &child, mix, &below);
    tenon_status status = tenon_scope_open(&scope, NULL);
    if (status == TENON_OK) {
        status = tenon_spawn(&scope, mix, &below);
        status = tenon_scope_join(&scope, status, NULL);
    }
    tenon_status joined = tenon_join(self, &child);
    atomic_fetch_add(&mixture->count, atomic_load(&below.count));
    return status != TENON_OK ? status : joined;
}

static void mix_all(tenon_executor *executor)
{
    struct mixture root = {.depth = 8};

    must_run(executor, mix, &root, TENON_OK);
    cr_expect(eq(uint, atomic_load(&root.count), 256));
}

Test(fork_cancel, forks_and_nested_scopes_mix)
{
    pool_each(mix_all);
}

static int spawn_from_child(tenon_task *self, void *arg)
{
    return tenon_spawn(tenon_task_scope(self), task_count, arg);
}

static int fork_spawner(tenon_task *self, void *arg)
{
    tenon_task child;

    tenon_fork(self, &child, spawn_from_child, arg);
    return tenon_join(self, &child);
}

static void spawn_below(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    atomic_uint count = 0;

    must_open(&scope, executor);
    for (int i = 0; i < 50; i++) {
        must_spawn(&scope, fork_spawner, &count);
    }
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 50));
    cr_expect(eq(u64, report.spawned_count, 100));
    tenon_report_free(&report);
}

Test(fork_cancel, child_may_spawn_into_the_scope)
{
    pool_each(spawn_below);
}
