// SPDX-License-Identifier: MIT
//
// idle_test — who is woken, who is not, and the counts that decide it.

#include "base/fence.h"
#include "gate.h"
#include "sched/idle.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>

// The test itself is a worker as well, the last one.
enum { WORKER_COUNT = 4, MAIN = WORKER_COUNT };

static struct tn_idle idle;
static atomic_bool has_work;
static atomic_uint look_count;
static atomic_uint call_count;

struct worker {
    pthread_t thread;
    uint32_t index;
    struct gate is_awake;
    struct gate may_end;
};

static struct worker workers[WORKER_COUNT];

static bool look(void *context)
{
    atomic_uint *count = context;
    bool found = atomic_load(&has_work);

    atomic_fetch_add(count, 1);
    return found;
}

static void call(void *context)
{
    (void)context;
    atomic_fetch_add(&call_count, 1);
}

static void make_idle(void)
{
    tn_fence_setup();
    cr_assert(tn_idle_init(&idle, MAIN + 1, look, call, &look_count));
    tn_idle_arrive(&idle, MAIN);
}

static void end_idle(void)
{
    tn_idle_fini(&idle);
}

static uint32_t searching_count(void)
{
    return tn_idle_searching_count(&idle);
}

static uint32_t sleeping_count(void)
{
    return tn_load_relaxed(&idle.state) / TN_IDLE_SLEEPING_ONE;
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;

    tn_idle_arrive(&idle, worker->index);
    tn_idle_search(&idle);
    tn_idle_sleep(&idle, worker->index);
    gate_open(&worker->is_awake);
    gate_wait(&worker->may_end);
    tn_idle_found(&idle, worker->index);
    tn_idle_leave(&idle, worker->index);
    return NULL;
}

// Those that sleep have looked once more after they had announced it.
static bool are_asleep(void *context)
{
    uint32_t count = *(uint32_t *)context;

    return sleeping_count() == count && atomic_load(&look_count) == count;
}

// Start workers 0 .. count-1 and wait until all of them sleep.
static void start_sleepers(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        workers[i].index = i;
        pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]);
    }
    cr_assert(gate_poll(are_asleep, &count));
}

static void end_sleepers(uint32_t count)
{
    atomic_store(&has_work, false);
    tn_idle_wake_all(&idle);
    for (uint32_t i = 0; i < count; i++) {
        gate_open(&workers[i].may_end);
        pthread_join(workers[i].thread, NULL);
    }
    cr_expect(eq(u32, tn_load_relaxed(&idle.state), 0));
}

static bool is_one_awake(void *context)
{
    (void)context;
    for (int i = 0; i < WORKER_COUNT; i++) {
        if (gate_is_open(&workers[i].is_awake)) {
            return true;
        }
    }
    return false;
}

TestSuite(idle, .init = make_idle, .fini = end_idle, .timeout = 60);

Test(idle, nobody_searches_or_sleeps_at_first)
{
    cr_expect(eq(u32, searching_count(), 0));
    cr_expect(eq(u32, sleeping_count(), 0));
}

Test(idle, searchers_are_counted)
{
    tn_idle_search(&idle);
    tn_idle_search(&idle);
    cr_expect(eq(u32, searching_count(), 2));
    tn_idle_found(&idle, MAIN);
    cr_expect(eq(u32, searching_count(), 1));
    tn_idle_found(&idle, MAIN);
    cr_expect(eq(u32, searching_count(), 0));
}

Test(idle, sleep_returns_at_once_when_there_is_work)
{
    atomic_store(&has_work, true);
    tn_idle_search(&idle);
    tn_idle_sleep(&idle, MAIN);
    cr_expect(eq(uint, atomic_load(&look_count), 1));
    cr_expect(eq(u32, searching_count(), 1));
    cr_expect(eq(u32, sleeping_count(), 0));
    tn_idle_found(&idle, MAIN);
}

Test(idle, sleeper_is_woken_and_searches)
{
    start_sleepers(1);
    tn_idle_wake_one(&idle);
    cr_expect(gate_wait(&workers[0].is_awake));
    cr_expect(eq(u32, searching_count(), 1));
    cr_expect(eq(u32, sleeping_count(), 0));
    end_sleepers(1);
}

Test(idle, wake_one_wakes_one)
{
    start_sleepers(3);
    tn_idle_wake_one(&idle);
    cr_expect(eq(u32, sleeping_count(), 2));
    cr_expect(eq(u32, searching_count(), 1));
    cr_expect(gate_poll(is_one_awake, NULL));
    tn_idle_wake_one(&idle);
    cr_expect(eq(u32, sleeping_count(), 1));
    end_sleepers(3);
}

Test(idle, wake_all_wakes_all)
{
    start_sleepers(WORKER_COUNT);
    tn_idle_wake_all(&idle);
    for (int i = 0; i < WORKER_COUNT; i++) {
        cr_expect(gate_wait(&workers[i].is_awake));
    }
    cr_expect(eq(u32, searching_count(), WORKER_COUNT));
    end_sleepers(WORKER_COUNT);
}

Test(idle, wake_without_sleepers_does_nothing)
{
    tn_idle_search(&idle);
    tn_idle_wake_one(&idle);
    tn_idle_wake_all(&idle);
    cr_expect(eq(u32, searching_count(), 1));
    cr_expect(eq(u32, sleeping_count(), 0));
    tn_idle_found(&idle, MAIN);
}

Test(idle, notify_wakes_one_when_nobody_searches)
{
    start_sleepers(2);
    tn_idle_notify(&idle);
    cr_expect(eq(u32, sleeping_count(), 1));
    cr_expect(gate_poll(is_one_awake, NULL));
    end_sleepers(2);
}

Test(idle, notify_leaves_it_to_who_searches)
{
    start_sleepers(2);
    tn_idle_search(&idle);
    tn_idle_notify(&idle);
    tn_idle_notify(&idle);
    cr_expect(eq(u32, sleeping_count(), 2));
    tn_idle_found(&idle, MAIN);
    end_sleepers(2);
}

Test(idle, last_searcher_hands_the_search_over)
{
    start_sleepers(2);
    tn_idle_search(&idle);
    atomic_store(&has_work, true);
    tn_idle_found(&idle, MAIN);
    cr_expect(eq(u32, sleeping_count(), 1));
    cr_expect(eq(u32, searching_count(), 1));
    cr_expect(gate_poll(is_one_awake, NULL));
    end_sleepers(2);
}

Test(idle, last_searcher_wakes_nobody_without_work)
{
    start_sleepers(2);
    tn_idle_search(&idle);
    tn_idle_found(&idle, MAIN);
    cr_expect(eq(u32, sleeping_count(), 2));
    end_sleepers(2);
}

Test(idle, other_searchers_relieve_the_first_of_the_hand_over)
{
    start_sleepers(1);
    tn_idle_search(&idle);
    tn_idle_search(&idle);
    atomic_store(&has_work, true);
    tn_idle_found(&idle, MAIN);
    cr_expect(eq(u32, sleeping_count(), 1));
    cr_expect(eq(u32, searching_count(), 1));
    atomic_store(&has_work, false);
    tn_idle_found(&idle, MAIN);
    end_sleepers(1);
}

// Not while another one still searches.
Test(idle, pushers_are_called_when_the_last_searcher_goes_to_sleep)
{
    tn_idle_search(&idle);
    start_sleepers(1);
    unsigned before = atomic_load(&call_count);
    tn_idle_found(&idle, MAIN);
    end_sleepers(1);
    cr_expect(eq(uint, before, 0));
    before = atomic_load(&call_count);
    atomic_store(&look_count, 0);
    start_sleepers(1);
    cr_expect(eq(uint, atomic_load(&call_count), before + 1));
    end_sleepers(1);
}

// Not if nobody sleeps: the pushers' queues are then looked at by all.
Test(idle, pushers_are_called_when_the_last_searcher_finds_work)
{
    tn_idle_search(&idle);
    tn_idle_found(&idle, MAIN);
    cr_expect(eq(uint, atomic_load(&call_count), 0));
    start_sleepers(1);
    unsigned before = atomic_load(&call_count);
    tn_idle_search(&idle);
    tn_idle_search(&idle);
    tn_idle_found(&idle, MAIN);
    cr_expect(eq(uint, atomic_load(&call_count), before));
    tn_idle_found(&idle, MAIN);
    cr_expect(eq(uint, atomic_load(&call_count), before + 1));
    end_sleepers(1);
}

Test(idle, fini_accepts_zeroed_memory)
{
    struct tn_idle zeroed = {.capacity = 0};

    tn_idle_fini(&zeroed);
}

static atomic_uint pushed_count;
static atomic_uint popped_count;
static atomic_bool is_over;

static bool has_queued(void *context)
{
    (void)context;
    return atomic_load(&is_over) ||
           atomic_load(&popped_count) < atomic_load(&pushed_count);
}

static bool pop_one(void)
{
    unsigned count = atomic_load(&popped_count);

    while (count < atomic_load(&pushed_count)) {
        if (atomic_compare_exchange_weak(&popped_count, &count, count + 1)) {
            return true;
        }
    }
    return false;
}

static void *consumer_main(void *arg)
{
    struct worker *worker = arg;

    tn_idle_arrive(&idle, worker->index);
    while (!atomic_load(&is_over)) {
        tn_idle_search(&idle);
        while (!atomic_load(&is_over) && !pop_one()) {
            tn_idle_sleep(&idle, worker->index);
        }
        tn_idle_found(&idle, worker->index);
    }
    return NULL;
}

static bool is_all_popped(void *context)
{
    (void)context;
    return atomic_load(&popped_count) == atomic_load(&pushed_count);
}

// Two sleep and wake while one pushes: no push is left lying.
Test(idle, no_wake_up_is_lost)
{
    bool is_all = true;

    idle.has_work = has_queued;
    for (uint32_t i = 0; i < 2; i++) {
        workers[i].index = i;
        pthread_create(&workers[i].thread, NULL, consumer_main, &workers[i]);
    }
    for (int i = 0; i < 5000 && is_all; i++) {
        atomic_fetch_add(&pushed_count, 1);
        tn_idle_notify_foreign(&idle);
        is_all = i % 50 != 0 || gate_poll(is_all_popped, NULL);
    }
    is_all = gate_poll(is_all_popped, NULL) && is_all;
    atomic_store(&is_over, true);
    tn_fence_seqcst();
    tn_idle_wake_all(&idle);
    for (uint32_t i = 0; i < 2; i++) {
        pthread_join(workers[i].thread, NULL);
    }
    cr_expect(is_all);
    cr_expect(eq(u32, tn_load_relaxed(&idle.state), 0));
}
