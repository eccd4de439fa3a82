// SPDX-License-Identifier: MIT
//
// spare_test — while workers wait in joins, spare threads keep the cores busy,
// up to a bound; and nothing that is ready stays lying.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <poll.h>
#include <tenon/tenon.h>
#include <time.h>

TestSuite(spare, .timeout = 60);

static tenon_executor *create(uint32_t worker_count, uint32_t spare_count)
{
    return pool_create_with(TENON_EXECUTOR_OPTIONS(
            .worker_count = worker_count, .spare_count = spare_count));
}

static void replace_all(tenon_executor *executor)
{
    enum { WAITER_COUNT = 8 };
    struct task_waiter waiters[WAITER_COUNT] = {{.joined = 77}};
    struct gate gate = {0};
    tenon_scope scope;

    must_open(&scope, executor);
    for (int i = 0; i < WAITER_COUNT; i++) {
        must_spawn(&scope, task_wait_for_ref, &waiters[i]);
        cr_assert(gate_wait(&waiters[i].is_open));
    }
    must_spawn(&scope, task_open_gate, &gate);
    cr_expect(gate_wait(&gate));
    for (int i = 0; i < WAITER_COUNT; i++) {
        tenon_scope_release(&waiters[i].ref);
    }
    must_join(&scope, NULL, TENON_OK);
    for (int i = 0; i < WAITER_COUNT; i++) {
        cr_expect(eq(int, waiters[i].joined, TENON_OK));
    }
}

// More tasks wait than there are workers; another one must still get through.
Test(spare, takes_the_place_of_every_worker_that_waits)
{
    pool_each(replace_all);
}

static int block_on_gate(tenon_task *self, void *arg)
{
    struct task_step *step = arg;

    return task_step(self, step);
}

// Its child is held on another worker by a gate that a third task opens.
static int wait_for_held(tenon_task *self, void *arg)
{
    struct task_step *step = arg;
    tenon_scope scope;

    (void)self;
    tenon_status status = tenon_scope_open(&scope, NULL);
    if (status != TENON_OK) {
        return status;
    }
    status = tenon_spawn(&scope, block_on_gate, step);
    bool has_started = gate_wait(&step->started);  // taken by a thief
    tenon_status joined = tenon_scope_join(&scope, status, NULL);
    return has_started ? joined : TASK_IN_VAIN;
}

static int fork_held(tenon_task *self, void *arg)
{
    struct task_step *step = arg;
    tenon_task child;

    tenon_fork(self, &child, block_on_gate, step);
    bool has_started = gate_wait(&step->started);
    tenon_status joined = tenon_join(self, &child);
    return has_started ? joined : TASK_IN_VAIN;
}

static void free_held(tenon_executor *executor, tenon_task_fn *waiter)
{
    tenon_scope scope;
    struct task_step step = {.status = TENON_OK};

    must_open(&scope, executor);
    must_spawn(&scope, waiter, &step);
    cr_assert(gate_wait(&step.started));
    must_spawn(&scope, task_open_gate, &step.may_end);
    must_join(&scope, NULL, TENON_OK);
}

static void free_held_scope(tenon_executor *executor)
{
    free_held(executor, wait_for_held);
}

static void free_held_fork(tenon_executor *executor)
{
    free_held(executor, fork_held);
}

Test(spare, runs_what_the_waiter_of_a_scope_waits_for)
{
    pool_each_parallel(free_held_scope);
}

Test(spare, runs_what_the_waiter_of_a_fork_waits_for)
{
    pool_each_parallel(free_held_fork);
}

struct abroad {
    tenon_executor *other;
    struct task_step step;
};

static int run_abroad(tenon_task *self, void *arg)
{
    struct abroad *abroad = arg;

    (void)self;
    return tenon_run(abroad->other, task_step, &abroad->step, NULL);
}

static void wait_abroad(tenon_executor *executor)
{
    tenon_executor *other = pool_create(1);
    struct abroad abroad = {.other = other};
    tenon_scope scope;

    must_open(&scope, executor);
    must_spawn(&scope, run_abroad, &abroad);
    cr_assert(gate_wait(&abroad.step.started));
    must_spawn(&scope, task_open_gate, &abroad.step.may_end);
    must_join(&scope, NULL, TENON_OK);
    pool_destroy(other);
}

Test(spare, takes_the_place_of_a_worker_that_waits_for_another_executor)
{
    pool_each(wait_abroad);
}

Test(spare, steps_aside_and_is_used_again)
{
    tenon_executor *executor = create(1, 0);

    for (int i = 0; i < 50; i++) {
        tenon_scope scope;
        struct task_waiter waiter = {.joined = 77};
        struct gate gate = {0};
        must_open(&scope, executor);
        must_spawn(&scope, task_wait_for_ref, &waiter);
        cr_assert(gate_wait(&waiter.is_open));
        must_spawn(&scope, task_open_gate, &gate);
        cr_assert(gate_wait(&gate));
        tenon_scope_release(&waiter.ref);
        must_join(&scope, NULL, TENON_OK);
    }
    // One for the waiter, one in its place, one that was late to step aside.
    cr_expect(le(u32, pool_info(executor).thread_count, 3));
    pool_destroy(executor);
}

enum { CROWD_COUNT = 20 };

static struct task_waiter crowd[CROWD_COUNT];

static bool do_three_wait(void *context)
{
    int count = 0;

    (void)context;
    for (int i = 0; i < CROWD_COUNT; i++) {
        count += gate_is_open(&crowd[i].is_open);
    }
    return count >= 3;
}

// Release those that wait; true when all have been released.
static bool release_some(void *context)
{
    int *left_count = context;

    for (int i = 0; i < CROWD_COUNT; i++) {
        if (gate_is_open(&crowd[i].is_open) && crowd[i].ref.scope != NULL) {
            tenon_scope_release(&crowd[i].ref);
            --*left_count;
        }
    }
    return *left_count == 0;
}

Test(spare, threads_are_no_more_than_allowed)
{
    tenon_executor *executor = create(1, 2);
    tenon_scope scope;
    int left_count = CROWD_COUNT;

    must_open(&scope, executor);
    for (int i = 0; i < CROWD_COUNT; i++) {
        must_spawn(&scope, task_wait_for_ref, &crowd[i]);
    }
    cr_expect(gate_poll(do_three_wait, NULL));
    cr_expect(eq(u32, pool_info(executor).thread_count, 3));
    cr_expect(gate_poll(release_some, &left_count));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(u32, pool_info(executor).thread_count, 3));
    pool_destroy(executor);
}

static uint64_t processor_time_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return TENON_SECONDS(time.tv_sec) + (uint64_t)time.tv_nsec;
}

Test(spare, that_is_not_needed_uses_no_processor)
{
    tenon_executor *executor = create(1, 0);
    struct task_waiter waiter = {.joined = 77};
    struct gate gate = {0};
    tenon_scope scope;

    must_open(&scope, executor);
    must_spawn(&scope, task_wait_for_ref, &waiter);
    cr_assert(gate_wait(&waiter.is_open));
    must_spawn(&scope, task_open_gate, &gate);
    cr_assert(gate_wait(&gate));
    tenon_scope_release(&waiter.ref);
    must_join(&scope, NULL, TENON_OK);
    // Two threads for one place: they rest while we do.
    uint64_t begin_ns = processor_time_ns();
    poll(NULL, 0, 200);
    uint64_t used_ns = processor_time_ns() - begin_ns;
    cr_expect(lt(u64, used_ns, TENON_MILLISECONDS(40)));
    pool_destroy(executor);
}

// --- at the bound ---

static bool is_past(void *deadline_ns)
{
    return tenon_now_ns() >= *(uint64_t *)deadline_ns;
}

Test(spare, that_is_not_allowed_is_no_thread_error)
{
    tenon_executor *executor = create(1, TENON_NO_SPARES);
    struct task_waiter waiter = {.joined = 77};
    tenon_scope scope;

    must_open(&scope, executor);
    must_spawn(&scope, task_wait_for_ref, &waiter);
    cr_assert(gate_wait(&waiter.is_open));
    // Time to park, if it likes to; nothing depends on it.
    uint64_t deadline_ns = tenon_now_ns() + TENON_MILLISECONDS(20);
    cr_assert(gate_poll(is_past, &deadline_ns));
    tenon_scope_release(&waiter.ref);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(int, pool_info(executor).thread_error, 0));
    cr_expect(eq(u32, pool_info(executor).thread_count, 1));
    pool_destroy(executor);
}

static _Thread_local bool is_waiting;

static int wait_watched(tenon_task *self, void *arg)
{
    is_waiting = true;
    tenon_status status = task_wait_for_ref(self, arg);
    is_waiting = false;
    return status;
}

struct strangers {
    atomic_uint intruder_count;
    atomic_uint count;
    struct gate are_queued;
    struct gate may_end;
};

static int come_by(tenon_task *self, void *arg)
{
    struct strangers *strangers = arg;

    (void)self;
    atomic_fetch_add(&strangers->count, 1);
    atomic_fetch_add(&strangers->intruder_count, is_waiting);
    return TENON_OK;
}

// Its worker has them in its deque, and is busy.
static int bring_strangers(tenon_task *self, void *arg)
{
    struct strangers *strangers = arg;
    tenon_status status = TENON_OK;

    for (int i = 0; i < 10 && status == TENON_OK; i++) {
        status = tenon_spawn(tenon_task_scope(self), come_by, strangers);
    }
    gate_open(&strangers->are_queued);
    return gate_wait(&strangers->may_end) ? status : TASK_IN_VAIN;
}

Test(spare, that_is_not_allowed_lets_no_stranger_onto_a_waiters_stack)
{
    tenon_executor *executor = create(2, TENON_NO_SPARES);
    struct task_waiter waiter = {.joined = 77};
    struct strangers strangers = {.count = 0};
    tenon_scope scope;

    must_open(&scope, executor);
    must_spawn(&scope, wait_watched, &waiter);
    cr_assert(gate_wait(&waiter.is_open));
    must_spawn(&scope, bring_strangers, &strangers);
    cr_assert(gate_wait(&strangers.are_queued));
    for (int i = 0; i < 10; i++) {
        must_spawn(&scope, come_by, &strangers);  // in nobody's deque
    }
    // Time to look for them, if it likes to; nothing depends on it.
    uint64_t deadline_ns = tenon_now_ns() + TENON_MILLISECONDS(30);
    cr_assert(gate_poll(is_past, &deadline_ns));
    cr_expect(eq(uint, atomic_load(&strangers.count), 0));
    gate_open(&strangers.may_end);
    tenon_scope_release(&waiter.ref);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&strangers.count), 20));
    cr_expect(eq(uint, atomic_load(&strangers.intruder_count), 0));
    pool_destroy(executor);
}

// Spawned through a reference while its only possible worker waits.
Test(spare, is_not_needed_for_what_descends_from_the_waiter)
{
    tenon_executor *executor = create(1, TENON_NO_SPARES);
    struct task_waiter waiter = {.joined = 77};
    struct gate gate = {0};
    tenon_scope scope;

    must_open(&scope, executor);
    must_spawn(&scope, task_wait_for_ref, &waiter);
    cr_assert(gate_wait(&waiter.is_open));
    for (uint32_t i = 1; i <= 10; i++) {
        cr_assert(
            eq(int, tenon_ref_spawn(&waiter.ref, task_open_gate, &gate, NULL),
               TENON_OK));
        cr_assert(gate_wait_for(&gate, i));
    }
    tenon_scope_release(&waiter.ref);
    must_join(&scope, NULL, TENON_OK);
    pool_destroy(executor);
}

// The first waiter was replaced, the second one could not be: what descends
// from the first is still run, by the first.
Test(spare, at_its_bound_leaves_no_descendant_of_a_waiter_lying)
{
    tenon_executor *executor = create(1, 1);
    struct task_waiter first = {.joined = 77};
    struct task_waiter second = {.joined = 77};
    struct gate gate = {0};
    tenon_scope scope;

    must_open(&scope, executor);
    must_spawn(&scope, task_wait_for_ref, &first);
    cr_assert(gate_wait(&first.is_open));
    must_spawn(&scope, task_wait_for_ref, &second);
    cr_assert(gate_wait(&second.is_open));
    cr_assert(
        eq(int, tenon_ref_spawn(&first.ref, task_open_gate, &gate, NULL),
           TENON_OK));
    cr_expect(gate_wait(&gate));
    tenon_scope_release(&second.ref);
    tenon_scope_release(&first.ref);
    must_join(&scope, NULL, TENON_OK);
    pool_destroy(executor);
}
