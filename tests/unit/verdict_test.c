// SPDX-License-Identifier: MIT
//
// verdict_test — a join says TIMEOUT or CANCELLED only if the deadline, or the
// cancel from outside, has stopped something of the scope.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <tenon/tenon.h>

TestSuite(verdict, .timeout = 60);

#define DELAY TENON_SECONDS(10)

static void end_alone(tenon_scope *scope, bool may_begin)
{
    tenon_handle handle;
    tenon_handle *alone = &handle;
    struct gate started = {0};

    cr_assert(zero(
        int, tenon_spawn_task(
                 scope, alone, task_announce_until_cancelled, &started, NULL)));
    if (may_begin) {
        cr_assert(gate_wait(&started));
    }
    cr_expect(tenon_handle_cancel(alone, 0, NULL));
    cr_assert(zero(
        int, tenon_wait_until(&alone, 1, TENON_WAIT_ALL, TENON_NO_DEADLINE)));
}

// One task was stopped alone; the rest heeds no deadline.
static void stop_alone(tenon_executor *executor, struct test_clock *clock)
{
    for (int may_begin = 0; may_begin < 2; may_begin++) {
        tenon_scope scope;
        tenon_report report;
        struct task_step deaf = {.status = TENON_OK};

        must_open_with(
            &scope,
            TENON_SCOPE_OPTIONS(.executor = executor, .timeout_ns = DELAY));
        end_alone(&scope, may_begin == 1);
        must_spawn(&scope, task_step, &deaf);
        cr_assert(gate_wait(&deaf.started));
        pool_move_clock(executor, clock, DELAY);
        cr_assert(task_await_scope_cancel(&scope));
        gate_open(&deaf.may_end);
        must_join(&scope, &report, TENON_OK);
        cr_expect(eq(u64, report.cancelled_count + report.dropped_count, 1));
        cr_expect(eq(u64, report.alone_count, 1));
        cr_expect(report.cancel_requested);
        tenon_report_free(&report);
    }
}

Test(verdict, task_cancelled_alone_was_not_stopped_by_the_deadline)
{
    pool_each_clock(stop_alone);
}

static void stop_both(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_report report;
    tenon_handle handle;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .timeout_ns = DELAY));
    end_alone(&scope, false);
    cr_assert(zero(
        int,
        tenon_spawn_task(&scope, &handle, task_until_cancelled, NULL, NULL)));
    pool_move_clock(executor, clock, DELAY);
    must_join(&scope, &report, TENON_TIMEOUT);
    cr_expect(eq(u64, report.cancelled_count + report.dropped_count, 2));
    cr_expect(eq(u64, report.alone_count, 1));
    tenon_report_free(&report);
}

Test(verdict, deadline_that_stopped_another_task_counts)
{
    pool_each_clock(stop_both);
}

struct mover {
    tenon_executor *executor;
    struct test_clock *clock;
    tenon_limiter *limiter;
};

static bool is_waited_for(void *limiter)
{
    uint64_t waiting_count = 0;

    tenon_limiter_look(limiter, NULL, &waiting_count);
    return waiting_count > 0;
}

static void *move_when_waited_for(void *arg)
{
    struct mover *mover = arg;

    gate_poll(is_waited_for, mover->limiter);
    pool_move_clock(mover->executor, mover->clock, DELAY);
    return NULL;
}

static void refuse_waiting_spawn(
    tenon_executor *executor, struct test_clock *clock)
{
    tenon_limiter limiter;
    tenon_scope scope;
    tenon_report report;
    pthread_t thread;
    struct mover mover = {executor, clock, &limiter};

    tenon_limiter_init(&limiter, 0);
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .limiter = &limiter,
                        .timeout_ns = DELAY));
    cr_assert(
        zero(int, pthread_create(&thread, NULL, move_when_waited_for, &mover)));
    tenon_status status =
        tenon_spawn_until(&scope, NULL, task_ok, NULL, NULL, TENON_NO_DEADLINE);
    cr_assert(zero(int, pthread_join(thread, NULL)));
    must_join(&scope, &report, TENON_TIMEOUT);
    cr_expect(eq(int, status, TENON_CANCELLED));
    cr_expect(eq(u64, report.rejected_count, 1));
    cr_expect(eq(u64, report.spawned_count, 0));
    tenon_report_free(&report);
    tenon_limiter_fini(&limiter);
}

Test(verdict, spawn_that_a_cancel_ends_is_counted_as_rejected)
{
    pool_each_clock(refuse_waiting_spawn);
}
