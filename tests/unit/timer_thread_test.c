// SPDX-License-Identifier: MIT
//
// timer_thread_test — what a deadline calls runs on the thread that all
// deadlines of the executor need: it may not wait for that thread.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(timer_thread, .timeout = 60);

#define DELAY TENON_SECONDS(1)

// What a callback tries on the timer's thread, and with what result.
struct attempt {
    tenon_executor *executor;
    tenon_executor *other;
    tenon_scope *scope;
    tenon_scope_ref ref;
    atomic_uint count;
    tenon_status statuses[3];
};

// Call it by the deadline of a scope.
static void call_late(
    tenon_executor *executor, struct test_clock *clock, tenon_callback_fn *fn,
    struct attempt *attempt)
{
    tenon_scope scope;
    tenon_callback callback;

    attempt->executor = executor;
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .timeout_ns = DELAY));
    tenon_callback_register(&callback, tenon_scope_token(&scope), fn, attempt);
    pool_move_clock(executor, clock, DELAY);
    cr_assert(task_await_scope_cancel(&scope));
    must_join(&scope, NULL, TENON_OK);  // waits for the callback
}

static int end_executor(void *context, const tenon_cause *cause)
{
    struct attempt *attempt = context;

    (void)cause;
    attempt->statuses[0] = tenon_executor_destroy(attempt->executor);
    attempt->statuses[1] =
        tenon_executor_shutdown(attempt->executor, TENON_SHUTDOWN_DRAIN);
    attempt->statuses[2] =
        tenon_executor_shutdown(attempt->executor, TENON_SHUTDOWN_CANCEL);
    return 0;
}

static void expect_no_end(tenon_executor *executor, struct test_clock *clock)
{
    struct attempt attempt = {.count = 0};

    call_late(executor, clock, end_executor, &attempt);
    for (int i = 0; i < 3; i++) {
        cr_expect(eq(int, attempt.statuses[i], TENON_EDEADLK));
    }
    must_run(executor, task_count, &attempt.count, TENON_OK);
    cr_expect(eq(uint, atomic_load(&attempt.count), 1));
}

Test(timer_thread, does_not_end_its_executor)
{
    pool_each_clock(expect_no_end);
}

static tenon_status run_in(tenon_executor *executor, struct attempt *attempt)
{
    return tenon_run(executor, task_count, &attempt->count, NULL);
}

static int open_scopes(void *context, const tenon_cause *cause)
{
    struct attempt *attempt = context;

    (void)cause;
    attempt->statuses[0] = run_in(attempt->executor, attempt);
    attempt->statuses[1] = run_in(attempt->other, attempt);
    return 0;
}

static void expect_no_scope(tenon_executor *executor, struct test_clock *clock)
{
    struct attempt attempt = {.other = pool_create(1)};

    call_late(executor, clock, open_scopes, &attempt);
    cr_expect(eq(int, attempt.statuses[0], TENON_EDEADLK));
    cr_expect(eq(int, attempt.statuses[1], TENON_OK));
    cr_expect(eq(uint, atomic_load(&attempt.count), 1));
    pool_destroy(attempt.other);
}

Test(timer_thread, opens_no_scope_in_its_executor_but_in_others)
{
    pool_each_clock(expect_no_scope);
}

static int wait_for_task(void *context, const tenon_cause *cause)
{
    struct attempt *attempt = context;
    tenon_handle *next = NULL;

    (void)cause;
    attempt->statuses[0] = tenon_scope_next_until(
        attempt->scope, tenon_executor_now_ns(attempt->executor) + DELAY,
        &next);
    attempt->statuses[1] = tenon_scope_next_until(attempt->scope, 1, &next);
    tenon_scope_release(&attempt->ref);
    return 0;
}

static void expect_no_wait(tenon_executor *executor, struct test_clock *clock)
{
    struct task_step step = {.status = TENON_OK};
    struct attempt attempt = {.count = 0};
    tenon_scope scope;
    tenon_handle handle;

    must_open(&scope, executor);
    cr_assert(
        zero(int, tenon_spawn_task(&scope, &handle, task_step, &step, NULL)));
    cr_assert(zero(int, tenon_scope_acquire(&scope, &attempt.ref)));
    attempt.scope = &scope;
    call_late(executor, clock, wait_for_task, &attempt);
    cr_expect(eq(int, attempt.statuses[0], TENON_EDEADLK));
    cr_expect(eq(int, attempt.statuses[1], TENON_ENOTREADY));  // it may look
    gate_open(&step.may_end);
    must_join(&scope, NULL, TENON_OK);
}

Test(timer_thread, waits_for_no_task_of_its_executor)
{
    pool_each_clock(expect_no_wait);
}
