// SPDX-License-Identifier: MIT
//
// limiter_test — so many at a time, first come first served, of one scope or of
// many; and a cancel that takes out who waits.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"
#include "units.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <tenon/tenon.h>

TestSuite(limiter, .timeout = 60);

#define COUNTED TENON_TASK_OPTIONS(.destroy_arg = task_destroy_count)

static void open_limited(
    tenon_scope *scope, tenon_executor *executor, tenon_limiter *limiter)
{
    must_open_with(
        scope, TENON_SCOPE_OPTIONS(.executor = executor, .limiter = limiter));
}

struct crowd {
    atomic_uint running_count;
    atomic_uint most_count;
    atomic_uint ran_count;
};

static int run_in_crowd(tenon_task *self, void *arg)
{
    struct crowd *crowd = arg;
    unsigned running = atomic_fetch_add(&crowd->running_count, 1) + 1;
    unsigned most = atomic_load(&crowd->most_count);

    (void)self;
    while (running > most &&
           !atomic_compare_exchange_weak(&crowd->most_count, &most, running)) {
    }
    for (int i = 0; i < 100; i++) {
        (void)tenon_cancelled(self);
    }
    atomic_fetch_sub(&crowd->running_count, 1);
    atomic_fetch_add(&crowd->ran_count, 1);
    return TENON_OK;
}

static void run_few_at_a_time(tenon_executor *executor)
{
    for (uint32_t limit = 1; limit <= 3; limit++) {
        tenon_scope scope;
        struct crowd crowd = {.running_count = 0};
        must_open_with(
            &scope,
            TENON_SCOPE_OPTIONS(.executor = executor, .max_running = limit));
        for (int i = 0; i < 200; i++) {
            must_spawn(&scope, run_in_crowd, &crowd);
        }
        must_join(&scope, NULL, TENON_OK);
        cr_expect(eq(uint, atomic_load(&crowd.ran_count), 200));
        cr_expect(le(uint, atomic_load(&crowd.most_count), limit));
    }
}

Test(limiter, of_a_scope_bounds_the_running_tasks_and_all_run)
{
    pool_each(run_few_at_a_time);
}

static void ask_too_much(tenon_executor *executor)
{
    tenon_scope scope;
    atomic_uint destroyed_count = 0;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .max_running = 2));
    cr_expect(
        eq(int,
           tenon_spawn_with(
               &scope, task_ok, &destroyed_count,
               TENON_TASK_OPTIONS(
                       .unit_count = 3, .destroy_arg = task_destroy_count)),
           TENON_EINVAL));
    cr_expect(eq(uint, atomic_load(&destroyed_count), 1));
    must_spawn_with(&scope, task_ok, NULL, TENON_TASK_OPTIONS(.unit_count = 2));
    must_join(&scope, NULL, TENON_OK);
}

Test(limiter, of_a_scope_refuses_who_could_never_run)
{
    pool_each(ask_too_much);
}

static void share(tenon_executor *executor)
{
    tenon_scope first;
    tenon_scope second;
    tenon_limiter limiter;
    struct task_step steps[3] = {{.status = TENON_OK}};

    tenon_limiter_init(&limiter, 2);
    open_limited(&first, executor, &limiter);
    open_limited(&second, executor, &limiter);
    must_spawn(&first, task_step, &steps[0]);
    must_spawn(&second, task_step, &steps[1]);
    must_spawn(&second, task_step, &steps[2]);
    units_expect(&limiter, 2, 1);
    cr_assert(gate_wait(&steps[0].started));
    gate_open(&steps[0].may_end);
    cr_assert(gate_wait(&steps[1].started));
    gate_open(&steps[1].may_end);
    must_join(&first, NULL, TENON_OK);
    cr_assert(gate_wait(&steps[2].started));
    gate_open(&steps[2].may_end);
    must_join(&second, NULL, TENON_OK);
    units_expect(&limiter, 0, 0);
    tenon_limiter_fini(&limiter);
}

// With two workers, so that both may begin.
Test(limiter, is_shared_by_scopes)
{
    pool_each_parallel(share);
}

static bool has_one_in_use(void *limiter)
{
    uint64_t used_count = 0;

    tenon_limiter_look(limiter, &used_count, NULL);
    return used_count == 1;
}

static void weigh(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_limiter limiter;
    struct task_step small = {.status = TENON_OK};
    struct task_step large = {.status = TENON_OK};
    struct task_step late = {.status = TENON_OK};

    tenon_limiter_init(&limiter, 3);
    open_limited(&scope, executor, &limiter);
    must_spawn_with(
        &scope, task_step, &small, TENON_TASK_OPTIONS(.unit_count = 2));
    cr_assert(gate_wait(&small.started));
    must_spawn_with(
        &scope, task_step, &large, TENON_TASK_OPTIONS(.unit_count = 3));
    // One unit is free, but somebody was first.
    must_spawn(&scope, task_step, &late);
    units_expect(&limiter, 2, 2);
    cr_expect(eq(int, tenon_limiter_try_acquire(&limiter, 1), TENON_EAGAIN));
    gate_open(&small.may_end);
    cr_assert(gate_wait(&large.started));
    units_expect(&limiter, 3, 1);
    cr_expect(not(gate_is_open(&late.started)));
    gate_open(&large.may_end);
    gate_open(&late.may_end);
    must_join(&scope, NULL, TENON_OK);
    units_expect(&limiter, 0, 0);
    tenon_limiter_fini(&limiter);
}

Test(limiter, is_first_in_first_out_whatever_the_weights)
{
    pool_each(weigh);
}

// Some units come back: enough for who came later, not for who is first.
static void give_back_some(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_limiter limiter;
    struct task_step small[2] = {{.status = TENON_OK}, {.status = TENON_OK}};
    struct task_step large = {.status = TENON_OK};
    struct task_step late = {.status = TENON_OK};

    tenon_limiter_init(&limiter, 3);
    open_limited(&scope, executor, &limiter);
    for (int i = 0; i < 2; i++) {
        must_spawn(&scope, task_step, &small[i]);
        cr_assert(gate_wait(&small[i].started));
    }
    must_spawn_with(
        &scope, task_step, &large, TENON_TASK_OPTIONS(.unit_count = 3));
    must_spawn(&scope, task_step, &late);
    tenon_limiter_resize(&limiter, 4);
    units_expect(&limiter, 2, 2);
    tenon_limiter_resize(&limiter, 3);
    gate_open(&small[0].may_end);
    cr_assert(gate_poll(has_one_in_use, &limiter));
    units_expect(&limiter, 1, 2);
    gate_open(&small[1].may_end);
    cr_assert(gate_wait(&large.started));
    cr_expect(not(gate_is_open(&late.started)));
    gate_open(&large.may_end);
    gate_open(&late.may_end);
    must_join(&scope, NULL, TENON_OK);
    units_expect(&limiter, 0, 0);
    tenon_limiter_fini(&limiter);
}

// With two workers, so that both small ones may begin.
Test(limiter, lets_nobody_overtake_when_some_units_come_back)
{
    pool_each_parallel(give_back_some);
}

static void resize(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_limiter limiter;
    struct task_step steps[4] = {{.status = TENON_OK}};

    tenon_limiter_init(&limiter, 0);
    open_limited(&scope, executor, &limiter);
    for (int i = 0; i < 4; i++) {
        must_spawn(&scope, task_step, &steps[i]);
    }
    units_expect(&limiter, 0, 4);
    tenon_limiter_resize(&limiter, 2);
    units_expect(&limiter, 2, 2);
    tenon_limiter_resize(&limiter, 1);  // fewer than are in use
    gate_open(&steps[0].may_end);
    gate_open(&steps[1].may_end);
    cr_assert(gate_wait(&steps[2].started));
    units_expect(&limiter, 1, 1);
    tenon_limiter_resize(&limiter, 100);
    units_expect(&limiter, 2, 0);
    gate_open(&steps[2].may_end);
    gate_open(&steps[3].may_end);
    must_join(&scope, NULL, TENON_OK);
    tenon_limiter_fini(&limiter);
}

Test(limiter, may_be_zero_and_resized_both_ways)
{
    pool_each(resize);
}

static void cancel_waiting(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    tenon_limiter limiter;
    tenon_handle handle;
    atomic_uint destroyed_count = 0;

    tenon_limiter_init(&limiter, 0);
    open_limited(&scope, executor, &limiter);
    cr_assert(eq(
        int,
        tenon_spawn_task(&scope, &handle, task_ok, &destroyed_count, COUNTED),
        TENON_OK));
    for (int i = 0; i < 10; i++) {
        must_spawn_with(&scope, task_ok, &destroyed_count, COUNTED);
    }
    units_expect(&limiter, 0, 11);
    cr_expect(tenon_handle_cancel(&handle, 0, NULL));
    units_expect(&limiter, 0, 10);
    tenon_scope_cancel(&scope, 0, NULL);
    units_expect(&limiter, 0, 0);
    // Nobody gives units, yet the join returns.
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.dropped_count, 11));
    cr_expect(eq(uint, atomic_load(&destroyed_count), 11));
    tenon_report_free(&report);
    tenon_limiter_fini(&limiter);
}

Test(limiter, cancel_drops_who_waits)
{
    pool_each(cancel_waiting);
}

static void wait_anyway(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_limiter limiter;
    atomic_uint count = 0;

    tenon_limiter_init(&limiter, 0);
    open_limited(&scope, executor, &limiter);
    must_spawn_with(
        &scope, task_count, &count, TENON_TASK_OPTIONS(.start_always = true));
    tenon_scope_cancel(&scope, 0, NULL);
    units_expect(&limiter, 0, 1);
    tenon_limiter_resize(&limiter, 1);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 1));
    tenon_limiter_fini(&limiter);
}

Test(limiter, task_that_starts_always_waits_for_its_units)
{
    pool_each(wait_anyway);
}

static int spawn_next(tenon_task *self, void *arg)
{
    atomic_int *left = arg;

    if (atomic_fetch_sub(left, 1) <= 1) {
        return TENON_OK;
    }
    return tenon_spawn(tenon_task_scope(self), spawn_next, arg);
}

static void chain(tenon_executor *executor)
{
    tenon_scope scope;
    atomic_int left = 100;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .max_running = 1));
    must_spawn(&scope, spawn_next, &left);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(int, atomic_load(&left), 0));
}

Test(limiter, task_at_the_limit_may_spawn_beside_itself)
{
    pool_each(chain);
}

static int nest_at_limit(tenon_task *self, void *arg)
{
    tenon_scope inner;

    (void)self;
    if (tenon_scope_open(&inner, NULL) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status body = tenon_spawn(&inner, task_count, arg);
    body = body == TENON_OK ? tenon_spawn(&inner, task_count, arg) : body;
    return tenon_scope_join(&inner, body, NULL);
}

static void nest(tenon_executor *executor)
{
    tenon_scope scope;
    atomic_uint count = 0;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .max_running = 1));
    for (int i = 0; i < 20; i++) {
        must_spawn(&scope, nest_at_limit, &count);
    }
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 40));
}

Test(limiter, of_a_scope_does_not_bound_what_its_tasks_nest)
{
    pool_each(nest);
}

Test(limiter, release_of_more_than_in_use_aborts, .signal = SIGABRT)
{
    tenon_limiter limiter;

    tenon_limiter_init(&limiter, 2);
    tenon_limiter_release(&limiter, 1);
}

Test(limiter, end_of_one_in_use_aborts, .signal = SIGABRT)
{
    tenon_limiter limiter;

    tenon_limiter_init(&limiter, 2);
    (void)!tenon_limiter_try_acquire(&limiter, 1);
    tenon_limiter_fini(&limiter);
}

static void cancel_at_random(tenon_executor *executor)
{
    tenon_limiter limiter;

    tenon_limiter_init(&limiter, 2);
    for (int round = 0; round < 200; round++) {
        tenon_scope scopes[3];
        atomic_uint destroyed_count = 0;
        unsigned spawned_count = 0;
        for (int i = 0; i < 3; i++) {
            open_limited(&scopes[i], executor, &limiter);
        }
        for (int k = 0; k < 30; k++) {
            (void)!tenon_spawn_with(
                &scopes[k % 3], task_ok, &destroyed_count,
                TENON_TASK_OPTIONS(
                        .unit_count = 1 + (uint32_t)k % 2,
                        .destroy_arg = task_destroy_count));
            spawned_count++;
            if (k == round % 30) {
                tenon_scope_cancel(&scopes[round % 3], 0, NULL);
            }
        }
        for (int i = 2; i >= 0; i--) {
            must_join(&scopes[i], NULL, TENON_OK);
        }
        cr_assert(eq(uint, atomic_load(&destroyed_count), spawned_count));
    }
    units_expect(&limiter, 0, 0);
    tenon_limiter_fini(&limiter);
}

Test(limiter, cancels_race_with_grants_and_nothing_is_lost)
{
    pool_each(cancel_at_random);
}
