// SPDX-License-Identifier: MIT
//
// mutex — tasks hold a mutex over a nested join, and strangers want it.
//
// The threads of the executor may all stand before the mutex: the one that
// holds it must get on all the same, wherever the tasks that it waits for are
// queued. A deadlock hangs, and the watchdog speaks. Executors of several sizes
// take turns, with and without spare threads.
//
// Laws: every task runs exactly once; the mutex guards what it should.

#include "courier.h"

#include <stdio.h>
#include <stdlib.h>

#define MUTEX_COUNT 2
#define ROOT_TASKS 60
#define COURIER_COUNT 2

#define LAW_ONCE "every task runs once"
#define LAW_GUARD "nobody else is in while a task holds the mutex"

struct config {
    uint32_t worker_count;
    uint32_t spare_count;
};

static const struct config configs[] = {
    {1, TENON_NO_SPARES},  {1, 1},  {1, 0},
    {2, TENON_NO_SPARES},  {2, 1},  {2, 0},
    {4, TENON_NO_SPARES},  {4, 1},  {4, 0},
    {16, TENON_NO_SPARES}, {16, 1}, {16, 0},
};

#define CONFIG_COUNT (sizeof(configs) / sizeof(configs[0]))

struct guarded {
    pthread_mutex_t mutex;
    uint64_t entered_count;  // plain: guarded by mutex
};

static struct guarded guards[MUTEX_COUNT];
static tenon_scope root;
static const struct config *_Atomic config;
static _Atomic(uint64_t) round_number;
static _Atomic(uint64_t) next_stream;
static _Atomic(uint64_t) started_count;  // spawned or forked
static _Atomic(uint64_t) ran_count;
static _Atomic(uint64_t) held_count;
static _Atomic(uint64_t) waited_count;  // for the mutex, while it was held
static _Atomic(uint64_t) total_held_count;
static _Atomic(uint64_t) total_waited_count;

static struct stress_random begin_task(void)
{
    STRESS_COUNT(ran_count);
    return stress_random_make(STRESS_COUNT(next_stream) + 10000);
}

static void lock(struct guarded *guard)
{
    if (pthread_mutex_trylock(&guard->mutex) != 0) {
        STRESS_COUNT(waited_count);
        pthread_mutex_lock(&guard->mutex);
    }
}

static int stranger(tenon_task *self, void *guard);

static void spawn(tenon_scope *scope, tenon_task_fn *fn, void *arg)
{
    STRESS_COUNT(started_count);
    if (tenon_spawn(scope, fn, arg) != TENON_OK) {
        stress_broke(LAW_ONCE, "a spawn was refused");
    }
}

// A task below one that holds the mutex: never takes it.
static int member(tenon_task *self, void *scope)
{
    struct stress_random random = begin_task();

    stress_perturb(&random);
    for (uint32_t count = stress_below(&random, 5) / 2; count > 0; count--) {
        spawn(scope, member, scope);
    }
    if (stress_chance(&random, 3)) {
        spawn(&root, stranger, &guards[stress_below(&random, MUTEX_COUNT)]);
    }
    stress_perturb(&random);
    return tenon_current() == self ? TENON_OK : 1;
}

static void deliver(
    tenon_scope_ref *ref, void *scope, struct stress_random *random)
{
    for (uint32_t count = stress_below(random, 4); count > 0; count--) {
        STRESS_COUNT(started_count);
        if (tenon_ref_spawn(ref, member, scope, NULL) != TENON_OK) {
            stress_broke(LAW_ONCE, "a reference was refused");
        }
        stress_perturb(random);
    }
}

static void run_scope(struct stress_random *random)
{
    tenon_scope scope;

    if (tenon_scope_open(&scope, NULL) != TENON_OK) {
        stress_die("no scope");
    }
    for (uint32_t count = 1 + stress_below(random, 4); count > 0; count--) {
        spawn(&scope, member, &scope);
        stress_perturb(random);
    }
    if (stress_chance(random, 3)) {
        courier_send(&scope, &scope);
    }
    if (tenon_scope_join(&scope, TENON_OK, NULL) != TENON_OK) {
        stress_broke(LAW_ONCE, "a join failed");
    }
}

static int forked(tenon_task *self, void *depth_pointer)
{
    struct stress_random random = begin_task();
    uint32_t depth = *(uint32_t *)depth_pointer;
    tenon_task child;

    stress_perturb(&random);
    if (depth == 0) {
        return TENON_OK;
    }
    depth--;
    STRESS_COUNT(started_count);
    tenon_fork(self, &child, forked, &depth);
    if (stress_chance(&random, 2)) {
        run_scope(&random);
    }
    return tenon_join(self, &child);
}

static int holder(tenon_task *self, void *arg)
{
    struct stress_random random = begin_task();
    struct guarded *guard = arg;
    tenon_task child;
    uint32_t depth = stress_below(&random, 4);

    lock(guard);
    uint64_t entered_count = ++guard->entered_count;
    if (stress_chance(&random, 2)) {
        run_scope(&random);
    } else {
        STRESS_COUNT(started_count);
        tenon_fork(self, &child, forked, &depth);
        run_scope(&random);
        if (tenon_join(self, &child) != TENON_OK) {
            stress_broke(LAW_ONCE, "a forked task failed");
        }
    }
    if (guard->entered_count != entered_count) {
        stress_broke(LAW_GUARD, "somebody was");
    }
    pthread_mutex_unlock(&guard->mutex);
    STRESS_COUNT(held_count);
    stress_step();
    return TENON_OK;
}

static int stranger(tenon_task *self, void *arg)
{
    struct stress_random random = begin_task();
    struct guarded *guard = arg;

    (void)self;
    lock(guard);
    guard->entered_count++;
    stress_perturb(&random);
    pthread_mutex_unlock(&guard->mutex);
    STRESS_COUNT(held_count);
    return TENON_OK;
}

static void spawn_root_tasks(struct stress_random *random)
{
    for (uint32_t i = 0; i < ROOT_TASKS; i++) {
        struct guarded *guard = &guards[stress_below(random, MUTEX_COUNT)];
        spawn(&root, stress_chance(random, 3) ? holder : stranger, guard);
        stress_perturb(random);
    }
}

static void reset(void)
{
    for (uint32_t i = 0; i < MUTEX_COUNT; i++) {
        guards[i].entered_count = 0;
    }
    atomic_store(&next_stream, ++round_number << 20);
    atomic_store(&started_count, 0);
    atomic_store(&ran_count, 0);
    atomic_store(&held_count, 0);
    atomic_store(&waited_count, 0);
}

static void play_round(struct stress_random *random)
{
    tenon_executor *executor =
        courier_executor(config->worker_count, config->spare_count);
    tenon_report report = {0};
    uint64_t entered_count = 0;

    reset();
    if (tenon_scope_open(&root, TENON_SCOPE_OPTIONS(.executor = executor))) {
        stress_die("no scope");
    }
    spawn_root_tasks(random);
    tenon_status status = tenon_scope_join(&root, TENON_OK, &report);
    courier_executor_end(executor);
    stress_expect(status == TENON_OK, "the root scope joins well");
    stress_expect_equal(LAW_ONCE, ran_count, started_count);
    for (uint32_t i = 0; i < MUTEX_COUNT; i++) {
        entered_count += guards[i].entered_count;
    }
    stress_expect_equal(LAW_GUARD, entered_count, held_count);
    atomic_fetch_add(&total_held_count, held_count);
    atomic_fetch_add(&total_waited_count, waited_count);
    tenon_report_free(&report);
}

static void dump(void)
{
    fprintf(
        stderr, "#   round %llu: %u workers, spares %d, %llu of %llu ran\n",
        (unsigned long long)round_number, config->worker_count,
        (int)config->spare_count, (unsigned long long)STRESS_READ(ran_count),
        (unsigned long long)STRESS_READ(started_count));
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv, "mutex");
    stress_on_hang(dump);
    struct stress_random random = stress_random_make(0);
    uint32_t wanted = stress_worker_count(0);
    courier_start(COURIER_COUNT, deliver);
    for (uint32_t i = 0; i < MUTEX_COUNT; i++) {
        pthread_mutex_init(&guards[i].mutex, NULL);
    }
    for (size_t i = 0; stress_goes_on(); i++) {
        config = &configs[i % CONFIG_COUNT];
        if (wanted == 0 || wanted == config->worker_count) {
            play_round(&random);
        }
    }
    courier_stop();
    stress_need("mutexes waited for", total_waited_count, total_held_count, 10);
    return stress_end();
}
