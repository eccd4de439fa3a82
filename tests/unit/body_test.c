// SPDX-License-Identifier: MIT
//
// body_test — the owner of a scope fails like one of its tasks.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <tenon/tenon.h>

static tenon_executor *executor;
static tenon_scope scope;
static tenon_report report;

static void make_scope(void)
{
    executor = pool_create(2);
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .name = "body"));
}

static void end_executor(void)
{
    tenon_report_free(&report);
    pool_destroy(executor);
}

TestSuite(body, .init = make_scope, .fini = end_executor, .timeout = 60);

Test(body, failure_is_described_and_cancels_at_once)
{
    must_spawn(&scope, task_until_cancelled, NULL);
    cr_expect(eq(int, tenon_scope_fail(&scope, 9, "number %d", 5), 9));
    cr_expect(tenon_scope_cancelled(&scope));
    cr_assert(eq(int, tenon_scope_join(&scope, 9, &report), TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, 9));
    cr_expect(eq(str, (char *)report.primary->text, "number 5"));
    cr_expect(eq(str, (char *)report.primary->scope_name, "body"));
    cr_expect(eq(str, (char *)report.primary->task_name, ""));
    cr_expect(eq(int, report.body_status, 9));
}

Test(body, failure_stays_one_when_join_is_not_told)
{
    cr_expect(eq(int, tenon_scope_fail(&scope, 9, "told before"), 9));
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, 9));
}

Test(body, second_failure_is_another_error)
{
    cr_expect(eq(int, tenon_scope_fail(&scope, 9, "first"), 9));
    cr_expect(eq(int, tenon_scope_fail(&scope, 10, "second"), 10));
    cr_assert(eq(int, tenon_scope_join(&scope, 10, &report), TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 2));
    cr_expect(eq(int, report.primary->code, 9));
    cr_expect(report.errors->next->after_cancel);
}

Test(body, failure_that_join_is_told_later_stays_one)
{
    cr_expect(eq(int, tenon_scope_fail(&scope, 11, "first"), 11));
    cr_expect(eq(int, tenon_scope_fail(&scope, 12, "second"), 12));
    cr_expect(eq(int, tenon_scope_join(&scope, 11, &report), TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 2));
    cr_expect(eq(int, report.body_status, 11));
    tenon_report_free(&report);
}

Test(body, failure_is_its_status_though_join_is_not_told)
{
    cr_expect(eq(int, tenon_scope_fail(&scope, 9, "nine"), 9));
    cr_expect(
        eq(int, tenon_scope_join(&scope, TENON_OK, &report), TENON_ERRORS));
    cr_expect(eq(int, report.body_status, 9));
    tenon_report_free(&report);
}

Test(body, failure_with_code_zero_is_refused)
{
    cr_expect(eq(int, tenon_scope_fail(&scope, TENON_OK, "no"), TENON_EINVAL));
    must_join(&scope, &report, TENON_OK);
}

static void *fail_from_thread(void *arg)
{
    int *seen = arg;

    *seen = tenon_scope_fail(&scope, 3, "not mine");
    return NULL;
}

static int fail_from_task(tenon_task *self, void *arg)
{
    (void)self;
    fail_from_thread(arg);
    return TENON_OK;
}

Test(body, failure_from_anybody_else_is_refused)
{
    pthread_t thread;
    int from_thread = 0;
    int from_task = 0;

    pthread_create(&thread, NULL, fail_from_thread, &from_thread);
    pthread_join(thread, NULL);
    must_spawn(&scope, fail_from_task, &from_task);
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(int, from_thread, TENON_EPERM));
    cr_expect(eq(int, from_task, TENON_EPERM));
}

Test(body, failure_after_join_is_refused)
{
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(int, tenon_scope_fail(&scope, 3, "late"), TENON_ECLOSED));
}

Test(body, and_task_may_both_fail)
{
    static int code = 4;

    must_spawn(&scope, task_return, &code);
    cr_assert(task_await_scope_cancel(&scope));
    cr_assert(eq(int, tenon_scope_join(&scope, 8, &report), TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 2));
    cr_expect(eq(u64, report.failed_count, 1));
    cr_expect(eq(int, report.primary->code, 4));
    cr_expect(eq(int, report.errors->next->code, 8));
    cr_expect(report.errors->next->after_cancel);
}
