// SPDX-License-Identifier: MIT
//
// spawn_many_test — tenon_spawn_n() starts one task for each argument, or tells
// how many it has started.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(spawn_many, .timeout = 60);

enum { COUNT_MAX = 5000, CODE = 31 };

struct item {
    atomic_uint run_count;
    uint64_t padding[3];
};

static struct item items[COUNT_MAX];

static const size_t counts[] = {0, 1, 2, 63, 64, 65, 1000, COUNT_MAX};
enum { COUNTS = sizeof(counts) / sizeof(counts[0]) };

static int run_item(tenon_task *self, void *arg)
{
    struct item *item = arg;

    return task_count(self, &item->run_count);
}

// Those below `end` have run once, the others have not. It forgets that.
static void expect_run(size_t end)
{
    size_t wrong_count = 0;

    for (size_t i = 0; i < COUNT_MAX; i++) {
        wrong_count += atomic_exchange(&items[i].run_count, 0) != (i < end);
    }
    cr_expect(zero(sz, wrong_count), "%zu of %zu", wrong_count, end);
}

struct call {
    size_t count;
    size_t spawned_count;
    uint64_t reported_count;
    tenon_status status;
};

static int spawn_in_task(tenon_task *self, void *arg)
{
    struct call *call = arg;
    tenon_scope scope;
    tenon_status status = tenon_scope_open(&scope, NULL);

    (void)self;
    if (status != TENON_OK) {
        return status;
    }
    call->status = tenon_spawn_n(
        &scope, run_item, items, sizeof(items[0]), call->count,
        &call->spawned_count);
    tenon_report report;
    status = tenon_scope_join(&scope, TENON_OK, &report);
    call->reported_count = report.spawned_count;
    tenon_report_free(&report);
    return status;
}

static void spawn_all_in_task(tenon_executor *executor)
{
    for (size_t i = 0; i < COUNTS; i++) {
        struct call call = {.count = counts[i], .spawned_count = 99999};

        must_run(executor, spawn_in_task, &call, TENON_OK);
        cr_expect(eq(int, call.status, TENON_OK));
        cr_expect(eq(sz, call.spawned_count, counts[i]));
        cr_expect(eq(u64, call.reported_count, counts[i]));
        expect_run(counts[i]);
    }
}

Test(spawn_many, in_a_task_each_argument_has_its_task)
{
    pool_each(spawn_all_in_task);
}

static void spawn_all_from_outside(tenon_executor *executor)
{
    for (size_t i = 0; i < COUNTS; i++) {
        tenon_scope scope;
        tenon_report report;

        must_open(&scope, executor);
        cr_expect(
            eq(int,
               tenon_spawn_n(
                   &scope, run_item, items, sizeof(items[0]), counts[i], NULL),
               TENON_OK));
        must_join(&scope, &report, TENON_OK);
        cr_expect(eq(u64, report.spawned_count, counts[i]));
        cr_expect(eq(u64, report.ok_count, counts[i]));
        tenon_report_free(&report);
        expect_run(counts[i]);
    }
}

Test(spawn_many, by_an_owner_outside_of_tasks_too)
{
    pool_each(spawn_all_from_outside);
}

// A member spawns into the scope that it is in.
static int spawn_beside(tenon_task *self, void *arg)
{
    struct call *call = arg;

    call->status = tenon_spawn_n(
        tenon_task_scope(self), run_item, items, sizeof(items[0]), call->count,
        &call->spawned_count);
    return call->status;
}

static void spawn_all_beside(tenon_executor *executor)
{
    struct call call = {.count = 100};

    must_run(executor, spawn_beside, &call, TENON_OK);
    cr_expect(eq(sz, call.spawned_count, 100));
    expect_run(100);
}

Test(spawn_many, by_a_member_too)
{
    pool_each(spawn_all_beside);
}

static int need_none(tenon_task *self, void *arg)
{
    (void)self;
    return arg == NULL ? TENON_OK : CODE;
}

static int spawn_without_arguments(tenon_task *self, void *arg)
{
    tenon_scope scope;
    tenon_status status = tenon_scope_open(&scope, NULL);

    (void)self;
    (void)arg;
    if (status == TENON_OK) {
        status = tenon_spawn_n(&scope, need_none, NULL, 8, 300, NULL);
    }
    return tenon_scope_join(&scope, status, NULL);
}

static void share_one_argument(tenon_executor *executor)
{
    tenon_scope scope;
    atomic_uint count = 0;

    must_open(&scope, executor);
    cr_expect(
        eq(int, tenon_spawn_n(&scope, task_count, &count, 0, 300, NULL),
           TENON_OK));
    cr_expect(eq(
        int, tenon_spawn_n(&scope, need_none, NULL, 8, 300, NULL), TENON_OK));
    must_spawn(&scope, spawn_without_arguments, NULL);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(u32, atomic_load(&count), 300));
}

Test(spawn_many, may_share_one_argument_or_have_none)
{
    pool_each(share_one_argument);
}

static int cancel_then_spawn(tenon_task *self, void *arg)
{
    struct call *call = arg;
    tenon_scope scope;
    tenon_report report;
    tenon_status status = tenon_scope_open(&scope, NULL);

    (void)self;
    if (status != TENON_OK) {
        return status;
    }
    tenon_scope_cancel(&scope, CODE, "no more");
    call->status = tenon_spawn_n(
        &scope, run_item, items, sizeof(items[0]), 100, &call->spawned_count);
    status = tenon_scope_join(&scope, TENON_OK, &report);
    call->count = report.rejected_count;
    tenon_report_free(&report);
    return status;
}

Test(spawn_many, of_a_cancelled_scope_stops_at_the_first)
{
    tenon_executor *executor = pool_create(1);
    struct call call = {.spawned_count = 99999};

    must_run(executor, cancel_then_spawn, &call, TENON_OK);
    pool_destroy(executor);
    cr_expect(eq(int, call.status, TENON_CANCELLED));
    cr_expect(zero(sz, call.spawned_count));
    cr_expect(eq(sz, call.count, 1), "one was rejected");
    expect_run(0);
}

Test(spawn_many, tells_how_many_the_queue_took)
{
    size_t spawned_count = 99999;
    tenon_scope scope;
    tenon_report report;

    // Its one worker is busy: nobody takes any.
    tenon_executor *executor = pool_create_with(
        TENON_EXECUTOR_OPTIONS(.worker_count = 1, .queue_limit = 10));
    must_open(&scope, executor);
    struct task_step step = {.status = TENON_OK};
    must_spawn(&scope, task_step, &step);
    cr_assert(gate_wait(&step.started));
    cr_expect(
        eq(int,
           tenon_spawn_n(
               &scope, run_item, items, sizeof(items[0]), 100, &spawned_count),
           TENON_EAGAIN));
    gate_open(&step.may_end);
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(sz, spawned_count, 10));
    cr_expect(eq(u64, report.spawned_count, 11));
    tenon_report_free(&report);
    expect_run(10);
    pool_destroy(executor);
}

Test(spawn_many, nonsense_is_refused)
{
    tenon_executor *executor = pool_create(1);
    size_t spawned_count = 99999;
    tenon_scope scope;

    cr_expect(
        eq(int, tenon_spawn_n(NULL, task_ok, NULL, 0, 3, &spawned_count),
           TENON_EINVAL));
    cr_expect(zero(sz, spawned_count));
    cr_expect(
        eq(int, tenon_spawn_n(NULL, task_ok, NULL, 0, 0, NULL), TENON_EINVAL));
    must_open(&scope, executor);
    cr_expect(
        eq(int, tenon_spawn_n(&scope, NULL, NULL, 0, 3, NULL), TENON_EINVAL));
    cr_expect(
        eq(int, tenon_spawn_n(&scope, NULL, NULL, 0, 0, NULL), TENON_EINVAL));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(
        int, tenon_spawn_n(&scope, task_ok, NULL, 0, 3, NULL), TENON_ECLOSED));
    pool_destroy(executor);
}
