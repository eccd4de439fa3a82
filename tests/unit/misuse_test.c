// SPDX-License-Identifier: MIT
//
// misuse_test — what is done wrong gets a code; it never hangs.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

TestSuite(misuse, .timeout = 30);

// --- join ---

static void join_twice(tenon_executor *executor)
{
    static int code = 5;
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    must_spawn(&scope, task_return, &code);
    must_join(&scope, &report, TENON_ERRORS);
    must_join(&scope, &report, TENON_EALREADY);
    cr_expect(eq(int, report.primary->code, 5));
    tenon_report_free(&report);
}

Test(misuse, second_join_is_refused_and_the_first_result_stays)
{
    pool_each(join_twice);
}

struct intruder {
    tenon_scope *scope;
    tenon_status status;
};

static void *join_from_thread(void *arg)
{
    struct intruder *intruder = arg;

    intruder->status = tenon_scope_join(intruder->scope, TENON_OK, NULL);
    return NULL;
}

static int join_from_task(tenon_task *self, void *arg)
{
    (void)self;
    join_from_thread(arg);
    return TENON_OK;
}

static void join_elsewhere(tenon_executor *executor)
{
    tenon_scope scope;
    struct intruder intruder = {.scope = &scope};
    pthread_t thread;

    must_open(&scope, executor);
    pthread_create(&thread, NULL, join_from_thread, &intruder);
    pthread_join(thread, NULL);
    cr_expect(eq(int, intruder.status, TENON_EPERM));
    must_run(executor, join_from_task, &intruder, TENON_OK);
    cr_expect(eq(int, intruder.status, TENON_EPERM));
    must_join(&scope, NULL, TENON_OK);
}

Test(misuse, join_by_another_thread_or_task_is_refused)
{
    pool_each(join_elsewhere);
}

static void join_inside(tenon_executor *executor)
{
    tenon_scope scope;
    struct intruder intruder = {.scope = &scope};

    must_open(&scope, executor);
    must_spawn(&scope, join_from_task, &intruder);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(int, intruder.status, TENON_EDEADLK));
}

Test(misuse, join_from_inside_is_refused)
{
    pool_each(join_inside);
}

static int run_join(tenon_task *self, void *arg)
{
    (void)self;
    return tenon_run(NULL, join_from_task, arg, NULL);
}

static void join_deep_inside(tenon_executor *executor)
{
    tenon_scope scope;
    struct intruder intruder = {.scope = &scope};

    must_open(&scope, executor);
    must_spawn(&scope, run_join, &intruder);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(int, intruder.status, TENON_EDEADLK));
}

Test(misuse, join_from_deep_inside_is_refused)
{
    pool_each(join_deep_inside);
}

static int join_outer_from_inner(tenon_task *self, void *arg)
{
    struct intruder *intruder = arg;
    tenon_scope outer;
    tenon_scope inner;

    (void)self;
    intruder->scope = &outer;
    if (tenon_scope_open(&outer, NULL) != TENON_OK ||
        tenon_scope_open(&inner, NULL) != TENON_OK) {
        return 1;
    }
    tenon_status status = tenon_spawn(&inner, join_from_task, intruder);
    status = tenon_scope_join(&inner, status, NULL);
    return tenon_scope_join(&outer, status, NULL);
}

static void join_beside(tenon_executor *executor)
{
    struct intruder intruder = {.status = TENON_OK};

    must_run(executor, join_outer_from_inner, &intruder, TENON_OK);
    cr_expect(eq(int, intruder.status, TENON_EDEADLK));
}

Test(misuse, join_from_a_scope_nested_by_the_same_owner_is_refused)
{
    pool_each(join_beside);
}

Test(misuse, join_of_what_was_never_opened_is_refused)
{
    tenon_scope scope = {.phase = 0};

    cr_expect(eq(int, tenon_scope_join(&scope, TENON_OK, NULL), TENON_EINVAL));
    cr_expect(eq(int, tenon_scope_join(NULL, TENON_OK, NULL), TENON_EINVAL));
}

static int open_twice(tenon_task *self, void *arg)
{
    tenon_scope scope;
    tenon_scope inner;
    tenon_status *second = arg;

    (void)self;
    if (tenon_scope_open(&scope, NULL) != TENON_OK ||
        tenon_scope_open(&inner, NULL) != TENON_OK) {
        return 1;
    }
    *second = tenon_scope_open(&scope, NULL);
    tenon_status status = tenon_scope_join(&inner, TENON_OK, NULL);
    return tenon_scope_join(&scope, status, NULL);
}

static void open_in_task(tenon_executor *executor)
{
    tenon_status second = TENON_OK;

    must_run(executor, open_twice, &second, TENON_OK);
    cr_expect(eq(int, second, TENON_EALREADY));
}

static void open_roots(tenon_executor *executor)
{
    tenon_scope scopes[3];
    atomic_uint count = 0;

    for (int i = 0; i < 3; i++) {
        must_open(&scopes[i], executor);
    }
    for (int i = 0; i < 3; i++) {
        cr_expect(
            eq(int,
               tenon_scope_open(
                   &scopes[i], TENON_SCOPE_OPTIONS(.executor = executor)),
               TENON_EALREADY));
        must_spawn(&scopes[i], task_count, &count);
    }
    must_join(&scopes[1], NULL, TENON_OK);
    must_open(&scopes[1], executor);
    must_join(&scopes[2], NULL, TENON_OK);
    must_join(&scopes[0], NULL, TENON_OK);
    must_join(&scopes[1], NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 3));
}

Test(misuse, open_of_an_open_root_scope_is_refused)
{
    pool_each(open_roots);
}

Test(misuse, open_of_an_open_scope_is_refused)
{
    pool_each(open_in_task);
}

// --- nesting ---

struct disorder {
    tenon_status outer;
    tenon_status inner;
    tenon_report report;
    struct gate started;
    bool had_task_ended;
    tenon_scope *lost;
};

static int end_on_cancel(tenon_task *self, void *arg)
{
    struct disorder *disorder = arg;

    gate_open(&disorder->started);
    bool was_cancelled = task_await_cancel(self);
    disorder->had_task_ended = true;
    return was_cancelled ? TENON_CANCELLED : TASK_IN_VAIN;
}

static int join_outer_first(tenon_task *self, void *arg)
{
    struct disorder *disorder = arg;
    tenon_scope outer;
    tenon_scope inner;

    (void)self;
    if (tenon_scope_open(&outer, TENON_SCOPE_OPTIONS(.name = "box")) != 0 ||
        tenon_scope_open(&inner, TENON_SCOPE_OPTIONS(.name = "lid")) != 0 ||
        tenon_spawn(&inner, end_on_cancel, disorder) != TENON_OK) {
        return 1;
    }
    disorder->outer = tenon_scope_join(&outer, TENON_OK, &disorder->report);
    disorder->inner = tenon_scope_join(&inner, TENON_OK, NULL);
    return TENON_OK;
}

static void join_out_of_order(tenon_executor *executor)
{
    struct disorder disorder = {.outer = TENON_OK};

    must_run(executor, join_outer_first, &disorder, TENON_OK);
    cr_expect(eq(int, disorder.outer, TENON_ERRORS));
    cr_expect(eq(int, disorder.inner, TENON_EALREADY));
    cr_expect(
        eq(int, disorder.had_task_ended, gate_is_open(&disorder.started)));
    const tenon_error *error = disorder.report.primary;
    cr_assert(ne(ptr, (void *)error, NULL));
    cr_expect(eq(int, error->code, TENON_ESTRUCT));
    cr_expect(eq(str, (char *)error->domain, "tenon"));
    cr_expect(ne(ptr, strstr(error->text, "box"), NULL));
    cr_expect(ne(ptr, strstr(error->text, "lid"), NULL));
    tenon_report_free(&disorder.report);
}

Test(misuse, join_with_an_inner_scope_open_joins_both_and_says_so)
{
    pool_each(join_out_of_order);
}

static int leave_open(tenon_task *self, void *arg)
{
    struct disorder *disorder = arg;

    (void)self;
    disorder->lost = malloc(sizeof(*disorder->lost));
    tenon_status status =
        tenon_scope_open(disorder->lost, TENON_SCOPE_OPTIONS(.name = "lid"));
    if (status == TENON_OK) {
        disorder->inner = tenon_spawn(disorder->lost, end_on_cancel, disorder);
    }
    return status;
}

// The scope's storage is on the heap, so that it can still be closed.
static void leave_scope_open(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct disorder disorder = {.inner = 77};

    must_open(&scope, executor);
    must_spawn_with(
        &scope, leave_open, &disorder, TENON_TASK_OPTIONS(.name = "box"));
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(int, disorder.inner, TENON_OK));
    cr_expect(
        eq(int, disorder.had_task_ended, gate_is_open(&disorder.started)));
    cr_expect(eq(u64, report.failed_count, 1));
    cr_expect(eq(int, report.primary->code, TENON_ESTRUCT));
    cr_expect(eq(str, (char *)report.primary->domain, "tenon"));
    cr_expect(ne(ptr, strstr(report.primary->text, "box"), NULL));
    cr_expect(ne(ptr, strstr(report.primary->text, "lid"), NULL));
    tenon_report_free(&report);
    free(disorder.lost);
}

Test(misuse, task_that_leaves_a_scope_open_has_failed)
{
    pool_each(leave_scope_open);
}

static int fork_leaver(tenon_task *self, void *arg)
{
    tenon_task child;

    tenon_fork(self, &child, leave_open, arg);
    tenon_status status = tenon_join(self, &child);
    return status == TENON_ESTRUCT ? status : 1;
}

static void leave_open_in_fork(tenon_executor *executor)
{
    tenon_report report;
    struct disorder disorder = {.inner = 77};

    cr_assert(
        eq(int, tenon_run(executor, fork_leaver, &disorder, &report),
           TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, TENON_ESTRUCT));
    tenon_report_free(&report);
    free(disorder.lost);
}

Test(misuse, forked_child_that_leaves_a_scope_open_has_failed)
{
    pool_each(leave_open_in_fork);
}

// --- retry ---

static int fail_always(tenon_task *self, void *arg)
{
    return tenon_fail(self, *(int *)arg, "as ever");
}

static int retry_in_fork(tenon_task *self, void *arg)
{
    tenon_retry retry = {.attempt_count = 0};

    return tenon_retry_attempt(self, &retry, fail_always, arg, NULL);
}

static int fork_retrier(tenon_task *self, void *arg)
{
    tenon_task child;

    tenon_fork(self, &child, retry_in_fork, arg);
    return tenon_join(self, &child);
}

static void retry_forked(tenon_executor *executor)
{
    int code = 5;
    tenon_report report;

    cr_expect(eq(
        int, tenon_run(executor, fork_retrier, &code, &report), TENON_ERRORS));
    cr_expect(eq(int, report.primary->code, 5));
    cr_expect(
        eq(str, (char *)report.primary->text,
           "gave up after 1 attempt: TENON_EPERM"));
    tenon_report_free(&report);
}

Test(misuse, forked_child_that_wants_to_retry_gives_up)
{
    pool_each(retry_forked);
}

static void *join_late(void *arg)
{
    return (void *)(intptr_t)tenon_scope_join(arg, TENON_OK, NULL);
}

// Nothing of the executor may be looked at then.
Test(misuse, join_of_a_joined_scope_whose_executor_is_gone_is_refused)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    pthread_t thread;
    void *status = NULL;

    must_open(&scope, executor);
    must_join(&scope, NULL, TENON_OK);
    pool_destroy(executor);
    cr_assert(zero(int, pthread_create(&thread, NULL, join_late, &scope)));
    cr_assert(zero(int, pthread_join(thread, &status)));
    cr_expect(eq(int, (int)(intptr_t)status, TENON_EPERM));
}
