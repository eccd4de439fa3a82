// SPDX-License-Identifier: MIT
//
// next_test — completions as they happen, each given once, then the end.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <sched.h>
#include <tenon/tenon.h>

TestSuite(next, .timeout = 60);

#define DELAY TENON_SECONDS(10)

static void must_spawn_task(
    tenon_scope *scope, tenon_handle *handle, tenon_task_fn *fn, void *arg)
{
    cr_assert(
        eq(int, tenon_spawn_task(scope, handle, fn, arg, NULL), TENON_OK));
}

static void give_in_order(tenon_executor *executor)
{
    static const int ends[] = {2, 0, 1};
    tenon_scope scope;
    tenon_handle handles[3];
    tenon_handle *next = NULL;
    struct task_step steps[3] = {{.status = TENON_OK}};

    must_open(&scope, executor);
    for (int i = 0; i < 3; i++) {
        must_spawn_task(&scope, &handles[i], task_step, &steps[i]);
    }
    for (int i = 0; i < 3; i++) {
        cr_assert(gate_wait(&steps[i].started));
    }
    for (int i = 0; i < 3; i++) {
        gate_open(&steps[ends[i]].may_end);
        cr_assert(eq(int, tenon_scope_next(&scope, &next), TENON_OK));
        cr_expect(eq(ptr, next, &handles[ends[i]]));
        cr_expect(eq(int, tenon_handle_outcome(next, NULL, NULL), TENON_OK));
    }
    cr_expect(eq(int, tenon_scope_next(&scope, &next), TENON_END));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(int, tenon_scope_next(&scope, &next), TENON_ECLOSED));
}

static void give_in_order_with_four(tenon_executor *executor)
{
    if (pool_info(executor).worker_count >= 4) {
        give_in_order(executor);
    }
}

Test(next, gives_tasks_in_the_order_of_their_ends_then_the_end)
{
    pool_each(give_in_order_with_four);
}

static void give_nothing(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_handle refused;
    tenon_handle *next = NULL;
    atomic_uint count = 0;

    must_open(&scope, executor);
    cr_expect(eq(int, tenon_scope_next(&scope, &next), TENON_END));
    must_spawn(&scope, task_count, &count);  // without a handle
    cr_expect(eq(int, tenon_scope_next(&scope, &next), TENON_END));
    tenon_scope_cancel(&scope, 0, NULL);
    cr_expect(
        eq(int, tenon_spawn_task(&scope, &refused, task_ok, NULL, NULL),
           TENON_CANCELLED));
    cr_expect(eq(int, tenon_scope_next(&scope, &next), TENON_END));
    cr_expect(eq(int, tenon_scope_next(&scope, NULL), TENON_EINVAL));
    cr_expect(eq(int, tenon_scope_next(NULL, &next), TENON_EINVAL));
    cr_expect(eq(ptr, next, NULL));
    must_join(&scope, NULL, TENON_OK);
}

Test(next, is_at_the_end_without_a_task_with_a_handle)
{
    pool_each(give_nothing);
}

enum { MANY = 100, CONSUMERS = 4 };

struct crowd {
    tenon_scope *scope;
    tenon_handle handles[MANY];
    atomic_uint given_count[MANY];
    atomic_uint wrong_count;
};

static int consume(tenon_task *self, void *arg)
{
    struct crowd *crowd = arg;
    tenon_handle *next = NULL;
    tenon_status status = TENON_OK;

    (void)self;
    while ((status = tenon_scope_next(crowd->scope, &next)) == TENON_OK) {
        atomic_fetch_add(&crowd->given_count[next - crowd->handles], 1);
        if (tenon_handle_outcome(next, NULL, NULL) != TENON_OK) {
            atomic_fetch_add(&crowd->wrong_count, 1);
        }
    }
    return status == TENON_END ? TENON_OK : TASK_IN_VAIN;
}

static void consume_together(tenon_executor *executor)
{
    for (int round = 0; round < 50; round++) {
        tenon_scope scope;
        struct crowd crowd = {.scope = &scope};
        must_open(&scope, executor);
        for (int i = 0; i < MANY / 2; i++) {
            must_spawn_task(&scope, &crowd.handles[i], task_ok, NULL);
        }
        for (int i = 0; i < CONSUMERS; i++) {
            must_spawn(&scope, consume, &crowd);
        }
        for (int i = MANY / 2; i < MANY; i++) {
            must_spawn_task(&scope, &crowd.handles[i], task_ok, NULL);
        }
        cr_assert(eq(int, consume(NULL, &crowd), TENON_OK));
        must_join(&scope, NULL, TENON_OK);
        for (int i = 0; i < MANY; i++) {
            cr_assert(eq(uint, atomic_load(&crowd.given_count[i]), 1));
        }
        cr_assert(eq(uint, atomic_load(&crowd.wrong_count), 0));
    }
}

Test(next, gives_each_task_to_one_of_several_consumers)
{
    pool_each(consume_together);
}

struct inside {
    tenon_handle handles[10];
    unsigned given_count;
};

static int stream_inside(tenon_task *self, void *arg)
{
    struct inside *inside = arg;
    tenon_scope scope;
    tenon_handle *next = NULL;
    tenon_status status = tenon_scope_open(&scope, NULL);

    (void)self;
    for (int i = 0; i < 10 && status == TENON_OK; i++) {
        status =
            tenon_spawn_task(&scope, &inside->handles[i], task_ok, NULL, NULL);
    }
    while (status == TENON_OK) {
        status = tenon_scope_next(&scope, &next);
        inside->given_count += status == TENON_OK;
    }
    return tenon_scope_join(
        &scope, status == TENON_END ? TENON_OK : status, NULL);
}

static void run_inside(tenon_executor *executor)
{
    for (int i = 0; i < 50; i++) {
        struct inside inside = {.given_count = 0};
        must_run(executor, stream_inside, &inside, TENON_OK);
        cr_assert(eq(uint, inside.given_count, 10));
    }
}

Test(next, in_a_task_runs_its_children_meanwhile)
{
    pool_each(run_inside);
}

static void wait_in_vain(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_handle handle;
    tenon_handle *next = NULL;
    struct task_step step = {.status = TENON_OK};

    (void)clock;
    must_open(&scope, executor);
    must_spawn_task(&scope, &handle, task_step, &step);
    cr_assert(gate_wait(&step.started));
    cr_expect(
        eq(int, tenon_scope_next_until(&scope, CLOCK_BEGIN_NS, &next),
           TENON_ENOTREADY));
    cr_expect(eq(ptr, next, NULL));
    cr_expect(not(tenon_scope_cancelled(&scope)));
    gate_open(&step.may_end);
    cr_expect(
        eq(int, tenon_scope_next_until(&scope, CLOCK_BEGIN_NS + DELAY, &next),
           TENON_OK));
    cr_expect(eq(ptr, next, &handle));
    must_join(&scope, NULL, TENON_OK);
}

Test(next, with_a_time_that_is_past_only_looks)
{
    pool_each_clock(wait_in_vain);
}

struct mover {
    tenon_executor *executor;
    struct test_clock *clock;
    struct gate is_done;
};

static void *move_on(void *arg)
{
    struct mover *mover = arg;

    while (!gate_is_open(&mover->is_done)) {
        pool_move_clock(mover->executor, mover->clock, DELAY);
        sched_yield();
    }
    return NULL;
}

static void wait_for_late(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_handle handle;
    tenon_handle *next = NULL;
    pthread_t thread;
    struct task_step step = {.status = TENON_OK};
    struct mover mover = {.executor = executor, .clock = clock};
    uint64_t deadline_ns = tenon_executor_now_ns(executor) + 5 * DELAY;

    must_open(&scope, executor);
    must_spawn_task(&scope, &handle, task_step, &step);
    cr_assert(eq(int, pthread_create(&thread, NULL, move_on, &mover), 0));
    cr_expect(
        eq(int, tenon_scope_next_until(&scope, deadline_ns, &next),
           TENON_ENOTREADY));
    gate_open(&mover.is_done);
    cr_assert(eq(int, pthread_join(thread, NULL), 0));
    cr_expect(not(tenon_scope_cancelled(&scope)));
    gate_open(&step.may_end);
    cr_expect(eq(int, tenon_scope_next(&scope, &next), TENON_OK));
    must_join(&scope, NULL, TENON_OK);
}

Test(next, ends_at_its_deadline_and_cancels_nobody)
{
    pool_each_clock(wait_for_late);
}

struct member {
    tenon_scope *scope;
    struct gate waits;
    tenon_status status;
};

static int wait_as_member(tenon_task *self, void *arg)
{
    struct member *member = arg;
    tenon_handle *next = NULL;

    (void)self;
    gate_open(&member->waits);
    member->status = tenon_scope_next(member->scope, &next);
    return member->status;
}

static void cancel_waiter(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_handle waiter;
    struct task_step step = {.status = TENON_OK};
    struct member member = {.scope = &scope, .status = TENON_OK};

    must_open(&scope, executor);
    must_spawn_task(&scope, &waiter, wait_as_member, &member);
    cr_assert(gate_wait(&member.waits));
    must_spawn(&scope, task_step, &step);
    // With one worker, on a spare.
    cr_assert(gate_wait(&step.started));
    cr_expect(tenon_handle_cancel(&waiter, 0, NULL));
    tenon_handle *next = NULL;
    cr_expect(eq(int, tenon_scope_next(&scope, &next), TENON_OK));
    cr_expect(eq(ptr, next, &waiter));
    gate_open(&step.may_end);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(int, member.status, TENON_CANCELLED));
}

Test(next, ends_when_the_waiting_task_is_cancelled)
{
    pool_each(cancel_waiter);
}

static void fail_and_stream(tenon_executor *executor)
{
    static int code = 21;
    tenon_scope scope;
    tenon_handle handle;
    tenon_handle *next = NULL;
    tenon_outcome outcome = TENON_OUTCOME_NONE;

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    must_spawn_task(&scope, &handle, task_return, &code);
    cr_assert(eq(int, tenon_scope_next(&scope, &next), TENON_OK));
    cr_assert(eq(int, tenon_handle_outcome(next, &outcome, NULL), TENON_OK));
    cr_expect(eq(int, (int)outcome, (int)TENON_OUTCOME_FAILED));
    must_join(&scope, NULL, TENON_ERRORS);
}

Test(next, gives_failed_tasks_too)
{
    pool_each(fail_and_stream);
}
