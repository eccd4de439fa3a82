// SPDX-License-Identifier: MIT
//
// ledger_test — which errors a scope keeps, which one is primary,
// and whom they stop.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
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

TestSuite(ledger, .timeout = 60);

static int fail_in_words(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_fail(self, 44, "user %d of %s", 7, "many");
}

// --- fail-fast and collect-all ---

static void fail_fast(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .name = "fast"));
    must_spawn(&scope, task_until_cancelled, NULL);
    must_spawn_with(
        &scope, fail_in_words, NULL, TENON_TASK_OPTIONS(.name = "speaker"));
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.failed_count, 1));
    cr_expect(eq(u64, report.cancelled_count + report.dropped_count, 1));
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_FAILURE));
    cr_expect(eq(int, report.cause.code, 44));
    cr_expect(eq(u64, report.cause.sequence, report.primary->sequence));
    cr_expect(eq(str, report.cause.task_name, "speaker"));
    cr_expect(eq(str, report.cause.scope_name, "fast"));
    cr_expect(eq(str, report.cause.text, "user 7 of many"));
    cr_expect(not(report.primary->after_cancel));
    tenon_report_free(&report);
}

Test(ledger, cancels_the_others_when_the_scope_fails_fast)
{
    pool_each_parallel(fail_fast);
}

struct told {
    atomic_uint kept_count;
    atomic_uint unkept_count;
};

static void note_error(const tenon_completion *completion, void *context)
{
    struct told *told = context;

    if (completion->error == NULL) {
        atomic_fetch_add(&told->unkept_count, 1);
    } else if (completion->error->task_id == completion->id) {
        atomic_fetch_add(&told->kept_count, 1);
    }
}

static void tell_errors(tenon_executor *executor)
{
    static int code = 3;
    tenon_scope scope;
    tenon_report report;
    struct told told = {.kept_count = 0};

    open_collecting(&scope, executor, 4);
    for (uint64_t i = 1; i <= 10; i++) {
        must_spawn_with(
            &scope, task_return, &code,
            TENON_TASK_OPTIONS(
                    .id = i, .on_done = note_error, .on_done_context = &told));
    }
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(sz, report.kept_count, 4));
    cr_expect(eq(uint, atomic_load(&told.kept_count), 4));
    cr_expect(eq(uint, atomic_load(&told.unkept_count), 6));
    tenon_report_free(&report);
}

Test(ledger, tells_the_done_callback_the_error_if_it_keeps_it)
{
    pool_each_parallel(tell_errors);
}

static void collect(tenon_executor *executor)
{
    static int code = 3;
    tenon_scope scope;
    tenon_report report;
    struct task_step step = {.status = TENON_OK};

    open_collecting(&scope, executor, 0);
    must_spawn(&scope, task_return, &code);
    must_spawn(&scope, task_step, &step);
    cr_assert(gate_wait(&step.started));
    gate_open(&step.may_end);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.failed_count, 1));
    cr_expect(eq(u64, report.ok_count, 1));
    cr_expect(not(report.cancel_requested));
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_NONE));
    tenon_report_free(&report);
}

Test(ledger, stops_nobody_when_the_scope_collects_all)
{
    pool_each(collect);
}

struct late_failure {
    struct gate started;
    int code;
};

static int fail_when_asked_to_stop(tenon_task *self, void *arg)
{
    struct late_failure *late = arg;

    gate_open(&late->started);
    return task_await_cancel(self) ? late->code : TASK_IN_VAIN;
}

static void fail_late(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct late_failure late = {.code = 21};

    must_open(&scope, executor);
    must_spawn(&scope, fail_when_asked_to_stop, &late);
    cr_assert(gate_wait(&late.started));
    tenon_scope_cancel(&scope, 1, "stop");
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(report.primary->after_cancel);
    cr_expect(eq(int, report.primary->code, 21));
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_EXPLICIT));
    tenon_report_free(&report);
}

Test(ledger, after_a_cancel_is_kept_and_flagged)
{
    pool_each(fail_late);
}

// --- which are kept, and which one is primary ---

static void fail_often(tenon_executor *executor)
{
    static int code = 3;
    tenon_scope scope;
    tenon_report report;

    open_collecting(&scope, executor, 5);
    for (int i = 0; i < 300; i++) {
        must_spawn(&scope, task_return, &code);
    }
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.error_count, 300));
    cr_expect(eq(u64, report.failed_count, 300));
    cr_expect(eq(sz, report.kept_count, 5));
    const tenon_error *error = report.errors;
    for (uint64_t i = 1; i <= 5; i++, error = error->next) {
        cr_assert(ne(ptr, (void *)error, NULL));
        cr_expect(eq(u64, error->sequence, i));
    }
    cr_expect(eq(ptr, (void *)error, NULL));
    cr_expect(eq(ptr, (void *)report.primary, (void *)report.errors));
    tenon_report_free(&report);
}

Test(ledger, beyond_the_first_few_is_counted_only)
{
    pool_each(fail_often);
}

static void fail_often_unless_said(tenon_executor *executor)
{
    static int code = 3;
    tenon_scope scope;
    tenon_report report;

    open_collecting(&scope, executor, 0);
    for (int i = 0; i < 40; i++) {
        must_spawn(&scope, task_return, &code);
    }
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.error_count, 40));
    cr_expect(eq(sz, report.kept_count, 16));
    tenon_report_free(&report);
}

Test(ledger, keeps_sixteen_unless_said)
{
    pool_each(fail_often_unless_said);
}

static void push_gate(void *gate)
{
    gate_open(gate);
}

// Three fail before the body does; the list has room for two.
Test(ledger, that_won_the_cancel_is_primary_and_kept_beyond_the_limit)
{
    tenon_executor *executor = pool_create(1);
    static int codes[] = {1, 2, 3};
    tenon_scope scope;
    tenon_report report;

    open_collecting(&scope, executor, 2);
    for (int i = 0; i < 3; i++) {
        struct gate ended = {0};
        must_spawn(&scope, task_return, &codes[i]);
        must_spawn_with(
            &scope, task_ok, &ended,
            TENON_TASK_OPTIONS(.destroy_arg = push_gate));
        cr_assert(gate_wait(&ended));
    }
    cr_expect(eq(int, tenon_scope_fail(&scope, 9, "the body"), 9));
    cr_assert(eq(int, tenon_scope_join(&scope, 9, &report), TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 4));
    cr_expect(eq(sz, report.kept_count, 3));
    cr_expect(eq(int, report.primary->code, 9));
    cr_expect(eq(u64, report.primary->sequence, 4));
    cr_expect(eq(u64, report.cause.sequence, 4));
    cr_expect(eq(u64, report.errors->sequence, 1));
    tenon_report_free(&report);
    pool_destroy(executor);
}

static int fail_fatally(tenon_task *self, void *arg)
{
    struct late_failure *late = arg;

    gate_open(&late->started);
    if (late->code == 0 && !task_await_cancel(self)) {
        return TASK_IN_VAIN;
    }
    return tenon_fail_fatal(self, 66, "fatal");
}

static void fail_with_fatal(tenon_executor *executor)
{
    static int code = 3;
    tenon_scope scope;
    tenon_report report;
    struct late_failure fatal = {.code = 0};

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .max_errors = 1));
    must_spawn(&scope, fail_fatally, &fatal);
    cr_assert(gate_wait(&fatal.started));
    must_spawn(&scope, task_return, &code);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.error_count, 2));
    cr_expect(eq(sz, report.kept_count, 2));
    cr_expect(eq(int, report.primary->code, 66));
    cr_expect(
        eq(int, (int)report.primary->severity, (int)TENON_SEVERITY_FATAL));
    cr_expect(report.primary->after_cancel);
    cr_expect(eq(int, report.errors->code, 3));
    cr_expect(eq(int, report.cause.code, 3));
    tenon_report_free(&report);
}

Test(ledger, fatal_one_is_primary_and_kept_beyond_the_limit)
{
    pool_each_parallel(fail_with_fatal);
}
