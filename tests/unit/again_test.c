// SPDX-License-Identifier: MIT
//
// again_test — tasks that go on at a time: called again, they are the same
// task, hold nothing while they wait, and a cancel does not wait for it.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"
#include "units.h"
#include "visit.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(again, .timeout = 60);

#define DELAY TENON_SECONDS(10)

// A task that goes on until it has been called so often.
struct rounds {
    struct visit visit;
    unsigned round_count;
    uint64_t delay_ns;
    tenon_limiter *limiter;
    uint64_t used_count;
    struct gate has_asked;  // to go on
    atomic_uint done_count;
};

static int go_round(tenon_task *self, void *arg)
{
    struct rounds *rounds = arg;

    visit_note(self, &rounds->visit);
    if (rounds->limiter != NULL) {
        tenon_limiter_look(rounds->limiter, &rounds->used_count, NULL);
    }
    if (atomic_load(&rounds->visit.count) == rounds->round_count) {
        return TENON_OK;
    }
    int status = tenon_again(self, rounds->delay_ns);
    gate_open(&rounds->has_asked);
    return status;
}

static void count_done(const tenon_completion *completion, void *context)
{
    struct rounds *rounds = context;

    atomic_fetch_add(
        &rounds->done_count, completion->outcome == TENON_OUTCOME_OK ? 1 : 100);
}

static void destroy_rounds(void *arg)
{
    visit_note_destroyed(&((struct rounds *)arg)->visit);
}

#define TASKS 20

static void go_on(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct rounds rounds[TASKS];
    tenon_handle handles[TASKS];

    must_open(&scope, executor);
    for (int i = 0; i < TASKS; i++) {
        rounds[i] = (struct rounds){.round_count = 200};
        tenon_status status = tenon_spawn_task(
            &scope, &handles[i], go_round, &rounds[i],
            TENON_TASK_OPTIONS(
                    .on_done = count_done, .on_done_context = &rounds[i],
                    .destroy_arg = destroy_rounds));
        cr_assert(eq(int, status, TENON_OK));
    }
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.spawned_count, TASKS));
    cr_expect(eq(u64, report.ok_count, TASKS));
    for (int i = 0; i < TASKS; i++) {
        tenon_outcome outcome = TENON_OUTCOME_NONE;
        cr_assert(zero(int, tenon_handle_outcome(&handles[i], &outcome, NULL)));
        cr_expect(eq(int, (int)outcome, TENON_OUTCOME_OK));
        cr_expect(eq(u32, atomic_load(&rounds[i].visit.count), 200));
        cr_expect(eq(u32, atomic_load(&rounds[i].visit.destroyed_count), 1));
        cr_expect(eq(u32, atomic_load(&rounds[i].done_count), 1));
    }
    tenon_report_free(&report);
}

Test(again, task_that_goes_on_is_one_task_and_ends_once)
{
    pool_each(go_on);
}

static void go_on_in_time(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    struct rounds rounds = {.round_count = 4, .delay_ns = DELAY};

    must_open(&scope, executor);
    must_spawn(&scope, go_round, &rounds);
    for (uint32_t i = 1; i < 4; i++) {
        cr_assert(gate_wait_for(&rounds.has_asked, i));
        visit_expect(
            &rounds.visit, i, CLOCK_BEGIN_NS + (uint64_t)(i - 1) * DELAY);
        pool_move_clock(executor, clock, DELAY);
    }
    must_join(&scope, NULL, TENON_OK);
    visit_expect(&rounds.visit, 4, CLOCK_BEGIN_NS + 3 * DELAY);
}

Test(again, task_goes_on_when_its_time_has_come)
{
    pool_each_clock(go_on_in_time);
}

// Remembers what it was given; asks to go on as long as it may.
struct stubborn {
    struct gate has_asked;
    atomic_uint count;
    bool saw_cancel;
    int second_answer;
};

static int insist(tenon_task *self, void *arg)
{
    struct stubborn *stubborn = arg;

    if (atomic_fetch_add(&stubborn->count, 1) == 0) {
        int answer = tenon_again(self, TENON_SECONDS(10));
        gate_open(&stubborn->has_asked);
        return answer;
    }
    stubborn->saw_cancel = tenon_cancelled(self);
    stubborn->second_answer = tenon_again(self, 0);
    return stubborn->second_answer;
}

static void cancel_waiting(tenon_executor *executor)
{
    for (int i = 0; i < 200; i++) {
        tenon_scope scope;
        tenon_report report;
        struct stubborn stubborn = {.count = 0};

        must_open(&scope, executor);
        must_spawn(&scope, insist, &stubborn);
        cr_assert(gate_wait(&stubborn.has_asked));
        tenon_scope_cancel(&scope, 1, "enough");
        must_join(&scope, &report, TENON_OK);
        cr_assert(eq(u64, report.cancelled_count, 1));
        cr_assert(eq(u32, atomic_load(&stubborn.count), 2));
        cr_assert(stubborn.saw_cancel);
        cr_assert(eq(int, stubborn.second_answer, TENON_CANCELLED));
        tenon_report_free(&report);
    }
}

Test(
    later,
    cancelled_while_it_waits_it_is_called_once_more_and_may_not_ask_again)
{
    pool_each(cancel_waiting);
}

static void time_out_waiting(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_handle handle;
    tenon_outcome outcome = TENON_OUTCOME_NONE;
    int status = 0;
    struct rounds rounds = {.round_count = 9, .delay_ns = 2 * DELAY};

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    tenon_status spawned = tenon_spawn_task(
        &scope, &handle, go_round, &rounds,
        TENON_TASK_OPTIONS(.timeout_ns = DELAY));
    cr_assert(eq(int, spawned, TENON_OK));
    cr_assert(gate_wait(&rounds.has_asked));
    pool_move_clock(executor, clock, DELAY);
    must_join(&scope, NULL, TENON_ERRORS);
    cr_assert(zero(int, tenon_handle_outcome(&handle, &outcome, &status)));
    cr_expect(eq(int, (int)outcome, TENON_OUTCOME_FAILED));
    cr_expect(eq(int, status, TENON_TIMEOUT));
    visit_expect(&rounds.visit, 2, CLOCK_BEGIN_NS + DELAY);
}

Test(again, deadline_while_it_waits_fails_it)
{
    pool_each_clock(time_out_waiting);
}

static bool is_unused(void *limiter)
{
    uint64_t used_count = 0;

    tenon_limiter_look(limiter, &used_count, NULL);
    return used_count == 0;
}

static void give_units_back(tenon_executor *executor, struct test_clock *clock)
{
    tenon_limiter limiter;
    tenon_scope scope;
    struct rounds rounds = {
        .round_count = 2, .delay_ns = DELAY, .limiter = &limiter};

    tenon_limiter_init(&limiter, 3);
    must_open(&scope, executor);
    must_spawn_with(
        &scope, go_round, &rounds,
        TENON_TASK_OPTIONS(.limiter = &limiter, .unit_count = 3));
    cr_assert(gate_wait(&rounds.has_asked));
    cr_assert(gate_poll(is_unused, &limiter));
    pool_move_clock(executor, clock, DELAY);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(u64, rounds.used_count, 3));
    visit_expect(&rounds.visit, 2, CLOCK_BEGIN_NS + DELAY);
    units_expect(&limiter, 0, 0);
    tenon_limiter_fini(&limiter);
}

Test(again, task_has_units_while_it_runs_and_none_while_it_waits)
{
    pool_each_clock(give_units_back);
}

// Looks again and again whether the other task has run.
static int watch(tenon_task *self, void *arg)
{
    struct visit *other = arg;

    return atomic_load(&other->count) > 0 ? TENON_OK : tenon_again(self, 0);
}

static void go_on_at_once(tenon_executor *executor)
{
    tenon_scope scope;
    struct visit other = {.count = 0};

    must_open(&scope, executor);
    for (int i = 0; i < TASKS; i++) {
        must_spawn(&scope, watch, &other);
    }
    must_spawn(&scope, visit_note, &other);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(u32, atomic_load(&other.count), 1));
}

static int go_on_at_once_inside(tenon_task *self, void *arg)
{
    tenon_scope scope;
    struct visit other = {.count = 0};

    (void)self;
    (void)arg;
    if (tenon_scope_open(&scope, NULL) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status body = tenon_spawn(&scope, visit_note, &other);
    for (int i = 0; i < TASKS && body == TENON_OK; i++) {
        body = tenon_spawn(&scope, watch, &other);
    }
    return tenon_scope_join(&scope, body, NULL);
}

static void go_on_at_once_everywhere(tenon_executor *executor)
{
    go_on_at_once(executor);
    must_run(executor, go_on_at_once_inside, NULL, TENON_OK);
}

Test(again, going_on_at_once_starves_nobody)
{
    pool_each(go_on_at_once_everywhere);
}

static int ask_forked(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_again(self, 0);
}

static int fork_asker(tenon_task *self, void *arg)
{
    tenon_task child;

    tenon_fork(self, &child, ask_forked, arg);
    return tenon_join(self, &child);
}

static void ask_in_fork(tenon_executor *executor)
{
    tenon_report report;

    cr_expect(
        eq(int, tenon_run(executor, fork_asker, NULL, &report), TENON_ERRORS));
    cr_expect(eq(int, report.primary->code, TENON_EPERM));
    tenon_report_free(&report);
}

Test(again, forked_child_may_not_go_on)
{
    pool_each(ask_in_fork);
}

static int change_mind(tenon_task *self, void *arg)
{
    struct visit *visit = arg;

    if (tenon_again(self, 0) != TENON_AGAIN) {
        return TASK_IN_VAIN;
    }
    return visit_note(self, visit);
}

static int lie(tenon_task *self, void *arg)
{
    (void)self;
    (void)arg;
    return TENON_AGAIN;  // without having asked
}

static void ask_and_end(tenon_executor *executor)
{
    tenon_report report;
    struct visit visit = {.count = 0};

    must_run(executor, change_mind, &visit, TENON_OK);
    cr_expect(eq(u32, atomic_load(&visit.count), 1));
    cr_expect(eq(int, tenon_run(executor, lie, NULL, &report), TENON_ERRORS));
    cr_expect(eq(int, report.primary->code, TENON_AGAIN));
    tenon_report_free(&report);
}

Test(again, who_asks_and_ends_has_ended_and_who_does_not_ask_has_failed)
{
    pool_each(ask_and_end);
}

static int ask_twice(tenon_task *self, void *arg)
{
    struct visit *visit = arg;

    visit_note(self, visit);
    if (atomic_load(&visit->count) == 2) {
        return TENON_OK;
    }
    (void)!tenon_again(self, DELAY);
    return tenon_again(self, 0);
}

static void ask_more_than_once(
    tenon_executor *executor, struct test_clock *clock)
{
    struct visit visit = {.count = 0};

    (void)clock;
    must_run(executor, ask_twice, &visit, TENON_OK);
    visit_expect(&visit, 2, CLOCK_BEGIN_NS);
}

Test(again, of_several_calls_the_last_counts)
{
    pool_each_clock(ask_more_than_once);
}

static int say_first(tenon_task *self, void *arg)
{
    struct visit *visit = arg;

    visit_note(self, visit);
    if (atomic_load(&visit->count) == 1) {
        (void)tenon_fail(self, 5, "said at first");
        return tenon_again(self, 0);
    }
    return 5;
}

static int say_and_succeed(tenon_task *self, void *arg)
{
    int status = say_first(self, arg);

    return status == 5 ? TENON_OK : status;
}

static void keep_words(tenon_executor *executor)
{
    tenon_report report;
    struct visit visits[2] = {{.count = 0}};

    cr_expect(
        eq(int, tenon_run(executor, say_first, &visits[0], &report),
           TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(str, (char *)report.primary->text, "said at first"));
    tenon_report_free(&report);
    must_run(executor, say_and_succeed, &visits[1], TENON_OK);
    cr_expect(eq(u32, atomic_load(&visits[1].count), 2));
}

Test(again, what_was_said_is_kept_until_the_end)
{
    pool_each(keep_words);
}

// --- after a cancel ---

static void clean_up_without_units(
    tenon_executor *executor, struct test_clock *clock)
{
    tenon_limiter limiter;
    tenon_scope scope;
    tenon_report report;
    struct stubborn stubborn = {.count = 0};

    (void)clock;
    tenon_limiter_init(&limiter, 1);
    must_open(&scope, executor);
    must_spawn_with(
        &scope, insist, &stubborn,
        TENON_TASK_OPTIONS(.limiter = &limiter, .start_always = true));
    cr_assert(gate_wait(&stubborn.has_asked));
    cr_assert(gate_poll(is_unused, &limiter));
    cr_assert(zero(int, tenon_limiter_try_acquire(&limiter, 1)));
    tenon_scope_cancel(&scope, 1, "enough");
    must_join(&scope, &report, TENON_OK);  // nobody gives the unit back before
    cr_expect(eq(u64, report.cancelled_count, 1));
    cr_expect(eq(u32, atomic_load(&stubborn.count), 2));
    tenon_report_free(&report);
    tenon_limiter_release(&limiter, 1);
    tenon_limiter_fini(&limiter);
}

Test(again, needs_no_units_to_clean_up_even_if_it_is_always_started)
{
    pool_each_clock(clean_up_without_units);
}

static int ask_in_vain(tenon_task *self, void *arg)
{
    struct visit *visit = arg;

    visit_note(self, visit);
    int first = tenon_again(self, 0);
    tenon_scope_cancel(tenon_task_scope(self), 1, "meanwhile");
    int last = tenon_again(self, 0);
    return last == TENON_CANCELLED ? first : TASK_IN_VAIN;
}

static void ask_before_and_after(tenon_executor *executor)
{
    struct visit visit = {.count = 0};
    tenon_report report;

    cr_expect(eq(
        int, tenon_run(executor, ask_in_vain, &visit, &report), TENON_ERRORS));
    cr_expect(eq(u32, atomic_load(&visit.count), 1));
    cr_expect(eq(int, report.primary->code, TENON_AGAIN));
    tenon_report_free(&report);
}

Test(again, call_that_is_refused_takes_back_the_one_before)
{
    pool_each(ask_before_and_after);
}
