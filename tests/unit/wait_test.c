// SPDX-License-Identifier: MIT
//
// wait_test — a worker that waits runs its own descendants only, and a spare
// thread takes its place.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <tenon/tenon.h>

TestSuite(wait, .timeout = 60);

// How many tasks wait on this thread's stack.
static _Thread_local int waiting_depth;

// How many tasks lie on this thread's stack.
static _Thread_local int running_depth;

struct crowd {
    pthread_mutex_t mutex;  // held by whoever waits
    atomic_uint intruder_count;
    atomic_uint own_count;
    atomic_uint stranger_count;
};

static int run_own(tenon_task *self, void *arg)
{
    struct crowd *crowd = arg;

    (void)self;
    atomic_fetch_add(&crowd->own_count, 1);
    return TENON_OK;
}

static int run_stranger(tenon_task *self, void *arg)
{
    struct crowd *crowd = arg;

    (void)self;
    if (waiting_depth > 0) {
        atomic_fetch_add(&crowd->intruder_count, 1);
        return TENON_OK;  // locking would deadlock
    }
    pthread_mutex_lock(&crowd->mutex);
    atomic_fetch_add(&crowd->stranger_count, 1);
    pthread_mutex_unlock(&crowd->mutex);
    return TENON_OK;
}

// Brings strangers into its own scope, above its mark, and waits for children.
static int wait_in_scope(tenon_task *self, void *arg)
{
    struct crowd *crowd = arg;
    tenon_scope scope;
    tenon_status status = TENON_OK;

    pthread_mutex_lock(&crowd->mutex);
    waiting_depth++;
    if (tenon_spawn(tenon_task_scope(self), run_stranger, crowd) != TENON_OK ||
        tenon_scope_open(&scope, NULL) != TENON_OK) {
        status = 1;
    } else {
        for (int i = 0; i < 5 && status == TENON_OK; i++) {
            tenon_status stranger =
                tenon_spawn(tenon_task_scope(self), run_stranger, crowd);
            status = tenon_spawn(&scope, run_own, crowd);
            status = status == TENON_OK ? stranger : status;
        }
        status = tenon_scope_join(&scope, status, NULL);
    }
    waiting_depth--;
    pthread_mutex_unlock(&crowd->mutex);
    return status;
}

static int wait_in_fork(tenon_task *self, void *arg)
{
    struct crowd *crowd = arg;
    tenon_task children[2];

    pthread_mutex_lock(&crowd->mutex);
    waiting_depth++;
    tenon_fork(self, &children[0], run_own, crowd);
    tenon_status spawned =
        tenon_spawn(tenon_task_scope(self), run_stranger, crowd);
    tenon_fork(self, &children[1], run_own, crowd);
    tenon_status first = tenon_join(self, &children[0]);
    tenon_status second = tenon_join(self, &children[1]);
    waiting_depth--;
    pthread_mutex_unlock(&crowd->mutex);
    return spawned != TENON_OK ? spawned : first + second;
}

static void gather_crowd(
    tenon_executor *executor, tenon_task_fn *waiter, struct crowd *crowd)
{
    tenon_scope scope;

    *crowd = (struct crowd){.mutex = PTHREAD_MUTEX_INITIALIZER};
    must_open(&scope, executor);
    for (int i = 0; i < 30; i++) {
        must_spawn(&scope, run_stranger, crowd);
        must_spawn(&scope, waiter, crowd);
    }
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&crowd->intruder_count), 0));
}

static void wait_among_strangers(tenon_executor *executor)
{
    struct crowd crowd;

    gather_crowd(executor, wait_in_scope, &crowd);
    cr_expect(eq(uint, atomic_load(&crowd.own_count), 150));
    cr_expect(eq(uint, atomic_load(&crowd.stranger_count), 210));
}

// The waiter holds a mutex that every stranger wants.
Test(wait, join_of_a_scope_runs_no_stranger_on_its_stack)
{
    pool_each(wait_among_strangers);
}

static void fork_among_strangers(tenon_executor *executor)
{
    struct crowd crowd;

    gather_crowd(executor, wait_in_fork, &crowd);
    cr_expect(eq(uint, atomic_load(&crowd.own_count), 60));
    cr_expect(eq(uint, atomic_load(&crowd.stranger_count), 60));
}

Test(wait, join_of_a_fork_runs_no_stranger_on_its_stack)
{
    pool_each(fork_among_strangers);
}

// --- the stack ---

struct nesting {
    int depth;
    atomic_int *deepest;
};

static void note_depth(atomic_int *deepest)
{
    int seen = atomic_load(deepest);

    while (seen < running_depth &&
           !atomic_compare_exchange_weak(deepest, &seen, running_depth)) {
    }
}

static int nest(tenon_task *self, void *arg)
{
    struct nesting *nesting = arg;
    struct nesting below = {nesting->depth - 1, nesting->deepest};
    tenon_status status = TENON_OK;
    tenon_scope scope;

    (void)self;
    running_depth++;
    note_depth(nesting->deepest);
    if (nesting->depth > 0) {
        status = tenon_scope_open(&scope, NULL);
        for (int i = 0; i < 4 && status == TENON_OK; i++) {
            status = tenon_spawn(&scope, nest, &below);
        }
        status = tenon_scope_join(&scope, status, NULL);
    }
    running_depth--;
    return status;
}

static void nest_five(tenon_executor *executor)
{
    atomic_int deepest = 0;
    struct nesting nesting = {5, &deepest};

    must_run(executor, nest, &nesting, TENON_OK);
    cr_expect(le(int, atomic_load(&deepest), 6));
}

Test(wait, stack_is_no_deeper_than_the_nesting_of_the_program)
{
    pool_each(nest_five);
}

static int nest_flat(tenon_task *self, void *arg)
{
    struct nesting leaf = {0, arg};
    tenon_scope scope;

    (void)self;
    running_depth++;
    tenon_status status = tenon_scope_open(&scope, NULL);
    for (int i = 0; i < 10000 && status == TENON_OK; i++) {
        status = tenon_spawn(&scope, nest, &leaf);
    }
    status = tenon_scope_join(&scope, status, NULL);
    running_depth--;
    return status;
}

static void spawn_flat(tenon_executor *executor)
{
    atomic_int deepest = 0;

    must_run(executor, nest_flat, &deepest, TENON_OK);
    cr_expect(le(int, atomic_load(&deepest), 2));
}

Test(wait, ten_thousand_children_lie_side_by_side)
{
    pool_each(spawn_flat);
}

// --- a thread from start to end ---

static int stay_on_thread(tenon_task *self, void *arg)
{
    pthread_t thread = pthread_self();
    tenon_scope scope;

    (void)self;
    tenon_status status = tenon_scope_open(&scope, NULL);
    for (int i = 0; i < 10 && status == TENON_OK; i++) {
        status = tenon_spawn(&scope, task_count, arg);
    }
    status = tenon_scope_join(&scope, status, NULL);
    return status == TENON_OK && pthread_equal(thread, pthread_self()) ? 0 : 1;
}

static void stay(tenon_executor *executor)
{
    tenon_scope scope;
    atomic_uint count = 0;

    must_open(&scope, executor);
    for (int i = 0; i < 50; i++) {
        must_spawn(&scope, stay_on_thread, &count);
    }
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 500));
}

Test(wait, task_stays_on_one_thread)
{
    pool_each(stay);
}
