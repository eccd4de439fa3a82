// SPDX-License-Identifier: MIT
//
// retry_deadline_test — what cannot be tried again before a deadline is given
// up at once: the task's own, its scope's, one further out, up to a shield.

#include "gate.h"
#include "must.h"
#include "patient.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(retry_deadline, .timeout = 60);

#define DELAY TENON_SECONDS(10)

static const tenon_retry_options options = {
    .struct_size = sizeof(options),
    .first_delay_ns = DELAY,
    .jitter_percent = TENON_NO_JITTER,
};

// Where a deadline is, from now on; 0: none there.
struct place {
    uint64_t task_ns;
    uint64_t scope_ns;
    uint64_t outer_ns;
    uint64_t token_ns;
    bool is_shielded;
};

// A task with a scope in which another one retries.
struct retrying {
    struct place place;
    struct patient patient;
    tenon_report report;
};

static int retry_inside(tenon_task *self, void *arg)
{
    struct retrying *retrying = arg;
    tenon_scope scope;

    (void)self;
    tenon_status status = tenon_scope_open(
        &scope, TENON_SCOPE_OPTIONS(
                        .timeout_ns = retrying->place.scope_ns,
                        .is_shielded = retrying->place.is_shielded));
    if (status != TENON_OK) {
        return status;
    }
    status = tenon_spawn_with(
        &scope, patient_try, &retrying->patient,
        PATIENT_OPTIONS(
            &retrying->patient, .timeout_ns = retrying->place.task_ns));
    return tenon_scope_join(&scope, status, &retrying->report);
}

// Its first attempt fails, at a time that does not move. Does it wait for the
// next?
static bool does_wait(
    tenon_executor *executor, struct test_clock *clock, struct place place)
{
    struct retrying retrying = {
        .place = place,
        .patient = {.options = &options, .fail_count = 1},
    };
    uint64_t now_ns = tenon_executor_now_ns(executor);
    tenon_token token;
    tenon_scope outer;

    tenon_token_init(&token, NULL);
    cr_assert(zero(
        int, tenon_token_set_deadline(
                 &token, executor,
                 place.token_ns == 0 ? TENON_NO_DEADLINE
                                     : now_ns + place.token_ns)));
    must_open_with(
        &outer, TENON_SCOPE_OPTIONS(
                        .executor = executor, .timeout_ns = place.outer_ns,
                        .parent = &token));
    must_spawn(&outer, retry_inside, &retrying);
    cr_assert(gate_wait(&retrying.patient.returned));
    bool waits = retrying.patient.last_answer == TENON_AGAIN;
    if (waits) {
        pool_move_clock(executor, clock, DELAY);
    }
    must_join(&outer, NULL, waits ? TENON_OK : TENON_ERRORS);
    patient_expect(
        &retrying.patient, waits ? TENON_OUTCOME_OK : TENON_OUTCOME_FAILED,
        waits ? TENON_OK : PATIENT_CODE, waits ? 2 : 1);
    if (!waits) {
        cr_assert(ne(ptr, (void *)retrying.report.primary, NULL));
        cr_expect(
            eq(str, (char *)retrying.report.primary->text,
               "gave up after 1 attempt: the deadline comes before the next"));
    }
    tenon_report_free(&retrying.report);
    tenon_token_fini(&token);
    return waits;
}

static void heed_all(tenon_executor *executor, struct test_clock *clock)
{
    for (int is_enough = 0; is_enough <= 1; is_enough++) {
        uint64_t left_ns = DELAY + (uint64_t)is_enough;
        struct place places[] = {
            {.task_ns = left_ns},
            {.scope_ns = left_ns},
            {.outer_ns = left_ns},
            {.token_ns = left_ns},
            {.task_ns = left_ns, .outer_ns = 3 * DELAY},
            {.task_ns = 3 * DELAY, .scope_ns = 3 * DELAY, .outer_ns = left_ns},
        };
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
            cr_expect(
                eq(int, does_wait(executor, clock, places[i]), is_enough),
                "place %zu", i);
        }
    }
}

Test(retry_deadline, that_ends_the_wait_ends_it_before_wherever_it_is)
{
    pool_each_clock(heed_all);
}

static void heed_shield(tenon_executor *executor, struct test_clock *clock)
{
    struct place beyond = {.outer_ns = DELAY - 1, .is_shielded = true};
    struct place within = {.scope_ns = DELAY, .is_shielded = true};

    cr_expect(does_wait(executor, clock, beyond));
    cr_expect(not(does_wait(executor, clock, within)));
}

Test(retry_deadline, beyond_a_shield_does_not_count)
{
    pool_each_clock(heed_shield);
}

static void move_deadline(tenon_executor *executor, struct test_clock *clock)
{
    struct patient patient = {.options = &options, .fail_count = 1};
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    patient_spawn(&scope, &patient);
    cr_assert(gate_wait(&patient.returned));
    cr_assert(zero(
        int, tenon_scope_set_deadline(&scope, CLOCK_BEGIN_NS + DELAY / 2)));
    pool_move_clock(executor, clock, DELAY / 2);
    must_join(&scope, &report, TENON_TIMEOUT);
    patient_expect(&patient, TENON_OUTCOME_CANCELLED, TENON_CANCELLED, 1);
    tenon_report_free(&report);
}

Test(retry_deadline, moved_before_the_next_attempt_stops_who_waits)
{
    pool_each_clock(move_deadline);
}

static int sleep_at_work(tenon_task *self, void *arg)
{
    struct patient *patient = arg;

    atomic_fetch_add(&patient->attempt_count, 1);
    return task_announce_and_sleep(self, &patient->started);
}

static void pass_during_attempt(
    tenon_executor *executor, struct test_clock *clock)
{
    struct patient patient = {.options = &options, .attempt = sleep_at_work};
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    must_spawn_with(
        &scope, patient_try, &patient,
        PATIENT_OPTIONS(&patient, .timeout_ns = DELAY));
    cr_assert(gate_wait(&patient.started));
    pool_move_clock(executor, clock, DELAY);
    must_join(&scope, &report, TENON_ERRORS);
    patient_expect(&patient, TENON_OUTCOME_FAILED, TENON_TIMEOUT, 1);
    cr_expect(eq(int, report.primary->code, TENON_TIMEOUT));
    tenon_report_free(&report);
}

Test(retry_deadline, that_passes_during_an_attempt_is_a_timeout_and_no_retry)
{
    pool_each_clock(pass_during_attempt);
}
