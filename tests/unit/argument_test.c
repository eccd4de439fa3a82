// SPDX-License-Identifier: MIT
//
// argument_test — every argument destructor runs exactly once, whatever becomes
// of the spawn.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define DESTROYED TENON_TASK_OPTIONS(.destroy_arg = task_destroy_count)

TestSuite(argument, .timeout = 60);

static int do_nothing(tenon_task *self, void *arg)
{
    (void)self;
    (void)arg;
    return TENON_OK;
}

static int fail(tenon_task *self, void *arg)
{
    (void)self;
    (void)arg;
    return 1;
}

static void run_all(tenon_executor *executor)
{
    atomic_uint counts[100] = {0};
    tenon_scope scope;

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    for (int i = 0; i < 100; i++) {
        must_spawn_with(
            &scope, i % 2 == 0 ? do_nothing : fail, &counts[i], DESTROYED);
    }
    must_join(&scope, NULL, TENON_ERRORS);
    for (int i = 0; i < 100; i++) {
        cr_assert(eq(uint, atomic_load(&counts[i]), 1));
    }
}

Test(argument, is_destroyed_once_after_its_task_ran)
{
    pool_each(run_all);
}

struct order {
    atomic_uint destroyed_count;
    unsigned destroyed_before_end;
};

static int look_at_end(tenon_task *self, void *arg)
{
    struct order *order = arg;
    tenon_scope scope;

    (void)self;
    tenon_status status = tenon_scope_open(&scope, NULL);
    status = status != TENON_OK ? status : tenon_spawn(&scope, task_ok, NULL);
    status = tenon_scope_join(&scope, status, NULL);
    order->destroyed_before_end = atomic_load(&order->destroyed_count);
    return status;
}

static void destroy_late(tenon_executor *executor)
{
    struct order order = {.destroyed_count = 0, .destroyed_before_end = 7};
    tenon_scope scope;

    must_open(&scope, executor);
    must_spawn_with(&scope, look_at_end, &order, DESTROYED);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, order.destroyed_before_end, 0));
    cr_expect(eq(uint, atomic_load(&order.destroyed_count), 1));
}

Test(argument, is_destroyed_after_the_task_and_before_join_returns)
{
    pool_each(destroy_late);
}

struct farewell {
    atomic_uint count;
    bool had_task;
    tenon_status status;
};

static void say_farewell(void *arg)
{
    struct farewell *farewell = arg;

    farewell->had_task = tenon_current() != NULL;
    farewell->status = tenon_run(NULL, task_count, &farewell->count, NULL);
}

static void run_in_destructor(tenon_executor *executor)
{
    struct farewell farewell = {.status = 77};
    tenon_scope scope;

    must_open(&scope, executor);
    must_spawn_with(
        &scope, do_nothing, &farewell,
        TENON_TASK_OPTIONS(.destroy_arg = say_farewell));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(farewell.had_task);
    cr_expect(eq(int, farewell.status, TENON_OK));
    cr_expect(eq(uint, atomic_load(&farewell.count), 1));
}

Test(argument, destructor_runs_as_its_task_and_may_open_scopes)
{
    pool_each(run_in_destructor);
}

struct leaver {
    tenon_scope scope;
    const char *name;
    atomic_uint count;  // tasks that ran in it
};

static void leave_open(struct leaver *leaver)
{
    tenon_status status = tenon_scope_open(
        &leaver->scope, TENON_SCOPE_OPTIONS(.name = leaver->name));

    if (status == TENON_OK) {
        (void)!tenon_spawn(&leaver->scope, task_count, &leaver->count);
    }
}

static void leave_in_destructor(void *arg)
{
    leave_open(arg);
}

static void leave_when_done(const tenon_completion *completion, void *context)
{
    (void)completion;
    leave_open(context);
}

static void leave_by_policy(tenon_executor *executor, tenon_policy policy)
{
    struct leaver destroyed = {.name = "destroyed"};
    struct leaver done = {.name = "done"};
    tenon_scope scope;
    tenon_report report;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .policy = policy));
    must_spawn_with(
        &scope, task_ok, &destroyed,
        TENON_TASK_OPTIONS(
                .name = "one", .destroy_arg = leave_in_destructor,
                .on_done = leave_when_done, .on_done_context = &done));
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.ok_count, 1));
    cr_assert(eq(sz, report.kept_count, 2));
    const tenon_error *errors[] = {report.errors, report.errors->next};
    for (int i = 0; i < 2; i++) {
        cr_expect(eq(int, errors[i]->code, TENON_ESTRUCT));
        cr_expect(eq(str, (char *)errors[i]->task_name, "one"));
        cr_expect(
            ne(ptr, strstr(errors[i]->text, i == 0 ? "'done'" : "'destroyed'"),
               NULL));
    }
    // Joined all the same.
    cr_expect(eq(int, tenon_spawn(&done.scope, task_ok, NULL), TENON_ECLOSED));
    cr_expect(
        eq(int, tenon_spawn(&destroyed.scope, task_ok, NULL), TENON_ECLOSED));
    tenon_report_free(&report);
}

static void leave_both(tenon_executor *executor)
{
    leave_by_policy(executor, TENON_POLICY_FAIL_FAST);
    leave_by_policy(executor, TENON_POLICY_COLLECT_ALL);
    leave_by_policy(executor, TENON_POLICY_ANY_OK);  // though it is ok
}

Test(argument, destructor_and_done_callback_that_leave_scopes_open_are_errors)
{
    pool_each(leave_both);
}

static int fail_when_told(tenon_task *self, void *arg)
{
    struct task_step *step = arg;

    task_step(self, step);
    return 9;
}

// The only worker is held while others are queued behind it.
Test(argument, is_destroyed_once_when_its_task_was_dropped)
{
    tenon_executor *executor = pool_create(1);
    atomic_uint counts[100] = {0};
    tenon_scope scope;
    tenon_report report;
    struct task_step step = {.status = TENON_OK};

    must_open(&scope, executor);
    must_spawn(&scope, fail_when_told, &step);
    cr_assert(gate_wait(&step.started));
    for (int i = 0; i < 100; i++) {
        must_spawn_with(&scope, fail, &counts[i], DESTROYED);
    }
    gate_open(&step.may_end);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.dropped_count, 100));
    cr_expect(eq(u64, report.failed_count, 1));
    for (int i = 0; i < 100; i++) {
        cr_assert(eq(uint, atomic_load(&counts[i]), 1));
    }
    tenon_report_free(&report);
    pool_destroy(executor);
}

static void refuse_cancelled(tenon_executor *executor)
{
    atomic_uint count = 0;
    tenon_scope scope;
    tenon_handle handle;

    must_open(&scope, executor);
    tenon_scope_cancel(&scope, 1, "stop");
    cr_expect(
        eq(int, tenon_spawn_with(&scope, fail, &count, DESTROYED),
           TENON_CANCELLED));
    cr_expect(eq(uint, atomic_load(&count), 1));
    cr_expect(
        eq(int, tenon_spawn_task(&scope, &handle, fail, &count, DESTROYED),
           TENON_CANCELLED));
    cr_expect(eq(uint, atomic_load(&count), 2));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 2));
}

Test(argument, is_destroyed_once_when_its_spawn_was_refused)
{
    pool_each(refuse_cancelled);
}

Test(argument, is_destroyed_once_when_its_scope_is_closed)
{
    tenon_executor *executor = pool_create(1);
    atomic_uint count = 0;
    tenon_scope scope;

    must_open(&scope, executor);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(
        int, tenon_spawn_with(&scope, fail, &count, DESTROYED), TENON_ECLOSED));
    cr_expect(eq(uint, atomic_load(&count), 1));
    pool_destroy(executor);
}

struct intruder {
    tenon_scope *scope;
    atomic_uint count;
    tenon_status status;
};

static void *intrude(void *arg)
{
    struct intruder *intruder = arg;

    intruder->status =
        tenon_spawn_with(intruder->scope, fail, &intruder->count, DESTROYED);
    return NULL;
}

Test(argument, is_destroyed_once_when_its_spawner_has_no_right)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    struct intruder intruder = {.scope = &scope};
    pthread_t thread;

    must_open(&scope, executor);
    pthread_create(&thread, NULL, intrude, &intruder);
    pthread_join(thread, NULL);
    cr_expect(eq(int, intruder.status, TENON_EPERM));
    cr_expect(eq(uint, atomic_load(&intruder.count), 1));
    must_join(&scope, NULL, TENON_OK);
    pool_destroy(executor);
}

Test(argument, is_destroyed_once_when_nonsense_was_asked)
{
    tenon_executor *executor = pool_create(1);
    atomic_uint count = 0;
    tenon_scope scope;
    tenon_scope_ref ref;

    must_open(&scope, executor);
    cr_expect(eq(
        int, tenon_spawn_with(&scope, NULL, &count, DESTROYED), TENON_EINVAL));
    cr_expect(eq(uint, atomic_load(&count), 1));
    cr_expect(
        eq(int, tenon_spawn_task(&scope, NULL, fail, &count, DESTROYED),
           TENON_EINVAL));
    cr_expect(eq(uint, atomic_load(&count), 2));
    cr_assert(eq(int, tenon_scope_acquire(&scope, &ref), TENON_OK));
    tenon_scope_release(&ref);
    cr_expect(
        eq(int, tenon_ref_spawn(&ref, fail, &count, DESTROYED), TENON_EINVAL));
    cr_expect(eq(uint, atomic_load(&count), 3));
    must_join(&scope, NULL, TENON_OK);
    pool_destroy(executor);
}

static void free_memory(tenon_executor *executor)
{
    tenon_scope scope;

    must_open(&scope, executor);
    for (int i = 0; i < 1000; i++) {
        must_spawn_with(
            &scope, do_nothing, malloc(16),
            TENON_TASK_OPTIONS(.name = "freer", .destroy_arg = free));
    }
    must_join(&scope, NULL, TENON_OK);
}

Test(argument, may_be_freed_by_its_destructor)
{
    pool_each(free_memory);
}

static void keep_and_destroy(tenon_executor *executor)
{
    atomic_uint count = 0;
    tenon_scope scope;
    tenon_handle handle;

    must_open(&scope, executor);
    cr_assert(eq(
        int, tenon_spawn_task(&scope, &handle, do_nothing, &count, DESTROYED),
        TENON_OK));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 1));
    cr_expect(eq(int, tenon_handle_outcome(&handle, NULL, NULL), TENON_OK));
}

Test(argument, of_a_kept_task_is_destroyed_as_well)
{
    pool_each(keep_and_destroy);
}
