// SPDX-License-Identifier: MIT
//
// block_test — TENON_SCOPE joins on every way out of its block.

#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#include <tenon/tenon.h>

static tenon_executor *executor;
static atomic_uint count;
static tenon_status status;
static tenon_report report;

static void make_executor(void)
{
    executor = pool_create(2);
    status = 77;
}

static void end_executor(void)
{
    tenon_report_free(&report);
    pool_destroy(executor);
}

// The scope is joined: all ran, and the executor has no open scope.
static void expect_joined(unsigned expected_count)
{
    tenon_executor_info info = {.struct_size = sizeof(info)};

    cr_expect(eq(uint, atomic_load(&count), expected_count));
    cr_assert(eq(int, tenon_executor_info_get(executor, &info), TENON_OK));
    cr_expect(eq(u32, info.scope_count, 0));
}

TestSuite(block, .init = make_executor, .fini = end_executor, .timeout = 30);

Test(block, joins_at_its_end)
{
    TENON_SCOPE(
        scope, .executor = executor, .status = &status, .report = &report)
    {
        for (int i = 0; i < 10; i++) {
            must_spawn(&scope, task_count, &count);
        }
    }
    expect_joined(10);
    cr_expect(eq(int, status, TENON_OK));
    cr_expect(eq(u64, report.spawned_count, 10));
}

Test(block, runs_once)
{
    int run_count = 0;

    TENON_SCOPE(scope, .executor = executor)
    {
        run_count++;
        must_spawn(&scope, task_count, &count);
    }
    cr_expect(eq(int, run_count, 1));
    expect_joined(1);
}

Test(block, joins_on_break)
{
    TENON_SCOPE(scope, .executor = executor, .status = &status)
    {
        must_spawn(&scope, task_count, &count);
        break;
    }
    expect_joined(1);
    cr_expect(eq(int, status, TENON_OK));
}

Test(block, joins_on_continue)
{
    TENON_SCOPE(scope, .executor = executor, .status = &status)
    {
        must_spawn(&scope, task_count, &count);
        continue;
    }
    expect_joined(1);
    cr_expect(eq(int, status, TENON_OK));
}

static int leave_by_return(void)
{
    TENON_SCOPE(scope, .executor = executor, .status = &status)
    {
        must_spawn(&scope, task_count, &count);
        return 5;
    }
    return 6;
}

Test(block, joins_on_return)
{
    cr_expect(eq(int, leave_by_return(), 5));
    expect_joined(1);
    cr_expect(eq(int, status, TENON_OK));
}

Test(block, joins_on_goto)
{
    TENON_SCOPE(scope, .executor = executor, .status = &status)
    {
        must_spawn(&scope, task_count, &count);
        goto out;
    }
    cr_fail("not reached");
out:
    expect_joined(1);
    cr_expect(eq(int, status, TENON_OK));
}

Test(block, joins_in_each_round_of_a_loop)
{
    for (int i = 0; i < 10; i++) {
        TENON_SCOPE(scope, .executor = executor)
        {
            must_spawn(&scope, task_count, &count);
            if (i % 2 == 0) {
                break;
            }
        }
        cr_assert(eq(uint, atomic_load(&count), (unsigned)i + 1));
    }
    expect_joined(10);
}

static int nest(tenon_task *self, void *arg)
{
    tenon_status outer_status = 77;
    tenon_status inner_status = 77;

    (void)self;
    (void)arg;
    TENON_SCOPE(outer, .status = &outer_status)
    {
        TENON_SCOPE(inner, .status = &inner_status)
        {
            if (tenon_spawn(&inner, task_count, &count) != TENON_OK ||
                tenon_spawn(&outer, task_count, &count) != TENON_OK) {
                return 1;
            }
            goto both_left;
        }
    }
both_left:
    return outer_status == TENON_OK && inner_status == TENON_OK ? TENON_OK : 2;
}

Test(block, inside_another_is_joined_first)
{
    must_run(executor, nest, NULL, TENON_OK);
    expect_joined(2);
}

Test(block, tells_the_status_of_the_join)
{
    static int code = 5;

    TENON_SCOPE(
        scope, .executor = executor, .status = &status, .report = &report)
    {
        must_spawn(&scope, task_return, &code);
    }
    cr_expect(eq(int, status, TENON_ERRORS));
    cr_expect(eq(int, report.primary->code, 5));
}

Test(block, fails_with_the_first_failure_of_its_body)
{
    TENON_SCOPE(
        scope, .executor = executor, .status = &status, .report = &report)
    {
        tenon_scope_set_body(&scope, TENON_OK);
        tenon_scope_set_body(&scope, 5);
        tenon_scope_set_body(&scope, 6);
        tenon_scope_set_body(&scope, TENON_OK);
    }
    cr_expect(eq(int, status, TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, 5));
}

Test(block, fails_with_what_its_body_described)
{
    TENON_SCOPE(
        scope, .executor = executor, .status = &status, .report = &report)
    {
        tenon_scope_fail(&scope, 6, "described");
        break;
    }
    cr_expect(eq(int, status, TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, 6));
    cr_expect(eq(str, (char *)report.primary->text, "described"));
}

Test(block, keeps_every_failure_of_its_body_and_the_first_as_its_status)
{
    TENON_SCOPE(scope, .executor = executor, .report = &report)
    {
        tenon_scope_set_body(&scope, 9);
        cr_expect(eq(int, tenon_scope_fail(&scope, 3, "three"), 3));
        cr_expect(eq(int, tenon_scope_fail(&scope, 4, "four"), 4));
        tenon_scope_set_body(&scope, 5);
    }
    cr_expect(eq(int, report.status, TENON_ERRORS));
    cr_expect(eq(int, report.body_status, 9));
    cr_assert(eq(u64, report.error_count, 3));
    const tenon_error *error = report.errors;
    cr_expect(eq(int, error->code, 9));
    cr_expect(eq(int, error->next->code, 3));
    cr_expect(eq(str, (char *)error->next->text, "three"));
    cr_expect(eq(int, error->next->next->code, 4));
    tenon_report_free(&report);
}

Test(block, is_skipped_when_its_scope_cannot_be_opened)
{
    bool was_inside = false;

    memset(&report, 0xff, sizeof(report));
    TENON_SCOPE(
        scope, .executor = executor, .policy = (tenon_policy)77,
        .status = &status, .report = &report)
    {
        was_inside = true;
    }
    cr_expect(not(was_inside));
    cr_expect(eq(int, status, TENON_EINVAL));
    cr_expect(eq(int, report.status, TENON_EINVAL));
    cr_expect(eq(ptr, (void *)report.errors, NULL));
    tenon_report_free(&report);
    expect_joined(0);
}

Test(block, may_be_joined_by_hand)
{
    TENON_SCOPE(scope, .executor = executor, .status = &status)
    {
        must_spawn(&scope, task_count, &count);
        must_join(&scope, NULL, TENON_OK);
        cr_expect(eq(uint, atomic_load(&count), 1));
    }
    expect_joined(1);
}

Test(block, times_out_with_its_scope)
{
    TENON_SCOPE(
        scope, .executor = executor, .status = &status,
        .timeout_ns = TENON_MILLISECONDS(1))
    {
        may_spawn(&scope, task_until_cancelled, NULL);
    }
    cr_expect(eq(int, status, TENON_TIMEOUT));
}
