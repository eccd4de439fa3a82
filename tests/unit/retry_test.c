// SPDX-License-Identifier: MIT
//
// retry_test — what fails is tried again until it succeeds or is given up.

#include "gate.h"
#include "must.h"
#include "patient.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <tenon/tenon.h>

TestSuite(retry, .timeout = 60);

static uint64_t count_children(const tenon_error *error)
{
    uint64_t count = 0;

    for (error = error->children; error != NULL; error = error->next) {
        count++;
    }
    return count;
}

// --- success ---

static void succeed_late(tenon_executor *executor)
{
    for (unsigned fail_count = 0; fail_count < 4; fail_count++) {
        struct patient patient = {
            .options = TENON_RETRY_OPTIONS(PATIENT_AT_ONCE),
            .fail_count = fail_count,
        };
        tenon_scope scope;
        tenon_report report;
        must_open(&scope, executor);
        patient_spawn(&scope, &patient);
        must_join(&scope, &report, TENON_OK);
        patient_expect(&patient, TENON_OUTCOME_OK, TENON_OK, fail_count + 1);
        cr_expect(eq(u32, patient.retry.attempt_count, fail_count + 1));
        cr_expect(eq(u64, report.spawned_count, 1));
        cr_expect(eq(u64, report.ok_count, 1));
        cr_expect(zero(u64, report.error_count));
        cr_expect(not(report.cancel_requested));
        tenon_report_free(&report);
    }
}

Test(retry, succeeds_after_failures_as_one_task_with_no_error_left)
{
    pool_each(succeed_late);
}

static void succeed_all(tenon_executor *executor)
{
    const tenon_retry_options *options = TENON_RETRY_OPTIONS(PATIENT_AT_ONCE);
    static struct patient patients[200];
    tenon_scope scope;

    must_open(&scope, executor);
    for (unsigned i = 0; i < 200; i++) {
        patients[i] = (struct patient){

            .options = options,
            .fail_count = i % 5,
        };
        patient_spawn(&scope, &patients[i]);
    }
    must_join(&scope, NULL, TENON_OK);
    for (unsigned i = 0; i < 200; i++) {
        patient_expect(&patients[i], TENON_OUTCOME_OK, TENON_OK, i % 5 + 1);
    }
}

Test(retry, many_are_retried_at_the_same_time)
{
    pool_each(succeed_all);
}

static void insist(tenon_executor *executor)
{
    struct patient patient = {
        .options = TENON_RETRY_OPTIONS(
            PATIENT_AT_ONCE, .max_attempts = TENON_NO_MAXIMUM),
        .fail_count = 300,
    };
    tenon_scope scope;

    must_open(&scope, executor);
    patient_spawn(&scope, &patient);
    must_join(&scope, NULL, TENON_OK);
    patient_expect(&patient, TENON_OUTCOME_OK, TENON_OK, 301);
}

Test(retry, no_maximum_of_attempts_is_none)
{
    pool_each(insist);
}

static void retry_anew(tenon_executor *executor)
{
    struct patient patient = {
        .options = TENON_RETRY_OPTIONS(PATIENT_AT_ONCE, .max_attempts = 3),
        .fail_count = 2,
    };
    tenon_scope scope;

    for (int i = 0; i < 3; i++) {
        atomic_store(&patient.attempt_count, 0);
        patient.retry = (tenon_retry){.attempt_count = 0};
        must_open(&scope, executor);
        must_spawn(&scope, patient_try, &patient);
        must_join(&scope, NULL, TENON_OK);
        cr_expect(eq(u32, atomic_load(&patient.attempt_count), 3));
    }
}

Test(retry, zeroed_it_begins_anew)
{
    pool_each(retry_anew);
}

static void retry_with_handle(tenon_executor *executor)
{
    struct patient patient = {
        .options = TENON_RETRY_OPTIONS(PATIENT_AT_ONCE),
        .fail_count = 3,
    };
    tenon_scope scope;
    tenon_handle handle;
    tenon_outcome outcome = TENON_OUTCOME_NONE;

    must_open(&scope, executor);
    cr_assert(zero(
        int, tenon_spawn_task(
                 &scope, &handle, patient_try, &patient,
                 PATIENT_OPTIONS(&patient, .start_always = true))));
    tenon_handle *handles[] = {&handle};
    cr_expect(zero(
        int, tenon_wait_until(handles, 1, TENON_WAIT_ALL, TENON_NO_DEADLINE)));
    cr_assert(zero(int, tenon_handle_outcome(&handle, &outcome, NULL)));
    cr_expect(eq(int, (int)outcome, (int)TENON_OUTCOME_OK));
    must_join(&scope, NULL, TENON_OK);
    patient_expect(&patient, TENON_OUTCOME_OK, TENON_OK, 4);
}

Test(retry, with_a_handle_it_ends_once)
{
    pool_each(retry_with_handle);
}

static void retry_to_win(tenon_executor *executor, struct test_clock *clock)
{
    static int code = 5;
    struct patient patient = {
        .options = TENON_RETRY_OPTIONS(.jitter_percent = TENON_NO_JITTER),
        .fail_count = 1,
    };
    tenon_scope scope;
    tenon_report report;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .policy = TENON_POLICY_ANY_OK));
    patient_spawn(&scope, &patient);
    cr_assert(gate_wait(&patient.returned));
    must_spawn(&scope, task_return, &code);
    pool_move_clock(executor, clock, TENON_SECONDS(1));
    must_join(&scope, &report, TENON_OK);
    patient_expect(&patient, TENON_OUTCOME_OK, TENON_OK, 2);
    cr_expect(eq(u64, report.ok_count, 1));
    tenon_report_free(&report);
}

Test(retry, what_waits_for_another_attempt_has_not_succeeded)
{
    pool_each_clock(retry_to_win);
}

// --- given up ---

static void give_up(tenon_executor *executor)
{
    struct patient patient = {
        .options = TENON_RETRY_OPTIONS(
            PATIENT_AT_ONCE, .max_attempts = 3, .name = "fetching"),
        .fail_count = 9,
    };
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    patient_spawn(&scope, &patient);
    must_join(&scope, &report, TENON_ERRORS);
    patient_expect(&patient, TENON_OUTCOME_FAILED, PATIENT_CODE + 2, 3);
    cr_expect(eq(u64, report.error_count, 1));
    const tenon_error *error = report.primary;
    cr_expect(eq(int, error->code, PATIENT_CODE + 2));
    cr_expect(eq(str, (char *)error->domain, "net"));
    cr_expect(
        eq(str, (char *)error->text,
           "gave up after 3 attempts: no more are allowed"));
    cr_expect(eq(u64, count_children(error), 3));
    cr_expect(zero(u64, error->children_dropped_count));
    uint64_t number = 1;
    for (error = error->children; error != NULL; error = error->next) {
        char text[32];
        snprintf(text, sizeof(text), "attempt %u", (unsigned)number);
        cr_expect(eq(int, error->code, PATIENT_CODE - 1 + (int)number));
        cr_expect(eq(str, (char *)error->text, text));
        cr_expect(eq(str, (char *)error->task_name, "fetching"));
        cr_expect(eq(u64, error->task_id, number));
        number++;
    }
    tenon_report_free(&report);
}

Test(retry, gives_up_after_so_many_attempts_with_all_their_errors)
{
    pool_each(give_up);
}

static void give_up_at_once(tenon_executor *executor)
{
    struct patient patient = {
        .options = TENON_RETRY_OPTIONS(.max_attempts = 1),
        .fail_count = 9,
    };
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    patient_spawn(&scope, &patient);
    must_join(&scope, &report, TENON_ERRORS);
    patient_expect(&patient, TENON_OUTCOME_FAILED, PATIENT_CODE, 1);
    cr_expect(
        eq(str, (char *)report.primary->text,
           "gave up after 1 attempt: no more are allowed"));
    tenon_report_free(&report);
}

Test(retry, one_attempt_is_no_retry)
{
    pool_each(give_up_at_once);
}

static void give_up_late(tenon_executor *executor)
{
    struct patient patient = {
        .options = TENON_RETRY_OPTIONS(PATIENT_AT_ONCE, .max_attempts = 70),
        .fail_count = 100,
    };
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    patient_spawn(&scope, &patient);
    must_join(&scope, &report, TENON_ERRORS);
    patient_expect(&patient, TENON_OUTCOME_FAILED, PATIENT_CODE + 69, 70);
    cr_expect(eq(
        u64,
        count_children(report.primary) + report.primary->children_dropped_count,
        70));
    cr_expect(gt(u64, report.primary->children_dropped_count, 0));
    tenon_report_free(&report);
}

Test(retry, errors_of_more_attempts_than_are_kept_are_counted)
{
    pool_each(give_up_late);
}

#define LONG_DOMAIN                                                      \
    "a domain of a hundred bytes, which is more than most people would " \
    "ever want to give to what went wrong"

static int fail_in_long_domain(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_fail_in(self, LONG_DOMAIN, 5, "as ever");
}

static void keep_domain(tenon_executor *executor)
{
    struct patient patient = {
        .options = TENON_RETRY_OPTIONS(PATIENT_AT_ONCE, .max_attempts = 2),
        .attempt = fail_in_long_domain,
    };
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    must_spawn(&scope, patient_try, &patient);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(str, (char *)report.primary->domain, LONG_DOMAIN));
    cr_expect(eq(u64, count_children(report.primary), 2));
    tenon_report_free(&report);
}

Test(retry, domain_is_that_of_the_last_error_however_long)
{
    pool_each(keep_domain);
}

struct judge {
    int unwanted_code;
    atomic_uint asked_count;
};

static bool is_worth_it(const tenon_report *report, void *context)
{
    struct judge *judge = context;

    atomic_fetch_add(&judge->asked_count, 1);
    return report->primary->code != judge->unwanted_code;
}

static void judge_failures(tenon_executor *executor)
{
    struct judge judge = {.unwanted_code = PATIENT_CODE + 1};
    struct patient patient = {
        .options = TENON_RETRY_OPTIONS(
            PATIENT_AT_ONCE, .retry_if = is_worth_it, .context = &judge),
        .fail_count = 9,
    };
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    patient_spawn(&scope, &patient);
    must_join(&scope, &report, TENON_ERRORS);
    patient_expect(&patient, TENON_OUTCOME_FAILED, PATIENT_CODE + 1, 2);
    cr_expect(eq(u32, atomic_load(&judge.asked_count), 2));
    cr_expect(
        eq(str, (char *)report.primary->text,
           "gave up after 2 attempts: not to be tried again"));
    tenon_report_free(&report);
}

Test(retry, what_is_not_worth_it_is_not_tried_again)
{
    pool_each(judge_failures);
}

static int retry_inside(tenon_task *self, void *arg)
{
    struct patient *patient = arg;
    struct patient inner = {
        .options = TENON_RETRY_OPTIONS(PATIENT_AT_ONCE, .max_attempts = 2),
        .fail_count = 9,
    };
    tenon_scope scope;

    (void)self;
    atomic_fetch_add(&patient->attempt_count, 1);
    if (tenon_scope_open(&scope, NULL) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status status = tenon_spawn(&scope, patient_try, &inner);
    tenon_status joined = tenon_scope_join(&scope, status, NULL);
    return atomic_load(&inner.attempt_count) == 2 ? joined : TASK_IN_VAIN;
}

static void nest(tenon_executor *executor)
{
    struct patient patient = {
        .options = TENON_RETRY_OPTIONS(PATIENT_AT_ONCE, .max_attempts = 3),
        .attempt = retry_inside,
    };
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    patient_spawn(&scope, &patient);
    must_join(&scope, &report, TENON_ERRORS);
    patient_expect(&patient, TENON_OUTCOME_FAILED, TENON_ERRORS, 3);
    cr_expect(eq(u64, count_children(report.primary), 3));
    // An attempt, the inner task that gave up, its two attempts.
    const tenon_error *inner = report.primary->children->children;
    cr_assert(ne(ptr, (void *)inner, NULL));
    cr_expect(eq(int, inner->code, PATIENT_CODE + 1));
    cr_expect(eq(u64, count_children(inner), 2));
    tenon_report_free(&report);
}

Test(retry, nests)
{
    pool_each(nest);
}

// --- nonsense ---

static void expect_refused(
    tenon_executor *executor, const tenon_retry_options *options)
{
    struct patient patient = {.options = options, .fail_count = 1};
    tenon_scope scope;

    must_open(&scope, executor);
    patient_spawn(&scope, &patient);
    must_join(&scope, NULL, TENON_ERRORS);
    patient_expect(&patient, TENON_OUTCOME_FAILED, TENON_EINVAL, 0);
}

static int attempt_nothing(tenon_task *self, void *arg)
{
    return tenon_retry_attempt(self, arg, NULL, NULL, NULL);
}

static void refuse(tenon_executor *executor)
{
    tenon_retry retry = {.attempt_count = 0};
    tenon_report report;

    expect_refused(executor, TENON_RETRY_OPTIONS(.jitter_percent = 101));
    expect_refused(
        executor, TENON_RETRY_OPTIONS(.jitter_percent = UINT32_MAX - 1));
    expect_refused(executor, &(const tenon_retry_options){.struct_size = 1});
    cr_expect(
        eq(int, tenon_run(executor, attempt_nothing, &retry, &report),
           TENON_ERRORS));
    cr_expect(eq(int, report.primary->code, TENON_EINVAL));
    tenon_report_free(&report);
}

Test(retry, nonsense_fails_the_task_and_nothing_is_called)
{
    pool_each(refuse);
}
