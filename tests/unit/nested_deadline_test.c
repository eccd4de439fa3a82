// SPDX-License-Identifier: MIT
//
// nested_deadline_test — deadlines of scopes inside scopes: outermost first,
// and never upwards.

#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

#define SOON TENON_MILLISECONDS(3)
#define AN_HOUR TENON_SECONDS(3600)

TestSuite(nested_deadline, .timeout = 60);

struct nest {
    uint64_t outer_ns;  // deadlines; 0: none
    uint64_t inner_ns;
    bool is_late;   // the inner one opens when its deadline has come
    bool forgives;  // the owner returns TENON_OK whatever the inner one did
    tenon_status outer;
    tenon_report inner;
};

static int open_inner(tenon_task *self, void *arg)
{
    struct nest *nest = arg;
    tenon_scope inner;

    (void)self;
    while (nest->is_late && tenon_now_ns() < nest->inner_ns) {
    }
    tenon_status status = tenon_scope_open(
        &inner,
        TENON_SCOPE_OPTIONS(.name = "inner", .deadline_ns = nest->inner_ns));
    if (status != TENON_OK) {
        return status;
    }
    bool was_cancelled = task_await_scope_cancel(&inner);
    status = tenon_scope_join(&inner, TENON_CANCELLED, &nest->inner);
    if (!was_cancelled) {
        return TASK_IN_VAIN;
    }
    return nest->forgives ? TENON_OK : status;
}

// Both scopes in one task, so that the inner one opens in any case.
static int open_outer(tenon_task *self, void *arg)
{
    struct nest *nest = arg;
    tenon_scope outer;

    tenon_status status = tenon_scope_open(
        &outer,
        TENON_SCOPE_OPTIONS(.name = "outer", .deadline_ns = nest->outer_ns));
    if (status != TENON_OK) {
        return status;
    }
    status = open_inner(self, nest);
    nest->outer = tenon_scope_join(
        &outer, status == TASK_IN_VAIN ? status : TENON_CANCELLED, NULL);
    return TENON_OK;
}

static void expect_outermost_first(const struct nest *nest)
{
    cr_expect(eq(int, nest->inner.status, TENON_CANCELLED));
    cr_expect(eq(int, (int)nest->inner.cause.source, (int)TENON_CAUSE_PARENT));
    cr_expect(
        eq(int, (int)nest->inner.cause.origin, (int)TENON_CAUSE_DEADLINE));
    cr_expect(eq(str, (char *)nest->inner.cause.scope_name, "outer"));
    cr_expect(eq(int, nest->outer, TENON_TIMEOUT));
}

static void fire_equal(tenon_executor *executor)
{
    for (int i = 0; i < 10; i++) {
        uint64_t deadline_ns = tenon_now_ns() + SOON;
        struct nest nest = {.outer_ns = deadline_ns, .inner_ns = deadline_ns};
        must_run(executor, open_outer, &nest, TENON_OK);
        expect_outermost_first(&nest);
    }
}

Test(nested_deadline, of_the_outermost_scope_comes_first_at_equal_times)
{
    pool_each(fire_equal);
}

static void fire_equal_late(tenon_executor *executor)
{
    for (int i = 0; i < 10; i++) {
        uint64_t deadline_ns = tenon_now_ns() + SOON;
        struct nest nest = {
            .outer_ns = deadline_ns, .inner_ns = deadline_ns, .is_late = true};
        must_run(executor, open_outer, &nest, TENON_OK);
        expect_outermost_first(&nest);
    }
}

Test(
    nested_deadline, of_the_outermost_scope_comes_first_for_one_opened_too_late)
{
    pool_each(fire_equal_late);
}

static void fire_outer(tenon_executor *executor)
{
    struct nest nest = {
        .outer_ns = tenon_now_ns() + SOON,
        .inner_ns = tenon_now_ns() + AN_HOUR,
    };

    must_run(executor, open_outer, &nest, TENON_OK);
    expect_outermost_first(&nest);
}

Test(nested_deadline, of_an_outer_scope_cancels_the_inner_one)
{
    pool_each(fire_outer);
}

static void fire_inner(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct nest nest = {.inner_ns = tenon_now_ns() + SOON};

    must_open(&scope, executor);
    must_spawn(&scope, open_inner, &nest);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(int, nest.inner.status, TENON_TIMEOUT));
    cr_expect(eq(u64, report.failed_count, 1));
    cr_expect(eq(int, report.primary->code, TENON_TIMEOUT));
    cr_expect(eq(str, (char *)report.primary->domain, "tenon"));
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_FAILURE));
    tenon_report_free(&report);
}

Test(
    nested_deadline, of_an_inner_scope_is_a_failure_of_the_task_that_returns_it)
{
    pool_each(fire_inner);
}

static void forgive_inner(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct nest nest = {.inner_ns = tenon_now_ns() + SOON, .forgives = true};

    must_open(&scope, executor);
    must_spawn(&scope, open_inner, &nest);
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(int, nest.inner.status, TENON_TIMEOUT));
    cr_expect(not(report.cancel_requested));
    cr_expect(eq(u64, report.ok_count, 1));
    tenon_report_free(&report);
}

Test(nested_deadline, of_an_inner_scope_never_cancels_the_outer_one)
{
    pool_each(forgive_inner);
}

static int run_brief(tenon_task *self, void *arg)
{
    tenon_scope scope;

    (void)self;
    (void)arg;
    tenon_status status = tenon_scope_open(
        &scope, TENON_SCOPE_OPTIONS(.timeout_ns = TENON_MILLISECONDS(1)));
    if (status == TENON_OK) {
        tenon_status spawned = tenon_spawn(&scope, task_until_cancelled, NULL);
        tenon_status joined = tenon_scope_join(&scope, TENON_OK, NULL);
        bool is_right = spawned == TENON_OK || spawned == TENON_CANCELLED;
        status = is_right && joined == TENON_TIMEOUT ? TENON_OK : 1;
    }
    return status;
}

static void run_many_brief(tenon_executor *executor)
{
    tenon_scope scope;

    must_open(&scope, executor);
    for (int i = 0; i < 20; i++) {
        must_spawn(&scope, run_brief, NULL);
    }
    must_join(&scope, NULL, TENON_OK);
}

Test(nested_deadline, of_many_scopes_at_a_time_come_all)
{
    pool_each(run_many_brief);
}
