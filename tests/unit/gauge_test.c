// SPDX-License-Identifier: MIT
//
// gauge_test — an executor says how many tasks and scopes live in it, and that
// none do when all are joined.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(gauge, .timeout = 60);

static void expect(
    tenon_executor *executor, uint32_t root_count, uint64_t inner_count,
    uint64_t task_count)
{
    tenon_executor_info info = pool_info(executor);

    cr_expect(eq(u32, info.scope_count, root_count));
    cr_expect(eq(u64, info.inner_scope_count, inner_count));
    cr_expect(eq(u64, info.task_count, task_count));
}

// Opens a scope inside a scope, with one task that waits for the gate.
struct nest {
    struct task_step step;
    struct gate is_open;
};

static int nest(tenon_task *self, void *arg)
{
    struct nest *nest = arg;
    tenon_scope outer;
    tenon_scope inner;

    (void)self;
    if (tenon_scope_open(&outer, NULL) != TENON_OK ||
        tenon_scope_open(&inner, NULL) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status body = tenon_spawn_with(
        &inner, task_step, &nest->step, TENON_TASK_OPTIONS(.id = 1));
    gate_open(&nest->is_open);
    body = tenon_scope_join(&inner, body, NULL);
    return tenon_scope_join(&outer, body, NULL);
}

static void count(tenon_executor *executor)
{
    tenon_scope scopes[2];
    tenon_handle handle;
    struct nest nested = {.step = {.status = TENON_OK}};

    expect(executor, 0, 0, 0);
    must_open(&scopes[0], executor);
    must_open_with(
        &scopes[1],
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    expect(executor, 2, 0, 0);
    must_spawn(&scopes[0], nest, &nested);
    cr_assert(gate_wait(&nested.step.started));
    expect(executor, 2, 2, 2);
    for (int i = 0; i < 10; i++) {
        must_spawn_with(
            &scopes[1], task_ok, NULL,
            TENON_TASK_OPTIONS(.delay_ns = TENON_SECONDS(1000)));
    }
    cr_assert(zero(
        int, tenon_spawn_task(
                 &scopes[1], &handle, task_ok, NULL,
                 TENON_TASK_OPTIONS(.delay_ns = TENON_SECONDS(1000)))));
    expect(executor, 2, 2, 13);
    gate_open(&nested.step.may_end);
    must_join(&scopes[0], NULL, TENON_OK);
    expect(executor, 1, 0, 11);
    tenon_scope_cancel(&scopes[1], 0, NULL);
    must_join(&scopes[1], NULL, TENON_OK);
    expect(executor, 0, 0, 0);
}

Test(gauge, counts_what_lives_and_forgets_what_has_ended)
{
    pool_each(count);
}

static void count_by_reference(tenon_executor *executor)
{
    struct task_step step = {.status = TENON_OK};
    tenon_scope scope;
    tenon_scope_ref ref;

    must_open(&scope, executor);
    cr_assert(eq(int, tenon_scope_acquire(&scope, &ref), TENON_OK));
    cr_assert(eq(int, tenon_ref_spawn(&ref, task_step, &step, NULL), TENON_OK));
    tenon_scope_release(&ref);
    cr_assert(gate_wait(&step.started));
    expect(executor, 1, 0, 1);
    gate_open(&step.may_end);
    must_join(&scope, NULL, TENON_OK);
    expect(executor, 0, 0, 0);
}

Test(gauge, counts_what_is_spawned_by_a_reference)
{
    pool_each(count_by_reference);
}

static int spawn_elsewhere(tenon_task *self, void *arg)
{
    tenon_executor *other = arg;
    tenon_scope scope;

    (void)self;
    if (tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.executor = other)) !=
        TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status body = TENON_OK;
    for (int i = 0; i < 100 && body == TENON_OK; i++) {
        body = tenon_spawn(&scope, task_ok, NULL);
    }
    return tenon_scope_join(&scope, body, NULL);
}

static void cross_over(tenon_executor *executor)
{
    tenon_executor *other = pool_create(1);

    for (int i = 0; i < 200; i++) {
        must_run(executor, spawn_elsewhere, other, TENON_OK);
        expect(executor, 0, 0, 0);
        expect(other, 0, 0, 0);
    }
    pool_destroy(other);
}

Test(gauge, is_right_for_tasks_that_cross_to_another_executor)
{
    pool_each(cross_over);
}

static void refuse(tenon_executor *executor)
{
    tenon_scope scope;

    must_open(&scope, executor);
    must_spawn(&scope, task_ok, NULL);
    tenon_scope_cancel(&scope, 0, NULL);
    for (int i = 0; i < 100; i++) {
        cr_assert(eq(int, tenon_spawn(&scope, task_ok, NULL), TENON_CANCELLED));
    }
    must_join(&scope, NULL, TENON_OK);
    expect(executor, 0, 0, 0);
}

Test(gauge, does_not_count_refused_spawns)
{
    pool_each(refuse);
}
