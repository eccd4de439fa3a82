// SPDX-License-Identifier: MIT
//
// deadline_test — an error to the outside and a cancellation to the inside, in
// time even if every worker is busy.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#include <tenon/tenon.h>

#define SOON TENON_MILLISECONDS(3)
#define AN_HOUR TENON_SECONDS(3600)

TestSuite(deadline, .timeout = 60);

static void time_out(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    uint64_t begin_ns = tenon_now_ns();

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .name = "brief", .timeout_ns = SOON));
    may_spawn(&scope, task_until_cancelled, NULL);
    must_join(&scope, &report, TENON_TIMEOUT);
    cr_expect(eq(
        u64,
        report.cancelled_count + report.dropped_count + report.rejected_count,
        1));
    cr_expect(eq(u64, report.error_count, 0));
    cr_expect(report.cancelled);
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_DEADLINE));
    cr_expect(eq(int, (int)report.cause.origin, (int)TENON_CAUSE_DEADLINE));
    cr_expect(eq(int, report.cause.code, TENON_TIMEOUT));
    cr_expect(eq(str, report.cause.scope_name, "brief"));
    cr_expect(ge(u64, report.cause.time_ns, begin_ns + SOON));
    tenon_report_free(&report);
}

Test(deadline, stops_tasks_not_before_its_time)
{
    pool_each(time_out);
}

struct cleanup {
    struct gate is_open;
    tenon_status status;
    tenon_report report;
    uint64_t deadline_ns;
};

// Opens a scope that is to end by its own deadline, when the task's has passed.
static void clean_up(const tenon_completion *completion, void *context)
{
    struct cleanup *cleanup = context;
    tenon_scope scope;

    (void)completion;
    cleanup->deadline_ns = tenon_task_deadline(tenon_current());
    cleanup->status = tenon_scope_open(
        &scope, TENON_SCOPE_OPTIONS(.timeout_ns = 2 * AN_HOUR));
    if (cleanup->status == TENON_OK) {
        tenon_status body =
            tenon_spawn(&scope, task_announce_and_sleep, &cleanup->is_open);
        cleanup->status = tenon_scope_join(&scope, body, &cleanup->report);
    }
}

static void outlive(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_handle handle;
    struct cleanup cleanup = {.status = TENON_OK};

    must_open(&scope, executor);
    cr_assert(zero(
        int, tenon_spawn_task(
                 &scope, &handle, task_ok, NULL,
                 TENON_TASK_OPTIONS(
                         .timeout_ns = AN_HOUR, .on_done = clean_up,
                         .on_done_context = &cleanup))));
    cr_assert(gate_wait(&cleanup.is_open));
    pool_move_clock(executor, clock, 2 * AN_HOUR);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(u64, cleanup.deadline_ns, TENON_NO_DEADLINE));
    cr_expect(eq(int, cleanup.status, TENON_TIMEOUT));
    cr_expect(
        eq(int, (int)cleanup.report.cause.source, (int)TENON_CAUSE_DEADLINE));
    tenon_report_free(&cleanup.report);
}

Test(deadline, of_a_task_bounds_nothing_that_is_opened_at_its_end)
{
    pool_each_clock(outlive);
}

// Twice as many tasks as workers, none of which ends by itself.
static void time_out_crowd(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .timeout_ns = SOON));
    for (int i = 0; i < 32; i++) {
        may_spawn(&scope, task_until_cancelled, NULL);
    }
    must_join(&scope, &report, TENON_TIMEOUT);
    cr_expect(eq(
        u64,
        report.cancelled_count + report.dropped_count + report.rejected_count,
        32));
    tenon_report_free(&report);
}

Test(deadline, comes_although_every_worker_is_busy)
{
    pool_each(time_out_crowd);
}

static void be_quick(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    atomic_uint count = 0;

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(.executor = executor, .timeout_ns = AN_HOUR));
    must_spawn(&scope, task_count, &count);
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 1));
    cr_expect(not(report.cancel_requested));
    tenon_report_free(&report);
}

Test(deadline, far_away_delays_nobody)
{
    pool_each(be_quick);
}

static void come_late(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    atomic_uint count = 0;

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .deadline_ns = tenon_now_ns() - 1));
    cr_expect(tenon_scope_cancelled(&scope));
    cr_expect(
        eq(int, tenon_spawn(&scope, task_count, &count), TENON_CANCELLED));
    must_join(&scope, &report, TENON_TIMEOUT);
    cr_expect(eq(uint, atomic_load(&count), 0));
    cr_expect(eq(u64, report.rejected_count, 1));
    tenon_report_free(&report);
}

Test(deadline, in_the_past_cancels_before_anything_runs)
{
    pool_each(come_late);
}

Test(deadline, in_the_past_stops_the_body)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .deadline_ns = 1));
    cr_expect(eq(
        int, tenon_scope_join(&scope, TENON_CANCELLED, NULL), TENON_TIMEOUT));
    pool_destroy(executor);
}

Test(deadline, is_the_earlier_one_of_deadline_and_timeout)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .timeout_ns = AN_HOUR,
                        .deadline_ns = tenon_now_ns() + SOON));
    may_spawn(&scope, task_until_cancelled, NULL);
    must_join(&scope, NULL, TENON_TIMEOUT);
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .timeout_ns = SOON,
                        .deadline_ns = tenon_now_ns() + AN_HOUR));
    may_spawn(&scope, task_until_cancelled, NULL);
    must_join(&scope, NULL, TENON_TIMEOUT);
    pool_destroy(executor);
}

Test(deadline, at_the_end_of_time_is_none)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    atomic_uint count = 0;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .timeout_ns = UINT64_MAX - 1,
                        .deadline_ns = UINT64_MAX));
    must_spawn(&scope, task_count, &count);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 1));
    pool_destroy(executor);
}

static void cancel_first(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    uint64_t deadline_ns = tenon_now_ns() + SOON;

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(.executor = executor, .deadline_ns = deadline_ns));
    bool is_first = tenon_scope_cancel(&scope, 1, "earlier");
    while (tenon_now_ns() < deadline_ns + SOON) {
    }
    must_join(&scope, &report, TENON_OK);
    cr_expect(
        eq(int, (int)report.cause.source,
           is_first ? (int)TENON_CAUSE_EXPLICIT : (int)TENON_CAUSE_DEADLINE));
    tenon_report_free(&report);
}

Test(deadline, after_a_cancel_changes_nothing)
{
    pool_each(cancel_first);
}

static void open_many(tenon_executor *executor)
{
    tenon_scope scope;

    for (int i = 0; i < 10000; i++) {
        must_open_with(
            &scope,
            TENON_SCOPE_OPTIONS(
                    .executor = executor, .timeout_ns = AN_HOUR - (uint64_t)i));
        must_join(&scope, NULL, TENON_OK);
    }
}

Test(deadline, of_ten_thousand_scopes_leave_nothing_behind)
{
    tenon_executor *executor = pool_create(2);

    open_many(executor);
    open_many(executor);
    pool_destroy(executor);
}

static bool is_untouched(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0xa5) {
            return false;
        }
    }
    return true;
}

Test(deadline, is_forgotten_at_the_join)
{
    enum { SCOPE_COUNT = 20 };
    static tenon_scope scopes[SCOPE_COUNT];
    tenon_executor *executor = pool_create(1);
    tenon_scope last;

    for (uint64_t i = 0; i < SCOPE_COUNT; i++) {
        must_open_with(
            &scopes[i],
            TENON_SCOPE_OPTIONS(.executor = executor, .timeout_ns = SOON + i));
        must_join(&scopes[i], NULL, TENON_OK);
    }
    memset(scopes, 0xa5, sizeof(scopes));
    must_open_with(
        &last,
        TENON_SCOPE_OPTIONS(.executor = executor, .timeout_ns = 2 * SOON));
    may_spawn(&last, task_until_cancelled, NULL);
    must_join(&last, NULL, TENON_TIMEOUT);  // all the others would be due
    cr_expect(is_untouched((const unsigned char *)scopes, sizeof(scopes)));
    pool_destroy(executor);
}

Test(deadline, may_fire_while_its_scope_closes)
{
    tenon_executor *executor = pool_create(2);
    tenon_scope scope;

    for (uint64_t i = 0; i < 2000; i++) {
        must_open_with(
            &scope, TENON_SCOPE_OPTIONS(
                            .executor = executor,
                            .timeout_ns = TENON_MICROSECONDS(i % 50)));
        tenon_status spawned = tenon_spawn(&scope, task_ok, NULL);
        tenon_status joined = tenon_scope_join(&scope, TENON_OK, NULL);
        cr_assert(spawned == TENON_OK || spawned == TENON_CANCELLED);
        cr_assert(joined == TENON_OK || joined == TENON_TIMEOUT);
    }
    pool_destroy(executor);
}
