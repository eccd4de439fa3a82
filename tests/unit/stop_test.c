// SPDX-License-Identifier: MIT
//
// stop_test — how tasks answer a cancel, and what their answers count as.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <tenon/tenon.h>

TestSuite(stop, .timeout = 60);

static void return_cancelled(tenon_executor *executor)
{
    static int code = TENON_CANCELLED;
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    must_spawn(&scope, task_return, &code);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.failed_count, 1));
    cr_expect(eq(u64, report.cancelled_count, 0));
    cr_expect(eq(int, report.primary->code, TENON_CANCELLED));
    cr_expect(eq(str, (char *)report.primary->domain, "tenon"));
    tenon_report_free(&report);
}

Test(stop, cancelled_without_being_asked_is_a_failure)
{
    pool_each(return_cancelled);
}

static int finish_anyway(tenon_task *self, void *arg)
{
    (void)arg;
    return task_await_cancel(self) ? TENON_OK : TASK_IN_VAIN;
}

static int announce_and_finish(tenon_task *self, void *arg)
{
    gate_open(arg);
    return finish_anyway(self, NULL);
}

static void finish_after_cancel(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct gate started = {0};

    must_open(&scope, executor);
    must_spawn(&scope, announce_and_finish, &started);
    cr_assert(gate_wait(&started));
    tenon_scope_cancel(&scope, 1, "stop");
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.ok_count, 1));
    cr_expect(eq(u64, report.cancelled_count, 0));
    cr_expect(report.cancel_requested);
    tenon_report_free(&report);
}

Test(stop, result_after_a_cancel_stands)
{
    pool_each(finish_after_cancel);
}

struct self_cancel {
    tenon_scope *scope;
    bool was_seen;
};

// It may run before its spawn has returned to its parent.
static int cancel_own_scope(tenon_task *self, void *arg)
{
    struct self_cancel *own = arg;

    tenon_scope_cancel(own->scope, 1, "from inside");
    own->was_seen = tenon_cancelled(self);
    return TENON_CANCELLED;
}

static void cancel_from_inside(tenon_executor *executor)
{
    for (int i = 0; i < 100; i++) {
        tenon_scope scope;
        tenon_report report;
        struct self_cancel own = {.scope = &scope};

        must_open(&scope, executor);
        must_spawn_with(
            &scope, cancel_own_scope, &own, TENON_TASK_OPTIONS(.name = "self"));
        must_join(&scope, &report, TENON_OK);
        cr_assert(own.was_seen);
        cr_assert(eq(u64, report.cancelled_count, 1));
        cr_assert(eq(str, report.cause.task_name, "self"));
        tenon_report_free(&report);
    }
}

Test(stop, task_may_cancel_its_own_scope)
{
    pool_each(cancel_from_inside);
}

struct stubborn {
    struct gate started;
    struct gate may_end;
    atomic_bool has_ended;
};

static int ignore_cancel(tenon_task *self, void *arg)
{
    struct stubborn *stubborn = arg;

    gate_open(&stubborn->started);
    bool was_patient = gate_wait(&stubborn->may_end);
    atomic_store(&stubborn->has_ended, true);
    return was_patient && tenon_cancelled(self) ? TENON_CANCELLED
                                                : TASK_IN_VAIN;
}

struct opener {
    pthread_t thread;
    tenon_scope_ref ref;
    struct stubborn *stubborn;
};

static void *open_later(void *arg)
{
    struct opener *opener = arg;

    gate_open(&opener->stubborn->may_end);
    tenon_scope_release(&opener->ref);
    return NULL;
}

static void wait_for_stubborn(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct stubborn stubborn = {.has_ended = false};
    struct opener opener = {.stubborn = &stubborn};

    must_open(&scope, executor);
    must_spawn(&scope, ignore_cancel, &stubborn);
    cr_assert(gate_wait(&stubborn.started));
    tenon_scope_cancel(&scope, 1, "stop");
    cr_assert(eq(int, tenon_scope_acquire(&scope, &opener.ref), TENON_OK));
    pthread_create(&opener.thread, NULL, open_later, &opener);
    must_join(&scope, &report, TENON_OK);
    cr_expect(atomic_load(&stubborn.has_ended));
    cr_expect(eq(u64, report.cancelled_count, 1));
    pthread_join(opener.thread, NULL);
    tenon_report_free(&report);
}

Test(stop, join_waits_for_a_task_that_ignores_the_cancel)
{
    pool_each(wait_for_stubborn);
}

struct waker {
    pthread_t thread;
    tenon_scope_ref ref;
    struct gate *started;
};

static void *cancel_while_joining(void *arg)
{
    struct waker *waker = arg;

    gate_wait(waker->started);
    tenon_scope_cancel(waker->ref.scope, 5, "from a thread");
    tenon_scope_release(&waker->ref);
    return NULL;
}

static void cancel_joining(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct gate started = {0};
    struct waker waker = {.started = &started};

    must_open(&scope, executor);
    cr_assert(eq(int, tenon_scope_acquire(&scope, &waker.ref), TENON_OK));
    must_spawn(&scope, task_announce_until_cancelled, &started);
    pthread_create(&waker.thread, NULL, cancel_while_joining, &waker);
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.cancelled_count, 1));
    cr_expect(eq(int, report.cause.code, 5));
    pthread_join(waker.thread, NULL);
    tenon_report_free(&report);
}

Test(stop, holder_of_a_reference_may_cancel_while_the_owner_joins)
{
    pool_each(cancel_joining);
}

// Cancel races completion: each task ends in exactly one way.
static void race_completion(tenon_executor *executor)
{
    for (int i = 0; i < 200; i++) {
        tenon_scope scope;
        tenon_report report;
        atomic_uint count = 0;

        must_open(&scope, executor);
        for (int k = 0; k < 5; k++) {
            must_spawn(&scope, task_count, &count);
        }
        tenon_scope_cancel(&scope, 1, "race");
        must_join(&scope, &report, TENON_OK);
        cr_assert(eq(u64, report.ok_count + report.dropped_count, 5));
        cr_assert(eq(u64, report.ok_count, atomic_load(&count)));
        tenon_report_free(&report);
    }
}

Test(stop, cancel_and_completion_give_one_outcome)
{
    pool_each(race_completion);
}

struct both {
    tenon_status inner_status;
    tenon_cause_source inner_source;
    bool next_poll;
};

static int fail_after_cancel(tenon_task *self, void *arg)
{
    (void)arg;
    return task_await_cancel(self) ? 6 : TASK_IN_VAIN;
}

// The outer scope is cancelled and a child of the inner one fails.
static int own_inner(tenon_task *self, void *arg)
{
    struct both *both = arg;
    tenon_scope inner;
    tenon_report report;

    if (tenon_scope_open(&inner, NULL) != TENON_OK ||
        tenon_spawn(&inner, fail_after_cancel, NULL) != TENON_OK) {
        return 1;
    }
    tenon_scope_cancel(tenon_task_scope(self), 2, "outer");
    bool was_run = task_await_scope_cancel(&inner);
    both->inner_status = tenon_scope_join(&inner, TENON_OK, &report);
    both->inner_source = report.cause.source;
    both->next_poll = tenon_cancelled(self);
    bool was_dropped = report.dropped_count == 1;
    tenon_report_free(&report);
    both->inner_status = was_dropped ? TENON_ERRORS : both->inner_status;
    return was_run ? TENON_CANCELLED : 2;
}

static void fail_inside_cancelled(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct both both = {.next_poll = false};

    must_open(&scope, executor);
    must_spawn(&scope, own_inner, &both);
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(int, both.inner_status, TENON_ERRORS));
    cr_expect(eq(int, (int)both.inner_source, (int)TENON_CAUSE_PARENT));
    cr_expect(both.next_poll);
    cr_expect(eq(u64, report.cancelled_count, 1));
    cr_expect(eq(u64, report.error_count, 0));
    tenon_report_free(&report);
}

Test(stop, failure_inside_a_cancelled_scope_is_an_error_of_the_inner_one)
{
    pool_each(fail_inside_cancelled);
}
