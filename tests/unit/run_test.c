// SPDX-License-Identifier: MIT
//
// run_test — tenon_run: one root task and all that it starts, from any thread.

#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <tenon/tenon.h>

TestSuite(run, .timeout = 60);

static int spawn_ten(tenon_task *self, void *arg)
{
    for (int i = 0; i < 10; i++) {
        if (tenon_spawn(tenon_task_scope(self), task_count, arg) != TENON_OK) {
            return 1;
        }
    }
    return TENON_OK;
}

static void run_all(tenon_executor *executor)
{
    tenon_report report;
    atomic_uint count = 0;

    cr_assert(
        eq(int, tenon_run(executor, spawn_ten, &count, &report), TENON_OK));
    cr_expect(eq(uint, atomic_load(&count), 10));
    cr_expect(eq(u64, report.spawned_count, 11));
    tenon_report_free(&report);
}

Test(run, returns_when_all_that_was_started_has_ended)
{
    pool_each(run_all);
}

static void run_failing(tenon_executor *executor)
{
    static int code = 5;
    tenon_report report;

    cr_assert(eq(
        int, tenon_run(executor, task_return, &code, &report), TENON_ERRORS));
    cr_expect(eq(int, report.primary->code, 5));
    tenon_report_free(&report);
    must_run(executor, task_return, &code, TENON_ERRORS);
}

Test(run, returns_the_status_of_the_join)
{
    pool_each(run_failing);
}

static int run_again(tenon_task *self, void *arg)
{
    (void)self;
    return tenon_run(NULL, task_count, arg, NULL);
}

static void run_nested(tenon_executor *executor)
{
    tenon_executor_info info = {.struct_size = sizeof(info)};
    atomic_uint count = 0;

    must_run(executor, run_again, &count, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 1));
    cr_assert(eq(int, tenon_executor_info_get(executor, &info), TENON_OK));
    cr_expect(eq(u32, info.scope_count, 0));
}

Test(run, nests_in_a_task)
{
    pool_each(run_nested);
}

static int run_cancelled(tenon_task *self, void *arg)
{
    tenon_scope_cancel(tenon_task_scope(self), 1, "stop");
    tenon_status status = tenon_run(NULL, task_count, arg, NULL);
    return status == TENON_CANCELLED ? TENON_CANCELLED : 1;
}

static void run_in_cancelled(tenon_executor *executor)
{
    atomic_uint count = 0;

    must_run(executor, run_cancelled, &count, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 0));
}

Test(run, is_cancelled_inside_a_cancelled_task)
{
    pool_each(run_in_cancelled);
}

Test(run, refuses_nonsense)
{
    tenon_executor *executor = pool_create(1);
    tenon_report report = {.spawned_count = 77};

    cr_expect(eq(int, tenon_run(executor, NULL, NULL, &report), TENON_EINVAL));
    cr_expect(eq(u64, report.spawned_count, 77));
    pool_destroy(executor);
}

static tenon_executor *shared;

static void *run_often(void *arg)
{
    for (int i = 0; i < 200; i++) {
        if (tenon_run(shared, spawn_ten, arg, NULL) != TENON_OK) {
            return NULL;
        }
    }
    return arg;
}

static void run_from_threads(tenon_executor *executor)
{
    pthread_t threads[4];
    atomic_uint count = 0;
    void *result = NULL;

    shared = executor;
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, run_often, &count);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &result);
        cr_expect(ne(ptr, result, NULL));
    }
    cr_expect(eq(uint, atomic_load(&count), 8000));
}

Test(run, serves_several_threads_at_once)
{
    pool_each(run_from_threads);
}
