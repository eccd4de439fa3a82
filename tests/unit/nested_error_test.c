// SPDX-License-Identifier: MIT
//
// nested_error_test — errors of inner scopes travel up as children, unless
// somebody took their report.

#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#include <tenon/tenon.h>

// A task that opens an inner scope in which `failure_count` tasks fail.
struct inner {
    const char *name;
    int failure_count;
    uint32_t max_errors;
    bool takes_report;
    int own_code;  // returned in place of the join status; 0: that status
};

static int fail_inside(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_fail(self, 5, "deep down");
}

static int run_inner(tenon_task *self, void *arg)
{
    struct inner *inner = arg;
    tenon_scope scope;
    tenon_report report = {.status = TENON_OK};

    (void)self;
    tenon_status status = tenon_scope_open(
        &scope, TENON_SCOPE_OPTIONS(
                        .name = inner->name, .policy = TENON_POLICY_COLLECT_ALL,
                        .max_errors = inner->max_errors));
    for (int i = 0; i < inner->failure_count && status == TENON_OK; i++) {
        status = tenon_spawn_with(
            &scope, fail_inside, NULL, TENON_TASK_OPTIONS(.name = "digger"));
    }
    status =
        tenon_scope_join(&scope, status, inner->takes_report ? &report : NULL);
    tenon_report_free(&report);
    return inner->own_code != 0 ? inner->own_code : status;
}

TestSuite(nested_error, .timeout = 60);

static void travel_up(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct inner inner = {.name = "inner", .failure_count = 3};

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .name = "outer"));
    must_spawn_with(
        &scope, run_inner, &inner, TENON_TASK_OPTIONS(.name = "owner"));
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.error_count, 1));
    const tenon_error *error = report.primary;
    cr_expect(eq(int, error->code, TENON_ERRORS));
    cr_expect(eq(str, (char *)error->domain, "tenon"));
    cr_expect(eq(str, (char *)error->task_name, "owner"));
    cr_expect(eq(str, (char *)error->scope_name, "outer"));
    const tenon_error *child = error->children;
    for (uint64_t i = 1; i <= 3; i++, child = child->next) {
        cr_assert(ne(ptr, (void *)child, NULL));
        cr_expect(eq(u64, child->sequence, i));
        cr_expect(eq(int, child->code, 5));
        cr_expect(eq(str, (char *)child->text, "deep down"));
        cr_expect(eq(str, (char *)child->task_name, "digger"));
        cr_expect(eq(str, (char *)child->scope_name, "inner"));
        cr_expect(eq(ptr, (void *)child->parent, (void *)error));
    }
    cr_expect(eq(ptr, (void *)child, NULL));
    cr_expect(eq(u64, error->children_dropped_count, 0));
    tenon_report_free(&report);
}

Test(nested_error, is_a_child_of_the_error_of_the_task_around_it)
{
    pool_each(travel_up);
}

static void travel_counted(tenon_executor *executor)
{
    tenon_report report;
    struct inner inner = {
        .name = "inner", .failure_count = 10, .max_errors = 2};

    cr_assert(
        eq(int, tenon_run(executor, run_inner, &inner, &report), TENON_ERRORS));
    cr_expect(eq(u64, report.primary->children_dropped_count, 8));
    cr_assert(ne(ptr, (void *)report.primary->children, NULL));
    cr_assert(ne(ptr, (void *)report.primary->children->next, NULL));
    cr_expect(eq(ptr, (void *)report.primary->children->next->next, NULL));
    tenon_report_free(&report);
}

Test(nested_error, not_kept_is_counted_on_the_way_up)
{
    pool_each(travel_counted);
}

Test(nested_error, stays_with_a_report_that_was_taken)
{
    tenon_executor *executor = pool_create(2);
    tenon_report report;
    struct inner inner = {
        .name = "inner", .failure_count = 2, .takes_report = true};

    cr_assert(
        eq(int, tenon_run(executor, run_inner, &inner, &report), TENON_ERRORS));
    cr_expect(eq(int, report.primary->code, TENON_ERRORS));
    cr_expect(eq(ptr, (void *)report.primary->children, NULL));
    tenon_report_free(&report);
    pool_destroy(executor);
}

Test(nested_error, goes_below_whatever_code_the_task_returns)
{
    tenon_executor *executor = pool_create(2);
    tenon_report report;
    struct inner inner = {.name = "inner", .failure_count = 1, .own_code = 70};

    cr_assert(
        eq(int, tenon_run(executor, run_inner, &inner, &report), TENON_ERRORS));
    cr_expect(eq(int, report.primary->code, 70));
    cr_assert(ne(ptr, (void *)report.primary->children, NULL));
    cr_expect(eq(int, report.primary->children->code, 5));
    tenon_report_free(&report);
    pool_destroy(executor);
}

static int explain_inner(tenon_task *self, void *arg)
{
    run_inner(self, arg);
    return tenon_fail(self, 71, "in my own words");
}

Test(nested_error, goes_below_what_the_task_says_of_it)
{
    tenon_executor *executor = pool_create(2);
    tenon_report report;
    struct inner inner = {.name = "inner", .failure_count = 1};

    cr_assert(
        eq(int, tenon_run(executor, explain_inner, &inner, &report),
           TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, 71));
    cr_expect(eq(str, (char *)report.primary->text, "in my own words"));
    cr_assert(ne(ptr, (void *)report.primary->children, NULL));
    cr_expect(eq(int, report.primary->children->code, 5));
    tenon_report_free(&report);
    pool_destroy(executor);
}

static int forgive_inner(tenon_task *self, void *arg)
{
    run_inner(self, arg);
    return TENON_OK;
}

Test(nested_error, is_gone_when_the_task_returns_ok)
{
    tenon_executor *executor = pool_create(2);
    tenon_report report;
    struct inner inner = {.name = "inner", .failure_count = 1};

    cr_assert(
        eq(int, tenon_run(executor, forgive_inner, &inner, &report), TENON_OK));
    cr_expect(eq(u64, report.error_count, 0));
    tenon_report_free(&report);
    pool_destroy(executor);
}

static int run_two_inner(tenon_task *self, void *arg)
{
    struct inner *inner = arg;

    run_inner(self, &inner[0]);
    return run_inner(self, &inner[1]);
}

Test(nested_error, of_several_inner_scopes_goes_below_one)
{
    tenon_executor *executor = pool_create(2);
    tenon_report report;
    struct inner inner[] = {
        {.name = "first", .failure_count = 3, .max_errors = 1},
        {.name = "second", .failure_count = 4, .max_errors = 1},
    };

    cr_assert(eq(
        int, tenon_run(executor, run_two_inner, inner, &report), TENON_ERRORS));
    const tenon_error *child = report.primary->children;
    cr_assert(ne(ptr, (void *)child, NULL));
    cr_expect(eq(str, (char *)child->scope_name, "first"));
    cr_assert(ne(ptr, (void *)child->next, NULL));
    cr_expect(eq(str, (char *)child->next->scope_name, "second"));
    cr_expect(eq(u64, report.primary->children_dropped_count, 5));
    tenon_report_free(&report);
    pool_destroy(executor);
}

static int run_many_inner(tenon_task *self, void *arg)
{
    for (int i = 0; i < 1000; i++) {
        run_inner(self, arg);
    }
    return 1;
}

static uint64_t kept_children(const tenon_error *error)
{
    uint64_t count = 0;

    for (error = error->children; error != NULL; error = error->next) {
        count++;
    }
    return count;
}

// A long-lived task need not hoard the errors of all scopes it ever had.
Test(nested_error, list_of_a_task_with_many_inner_scopes_is_bounded)
{
    tenon_executor *executor = pool_create(2);
    tenon_report report;
    struct inner inner = {.name = "inner", .failure_count = 1};

    cr_assert(
        eq(int, tenon_run(executor, run_many_inner, &inner, &report),
           TENON_ERRORS));
    uint64_t kept_count = kept_children(report.primary);
    cr_expect(
        eq(u64, kept_count + report.primary->children_dropped_count, 1000));
    cr_expect(le(u64, kept_count, 100));
    tenon_report_free(&report);
    pool_destroy(executor);
}
