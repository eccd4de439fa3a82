// SPDX-License-Identifier: MIT
//
// queue_limit_test — a server's executor takes so many tasks from outside and
// no more; what its tasks spawn themselves is not bounded.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(queue_limit, .timeout = 60);

enum { LIMIT = 3 };

#define COUNTED TENON_TASK_OPTIONS(.destroy_arg = task_destroy_count)

static tenon_executor *create_bounded(uint32_t worker_count)
{
    return pool_create_with(TENON_EXECUTOR_OPTIONS(
            .worker_count = worker_count, .queue_limit = LIMIT));
}

static int spawn_many(tenon_task *self, void *arg)
{
    for (int i = 0; i < 100; i++) {
        if (tenon_spawn(tenon_task_scope(self), task_count, arg) != TENON_OK) {
            return TASK_IN_VAIN;
        }
    }
    return TENON_OK;
}

static void fill(uint32_t worker_count)
{
    tenon_executor *executor = create_bounded(worker_count);
    tenon_scope scope;
    tenon_report report;
    tenon_handle handle;
    struct task_step step = {.status = TENON_OK};
    atomic_uint destroyed_count = 0;
    atomic_uint count = 0;

    must_open(&scope, executor);
    for (uint32_t i = 0; i < worker_count; i++) {
        must_spawn(&scope, task_step, &step);
        cr_assert(gate_wait_for(&step.started, i + 1));
    }
    // Nobody takes any more.
    for (int i = 0; i < LIMIT; i++) {
        must_spawn_with(&scope, task_ok, &destroyed_count, COUNTED);
    }
    cr_expect(
        eq(int, tenon_spawn_with(&scope, task_ok, &destroyed_count, COUNTED),
           TENON_EAGAIN));
    cr_expect(eq(uint, atomic_load(&destroyed_count), 1));
    cr_expect(
        eq(int, tenon_spawn_task(&scope, &handle, task_ok, NULL, NULL),
           TENON_EAGAIN));
    cr_expect(
        eq(int, tenon_handle_outcome(&handle, NULL, NULL), TENON_ENOTREADY));
    cr_expect(eq(int, tenon_run(executor, task_ok, NULL, NULL), TENON_EAGAIN));
    gate_open(&step.may_end);
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.spawned_count, worker_count + LIMIT));
    cr_expect(eq(uint, atomic_load(&destroyed_count), LIMIT + 1));
    tenon_report_free(&report);
    // There is room again; tasks are not bounded.
    must_run(executor, spawn_many, &count, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 100));
    pool_destroy(executor);
}

Test(queue_limit, refuses_what_comes_from_outside_when_it_is_full)
{
    fill(1);
    fill(2);
    fill(4);
    fill(16);
}

static void flood(uint32_t worker_count)
{
    tenon_executor *executor = create_bounded(worker_count);
    tenon_scope scope;
    tenon_report report;
    atomic_uint count = 0;
    uint64_t accepted_count = 0;

    must_open(&scope, executor);
    for (int i = 0; i < 20000; i++) {
        tenon_status status = tenon_spawn(&scope, task_count, &count);
        cr_assert(status == TENON_OK || status == TENON_EAGAIN);
        accepted_count += status == TENON_OK;
    }
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.ok_count, accepted_count));
    cr_expect(eq(u64, atomic_load(&count), accepted_count));
    cr_expect(ge(u64, accepted_count, LIMIT));
    tenon_report_free(&report);
    pool_destroy(executor);
}

Test(queue_limit, loses_nothing_that_it_has_taken)
{
    flood(1);
    flood(4);
}
