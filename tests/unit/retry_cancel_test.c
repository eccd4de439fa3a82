// SPDX-License-Identifier: MIT
//
// retry_cancel_test — a cancel ends it whatever it does, and is never tried
// again.

#include "gate.h"
#include "must.h"
#include "patient.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(retry_cancel, .timeout = 60);

// Everything is, but it counts who asks.
static bool is_worth_it(const tenon_report *report, void *context)
{
    (void)report;
    atomic_fetch_add((atomic_uint *)context, 1);
    return true;
}

static void cancel_waiting(tenon_executor *executor)
{
    for (int i = 0; i < 200; i++) {
        struct patient patient = {
            .options = TENON_RETRY_OPTIONS(PATIENT_NEVER),
            .fail_count = 9,
        };
        tenon_scope scope;
        tenon_report report;
        must_open(&scope, executor);
        patient_spawn(&scope, &patient);
        cr_assert(gate_wait(&patient.returned));
        tenon_scope_cancel(&scope, 1, "enough");
        must_join(&scope, &report, TENON_OK);
        patient_expect(&patient, TENON_OUTCOME_CANCELLED, TENON_CANCELLED, 1);
        cr_assert(eq(u32, patient.retry.attempt_count, 1));
        cr_assert(zero(u64, report.error_count));
        tenon_report_free(&report);
    }
}

Test(retry_cancel, cancel_while_it_waits_ends_it_at_once)
{
    pool_each(cancel_waiting);
}

static void cancel_one(tenon_executor *executor)
{
    const tenon_retry_options *options = TENON_RETRY_OPTIONS(PATIENT_NEVER);
    struct patient patients[2];
    tenon_handle handles[2];
    tenon_scope scope;

    must_open(&scope, executor);
    for (int i = 0; i < 2; i++) {
        patients[i] = (struct patient){
            .options = options,
            .fail_count = 1,
        };
        cr_assert(zero(
            int, tenon_spawn_task(
                     &scope, &handles[i], patient_try, &patients[i],
                     PATIENT_OPTIONS(&patients[i], .id = 1))));
        cr_assert(gate_wait(&patients[i].returned));
    }
    cr_expect(tenon_handle_cancel(&handles[0], 0, NULL));
    tenon_handle *first = &handles[0];
    cr_expect(zero(
        int, tenon_wait_until(&first, 1, TENON_WAIT_ALL, TENON_NO_DEADLINE)));
    cr_expect(eq(
        int, tenon_handle_outcome(&handles[1], NULL, NULL), TENON_ENOTREADY));
    tenon_handle_cancel(&handles[1], 0, NULL);
    must_join(&scope, NULL, TENON_OK);
    for (int i = 0; i < 2; i++) {
        patient_expect(
            &patients[i], TENON_OUTCOME_CANCELLED, TENON_CANCELLED, 1);
    }
}

Test(retry_cancel, cancel_of_one_that_waits_leaves_the_others)
{
    pool_each(cancel_one);
}

static int sleep_at_work(tenon_task *self, void *arg)
{
    struct patient *patient = arg;

    atomic_fetch_add(&patient->attempt_count, 1);
    return task_announce_and_sleep(self, &patient->started);
}

static int fail_when_told(tenon_task *self, void *arg)
{
    return sleep_at_work(self, arg) == TENON_CANCELLED ? PATIENT_CODE
                                                       : TASK_IN_VAIN;
}

static void cancel_attempt(tenon_executor *executor)
{
    for (int i = 0; i < 200; i++) {
        struct patient patient = {
            .options = TENON_RETRY_OPTIONS(PATIENT_AT_ONCE),
            .attempt = sleep_at_work,
        };
        tenon_scope scope;
        must_open(&scope, executor);
        patient_spawn(&scope, &patient);
        cr_assert(gate_wait(&patient.started));
        tenon_scope_cancel(&scope, 1, "enough");
        must_join(&scope, NULL, TENON_OK);
        patient_expect(&patient, TENON_OUTCOME_CANCELLED, TENON_CANCELLED, 1);
    }
}

Test(retry_cancel, attempt_that_a_cancel_has_stopped_is_not_made_again)
{
    pool_each(cancel_attempt);
}

static void fail_after_cancel(tenon_executor *executor)
{
    atomic_uint asked_count = 0;
    struct patient patient = {
        .options = TENON_RETRY_OPTIONS(
            PATIENT_AT_ONCE, .retry_if = is_worth_it, .context = &asked_count),
        .attempt = fail_when_told,
    };
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    patient_spawn(&scope, &patient);
    cr_assert(gate_wait(&patient.started));
    tenon_scope_cancel(&scope, 1, "enough");
    must_join(&scope, &report, TENON_ERRORS);
    patient_expect(&patient, TENON_OUTCOME_FAILED, PATIENT_CODE, 1);
    cr_expect(report.primary->after_cancel);
    cr_expect(
        eq(str, (char *)report.primary->text,
           "gave up after 1 attempt: cancelled"));
    cr_assert(ne(ptr, (void *)report.primary->children, NULL));
    cr_expect(eq(ptr, (void *)report.primary->children->next, NULL));
    cr_expect(zero(u32, atomic_load(&asked_count)));
    tenon_report_free(&report);
}

Test(retry_cancel, attempt_that_fails_after_a_cancel_is_a_failure_and_the_last)
{
    pool_each(fail_after_cancel);
}

static void cancel_at_any_time(tenon_executor *executor)
{
    for (unsigned i = 0; i < 200; i++) {
        struct patient patient = {
            .options = TENON_RETRY_OPTIONS(
                PATIENT_AT_ONCE, .max_attempts = TENON_NO_MAXIMUM),
            .fail_count = UINT32_MAX,
        };
        tenon_scope scope;
        must_open(&scope, executor);
        patient_spawn(&scope, &patient);
        cr_assert(gate_wait_for(&patient.returned, i % 4 + 1));
        tenon_scope_cancel(&scope, 1, "enough");
        tenon_status status = tenon_scope_join(&scope, TENON_OK, NULL);
        bool has_failed = patient.outcome == TENON_OUTCOME_FAILED;
        cr_assert(eq(int, status, has_failed ? TENON_ERRORS : TENON_OK));
        cr_assert(has_failed || patient.outcome == TENON_OUTCOME_CANCELLED);
        cr_assert(eq(u32, atomic_load(&patient.done_count), 1));
        cr_assert(eq(u32, atomic_load(&patient.destroyed_count), 1));
    }
}

Test(retry_cancel, cancel_ends_it_whatever_it_does)
{
    pool_each(cancel_at_any_time);
}

// --- an attempt that stops itself ---

static int stop_itself(tenon_task *self, void *arg)
{
    atomic_uint *count = arg;

    atomic_fetch_add(count, 1);
    tenon_scope_cancel(tenon_task_scope(self), 7, "no use");
    return TENON_CANCELLED;
}

struct quitter {
    tenon_retry retry;
    atomic_uint count;
};

static int retry_quitter(tenon_task *self, void *arg)
{
    struct quitter *quitter = arg;

    return tenon_retry_attempt(
        self, &quitter->retry, stop_itself, &quitter->count, NULL);
}

static void quit(tenon_executor *executor)
{
    struct quitter quitter = {.count = 0};

    tenon_status status = tenon_run(executor, retry_quitter, &quitter, NULL);
    cr_expect(eq(int, status, TENON_ERRORS));
    cr_expect(eq(u32, atomic_load(&quitter.count), 1));
}

Test(retry_cancel, attempt_that_stops_its_own_scope_is_no_success)
{
    pool_each(quit);
}

// --- an attempt that succeeds beside others ---

static int work_beside(tenon_task *self, void *arg)
{
    return tenon_spawn(tenon_task_scope(self), sleep_at_work, arg);
}

static void cancel_beside(tenon_executor *executor)
{
    struct patient patient = {
        .options = TENON_RETRY_OPTIONS(PATIENT_AT_ONCE),
        .attempt = work_beside,
    };
    tenon_scope scope;

    must_open(&scope, executor);
    patient_spawn(&scope, &patient);
    cr_assert(gate_wait(&patient.started));
    tenon_scope_cancel(&scope, 1, "enough");
    must_join(&scope, NULL, TENON_OK);
    patient_expect(&patient, TENON_OUTCOME_CANCELLED, TENON_CANCELLED, 1);
}

Test(retry_cancel, attempt_of_which_a_part_was_stopped_is_no_success)
{
    pool_each(cancel_beside);
}
