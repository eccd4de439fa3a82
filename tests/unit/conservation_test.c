// SPDX-License-Identifier: MIT
//
// conservation_test — no worker idles while a task is ready: as many tasks as
// there are workers wait for each other, wherever they were queued.
//
// If one of them were left lying although a worker is free, the others would
// wait in vain. They hold their workers meanwhile, without telling anybody.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <tenon/tenon.h>

TestSuite(conservation, .timeout = 60);

enum { REPETITIONS = 200, WORKERS_MAX = 16 };

struct party {
    uint32_t count;
    atomic_uint brought_count;
    struct gate arrived;
    tenon_scope_ref ref;
    tenon_limiter limiter;
};

// Wait until all are there.
static int meet(tenon_task *self, void *arg)
{
    struct party *party = arg;

    (void)self;
    gate_open(&party->arrived);
    return gate_wait_for(&party->arrived, party->count) ? TENON_OK
                                                        : TASK_IN_VAIN;
}

typedef void invite_fn(tenon_scope *scope, struct party *party);

static void hold(tenon_executor *executor, invite_fn *invite)
{
    uint32_t count = pool_info(executor).worker_count;

    for (int i = 0; i < REPETITIONS; i++) {
        struct party party = {.count = count};
        tenon_scope scope;

        tenon_limiter_init(&party.limiter, 0);
        must_open(&scope, executor);
        invite(&scope, &party);
        must_join(&scope, NULL, TENON_OK);
        cr_assert(eq(u32, gate_count(&party.arrived), count));
        tenon_limiter_fini(&party.limiter);
    }
}

// --- from outside ---

static void spawn_all(tenon_scope *scope, struct party *party)
{
    for (uint32_t i = 0; i < party->count; i++) {
        must_spawn(scope, meet, party);
    }
}

static void spawn_often(tenon_executor *executor)
{
    hold(executor, spawn_all);
}

Test(conservation, what_a_thread_spawns_finds_every_worker)
{
    pool_each(spawn_often);
}

static void *spawn_by_reference(void *arg)
{
    struct party *party = arg;
    tenon_status status = TENON_OK;

    for (uint32_t i = 0; i < party->count && status == TENON_OK; i++) {
        status = tenon_ref_spawn(&party->ref, meet, party, NULL);
    }
    tenon_scope_release(&party->ref);
    return NULL;
}

static void send_all(tenon_scope *scope, struct party *party)
{
    pthread_t thread;

    cr_assert(zero(int, tenon_scope_acquire(scope, &party->ref)));
    pthread_create(&thread, NULL, spawn_by_reference, party);
    pthread_join(thread, NULL);
}

static void send_often(tenon_executor *executor)
{
    hold(executor, send_all);
}

Test(conservation, what_another_thread_sends_finds_every_worker)
{
    pool_each(send_often);
}

// --- from one worker's own queue ---

static int spawn_the_others(tenon_task *self, void *arg)
{
    struct party *party = arg;

    for (uint32_t i = 1; i < party->count; i++) {
        if (tenon_spawn(tenon_task_scope(self), meet, party) != TENON_OK) {
            return TASK_IN_VAIN;
        }
    }
    return meet(self, party);
}

static void spawn_one(tenon_scope *scope, struct party *party)
{
    must_spawn(scope, spawn_the_others, party);
}

static void spawn_inside_often(tenon_executor *executor)
{
    hold(executor, spawn_one);
}

Test(conservation, what_a_task_spawns_before_it_goes_on_finds_the_others)
{
    pool_each(spawn_inside_often);
}

static int own_the_others(tenon_task *self, void *arg)
{
    struct party *party = arg;
    tenon_scope scope;
    tenon_status status = tenon_scope_open(&scope, NULL);

    for (uint32_t i = 1; i < party->count && status == TENON_OK; i++) {
        status = tenon_spawn(&scope, meet, party);
    }
    status = status == TENON_OK ? meet(self, party) : status;
    return tenon_scope_join(&scope, status, NULL);
}

static void spawn_owner(tenon_scope *scope, struct party *party)
{
    must_spawn(scope, own_the_others, party);
}

static void spawn_into_own_often(tenon_executor *executor)
{
    hold(executor, spawn_owner);
}

Test(conservation, what_a_task_spawns_into_its_own_scope_finds_the_others)
{
    pool_each(spawn_into_own_often);
}

static int fork_the_others(tenon_task *self, void *arg)
{
    struct party *party = arg;
    tenon_task children[WORKERS_MAX];

    for (uint32_t i = 1; i < party->count; i++) {
        tenon_fork(self, &children[i], meet, party);
    }
    tenon_status status = meet(self, party);
    for (uint32_t i = party->count - 1; i >= 1; i--) {
        tenon_status joined = tenon_join(self, &children[i]);
        status = joined == TENON_OK ? status : joined;
    }
    return status;
}

static void fork_all(tenon_scope *scope, struct party *party)
{
    must_spawn(scope, fork_the_others, party);
}

static void fork_often(tenon_executor *executor)
{
    hold(executor, fork_all);
}

Test(conservation, what_a_task_forks_before_it_goes_on_finds_the_others)
{
    pool_each(fork_often);
}

// One brings the next, who brings the next, ...
static int bring_one(tenon_task *self, void *arg)
{
    struct party *party = arg;

    if (atomic_fetch_add(&party->brought_count, 1) + 1 < party->count &&
        tenon_spawn(tenon_task_scope(self), bring_one, party) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    return meet(self, party);
}

static void bring_first(tenon_scope *scope, struct party *party)
{
    must_spawn(scope, bring_one, party);
}

static void bring_often(tenon_executor *executor)
{
    hold(executor, bring_first);
}

Test(conservation, what_each_task_brings_finds_another_worker)
{
    pool_each(bring_often);
}

// --- from what waits for something else ---

static void grant_all(tenon_scope *scope, struct party *party)
{
    for (uint32_t i = 0; i < party->count; i++) {
        must_spawn_with(
            scope, meet, party, TENON_TASK_OPTIONS(.limiter = &party->limiter));
    }
    tenon_limiter_resize(&party->limiter, party->count);
}

static void grant_often(tenon_executor *executor)
{
    hold(executor, grant_all);
}

Test(conservation, what_is_granted_units_finds_every_worker)
{
    pool_each(grant_often);
}

static void delay_all(tenon_scope *scope, struct party *party)
{
    for (uint32_t i = 0; i < party->count; i++) {
        must_spawn_with(
            scope, meet, party, TENON_TASK_OPTIONS(.delay_ns = 50000));
    }
}

static void delay_often(tenon_executor *executor)
{
    hold(executor, delay_all);
}

Test(conservation, what_begins_later_finds_every_worker)
{
    pool_each(delay_often);
}
