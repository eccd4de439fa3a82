// SPDX-License-Identifier: MIT
//
// reference_test — other threads spawn through a reference, which keeps the
// scope open.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <time.h>

// A foreign thread that holds a reference.
struct holder {
    tenon_scope_ref ref;
    pthread_t thread;
    struct gate may_go;
    unsigned spawn_count;
    atomic_uint count;
    atomic_int failed_status;  // of the first spawn that failed
    bool was_patient;
    uint64_t linger_ns;  // before it releases the reference
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void *holder_main(void *arg)
{
    struct holder *holder = arg;

    holder->was_patient = gate_wait(&holder->may_go);
    for (unsigned i = 0; i < holder->spawn_count; i++) {
        tenon_status status =
            tenon_ref_spawn(&holder->ref, task_count, &holder->count, NULL);
        if (status != TENON_OK) {
            atomic_store(&holder->failed_status, status);
            break;
        }
    }
    // For so long its owner waits for nothing else.
    uint64_t end_ns = now_ns() + holder->linger_ns;
    while (now_ns() < end_ns) {
    }
    tenon_scope_release(&holder->ref);
    return NULL;
}

static void start_holder(
    struct holder *holder, tenon_scope *scope, unsigned spawn_count)
{
    *holder = (struct holder){.spawn_count = spawn_count};
    cr_assert(eq(int, tenon_scope_acquire(scope, &holder->ref), TENON_OK));
    pthread_create(&holder->thread, NULL, holder_main, holder);
}

static void end_holder(struct holder *holder)
{
    pthread_join(holder->thread, NULL);
    cr_expect(holder->was_patient);
    cr_expect(eq(ptr, holder->ref.scope, NULL));
}

TestSuite(reference, .timeout = 60);

static void spawn_from_threads(tenon_executor *executor)
{
    // A reference counts 64 at a time.
    static const unsigned counts[] = {0, 1, 63, 64, 65, 200};
    enum { HOLDER_COUNT = sizeof(counts) / sizeof(counts[0]) };
    struct holder holders[HOLDER_COUNT];
    unsigned total_count = 0;
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    for (int i = 0; i < HOLDER_COUNT; i++) {
        start_holder(&holders[i], &scope, counts[i]);
        total_count += counts[i];
    }
    for (int i = 0; i < HOLDER_COUNT; i++) {
        gate_open(&holders[i].may_go);
    }
    must_join(&scope, &report, TENON_OK);
    for (int i = 0; i < HOLDER_COUNT; i++) {
        end_holder(&holders[i]);
        cr_expect(eq(int, atomic_load(&holders[i].failed_status), TENON_OK));
        cr_expect(eq(uint, atomic_load(&holders[i].count), counts[i]));
    }
    cr_expect(eq(u64, report.spawned_count, total_count));
    cr_expect(eq(u64, report.ok_count, total_count));
    tenon_report_free(&report);
}

Test(reference, its_holder_spawns_from_any_thread)
{
    pool_each(spawn_from_threads);
}

// Nothing else lives in the scope: only the reference keeps join waiting.
static void hold_open(tenon_executor *executor)
{
    struct holder holder;
    tenon_scope scope;
    atomic_uint count = 0;

    must_open(&scope, executor);
    start_holder(&holder, &scope, 100);
    must_spawn(&scope, task_count, &count);
    gate_open(&holder.may_go);
    must_join(&scope, NULL, TENON_OK);
    end_holder(&holder);
    cr_expect(eq(uint, atomic_load(&holder.count), 100));
    cr_expect(eq(uint, atomic_load(&count), 1));
}

Test(reference, join_waits_until_it_is_released)
{
    pool_each(hold_open);
}

// What the reference has counted ahead goes with it, while the owner waits.
static void release_unused(tenon_executor *executor)
{
    for (int i = 0; i < 100; i++) {
        struct holder holder;
        tenon_scope scope;

        must_open(&scope, executor);
        start_holder(&holder, &scope, 1);
        holder.linger_ns = (uint64_t)i * 3000;
        gate_open(&holder.may_go);
        must_join(&scope, NULL, TENON_OK);
        end_holder(&holder);
    }
}

Test(reference, counted_ahead_is_released_while_the_owner_waits)
{
    pool_each(release_unused);
}

static int release_it(tenon_task *self, void *arg)
{
    (void)self;
    tenon_scope_release(arg);
    return TENON_OK;
}

static void release_in_task(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_scope_ref ref;

    must_open(&scope, executor);
    cr_assert(eq(int, tenon_scope_acquire(&scope, &ref), TENON_OK));
    must_spawn(&scope, release_it, &ref);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(ptr, ref.scope, NULL));
}

Test(reference, may_be_released_by_a_task)
{
    pool_each(release_in_task);
}

struct taker {
    tenon_scope *scope;
    struct holder holder;
    tenon_status status;
};

// A task takes a reference and gives it to a thread that outlives the task.
static int take_and_end(tenon_task *self, void *arg)
{
    struct taker *taker = arg;

    (void)self;
    taker->status = tenon_scope_acquire(taker->scope, &taker->holder.ref);
    if (taker->status == TENON_OK) {
        pthread_create(
            &taker->holder.thread, NULL, holder_main, &taker->holder);
        gate_open(&taker->holder.may_go);
    }
    return taker->status;
}

static void take_in_task(tenon_executor *executor)
{
    tenon_scope scope;
    struct taker taker = {.scope = &scope, .holder.spawn_count = 100};

    must_open(&scope, executor);
    must_spawn(&scope, take_and_end, &taker);
    must_join(&scope, NULL, TENON_OK);
    end_holder(&taker.holder);
    cr_expect(eq(uint, atomic_load(&taker.holder.count), 100));
}

Test(reference, may_be_taken_by_a_task_while_the_owner_joins)
{
    pool_each(take_in_task);
}

static void cancel_held(tenon_executor *executor)
{
    struct holder holder;
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    start_holder(&holder, &scope, 100);
    tenon_scope_cancel(&scope, 1, "stop");
    gate_open(&holder.may_go);
    must_join(&scope, &report, TENON_OK);
    end_holder(&holder);
    cr_expect(eq(int, atomic_load(&holder.failed_status), TENON_CANCELLED));
    cr_expect(eq(u64, report.rejected_count, 1));
    cr_expect(eq(u64, report.spawned_count, 0));
    tenon_report_free(&report);
}

Test(reference, spawn_through_it_is_refused_when_the_scope_is_cancelled)
{
    pool_each(cancel_held);
}

static void *acquire_main(void *arg)
{
    struct taker *taker = arg;

    taker->status = tenon_scope_acquire(taker->scope, &taker->holder.ref);
    return NULL;
}

Test(reference, is_not_given_to_strangers)
{
    tenon_executor *executor = pool_create(2);
    tenon_scope scope;
    struct taker taker = {.scope = &scope};
    pthread_t thread;

    must_open(&scope, executor);
    pthread_create(&thread, NULL, acquire_main, &taker);
    pthread_join(thread, NULL);
    cr_expect(eq(int, taker.status, TENON_EPERM));
    cr_expect(eq(ptr, taker.holder.ref.scope, NULL));
    must_join(&scope, NULL, TENON_OK);
    pool_destroy(executor);
}

Test(reference, to_a_joined_scope_is_refused)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_scope_ref ref = {.scope = NULL};

    must_open(&scope, executor);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(int, tenon_scope_acquire(&scope, &ref), TENON_ECLOSED));
    cr_expect(eq(ptr, ref.scope, NULL));
    pool_destroy(executor);
}

Test(reference, released_one_spawns_no_more)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_scope_ref ref;

    must_open(&scope, executor);
    cr_assert(eq(int, tenon_scope_acquire(&scope, &ref), TENON_OK));
    tenon_scope_release(&ref);
    tenon_scope_release(&ref);
    tenon_scope_release(NULL);
    cr_expect(
        eq(int, tenon_ref_spawn(&ref, task_ok, NULL, NULL), TENON_EINVAL));
    must_join(&scope, NULL, TENON_OK);
    pool_destroy(executor);
}

Test(reference, nonsense_is_refused)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope never_opened = {.phase = 0};
    tenon_scope scope;
    tenon_scope_ref ref;

    must_open(&scope, executor);
    cr_expect(eq(int, tenon_scope_acquire(NULL, &ref), TENON_EINVAL));
    cr_expect(eq(int, tenon_scope_acquire(&scope, NULL), TENON_EINVAL));
    cr_expect(eq(int, tenon_scope_acquire(&never_opened, &ref), TENON_EINVAL));
    must_join(&scope, NULL, TENON_OK);
    pool_destroy(executor);
}

struct exchange {
    tenon_scope_ref ref;
    atomic_uint *count;
};

static int spawn_once(tenon_task *self, void *arg)
{
    struct exchange *exchange = arg;
    tenon_status status =
        tenon_ref_spawn(&exchange->ref, task_count, exchange->count, NULL);

    (void)self;
    tenon_scope_release(&exchange->ref);
    return status;
}

// Tasks come from the owner and end elsewhere, and the other way round, while
// references come and go: the count misses none.
static void hand_over(tenon_executor *executor)
{
    enum { EXCHANGES = 10 };

    for (int round = 0; round < 100; round++) {
        tenon_scope scope;
        tenon_scope_ref second;
        atomic_uint count = 0;
        struct exchange exchanges[EXCHANGES];

        must_open(&scope, executor);
        for (int i = 0; i < EXCHANGES; i++) {
            exchanges[i].count = &count;
            cr_assert(eq(
                int, tenon_scope_acquire(&scope, &exchanges[i].ref), TENON_OK));
            must_spawn(&scope, spawn_once, &exchanges[i]);
        }
        cr_assert(eq(int, tenon_scope_acquire(&scope, &second), TENON_OK));
        tenon_scope_release(&second);
        must_join(&scope, NULL, TENON_OK);
        cr_assert(eq(uint, atomic_load(&count), EXCHANGES));
    }
}

Test(reference, count_survives_every_way_in_and_out)
{
    pool_each(hand_over);
}
