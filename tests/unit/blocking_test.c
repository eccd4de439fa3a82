// SPDX-License-Identifier: MIT
//
// blocking_test — tasks that wait for the world leave their core to others, and
// a cancel ends a sleep.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <tenon/tenon.h>

TestSuite(blocking, .timeout = 60);

#define DELAY TENON_SECONDS(10)

struct sleeper {
    struct gate has_begun;
    uint64_t until_ns;
    uint64_t woken_ns;
    tenon_status status;
};

static int sleep_until(tenon_task *self, void *arg)
{
    struct sleeper *sleeper = arg;

    gate_open(&sleeper->has_begun);
    sleeper->status = tenon_sleep_until(self, sleeper->until_ns);
    sleeper->woken_ns = tenon_executor_now_ns(NULL);
    return sleeper->status;
}

static void sleep_many(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    struct sleeper sleepers[20];
    struct task_step step = {.status = TENON_OK};

    must_open(&scope, executor);
    for (int i = 0; i < 20; i++) {
        sleepers[i] = (struct sleeper){.until_ns = CLOCK_BEGIN_NS + DELAY};
        must_spawn(&scope, sleep_until, &sleepers[i]);
        cr_assert(gate_wait(&sleepers[i].has_begun));
    }
    // More sleep than there are workers: others run all the same.
    must_spawn(&scope, task_step, &step);
    cr_assert(gate_wait(&step.started));
    gate_open(&step.may_end);
    pool_move_clock(executor, clock, DELAY);
    must_join(&scope, NULL, TENON_OK);
    for (int i = 0; i < 20; i++) {
        cr_expect(eq(int, sleepers[i].status, TENON_OK));
        cr_expect(ge(u64, sleepers[i].woken_ns, sleepers[i].until_ns));
    }
}

Test(blocking, sleep_ends_at_its_time_and_others_run_meanwhile)
{
    pool_each_clock(sleep_many);
}

static void cancel_sleep(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_report report;
    struct sleeper sleeper = {.until_ns = CLOCK_BEGIN_NS + DELAY};
    struct sleeper endless = {.until_ns = TENON_NO_DEADLINE};

    (void)clock;
    must_open(&scope, executor);
    must_spawn(&scope, sleep_until, &sleeper);
    must_spawn(&scope, sleep_until, &endless);
    cr_assert(gate_wait(&sleeper.has_begun));
    cr_assert(gate_wait(&endless.has_begun));
    tenon_scope_cancel(&scope, 0, NULL);
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(int, sleeper.status, TENON_CANCELLED));
    cr_expect(eq(int, endless.status, TENON_CANCELLED));
    cr_expect(eq(u64, report.cancelled_count, 2));
    tenon_report_free(&report);
}

Test(blocking, sleep_ends_when_the_task_is_cancelled)
{
    pool_each_clock(cancel_sleep);
}

static int sleep_in_block(tenon_task *self, void *arg)
{
    struct gate *has_begun = arg;
    tenon_scope block;

    if (tenon_scope_open(&block, TENON_SCOPE_OPTIONS(.timeout_ns = DELAY)) !=
        TENON_OK) {
        return TASK_IN_VAIN;
    }
    gate_open(has_begun);
    tenon_status status = tenon_sleep(self, 5 * DELAY);
    return tenon_scope_join(&block, status, NULL) == TENON_TIMEOUT &&
                   status == TENON_CANCELLED
               ? TENON_OK
               : TASK_IN_VAIN;
}

static void time_out_sleep(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    struct gate has_begun = {0};

    must_open(&scope, executor);
    must_spawn(&scope, sleep_in_block, &has_begun);
    cr_assert(gate_wait(&has_begun));
    pool_move_clock(executor, clock, DELAY);
    must_join(&scope, NULL, TENON_OK);
}

Test(blocking, sleep_ends_at_the_deadline_of_the_block_around_it)
{
    pool_each_clock(time_out_sleep);
}

static int sleep_past(tenon_task *self, void *arg)
{
    (void)arg;
    if (tenon_sleep_until(self, 1) != TENON_OK ||
        tenon_sleep(self, 0) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_scope_cancel(tenon_task_scope(self), 0, NULL);
    return tenon_sleep_until(self, 1) == TENON_CANCELLED &&
                   tenon_sleep(self, DELAY) == TENON_CANCELLED
               ? TENON_OK
               : TASK_IN_VAIN;
}

static void sleep_no_time(tenon_executor *executor)
{
    must_run(executor, sleep_past, NULL, TENON_OK);
}

Test(blocking, sleep_until_a_past_time_is_only_a_look)
{
    pool_each(sleep_no_time);
}

struct region {
    struct gate has_begun;
    struct gate may_end;
    atomic_uint polled_count;
};

static int block(tenon_task *self, void *arg)
{
    struct region *region = arg;

    tenon_blocking_begin(self);
    tenon_blocking_begin(self);
    gate_open(&region->has_begun);
    bool in_time = gate_wait(&region->may_end);
    atomic_fetch_add(&region->polled_count, tenon_cancelled(self));
    tenon_blocking_end(self);
    tenon_blocking_end(self);
    return in_time ? TENON_OK : TASK_IN_VAIN;
}

static void block_all(tenon_executor *executor)
{
    uint32_t worker_count = pool_info(executor).worker_count;
    tenon_scope scope;
    struct region region;
    struct task_step step = {.status = TENON_OK};

    for (int round = 0; round < 5; round++) {
        region = (struct region){.polled_count = 0};
        step = (struct task_step){.status = TENON_OK};
        must_open(&scope, executor);
        for (uint32_t i = 0; i < worker_count; i++) {
            must_spawn(&scope, block, &region);
        }
        cr_assert(gate_wait_for(&region.has_begun, worker_count));
        must_spawn(&scope, task_step, &step);
        cr_assert(gate_wait(&step.started));
        gate_open(&step.may_end);
        gate_open(&region.may_end);
        must_join(&scope, NULL, TENON_OK);
        cr_expect(eq(uint, atomic_load(&region.polled_count), 0));
    }
}

Test(blocking, region_of_every_worker_leaves_the_cores_to_spares)
{
    pool_each(block_all);
}

static int end_only(tenon_task *self, void *arg)
{
    (void)arg;
    tenon_blocking_end(self);
    return TENON_OK;
}

Test(blocking, end_without_a_begin_aborts, .signal = SIGABRT)
{
    must_run(pool_create(1), end_only, NULL, TENON_OK);
}
