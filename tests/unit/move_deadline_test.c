// SPDX-License-Identifier: MIT
//
// move_deadline_test — a deadline may be moved until it has fired, and can be
// read, from whatever bounds the task.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

static tenon_status set_in_verdict(const tenon_report *report, void *context)
{
    tenon_scope *late = context;
    tenon_executor *executor = tenon_scope_executor(late);

    (void)!tenon_scope_set_deadline(
        late, tenon_executor_now_ns(executor) + TENON_SECONDS(1));
    return report->status;
}

static void set_at_the_end(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope *late = calloc(1, sizeof(*late));

    cr_assert(ne(ptr, late, NULL));
    must_open_with(
        late, TENON_SCOPE_OPTIONS(
                      .executor = executor, .policy = TENON_POLICY_CUSTOM,
                      .verdict = set_in_verdict, .policy_context = late));
    must_spawn(late, task_ok, NULL);
    must_join(late, NULL, TENON_OK);
    memset(late, 0, sizeof(*late));  // a deadline that is past, if it is set
    tenon_scope scope;
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .timeout_ns = TENON_SECONDS(2)));
    pool_move_clock(executor, clock, TENON_SECONDS(2));
    cr_expect(task_await_scope_cancel(&scope));
    must_join(&scope, NULL, TENON_OK);
    free(late);
}

TestSuite(move_deadline, .timeout = 60);

#define DELAY TENON_SECONDS(10)
#define AT(delay_ns) (CLOCK_BEGIN_NS + (delay_ns))

static void must_move(tenon_scope *scope, uint64_t deadline_ns)
{
    cr_assert(eq(int, tenon_scope_set_deadline(scope, deadline_ns), TENON_OK));
}

static void move_later(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_handle early;
    struct task_step step = {.status = TENON_OK};

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .timeout_ns = DELAY));
    must_move(&scope, AT(3 * DELAY));
    cr_assert(
        eq(int, tenon_spawn_task(&scope, &early, task_step, &step, NULL),
           TENON_OK));
    pool_move_clock(executor, clock, 2 * DELAY);
    cr_expect(not(tenon_scope_cancelled(&scope)));
    must_move(&scope, AT(4 * DELAY));
    cr_assert(gate_wait(&step.started));
    gate_open(&step.may_end);
    must_spawn(&scope, task_until_cancelled, NULL);
    pool_move_clock(executor, clock, 2 * DELAY);
    must_join(&scope, NULL, TENON_TIMEOUT);
}

Test(move_deadline, to_a_later_time_gives_more_time)
{
    pool_each_clock(move_later);
}

// A scope in a task that had no deadline when it was opened.
static int move_and_join(tenon_task *self, void *arg)
{
    tenon_scope *inner = arg;
    tenon_status status = tenon_scope_open(inner, NULL);

    (void)self;
    if (status == TENON_OK) {
        status = tenon_scope_set_deadline(inner, AT(DELAY));
    }
    if (status == TENON_OK) {
        status = tenon_spawn(inner, task_ok, NULL);
    }
    return tenon_scope_join(inner, status, NULL);
}

static void join_before(tenon_executor *executor, struct test_clock *clock)
{
    static tenon_scope inner;
    static tenon_scope joined;
    tenon_scope scope;

    memset(&inner, 0, sizeof(inner));
    must_run(executor, move_and_join, &inner, TENON_OK);
    memcpy(&joined, &inner, sizeof(inner));
    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(.executor = executor, .timeout_ns = 2 * DELAY));
    must_spawn(&scope, task_until_cancelled, NULL);
    pool_move_clock(executor, clock, 2 * DELAY);
    must_join(&scope, NULL, TENON_TIMEOUT);
    cr_expect(zero(int, memcmp(&joined, &inner, sizeof(inner))));
}

Test(move_deadline, of_a_scope_that_is_joined_before_is_gone)
{
    pool_each_clock(join_before);
}

static void move_earlier(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(.executor = executor, .timeout_ns = 5 * DELAY));
    must_spawn(&scope, task_until_cancelled, NULL);
    must_move(&scope, AT(DELAY));
    pool_move_clock(executor, clock, DELAY);
    must_join(&scope, NULL, TENON_TIMEOUT);
}

Test(move_deadline, to_an_earlier_time_cancels_then)
{
    pool_each_clock(move_earlier);
}

static void move_to_past(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_report report;

    pool_move_clock(executor, clock, DELAY);
    must_open(&scope, executor);
    must_spawn(&scope, task_until_cancelled, NULL);
    must_move(&scope, AT(DELAY));
    cr_expect(tenon_scope_cancelled(&scope));
    must_join(&scope, &report, TENON_TIMEOUT);
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_DEADLINE));
    tenon_report_free(&report);
}

Test(move_deadline, to_the_past_cancels_at_once)
{
    pool_each_clock(move_to_past);
}

static void move_away(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    atomic_uint count = 0;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .timeout_ns = DELAY));
    must_move(&scope, TENON_NO_DEADLINE);
    pool_move_clock(executor, clock, 2 * DELAY);
    must_spawn(&scope, task_count, &count);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 1));
}

Test(move_deadline, to_none_takes_it_away)
{
    pool_each_clock(move_away);
}

static void move_too_late(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_scope never_opened = {.depth = 0};

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .timeout_ns = DELAY));
    pool_move_clock(executor, clock, DELAY);
    cr_assert(task_await_scope_cancel(&scope));
    cr_expect(eq(
        int, tenon_scope_set_deadline(&scope, AT(5 * DELAY)), TENON_EALREADY));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(
        int, tenon_scope_set_deadline(&scope, AT(5 * DELAY)), TENON_ECLOSED));
    must_open(&scope, executor);
    cr_expect(eq(int, tenon_scope_set_deadline(&scope, 0), TENON_EINVAL));
    tenon_scope_cancel(&scope, 0, NULL);
    cr_expect(eq(
        int, tenon_scope_set_deadline(&scope, AT(5 * DELAY)), TENON_EALREADY));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(
        eq(int, tenon_scope_set_deadline(&never_opened, 1), TENON_EINVAL));
    cr_expect(eq(int, tenon_scope_set_deadline(NULL, 1), TENON_EINVAL));
}

Test(move_deadline, is_refused_once_it_has_fired_or_the_scope_is_cancelled)
{
    pool_each_clock(move_too_late);
}

static int move_often(tenon_task *self, void *arg)
{
    const uint64_t *seed = arg;

    for (uint64_t i = 0; i < 2500; i++) {
        tenon_status status = tenon_scope_set_deadline(
            tenon_task_scope(self), AT(DELAY) + (i * 7 + *seed) % 1000);
        if (status != TENON_OK) {
            return TASK_IN_VAIN;
        }
    }
    return TENON_OK;
}

// Four members move it at the same time.
static void move_ten_thousand_times(
    tenon_executor *executor, struct test_clock *clock)
{
    static const uint64_t seeds[] = {1, 2, 3, 4};
    tenon_scope scope;

    must_open(&scope, executor);
    for (int i = 0; i < 4; i++) {
        must_spawn(&scope, move_often, (void *)&seeds[i]);
    }
    must_join(&scope, NULL, TENON_OK);
    pool_move_clock(executor, clock, 2 * DELAY);  // nothing is left to fire
}

Test(move_deadline, ten_thousand_times_leaves_nothing_behind)
{
    pool_each_clock(move_ten_thousand_times);
}

struct deadlines {
    uint64_t outer_ns;
    uint64_t in_task_ns;
    uint64_t in_inner_ns;
    uint64_t in_member_ns;
};

static int read_member(tenon_task *self, void *arg)
{
    struct deadlines *deadlines = arg;

    deadlines->in_member_ns = tenon_task_deadline(self);
    return TENON_OK;
}

static int read_deadlines(tenon_task *self, void *arg)
{
    struct deadlines *deadlines = arg;
    tenon_scope inner;

    deadlines->in_task_ns = tenon_task_deadline(self);
    tenon_status status = tenon_scope_open(
        &inner, TENON_SCOPE_OPTIONS(.deadline_ns = AT(4 * DELAY)));
    if (status != TENON_OK) {
        return status;
    }
    deadlines->in_inner_ns = tenon_task_deadline(self);
    return tenon_scope_join(
        &inner, tenon_spawn(&inner, read_member, deadlines), NULL);
}

static void read_all(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    struct deadlines deadlines;

    (void)clock;
    must_open(&scope, executor);
    must_spawn(&scope, read_deadlines, &deadlines);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(u64, deadlines.in_task_ns, TENON_NO_DEADLINE));
    cr_expect(eq(u64, deadlines.in_inner_ns, AT(4 * DELAY)));
    cr_expect(eq(u64, deadlines.in_member_ns, AT(4 * DELAY)));
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .timeout_ns = DELAY));
    must_spawn_with(
        &scope, read_deadlines, &deadlines,
        TENON_TASK_OPTIONS(.timeout_ns = DELAY / 2));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(u64, deadlines.in_task_ns, AT(DELAY / 2)));
    cr_expect(eq(u64, deadlines.in_inner_ns, AT(DELAY / 2)));
    cr_expect(eq(u64, deadlines.in_member_ns, AT(DELAY / 2)));
}

Test(move_deadline, the_earliest_of_all_around_can_be_read)
{
    pool_each_clock(read_all);
}

static int block_with_deadline(tenon_task *self, void *arg)
{
    struct gate *is_open = arg;
    tenon_scope block;

    if (tenon_scope_open(&block, TENON_SCOPE_OPTIONS(.timeout_ns = DELAY)) !=
        TENON_OK) {
        return TASK_IN_VAIN;
    }
    gate_open(is_open);
    // What is called in the block knows only the task.
    bool was_cancelled = task_await_cancel(self);
    tenon_status status = tenon_scope_join(
        &block, was_cancelled ? TENON_CANCELLED : TASK_IN_VAIN, NULL);
    return status == TENON_TIMEOUT && !tenon_cancelled(self) ? TENON_OK
                                                             : TASK_IN_VAIN;
}

static void time_out_block(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    struct gate is_open = {0};

    must_open(&scope, executor);
    must_spawn(&scope, block_with_deadline, &is_open);
    cr_assert(gate_wait(&is_open));
    pool_move_clock(executor, clock, DELAY);
    must_join(&scope, NULL, TENON_OK);
}

Test(move_deadline, of_a_block_without_tasks_stops_what_polls_in_it)
{
    pool_each_clock(time_out_block);
}

static void link_tokens(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope outer;
    tenon_token free_token;
    tenon_token linked;

    (void)clock;
    tenon_token_init(&free_token, NULL);
    must_open_with(
        &outer, TENON_SCOPE_OPTIONS(.executor = executor, .timeout_ns = DELAY));
    tenon_token_link parents[] = {
        {.parent = &free_token}, {.parent = tenon_scope_token(&outer)}};
    tenon_token_init_linked(&linked, parents, 2);
    cr_expect(eq(u64, tenon_token_deadline(&linked), AT(DELAY)));
    cr_expect(eq(u64, tenon_token_deadline(&free_token), TENON_NO_DEADLINE));
    tenon_token_fini(&linked);
    must_join(&outer, NULL, TENON_OK);
    tenon_token_fini(&free_token);
}

Test(move_deadline, of_linked_tokens_is_the_earliest)
{
    pool_each_clock(link_tokens);
}

struct other {
    tenon_executor *executor;
    tenon_status joined;
    uint64_t deadline_ns;
};

// A scope on an executor whose clock is the system's, far ahead of the test's.
static int time_out_elsewhere(tenon_task *self, void *arg)
{
    struct other *other = arg;
    tenon_scope scope;

    if (tenon_scope_open(
            &scope, TENON_SCOPE_OPTIONS(
                            .executor = other->executor,
                            .timeout_ns = TENON_MILLISECONDS(1))) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    other->deadline_ns = tenon_task_deadline(self);
    bool was_cancelled = task_await_cancel(self);
    other->joined = tenon_scope_join(
        &scope, was_cancelled ? TENON_CANCELLED : TASK_IN_VAIN, NULL);
    return tenon_cancelled(self) ? TASK_IN_VAIN : TENON_OK;
}

static void mix_clocks(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    struct other other = {.executor = pool_create(1)};

    (void)clock;
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .timeout_ns = 1));
    must_spawn(&scope, time_out_elsewhere, &other);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(int, other.joined, TENON_TIMEOUT));
    cr_expect(ge(u64, other.deadline_ns, TENON_MILLISECONDS(1)));
    pool_destroy(other.executor);
}

Test(move_deadline, of_another_clock_is_not_compared)
{
    pool_each_clock(mix_clocks);
}

Test(move_deadline, in_the_verdict_of_the_join_leaves_nothing_behind)
{
    pool_each_clock(set_at_the_end);
}
