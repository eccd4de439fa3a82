// SPDX-License-Identifier: MIT
//
// thread_fault_test — with fewer threads than asked for, even with none, all
// work is done all the same.

#include "fault.h"
#include "gate.h"
#include "must.h"
#include "pool.h"
#include "sched/executor.h"
#include "sched/worker.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <tenon/tenon.h>

TestSuite(thread_fault, .timeout = 30);

// An executor for four workers, of which the system gives so many.
static tenon_executor *create_with(uint32_t thread_count)
{
    fault_allow_threads(thread_count);
    return pool_create(4);
}

static tenon_executor *create_without_threads(void)
{
    return create_with(0);
}

static void end(tenon_executor *executor)
{
    fault_allow_threads(FAULT_NEVER);
    pool_destroy(executor);
}

// --- fewer ---

Test(thread_fault, some_missing_is_reported_and_the_others_do_the_work)
{
    atomic_uint count = 0;

    for (uint32_t i = 1; i < 4; i++) {
        tenon_executor *executor = create_with(i);
        tenon_executor_info info = pool_info(executor);
        cr_expect(eq(u32, info.requested_count, 4));
        cr_expect(eq(u32, info.worker_count, i));
        cr_expect(eq(u32, info.thread_count, i));
        cr_expect(eq(int, info.thread_error, EAGAIN));
        must_run(executor, task_count, &count, TENON_OK);
        end(executor);
    }
    cr_expect(eq(uint, atomic_load(&count), 3));
}

Test(thread_fault, all_missing_is_reported)
{
    tenon_executor *executor = create_without_threads();
    tenon_executor_info info = pool_info(executor);

    cr_expect(eq(u32, info.requested_count, 4));
    cr_expect(eq(u32, info.worker_count, 0));
    cr_expect(eq(u32, info.thread_count, 0));
    cr_expect(eq(int, info.thread_error, EAGAIN));
    end(executor);
}

// --- none: tasks run in the joiner ---

static int stay_here(tenon_task *self, void *arg)
{
    pthread_t *joiner = arg;

    return pthread_equal(*joiner, pthread_self()) && tenon_current() == self
               ? TENON_OK
               : 1;
}

// A wait that is over once a worker has looked.
struct wait {
    struct tn_wait base;
    bool is_over;
};

static bool is_done(struct tn_wait *base)
{
    struct wait *wait = (struct wait *)base;

    wait->is_over = wait->is_over || tn_worker_self() != NULL;
    return wait->is_over;
}

// Nobody would come, however long the caller looked.
Test(thread_fault, none_is_not_looked_for_by_who_could_work)
{
    tenon_executor *executor = create_without_threads();
    struct wait wait = {{.is_done = is_done, .executor = executor}, false};

    executor->wait_spin_ns = TENON_SECONDS(3600);
    executor->cpu_count = 2;
    tn_thread_wait(executor, &wait.base);
    cr_expect(wait.is_over);
    end(executor);
}

Test(thread_fault, none_runs_spawned_tasks_at_join_on_the_caller)
{
    tenon_executor *executor = create_without_threads();
    pthread_t joiner = pthread_self();
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    for (int i = 0; i < 1000; i++) {
        must_spawn(&scope, stay_here, &joiner);
    }
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.ok_count, 1000));
    cr_expect(eq(ptr, tenon_current(), NULL));
    tenon_report_free(&report);
    end(executor);
}

struct tree {
    int depth;
    atomic_uint *leaf_count;
};

// At each level a fork, a nested scope and a spawn into the scope around.
static int grow(tenon_task *self, void *arg)
{
    struct tree *tree = arg;
    struct tree below = {tree->depth - 1, tree->leaf_count};
    tenon_task child;
    tenon_scope scope;

    if (tree->depth == 0) {
        atomic_fetch_add(tree->leaf_count, 1);
        return TENON_OK;
    }
    tenon_fork(self, &child, grow, &below);
    tenon_status status = tenon_scope_open(&scope, NULL);
    if (status == TENON_OK) {
        status = tenon_spawn(&scope, grow, &below);
        status = tenon_scope_join(&scope, status, NULL);
    }
    if (status == TENON_OK) {
        status =
            tenon_spawn(tenon_task_scope(self), task_count, tree->leaf_count);
    }
    tenon_status joined = tenon_join(self, &child);
    return status != TENON_OK ? status : joined;
}

Test(thread_fault, none_runs_forks_and_nested_scopes)
{
    tenon_executor *executor = create_without_threads();
    atomic_uint leaf_count = 0;
    struct tree tree = {6, &leaf_count};

    for (int i = 0; i < 20; i++) {
        atomic_store(&leaf_count, 0);
        must_run(executor, grow, &tree, TENON_OK);
        cr_assert(eq(uint, atomic_load(&leaf_count), 64 + 63));
    }
    end(executor);
}

Test(thread_fault, none_fails_and_cancels_as_ever)
{
    static int code = 5;
    tenon_executor *executor = create_without_threads();
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    must_spawn(&scope, task_return, &code);
    must_spawn(&scope, task_ok, NULL);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.failed_count, 1));
    cr_expect(eq(u64, report.dropped_count, 1));
    tenon_report_free(&report);
    end(executor);
}

struct holder {
    tenon_scope_ref ref;
    pthread_t thread;
    struct gate ran;
    bool was_patient;
};

static void *spawn_one_by_one(void *arg)
{
    struct holder *holder = arg;

    holder->was_patient = true;
    for (uint32_t i = 1; i <= 20; i++) {
        tenon_status status =
            tenon_ref_spawn(&holder->ref, task_open_gate, &holder->ran, NULL);
        holder->was_patient = holder->was_patient && status == TENON_OK &&
                              gate_wait_for(&holder->ran, i);
    }
    tenon_scope_release(&holder->ref);
    return NULL;
}

// The joiner, which has nothing to do, must look again and again.
Test(thread_fault, none_runs_what_comes_by_reference_during_the_join)
{
    tenon_executor *executor = create_without_threads();
    tenon_scope scope;
    struct holder holder = {.was_patient = false};

    must_open(&scope, executor);
    cr_assert(eq(int, tenon_scope_acquire(&scope, &holder.ref), TENON_OK));
    fault_create_thread(&holder.thread, spawn_one_by_one, &holder);
    must_join(&scope, NULL, TENON_OK);
    pthread_join(holder.thread, NULL);
    cr_expect(holder.was_patient);
    end(executor);
}

// There is no timer thread either: a wait with a time is refused, not endless.
Test(thread_fault, none_runs_tasks_in_waits_that_are_no_joins)
{
    tenon_executor *executor = create_without_threads();
    atomic_uint count = 0;
    tenon_scope scope;
    tenon_handle handles[3];
    tenon_handle *const all[] = {&handles[0], &handles[1]};
    tenon_handle *next = NULL;

    must_open(&scope, executor);
    for (int i = 0; i < 3; i++) {
        cr_assert(zero(
            int,
            tenon_spawn_task(&scope, &handles[i], task_count, &count, NULL)));
    }
    uint64_t soon_ns = tenon_now_ns() + TENON_SECONDS(3600);
    cr_expect(eq(int, tenon_scope_wait_until(&scope, soon_ns), TENON_EAGAIN));
    cr_expect(
        eq(int, tenon_scope_next_until(&scope, soon_ns, &next), TENON_EAGAIN));
    cr_expect(eq(
        int, tenon_wait_until(all, 2, TENON_WAIT_ALL, soon_ns), TENON_EAGAIN));
    cr_expect(
        zero(int, tenon_wait_until(all, 2, TENON_WAIT_ALL, TENON_NO_DEADLINE)));
    cr_expect(ge(uint, atomic_load(&count), 2));
    cr_expect(zero(int, tenon_scope_next(&scope, &next)));
    cr_expect(zero(int, tenon_scope_wait_until(&scope, TENON_NO_DEADLINE)));
    cr_expect(eq(uint, atomic_load(&count), 3));
    must_join(&scope, NULL, TENON_OK);
    end(executor);
}

static tenon_executor *shared;

static void *run_often(void *arg)
{
    for (int i = 0; i < 50; i++) {
        if (tenon_run(shared, task_count, arg, NULL) != TENON_OK) {
            return NULL;
        }
    }
    return arg;
}

Test(thread_fault, none_serves_several_joiners)
{
    pthread_t threads[3];
    atomic_uint count = 0;
    void *result = NULL;

    shared = create_without_threads();
    for (int i = 0; i < 3; i++) {
        fault_create_thread(&threads[i], run_often, &count);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], &result);
        cr_expect(ne(ptr, result, NULL));
    }
    cr_expect(eq(uint, atomic_load(&count), 150));
    cr_expect(eq(u32, pool_info(shared).thread_count, 0));
    end(shared);
}

struct courier {
    tenon_scope_ref ref;
    atomic_uint count;
};

// Runs in one scope, spawns into another.
static int deliver(tenon_task *self, void *arg)
{
    struct courier *courier = arg;

    (void)self;
    tenon_status status =
        tenon_ref_spawn(&courier->ref, task_count, &courier->count, NULL);
    tenon_scope_release(&courier->ref);
    return status;
}

Test(thread_fault, none_runs_what_a_task_of_another_scope_brought)
{
    tenon_executor *executor = create_without_threads();
    tenon_scope target;
    tenon_scope source;
    struct courier courier = {.count = 0};

    must_open(&target, executor);
    must_open(&source, executor);
    cr_assert(eq(int, tenon_scope_acquire(&target, &courier.ref), TENON_OK));
    must_spawn(&source, deliver, &courier);
    must_join(&source, NULL, TENON_OK);
    must_join(&target, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&courier.count), 1));
    end(executor);
}

static int run_elsewhere(tenon_task *self, void *arg)
{
    static atomic_uint count;

    (void)self;
    return tenon_run(arg, task_count, &count, NULL);
}

Test(thread_fault, none_runs_what_a_worker_of_another_executor_waits_for)
{
    tenon_executor *healthy = pool_create(1);
    tenon_executor *poor = create_without_threads();

    must_run(healthy, run_elsewhere, poor, TENON_OK);
    fault_allow_threads(FAULT_NEVER);
    pool_destroy(poor);
    pool_destroy(healthy);
}

struct journey {
    tenon_executor *poor;
    tenon_executor *healthy;
    atomic_uint count;
};

static int go_back(tenon_task *self, void *arg)
{
    struct journey *journey = arg;

    (void)self;
    return tenon_run(journey->healthy, task_count, &journey->count, NULL);
}

static int go_there(tenon_task *self, void *arg)
{
    struct journey *journey = arg;

    (void)self;
    return tenon_run(journey->poor, go_back, journey, NULL);
}

// The one worker of the healthy one works for the poor one meanwhile.
Test(thread_fault, none_may_wait_for_the_executor_that_waits_for_it)
{
    struct journey journey = {.healthy = pool_create(1)};

    journey.poor = create_without_threads();
    fault_allow_threads(FAULT_NEVER);
    must_run(journey.healthy, go_there, &journey, TENON_OK);
    cr_expect(eq(uint, atomic_load(&journey.count), 1));
    pool_destroy(journey.poor);
    pool_destroy(journey.healthy);
}

struct lent {
    tenon_executor *with_timer;
    tenon_executor *without_threads;
    tenon_status status;
};

static int open_scope(tenon_task *self, void *arg)
{
    tenon_scope scope;

    (void)self;
    tenon_status status =
        tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.executor = arg));
    if (status == TENON_OK) {
        (void)!tenon_scope_join(&scope, TENON_OK, NULL);
    }
    return status == TENON_EDEADLK ? TENON_OK : TASK_IN_VAIN;
}

static int run_on_timer(void *context, const tenon_cause *cause)
{
    struct lent *lent = context;

    (void)cause;
    lent->status =
        tenon_run(lent->without_threads, open_scope, lent->with_timer, NULL);
    return 0;
}

// It opens no scope in the executor whose deadlines it is there for.
Test(thread_fault, none_runs_tasks_on_the_timer_thread_of_another_executor)
{
    struct lent lent = {.with_timer = pool_create(1)};
    tenon_scope scope;
    tenon_callback callback;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = lent.with_timer,
                        .timeout_ns = TENON_SECONDS(3600)));
    tenon_callback_register(
        &callback, tenon_scope_token(&scope), run_on_timer, &lent);
    lent.without_threads = create_without_threads();
    cr_assert(zero(
        int, tenon_scope_set_deadline(
                 &scope, tenon_now_ns() + TENON_MILLISECONDS(1))));
    cr_assert(task_await_scope_cancel(&scope));
    must_join(&scope, NULL, TENON_OK);  // waits for the callback
    cr_expect(zero(int, lent.status));
    end(lent.without_threads);
    pool_destroy(lent.with_timer);
}

Test(thread_fault, none_becomes_some_when_the_system_recovers)
{
    tenon_executor *executor = create_without_threads();
    tenon_scope scope;
    struct holder holder = {.was_patient = false};

    must_open(&scope, executor);
    cr_assert(eq(int, tenon_scope_acquire(&scope, &holder.ref), TENON_OK));
    fault_allow_threads(FAULT_NEVER);
    fault_create_thread(&holder.thread, spawn_one_by_one, &holder);
    must_join(&scope, NULL, TENON_OK);
    pthread_join(holder.thread, NULL);
    cr_expect(holder.was_patient);
    cr_expect(ge(u32, pool_info(executor).thread_count, 1));
    must_run(executor, task_ok, NULL, TENON_OK);
    pool_destroy(executor);
}
