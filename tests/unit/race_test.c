// SPDX-License-Identifier: MIT
//
// race_test — several calls at the same time, of which one has to succeed.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(race, .timeout = 60);

#define NOBODY 99
#define MANY 40

static int sleep_and_count(tenon_task *self, void *arg)
{
    struct task_step *step = arg;  // its second gate counts ends
    int status = task_announce_and_sleep(self, &step->started);

    gate_open(&step->may_end);
    return status;
}

// A race inside a task, for main to look at.
struct racer {
    tenon_call *calls;
    size_t call_count;
    const tenon_scope_options *options;

    tenon_status status;
    size_t winner;
    tenon_report report;
};

static int race_in_task(tenon_task *self, void *arg)
{
    struct racer *racer = arg;

    (void)self;
    racer->status = tenon_race(
        racer->calls, racer->call_count, racer->options, &racer->winner,
        &racer->report);
    return racer->status;
}

static void win(tenon_executor *executor)
{
    static int code = 31;
    struct task_step losers = {.status = 0};
    struct task_step winner = {.status = TENON_OK};
    tenon_call calls[] = {
        {.fn = sleep_and_count, .arg = &losers},
        {.fn = task_return, .arg = &code},
        {.fn = sleep_and_count, .arg = &losers},
        {.fn = task_step_aside, .arg = &winner},
        {.fn = sleep_and_count, .arg = &losers},
    };
    struct racer racer = {.calls = calls, .call_count = 5, .winner = NOBODY};
    tenon_scope scope;

    must_open(&scope, executor);
    must_spawn(&scope, race_in_task, &racer);
    cr_assert(gate_wait_for(&losers.started, 3));
    cr_assert(gate_wait(&winner.started));
    gate_open(&winner.may_end);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(int, racer.status, TENON_OK));
    cr_expect(eq(sz, racer.winner, 3));
    cr_expect(eq(u32, gate_count(&losers.may_end), 3));  // joined
    cr_expect(eq(int, (int)racer.report.cause.source, (int)TENON_CAUSE_POLICY));
    for (int i = 0; i < 5; i += 2) {
        cr_expect(eq(int, (int)calls[i].outcome, (int)TENON_OUTCOME_CANCELLED));
        cr_expect(eq(int, calls[i].status, TENON_CANCELLED));
    }
    cr_expect(eq(int, (int)calls[3].outcome, (int)TENON_OUTCOME_OK));
    cr_expect(eq(ptr, (void *)calls[3].error, NULL));
    // It has failed before, or was not begun.
    bool has_failed = calls[1].outcome == TENON_OUTCOME_FAILED;
    cr_expect(eq(int, calls[1].error != NULL, has_failed));
    cr_expect(eq(int, calls[1].status, has_failed ? 31 : TENON_CANCELLED));
    tenon_report_free(&racer.report);
}

Test(race, winner_is_the_one_that_succeeded_and_the_losers_are_stopped)
{
    pool_each(win);
}

// Succeeds all the same when it is told to stop.
static int succeed_when_told(tenon_task *self, void *arg)
{
    return task_announce_and_sleep(self, arg) == TENON_CANCELLED ? TENON_OK
                                                                 : TASK_IN_VAIN;
}

static void win_late(tenon_executor *executor)
{
    struct gate started = {0};
    struct task_step winner = {.status = TENON_OK};
    tenon_call calls[] = {
        {.fn = succeed_when_told, .arg = &started},
        {.fn = task_step_aside, .arg = &winner},
        {.fn = succeed_when_told, .arg = &started},
    };
    struct racer racer = {.calls = calls, .call_count = 3, .winner = NOBODY};
    tenon_scope scope;

    must_open(&scope, executor);
    must_spawn(&scope, race_in_task, &racer);
    cr_assert(gate_wait_for(&started, 2));
    cr_assert(gate_wait(&winner.started));
    gate_open(&winner.may_end);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(sz, racer.winner, 1));
    for (int i = 0; i < 3; i++) {
        cr_expect(eq(int, (int)calls[i].outcome, (int)TENON_OUTCOME_OK));
    }
    tenon_report_free(&racer.report);
}

Test(race, of_several_that_succeed_the_first_is_the_winner)
{
    pool_each(win_late);
}

static void win_together(tenon_executor *executor)
{
    static int codes[] = {31, TENON_OK, 32, TENON_OK, TENON_OK, 33};

    for (int i = 0; i < 200; i++) {
        tenon_call calls[6];
        size_t winner = NOBODY;
        tenon_report report;
        for (int k = 0; k < 6; k++) {
            calls[k] =
                (tenon_call){.fn = task_return, .arg = &codes[(i + k) % 6]};
        }
        cr_assert(zero(
            int, tenon_race(
                     calls, 6, TENON_SCOPE_OPTIONS(.executor = executor),
                     &winner, &report)));
        cr_assert(lt(sz, winner, 6));
        cr_assert(eq(int, (int)calls[winner].outcome, (int)TENON_OUTCOME_OK));
        uint64_t ok_count = 0;
        for (int k = 0; k < 6; k++) {
            ok_count += calls[k].outcome == TENON_OUTCOME_OK;
            cr_assert(ne(int, (int)calls[k].outcome, TENON_OUTCOME_NONE));
            cr_assert(ne(int, (int)calls[k].outcome, TENON_OUTCOME_CANCELLED));
        }
        cr_assert(eq(u64, report.ok_count, ok_count));
        tenon_report_free(&report);
    }
}

Test(race, winner_is_one_that_succeeded_whoever_is_fastest)
{
    pool_each(win_together);
}

static void lose_all(tenon_executor *executor)
{
    tenon_call calls[MANY];
    int codes[MANY];
    size_t winner = NOBODY;
    tenon_report report;

    for (int i = 0; i < MANY; i++) {
        codes[i] = i + 1;
        calls[i] = (tenon_call){.fn = task_return, .arg = &codes[i]};
    }
    cr_expect(
        eq(int,
           tenon_race(
               calls, MANY, TENON_SCOPE_OPTIONS(.executor = executor), &winner,
               &report),
           TENON_ERRORS));
    cr_expect(eq(sz, winner, NOBODY));
    cr_expect(not(report.cancel_requested));
    cr_expect(eq(u64, report.error_count, MANY));
    cr_expect(eq(sz, report.kept_count, MANY));
    for (int i = 0; i < MANY; i++) {
        cr_assert(ne(ptr, (void *)calls[i].error, NULL));
        cr_expect(eq(int, calls[i].error->code, i + 1));
        cr_expect(eq(int, calls[i].status, i + 1));
    }
    tenon_report_free(&report);
}

Test(race, that_nobody_wins_has_the_errors_of_all)
{
    pool_each(lose_all);
}

static void race_nobody(tenon_executor *executor)
{
    size_t winner = NOBODY;
    tenon_report report;

    cr_expect(
        eq(int,
           tenon_race(
               NULL, 0, TENON_SCOPE_OPTIONS(.executor = executor), &winner,
               &report),
           TENON_ERRORS));
    cr_expect(eq(sz, winner, NOBODY));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, TENON_ENORESULT));
    tenon_report_free(&report);
}

Test(race, of_nobody_has_no_winner)
{
    pool_each(race_nobody);
}

static void race_carelessly(tenon_executor *executor)
{
    tenon_call call = {.fn = task_ok};

    cr_expect(zero(
        int,
        tenon_race(
            &call, 1, TENON_SCOPE_OPTIONS(.executor = executor), NULL, NULL)));
}

Test(race, winner_need_not_be_asked_for)
{
    pool_each(race_carelessly);
}

static void stop(tenon_executor *executor, struct test_clock *clock)
{
    for (int is_late = 0; is_late <= 1; is_late++) {
        struct gate started = {0};
        tenon_call calls[] = {
            {.fn = task_announce_and_sleep, .arg = &started},
            {.fn = task_announce_and_sleep, .arg = &started},
        };
        struct racer racer = {
            .calls = calls,
            .call_count = 2,
            .options = TENON_SCOPE_OPTIONS(.timeout_ns = TENON_SECONDS(1)),
            .winner = NOBODY,
        };
        tenon_scope scope;
        must_open(&scope, executor);
        must_spawn(&scope, race_in_task, &racer);
        cr_assert(gate_wait_for(&started, 2));
        if (is_late) {
            pool_move_clock(executor, clock, TENON_SECONDS(1));
        } else {
            tenon_scope_cancel(&scope, 0, NULL);
        }
        must_join(&scope, NULL, is_late ? TENON_ERRORS : TENON_OK);
        cr_expect(
            eq(int, racer.status, is_late ? TENON_TIMEOUT : TENON_CANCELLED));
        cr_expect(eq(sz, racer.winner, NOBODY));
        cr_expect(zero(u64, racer.report.error_count));
        for (int i = 0; i < 2; i++) {
            cr_expect(
                eq(int, (int)calls[i].outcome, (int)TENON_OUTCOME_CANCELLED));
        }
        tenon_report_free(&racer.report);
    }
}

Test(race, that_is_stopped_from_outside_or_by_its_deadline_says_so)
{
    pool_each_clock(stop);
}
