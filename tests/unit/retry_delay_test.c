// SPDX-License-Identifier: MIT
//
// retry_delay_test — how long it waits between attempts, which it does without
// a worker and never past a deadline.

#include "gate.h"
#include "must.h"
#include "patient.h"
#include "pool.h"
#include "tasks.h"
#include "visit.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(retry_delay, .timeout = 60);

// --- measured by a deadline ---

// After so many attempts and one more, which fails, does it wait, with so much
// time left? Else it gives up at once: the clock stands still.
static bool does_wait(
    tenon_executor *executor, const tenon_retry_options *options,
    uint32_t before_count, uint64_t left_ns)
{
    struct patient patient = {
        .options = options,
        .fail_count = UINT32_MAX,
        .retry = {.attempt_count = before_count},
    };
    tenon_scope scope;

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    must_spawn_with(
        &scope, patient_try, &patient,
        PATIENT_OPTIONS(&patient, .timeout_ns = left_ns));
    cr_assert(gate_wait(&patient.returned));
    tenon_scope_cancel(&scope, 0, NULL);
    (void)!tenon_scope_join(&scope, TENON_OK, NULL);
    bool waits = patient.last_answer == TENON_AGAIN ||
                 patient.outcome == TENON_OUTCOME_CANCELLED;
    patient_expect(
        &patient, waits ? TENON_OUTCOME_CANCELLED : TENON_OUTCOME_FAILED,
        waits ? TENON_CANCELLED : PATIENT_CODE, 1);
    return waits;
}

static void expect_delay(
    tenon_executor *executor, const tenon_retry_options *options,
    uint32_t before_count, uint64_t delay_ns)
{
    cr_expect(not(does_wait(executor, options, before_count, delay_ns)));
    cr_expect(does_wait(executor, options, before_count, delay_ns + 1));
}

static void grow(tenon_executor *executor, struct test_clock *clock)
{
    const tenon_retry_options *options = TENON_RETRY_OPTIONS(
            .max_attempts = TENON_NO_MAXIMUM, .first_delay_ns = 7, .factor = 3,
            .jitter_percent = TENON_NO_JITTER);
    uint64_t delay_ns = 7;

    (void)clock;
    for (uint32_t i = 0; i < 12; i++) {
        expect_delay(executor, options, i, delay_ns);
        delay_ns *= 3;
    }
}

Test(retry_delay, each_is_the_one_before_times_the_factor)
{
    pool_each_clock(grow);
}

static void cap(tenon_executor *executor, struct test_clock *clock)
{
    const tenon_retry_options *options = TENON_RETRY_OPTIONS(
            .max_attempts = TENON_NO_MAXIMUM, .first_delay_ns = 7, .factor = 10,
            .max_delay_ns = 500, .jitter_percent = TENON_NO_JITTER);
    const tenon_retry_options *low = TENON_RETRY_OPTIONS(
            .first_delay_ns = 1000, .max_delay_ns = 500,
            .jitter_percent = TENON_NO_JITTER);
    const tenon_retry_options *steep = TENON_RETRY_OPTIONS(
            .max_attempts = TENON_NO_MAXIMUM, .first_delay_ns = 7,
            .factor = UINT32_MAX, .max_delay_ns = UINT64_MAX / 4,
            .jitter_percent = TENON_NO_JITTER);

    // Two times this is a number that wraps round to 0.
    const tenon_retry_options *round = TENON_RETRY_OPTIONS(
            .max_attempts = TENON_NO_MAXIMUM, .first_delay_ns = 8,
            .factor = UINT32_C(1) << 31, .max_delay_ns = UINT64_MAX / 4,
            .jitter_percent = TENON_NO_JITTER);

    (void)clock;
    expect_delay(executor, options, 0, 7);
    expect_delay(executor, options, 1, 70);
    expect_delay(executor, options, 2, 500);
    expect_delay(executor, options, 1000000, 500);
    expect_delay(executor, low, 0, 500);
    expect_delay(executor, round, 1, UINT64_C(1) << 34);
    expect_delay(executor, round, 2, UINT64_MAX / 4);
    expect_delay(executor, steep, 1, 7 * (uint64_t)UINT32_MAX);
    expect_delay(executor, steep, 2, UINT64_MAX / 4);
    expect_delay(executor, steep, UINT32_MAX - 1, UINT64_MAX / 4);
}

Test(retry_delay, none_is_longer_than_the_maximum)
{
    pool_each_clock(cap);
}

static void keep_even(tenon_executor *executor, struct test_clock *clock)
{
    const tenon_retry_options *options = TENON_RETRY_OPTIONS(
            .max_attempts = TENON_NO_MAXIMUM, .first_delay_ns = 7, .factor = 1,
            .jitter_percent = TENON_NO_JITTER);

    (void)clock;
    expect_delay(executor, options, 0, 7);
    expect_delay(executor, options, 1, 7);
    expect_delay(executor, options, UINT32_MAX - 1, 7);
}

Test(retry_delay, factor_of_one_keeps_it_even)
{
    pool_each_clock(keep_even);
}

static void use_defaults(tenon_executor *executor, struct test_clock *clock)
{
    const tenon_retry_options *options = TENON_RETRY_OPTIONS(
            .max_attempts = 99, .jitter_percent = TENON_NO_JITTER);

    (void)clock;
    expect_delay(executor, options, 0, TENON_MILLISECONDS(100));
    expect_delay(executor, options, 1, TENON_MILLISECONDS(200));
    expect_delay(executor, options, 8, TENON_MILLISECONDS(25600));
    expect_delay(executor, options, 9, TENON_SECONDS(30));
}

Test(retry_delay, of_100_ms_doubles_up_to_30_s_unless_said)
{
    pool_each_clock(use_defaults);
}

static uint64_t find_delay(
    tenon_executor *executor, const tenon_retry_options *options)
{
    uint64_t low_ns = 0;
    uint64_t high_ns = UINT16_MAX;

    while (high_ns - low_ns > 1) {  // it waits with high, not with low
        uint64_t middle_ns = low_ns + (high_ns - low_ns) / 2;
        bool waits = does_wait(executor, options, 0, middle_ns);
        high_ns = waits ? middle_ns : high_ns;
        low_ns = waits ? low_ns : middle_ns;
    }
    return low_ns;
}

#define SEEDS 20

static void spread(tenon_executor *executor, uint32_t percent)
{
    uint64_t least_ns = UINT64_MAX;
    uint64_t most_ns = 0;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        const tenon_retry_options *options = TENON_RETRY_OPTIONS(
                .first_delay_ns = 1000, .jitter_percent = percent,
                .seed = seed);
        uint64_t delay_ns = find_delay(executor, options);
        least_ns = delay_ns < least_ns ? delay_ns : least_ns;
        most_ns = delay_ns > most_ns ? delay_ns : most_ns;
        // The same seed, the same delay.
        cr_expect(eq(u64, find_delay(executor, options), delay_ns));
    }
    uint64_t random_ns = percent == 0 ? 1000 : 10 * (uint64_t)percent;
    cr_expect(ge(u64, least_ns, 1000 - random_ns));
    cr_expect(le(u64, most_ns, 1000));
    // Most of what may be random is used.
    cr_expect(ge(u64, most_ns - least_ns, random_ns / 2));
}

static void spread_all(tenon_executor *executor, struct test_clock *clock)
{
    (void)clock;
    spread(executor, 0);
    spread(executor, 20);
    spread(executor, 100);
}

Test(retry_delay, so_much_of_it_is_random_but_for_its_seed)
{
    pool_each_clock(spread_all);
}

static void wait_longest(tenon_executor *executor, struct test_clock *clock)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct patient patient = {
            .options = TENON_RETRY_OPTIONS(
                    .first_delay_ns = UINT64_MAX, .max_delay_ns = UINT64_MAX,
                    .seed = seed),
            .fail_count = 1,
        };
        tenon_scope scope;
        must_open(&scope, executor);
        patient_spawn(&scope, &patient);
        cr_assert(gate_wait(&patient.returned));
        pool_move_clock(executor, clock, 1);
        cr_expect(eq(int, patient.last_answer, TENON_AGAIN));
        tenon_scope_cancel(&scope, 0, NULL);
        must_join(&scope, NULL, TENON_OK);
        patient_expect(&patient, TENON_OUTCOME_CANCELLED, TENON_CANCELLED, 1);
    }
}

Test(retry_delay, may_be_as_long_as_a_number_can_say)
{
    pool_each_clock(wait_longest);
}

// --- in time ---

static void note_time(
    tenon_executor *executor, struct test_clock *clock, uint64_t by_ns)
{
    tenon_scope scope;
    struct visit visit = {.count = 0};

    // What is due by then has been queued before this.
    must_open(&scope, executor);
    must_spawn_with(
        &scope, visit_note, &visit, TENON_TASK_OPTIONS(.delay_ns = by_ns));
    pool_move_clock(executor, clock, by_ns);
    must_join(&scope, NULL, TENON_OK);
}

static void try_in_time(tenon_executor *executor, struct test_clock *clock)
{
    struct patient patient = {
        .options = TENON_RETRY_OPTIONS(
                .first_delay_ns = 1000, .max_delay_ns = 5000, .factor = 2,
                .jitter_percent = TENON_NO_JITTER),
        .fail_count = 4,
    };
    uint64_t delays_ns[] = {1000, 2000, 4000, 5000};
    uint64_t sum_ns = CLOCK_BEGIN_NS;
    tenon_scope scope;

    must_open(&scope, executor);
    patient_spawn(&scope, &patient);
    for (uint32_t i = 0; i < 4; i++) {
        cr_assert(gate_wait_for(&patient.returned, i + 1));
        note_time(executor, clock, delays_ns[i] - 1);
        cr_expect(eq(u32, atomic_load(&patient.attempt_count), i + 1));
        pool_move_clock(executor, clock, 1);
    }
    must_join(&scope, NULL, TENON_OK);
    patient_expect(&patient, TENON_OUTCOME_OK, TENON_OK, 5);
    for (int i = 0; i < 5; i++) {
        cr_expect(eq(u64, patient.times_ns[i], sum_ns));
        sum_ns += i == 4 ? 0 : delays_ns[i];
    }
}

Test(retry_delay, attempts_are_made_when_their_time_has_come)
{
    pool_each_clock(try_in_time);
}

static void try_by_default(tenon_executor *executor, struct test_clock *clock)
{
    struct patient patient = {.fail_count = 9};  // no options
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    patient_spawn(&scope, &patient);
    for (uint32_t i = 1; i < 5; i++) {
        cr_assert(gate_wait_for(&patient.returned, i));
        pool_move_clock(executor, clock, TENON_SECONDS(30));
    }
    must_join(&scope, &report, TENON_ERRORS);
    patient_expect(&patient, TENON_OUTCOME_FAILED, PATIENT_CODE + 4, 5);
    tenon_report_free(&report);
}

Test(retry_delay, without_options_there_are_five_attempts)
{
    pool_each_clock(try_by_default);
}

#define CROWD 1000

static void crowd(tenon_executor *executor, struct test_clock *clock)
{
    static struct patient patients[CROWD];
    const tenon_retry_options *options = TENON_RETRY_OPTIONS(.seed = 1);
    tenon_scope scope;
    atomic_uint other_count = 0;

    must_open(&scope, executor);
    uint32_t thread_count = pool_info(executor).thread_count;
    for (int i = 0; i < CROWD; i++) {
        patients[i] = (struct patient){.options = options, .fail_count = 1};
        patient_spawn(&scope, &patients[i]);
    }
    for (int i = 0; i < CROWD; i++) {
        cr_assert(gate_wait(&patients[i].returned));
    }
    for (int i = 0; i < 100; i++) {
        must_run(executor, task_count, &other_count, TENON_OK);
    }
    cr_expect(eq(u32, atomic_load(&other_count), 100));
    tenon_executor_info info = pool_info(executor);
    if (info.worker_count == 1) {  // else attempts are taken by others
        cr_expect(eq(u32, info.thread_count, thread_count));
    }
    pool_move_clock(executor, clock, TENON_SECONDS(1));
    must_join(&scope, NULL, TENON_OK);
    for (int i = 0; i < CROWD; i++) {
        patient_expect(&patients[i], TENON_OUTCOME_OK, TENON_OK, 2);
    }
}

Test(retry_delay, who_waits_holds_no_worker_and_needs_no_thread)
{
    pool_each_clock(crowd);
}

// --- attempts that take too long ---

static int sleep_first(tenon_task *self, void *arg)
{
    struct patient *patient = arg;

    return atomic_fetch_add(&patient->attempt_count, 1) < patient->fail_count
               ? task_announce_and_sleep(self, &patient->started)
               : TENON_OK;
}

static void time_out(
    tenon_executor *executor, struct test_clock *clock, struct patient *patient,
    tenon_report *report)
{
    tenon_scope scope;

    must_open(&scope, executor);
    patient_spawn(&scope, patient);
    for (uint32_t i = 1; i <= 2; i++) {
        cr_assert(gate_wait_for(&patient->started, i));
        pool_move_clock(executor, clock, TENON_SECONDS(1));
        cr_assert(gate_wait_for(&patient->returned, i));
        pool_move_clock(executor, clock, TENON_SECONDS(1));
    }
    (void)!tenon_scope_join(&scope, TENON_OK, report);
}

static void take_too_long(tenon_executor *executor, struct test_clock *clock)
{
    const tenon_retry_options *options = TENON_RETRY_OPTIONS(
            .attempt_timeout_ns = TENON_SECONDS(1), .max_attempts = 3,
            .first_delay_ns = TENON_SECONDS(1), .factor = 1,
            .jitter_percent = TENON_NO_JITTER);
    struct patient patient = {
        .options = options, .attempt = sleep_first, .fail_count = 2};
    tenon_report report;

    time_out(executor, clock, &patient, &report);
    patient_expect(&patient, TENON_OUTCOME_OK, TENON_OK, 3);
    tenon_report_free(&report);
}

Test(retry_delay, attempt_that_took_too_long_is_made_again)
{
    pool_each_clock(take_too_long);
}

static void take_too_long_always(
    tenon_executor *executor, struct test_clock *clock)
{
    const tenon_retry_options *options = TENON_RETRY_OPTIONS(
            .attempt_timeout_ns = TENON_SECONDS(1), .max_attempts = 2,
            .first_delay_ns = TENON_SECONDS(1), .factor = 1,
            .jitter_percent = TENON_NO_JITTER);
    struct patient patient = {
        .options = options, .attempt = sleep_first, .fail_count = 9};
    tenon_report report;

    time_out(executor, clock, &patient, &report);
    patient_expect(&patient, TENON_OUTCOME_FAILED, TENON_TIMEOUT, 2);
    cr_assert(ne(ptr, (void *)report.primary, NULL));
    cr_expect(eq(int, report.primary->code, TENON_TIMEOUT));
    cr_expect(eq(str, (char *)report.primary->domain, "tenon"));
    cr_assert(ne(ptr, (void *)report.primary->children, NULL));
    cr_expect(eq(int, report.primary->children->code, TENON_TIMEOUT));
    tenon_report_free(&report);
}

Test(retry_delay, attempts_that_always_take_too_long_are_a_timeout)
{
    pool_each_clock(take_too_long_always);
}
