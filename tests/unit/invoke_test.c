// SPDX-License-Identifier: MIT
//
// invoke_test — all are called once, at the same time if workers are free, and
// what fails comes back.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(invoke, .timeout = 60);

enum { CALLS_MAX = 33, CODE = 31 };

static int count_call(tenon_task *self, void *arg)
{
    (void)self;
    atomic_fetch_add((atomic_uint *)arg, 1);
    return TENON_OK;
}

static int call_all(tenon_task *self, void *arg)
{
    (void)arg;
    for (size_t count = 0; count <= CALLS_MAX; count++) {
        tenon_invocation calls[CALLS_MAX];
        atomic_uint counts[CALLS_MAX] = {0};

        for (size_t i = 0; i < count; i++) {
            calls[i] = (tenon_invocation){count_call, &counts[i]};
        }
        if (tenon_invoke(self, calls, count) != TENON_OK) {
            return 1;
        }
        for (size_t i = 0; i < CALLS_MAX; i++) {
            if (atomic_load(&counts[i]) != (i < count)) {
                return 2;
            }
        }
    }
    return TENON_OK;
}

static void call_in(tenon_executor *executor)
{
    must_run(executor, call_all, NULL, TENON_OK);
}

Test(invoke, every_function_is_called_once)
{
    pool_each(call_in);
}

static int meet(tenon_task *self, void *arg)
{
    struct gate *gate = arg;

    (void)self;
    gate_open(gate);
    return gate_wait_for(gate, 2) ? TENON_OK : 1;
}

static int meet_both(tenon_task *self, void *arg)
{
    return tenon_invoke(self, TENON_INVOCATIONS({meet, arg}, {meet, arg}));
}

static void meet_in(tenon_executor *executor)
{
    struct gate gate = {0};

    must_run(executor, meet_both, &gate, TENON_OK);
}

Test(invoke, functions_run_at_the_same_time)
{
    pool_each_parallel(meet_in);
}

struct order {
    atomic_uint count;
    int code;
};

static int fail_first(tenon_task *self, void *arg)
{
    struct order *order = arg;

    return tenon_invoke(
        self, TENON_INVOCATIONS(
                  {task_return, &order->code}, {count_call, &order->count},
                  {count_call, &order->count}));
}

Test(invoke, nothing_begins_after_a_failure)
{
    tenon_executor *executor = pool_create(1);
    struct order order = {.code = CODE};
    tenon_report report;

    cr_expect(eq(
        int, tenon_run(executor, fail_first, &order, &report), TENON_ERRORS));
    pool_destroy(executor);
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, CODE));
    cr_expect(zero(uint, atomic_load(&order.count)));
    tenon_report_free(&report);
}

static int fail_somewhere(tenon_task *self, void *arg)
{
    struct order *order = arg;
    tenon_invocation calls[CALLS_MAX];

    for (size_t i = 0; i < CALLS_MAX; i++) {
        calls[i] = (tenon_invocation){count_call, &order->count};
    }
    calls[CALLS_MAX / 2] = (tenon_invocation){task_return, &order->code};
    tenon_status status = tenon_invoke(self, calls, CALLS_MAX);
    return status == CODE ? status : 1;
}

static void fail_in(tenon_executor *executor)
{
    struct order order = {.code = CODE};
    tenon_report report;

    cr_expect(
        eq(int, tenon_run(executor, fail_somewhere, &order, &report),
           TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, CODE));
    if (pool_info(executor).worker_count == 1) {
        cr_expect(eq(uint, atomic_load(&order.count), CALLS_MAX / 2));
    }
    tenon_report_free(&report);
}

Test(invoke, failure_comes_back_wherever_it_was)
{
    pool_each(fail_in);
}

// The second half fails elsewhere, when the first half has begun and before it
// ends well.
static int end_well(tenon_task *self, void *arg)
{
    struct gate *gate = arg;

    (void)self;
    return gate_wait(gate) ? TENON_OK : 1;
}

static int fail_elsewhere(tenon_task *self, void *arg)
{
    (void)self;
    gate_open(arg);
    return CODE;
}

static int fail_aside(tenon_task *self, void *arg)
{
    return tenon_invoke(
               self, TENON_INVOCATIONS(
                         {end_well, arg}, {fail_elsewhere, arg})) == CODE
               ? TENON_OK
               : 1;
}

static void fail_aside_in(tenon_executor *executor)
{
    struct gate gate = {0};
    tenon_report report;

    cr_expect(
        eq(int, tenon_run(executor, fail_aside, &gate, &report), TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, CODE));
    tenon_report_free(&report);
}

Test(invoke, failure_comes_back_from_another_worker)
{
    pool_each_parallel(fail_aside_in);
}

static int call_none(tenon_task *self, void *arg)
{
    tenon_status status =
        tenon_invoke(self, TENON_INVOCATIONS({count_call, arg}, {NULL, NULL}));

    return status == TENON_EINVAL ? TENON_OK : 1;
}

Test(invoke, function_that_is_missing_is_refused_before_any_is_called)
{
    tenon_executor *executor = pool_create(1);
    atomic_uint count = 0;

    must_run(executor, call_none, &count, TENON_OK);
    pool_destroy(executor);
    cr_expect(zero(uint, atomic_load(&count)));
}

static int meet_and_fail(tenon_task *self, void *arg)
{
    return meet(self, arg) == TENON_OK ? CODE : 1;
}

static int fail_both(tenon_task *self, void *arg)
{
    return tenon_invoke(
        self, TENON_INVOCATIONS({meet_and_fail, arg}, {meet_and_fail, arg}));
}

static void fail_alike(tenon_executor *executor)
{
    struct gate gate = {0};
    tenon_report report;

    cr_expect(
        eq(int, tenon_run(executor, fail_both, &gate, &report), TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 2));
    cr_expect(eq(int, report.primary->code, CODE));
    tenon_report_free(&report);
}

Test(invoke, calls_that_fail_alike_are_two_errors)
{
    pool_each_parallel(fail_alike);
}

static int ask_again(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_again(self, 0);
}

static int invoke_again(tenon_task *self, void *arg)
{
    atomic_uint *count = arg;

    atomic_fetch_add(count, 1);
    int status = tenon_invoke(
        self, TENON_INVOCATIONS({ask_again, NULL}, {task_ok, NULL}));
    return status == TENON_EPERM ? TENON_OK : 1;
}

static void ask_in(tenon_executor *executor)
{
    atomic_uint count = 0;

    must_run(executor, invoke_again, &count, TENON_ERRORS);
    cr_expect(eq(uint, atomic_load(&count), 1));
}

Test(invoke, call_that_asks_to_be_called_again_has_failed)
{
    pool_each(ask_in);
}

static int invoke_nothing(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_invoke(self, NULL, 0) == TENON_OK &&
                   tenon_invoke(self, NULL, 3) == TENON_EINVAL
               ? TENON_OK
               : 1;
}

Test(invoke, no_array_is_refused_unless_nothing_is_in_it)
{
    tenon_executor *executor = pool_create(1);

    must_run(executor, invoke_nothing, NULL, TENON_OK);
    pool_destroy(executor);
}
