// SPDX-License-Identifier: MIT
//
// error_test — what is known of a failure: what, where, who, in which words.

#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#include <tenon/tenon.h>

static void open_collecting(
    tenon_scope *scope, tenon_executor *executor, uint32_t max_errors)
{
    must_open_with(
        scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .name = "collector",
                .policy = TENON_POLICY_COLLECT_ALL, .max_errors = max_errors));
}

TestSuite(error, .timeout = 60);

static int line_of_failure;

static int fail_in_words(tenon_task *self, void *arg)
{
    (void)arg;
    line_of_failure = __LINE__ + 1;
    return tenon_fail(self, 44, "user %d of %s", 7, "many");
}

static void describe(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;

    open_collecting(&scope, executor, 0);
    must_spawn_with(
        &scope, fail_in_words, NULL, TENON_TASK_OPTIONS(.name = "speaker"));
    must_join(&scope, &report, TENON_ERRORS);
    const tenon_error *error = report.primary;
    cr_assert(ne(ptr, (void *)error, NULL));
    cr_expect(eq(ptr, (void *)error, (void *)report.errors));
    cr_expect(eq(str, (char *)error->domain, "app"));
    cr_expect(eq(int, error->code, 44));
    cr_expect(eq(int, (int)error->severity, (int)TENON_SEVERITY_ERROR));
    cr_expect(eq(str, (char *)error->text, "user 7 of many"));
    cr_expect(ne(ptr, strstr(error->file, "error_test.c"), NULL));
    cr_expect(eq(int, error->line, line_of_failure));
    cr_expect(eq(str, (char *)error->task_name, "speaker"));
    cr_expect(eq(str, (char *)error->scope_name, "collector"));
    cr_expect(eq(u64, error->sequence, 1));
    cr_expect(not(error->after_cancel));
    cr_expect(eq(ptr, (void *)error->children, NULL));
    cr_expect(eq(ptr, (void *)error->next, NULL));
    cr_expect(eq(ptr, (void *)error->parent, NULL));
    tenon_report_free(&report);
}

Test(error, says_what_where_and_who)
{
    pool_each(describe);
}

Test(error, is_a_bare_code_when_the_task_said_nothing)
{
    static int code = 12;
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    must_spawn(&scope, task_return, &code);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(int, report.primary->code, 12));
    cr_expect(eq(str, (char *)report.primary->domain, "app"));
    cr_expect(eq(str, (char *)report.primary->text, ""));
    cr_expect(eq(str, (char *)report.primary->file, ""));
    tenon_report_free(&report);
    pool_destroy(executor);
}

static int fail_in_domain(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_fail_in(self, "http", 404, "no such page");
}

Test(error, has_the_domain_it_was_given)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    must_spawn(&scope, fail_in_domain, NULL);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(str, (char *)report.primary->domain, "http"));
    cr_expect(eq(int, report.primary->code, 404));
    tenon_report_free(&report);
    pool_destroy(executor);
}

static int fail_twice(tenon_task *self, void *arg)
{
    (void)arg;
    tenon_fail(self, 1, "not this");
    return tenon_fail(self, 2, "but this");
}

Test(error, is_the_last_thing_said)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    must_spawn(&scope, fail_twice, NULL);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, 2));
    cr_expect(eq(str, (char *)report.primary->text, "but this"));
    tenon_report_free(&report);
    pool_destroy(executor);
}

static int say_one_return_other(tenon_task *self, void *arg)
{
    (void)arg;
    tenon_fail(self, 1, "said");
    return 2;
}

Test(error, of_another_code_than_was_said_keeps_what_was_said_as_a_child)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    must_spawn(&scope, say_one_return_other, NULL);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, 2));
    cr_expect(eq(str, (char *)report.primary->text, ""));
    cr_assert(ne(ptr, (void *)report.primary->children, NULL));
    cr_expect(eq(int, report.primary->children->code, 1));
    cr_expect(eq(str, (char *)report.primary->children->text, "said"));
    tenon_report_free(&report);
    pool_destroy(executor);
}

static int say_and_succeed(tenon_task *self, void *arg)
{
    (void)arg;
    tenon_fail(self, 1, "changed my mind");
    return TENON_OK;
}

Test(error, is_forgotten_when_the_task_returns_ok)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    must_spawn(&scope, say_and_succeed, NULL);
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.error_count, 0));
    tenon_report_free(&report);
    pool_destroy(executor);
}

static int fail_with_ok(tenon_task *self, void *arg)
{
    int *seen = arg;

    *seen = tenon_fail(self, TENON_OK, "no failure");
    return TENON_OK;
}

Test(error, with_code_zero_is_refused)
{
    tenon_executor *executor = pool_create(1);
    int seen = 0;

    must_run(executor, fail_with_ok, &seen, TENON_OK);
    cr_expect(eq(int, seen, TENON_EINVAL));
    pool_destroy(executor);
}

static int fail_at_length(tenon_task *self, void *arg)
{
    return tenon_fail(self, 1, "%s", (const char *)arg);
}

Test(error, text_is_cut_when_long)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_report report;
    char text[2000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    must_open(&scope, executor);
    must_spawn(&scope, fail_at_length, text);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(sz, strlen(report.primary->text), 511));
    cr_expect(eq(sz, strlen(report.cause.text), 127));
    tenon_report_free(&report);
    pool_destroy(executor);
}
