// SPDX-License-Identifier: MIT
//
// spare_fault_test — without further threads workers that wait do what is
// theirs, and a deadline is refused.

#include "child.h"
#include "fault.h"
#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <tenon/tenon.h>

TestSuite(spare_fault, .timeout = 30);

static void end(tenon_executor *executor)
{
    fault_allow_threads(FAULT_NEVER);
    pool_destroy(executor);
}

Test(spare_fault, without_spares_a_waiter_runs_what_is_its_own)
{
    tenon_executor *executor = pool_create(1);
    struct task_waiter waiter = {.ref = {.scope = NULL}};
    struct gate gate = {0};
    tenon_scope scope;

    fault_allow_threads(0);
    must_open(&scope, executor);
    must_spawn(&scope, task_wait_for_ref, &waiter);
    cr_assert(gate_wait(&waiter.is_open));
    for (uint32_t i = 1; i <= 20; i++) {
        cr_assert(
            eq(int, tenon_ref_spawn(&waiter.ref, task_open_gate, &gate, NULL),
               TENON_OK));
        cr_assert(gate_wait_for(&gate, i));
    }
    tenon_scope_release(&waiter.ref);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(u32, pool_info(executor).thread_count, 1));
    end(executor);
}

Test(spare_fault, without_spares_strangers_run_when_the_waiter_is_done)
{
    tenon_executor *executor = pool_create(1);
    struct task_waiter waiter = {.ref = {.scope = NULL}};
    atomic_uint count = 0;
    tenon_scope scope;

    fault_allow_threads(0);
    must_open(&scope, executor);
    must_spawn(&scope, task_wait_for_ref, &waiter);
    cr_assert(gate_wait(&waiter.is_open));
    for (int i = 0; i < 500; i++) {
        must_spawn(&scope, task_count, &count);
    }
    cr_expect(eq(uint, atomic_load(&count), 0));
    tenon_scope_release(&waiter.ref);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 500));
    end(executor);
}

Test(spare_fault, without_a_timer_a_scope_with_a_deadline_does_not_open)
{
    tenon_executor *executor = pool_create(2);
    tenon_scope scope;
    const tenon_scope_options *options = TENON_SCOPE_OPTIONS(
            .executor = executor, .timeout_ns = TENON_SECONDS(3600));

    fault_allow_threads(0);
    cr_expect(eq(int, tenon_scope_open(&scope, options), TENON_EAGAIN));
    cr_expect(eq(u32, pool_info(executor).scope_count, 0));
    cr_expect(eq(int, tenon_scope_join(&scope, 0, NULL), TENON_EINVAL));
    must_run(executor, task_ok, NULL, TENON_OK);
    fault_allow_threads(FAULT_NEVER);
    must_open_with(&scope, options);
    must_join(&scope, NULL, TENON_OK);
    end(executor);
}

// --- fork() at a bad moment ---

static struct gate is_creating;
static struct gate may_create;

static void hold_creation(void)
{
    gate_open(&is_creating);
    gate_wait(&may_create);
}

static void *make_default(void *arg)
{
    fault_on_thread(hold_creation);
    return tenon_run(NULL, task_count, arg, NULL) == TENON_OK ? arg : NULL;
}

static int use_default(void *arg)
{
    (void)arg;
    return -tenon_run(NULL, task_ok, NULL, NULL);
}

Test(spare_fault, fork_while_the_default_executor_is_made_leaves_no_lock)
{
    pthread_t thread;
    atomic_uint count = 0;
    void *result = NULL;

    fault_create_thread(&thread, make_default, &count);
    cr_assert(gate_wait(&is_creating));
    cr_expect(eq(int, child_run(use_default, NULL), -TENON_EFORK));
    gate_open(&may_create);
    pthread_join(thread, &result);
    cr_expect(eq(uint, atomic_load(&count), 1));
}
