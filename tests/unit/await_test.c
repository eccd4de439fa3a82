// SPDX-License-Identifier: MIT
//
// await_test — waits for some tasks, or for all, that are no joins: bounded,
// cancelling nobody; and the join that does not wait.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(await, .timeout = 60);

enum { COUNT = 3 };

struct steps {
    tenon_scope scope;
    tenon_handle handles[COUNT];
    tenon_handle *all[COUNT];
    struct task_step steps[COUNT];
};

// Three tasks that have begun and wait to be told to end.
static void begin_steps(struct steps *steps, tenon_executor *executor)
{
    *steps = (struct steps){.all = {NULL}};
    must_open_with(
        &steps->scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    for (int i = 0; i < COUNT; i++) {
        steps->all[i] = &steps->handles[i];
        cr_assert(
            eq(int,
               tenon_spawn_task(
                   &steps->scope, &steps->handles[i], task_step,
                   &steps->steps[i], NULL),
               TENON_OK));
    }
}

static tenon_status await(
    struct steps *steps, size_t count, tenon_wait_for condition,
    uint64_t deadline_ns)
{
    return tenon_wait_until(steps->all, count, condition, deadline_ns);
}

static void end_step(struct steps *steps, int i, int status)
{
    steps->steps[i].status = status;
    gate_open(&steps->steps[i].may_end);
}

static void await_first(tenon_executor *executor)
{
    struct steps steps;

    begin_steps(&steps, executor);
    cr_expect(
        eq(int, await(&steps, COUNT, TENON_WAIT_FIRST, 1), TENON_ENOTREADY));
    end_step(&steps, 1, TENON_OK);
    // With one worker the tasks run one after the other.
    end_step(&steps, 0, TENON_OK);
    cr_expect(
        eq(int, await(&steps, COUNT, TENON_WAIT_FIRST, TENON_NO_DEADLINE),
           TENON_OK));
    cr_expect(
        tenon_handle_outcome(&steps.handles[0], NULL, NULL) == TENON_OK ||
        tenon_handle_outcome(&steps.handles[1], NULL, NULL) == TENON_OK);
    end_step(&steps, 2, TENON_OK);
    must_join(&steps.scope, NULL, TENON_OK);
}

Test(await, first_is_over_when_one_has_ended)
{
    pool_each(await_first);
}

static void await_error(tenon_executor *executor)
{
    struct steps steps;
    tenon_outcome outcome = TENON_OUTCOME_NONE;

    begin_steps(&steps, executor);
    end_step(&steps, 0, TENON_OK);
    cr_expect(
        eq(int, await(&steps, COUNT, TENON_WAIT_ERROR, 1), TENON_ENOTREADY));
    end_step(&steps, 1, 17);
    cr_expect(
        eq(int, await(&steps, COUNT, TENON_WAIT_ERROR, TENON_NO_DEADLINE),
           TENON_OK));
    // The last one has not ended.
    cr_expect(
        eq(int, tenon_handle_outcome(&steps.handles[2], NULL, NULL),
           TENON_ENOTREADY));
    cr_assert(
        eq(int, tenon_handle_outcome(&steps.handles[1], &outcome, NULL), 0));
    cr_expect(eq(int, (int)outcome, (int)TENON_OUTCOME_FAILED));
    end_step(&steps, 2, TENON_OK);
    must_join(&steps.scope, NULL, TENON_ERRORS);
    // Without one it is over when all have ended.
    begin_steps(&steps, executor);
    for (int i = 0; i < COUNT; i++) {
        end_step(&steps, i, TENON_OK);
    }
    cr_expect(
        eq(int, await(&steps, COUNT, TENON_WAIT_ERROR, TENON_NO_DEADLINE),
           TENON_OK));
    must_join(&steps.scope, NULL, TENON_OK);
}

Test(await, error_is_over_when_one_has_failed_or_all_have_ended)
{
    pool_each(await_error);
}

static void await_all(tenon_executor *executor)
{
    struct steps steps;

    begin_steps(&steps, executor);
    end_step(&steps, 0, TENON_OK);
    // A subset: the first two.
    cr_expect(eq(int, await(&steps, 2, TENON_WAIT_ALL, 1), TENON_ENOTREADY));
    end_step(&steps, 1, 5);
    cr_expect(
        eq(int, await(&steps, 2, TENON_WAIT_ALL, TENON_NO_DEADLINE), TENON_OK));
    cr_expect(
        eq(int, await(&steps, COUNT, TENON_WAIT_ALL, 1), TENON_ENOTREADY));
    end_step(&steps, 2, TENON_OK);
    must_join(&steps.scope, NULL, TENON_ERRORS);
}

Test(await, all_is_over_when_the_last_of_the_subset_has_ended)
{
    pool_each(await_all);
}

static void refuse(tenon_executor *executor)
{
    struct steps steps;
    struct steps others;
    tenon_handle zeroed = {.id = 0};

    begin_steps(&steps, executor);
    begin_steps(&others, executor);
    tenon_handle *mixed[] = {&steps.handles[0], &others.handles[0]};
    tenon_handle *none[] = {&zeroed};
    tenon_handle *null[] = {NULL};
    cr_expect(
        eq(int, tenon_wait_until(NULL, 1, TENON_WAIT_ALL, 1), TENON_EINVAL));
    cr_expect(eq(int, await(&steps, 0, TENON_WAIT_ALL, 1), TENON_EINVAL));
    cr_expect(eq(int, await(&steps, 1, (tenon_wait_for)3, 1), TENON_EINVAL));
    cr_expect(
        eq(int, tenon_wait_until(mixed, 2, TENON_WAIT_ALL, 1), TENON_EINVAL));
    cr_expect(
        eq(int, tenon_wait_until(none, 1, TENON_WAIT_ALL, 1), TENON_EINVAL));
    cr_expect(
        eq(int, tenon_wait_until(null, 1, TENON_WAIT_ALL, 1), TENON_EINVAL));
    for (int i = 0; i < COUNT; i++) {
        end_step(&steps, i, TENON_OK);
        end_step(&others, i, TENON_OK);
    }
    must_join(&others.scope, NULL, TENON_OK);
    must_join(&steps.scope, NULL, TENON_OK);
}

Test(await, nonsense_is_refused)
{
    pool_each(refuse);
}

static void wait_then_join(tenon_executor *executor)
{
    struct steps steps;
    tenon_report report;

    begin_steps(&steps, executor);
    tenon_scope *scope = &steps.scope;
    cr_expect(eq(int, tenon_scope_wait_until(scope, 1), TENON_ENOTREADY));
    cr_expect(eq(
        int, tenon_scope_try_join(scope, TENON_OK, &report), TENON_ENOTREADY));
    cr_expect(not(tenon_scope_cancelled(scope)));
    for (int i = 0; i < COUNT; i++) {
        end_step(&steps, i, TENON_OK);
    }
    cr_expect(
        eq(int, tenon_scope_wait_until(scope, TENON_NO_DEADLINE), TENON_OK));
    // It is not joined: there may be more.
    must_spawn(scope, task_ok, NULL);
    cr_expect(
        eq(int, tenon_scope_wait_until(scope, TENON_NO_DEADLINE), TENON_OK));
    cr_expect(
        eq(int, tenon_scope_try_join(scope, TENON_OK, &report), TENON_OK));
    cr_expect(eq(u64, report.ok_count, COUNT + 1));
    cr_expect(
        eq(int, tenon_scope_try_join(scope, TENON_OK, NULL), TENON_EALREADY));
    cr_expect(eq(int, tenon_scope_wait_until(scope, 1), TENON_EALREADY));
    tenon_report_free(&report);
}

Test(await, bounded_wait_for_a_scope_neither_joins_nor_cancels)
{
    pool_each(wait_then_join);
}

static void wait_cancelled(tenon_executor *executor)
{
    struct steps steps;

    begin_steps(&steps, executor);
    cr_assert(gate_wait(&steps.steps[0].started));
    tenon_scope_cancel(&steps.scope, 0, NULL);
    cr_expect(
        eq(int, tenon_scope_wait_until(&steps.scope, TENON_NO_DEADLINE),
           TENON_CANCELLED));
    cr_expect(
        eq(int, await(&steps, COUNT, TENON_WAIT_ALL, TENON_NO_DEADLINE),
           TENON_CANCELLED));
    for (int i = 0; i < COUNT; i++) {
        end_step(&steps, i, TENON_OK);
    }
    must_join(&steps.scope, NULL, TENON_OK);
}

Test(await, waits_end_when_the_scope_is_cancelled)
{
    pool_each(wait_cancelled);
}

struct inner {
    tenon_status waited;
    tenon_status tried;
    atomic_uint count;
};

static int wait_inside(tenon_task *self, void *arg)
{
    struct inner *inner = arg;
    tenon_scope scope;
    tenon_status body = tenon_scope_open(&scope, NULL);

    (void)self;
    for (int i = 0; i < 10 && body == TENON_OK; i++) {
        body = tenon_spawn(&scope, task_count, &inner->count);
    }
    inner->waited = tenon_scope_wait_until(&scope, TENON_NO_DEADLINE);
    inner->tried = tenon_scope_try_join(&scope, body, NULL);
    return inner->tried;
}

static void run_inside(tenon_executor *executor)
{
    for (int i = 0; i < 50; i++) {
        struct inner inner = {.waited = TENON_EINVAL};
        must_run(executor, wait_inside, &inner, TENON_OK);
        cr_assert(eq(int, inner.waited, TENON_OK));
        cr_assert(eq(uint, atomic_load(&inner.count), 10));
    }
}

Test(await, bounded_wait_in_a_task_runs_its_children)
{
    pool_each(run_inside);
}

static int misuse(tenon_task *self, void *arg)
{
    tenon_scope *scope = arg;
    bool is_right =
        tenon_scope_wait_until(scope, 1) == TENON_EDEADLK &&
        tenon_scope_try_join(scope, TENON_OK, NULL) == TENON_EDEADLK;

    (void)self;
    return is_right ? TENON_OK : TASK_IN_VAIN;
}

static void wait_from_inside(tenon_executor *executor)
{
    tenon_scope scope;

    must_open(&scope, executor);
    must_spawn(&scope, misuse, &scope);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(int, tenon_scope_wait_until(NULL, 1), TENON_EINVAL));
}

Test(await, a_member_cannot_wait_for_its_own_scope)
{
    pool_each(wait_from_inside);
}

// --- in a task: what it waits for never holds it up ---

typedef tenon_status brief_wait_fn(
    tenon_scope *scope, tenon_handle *handle, uint64_t deadline_ns);

struct brief_wait {
    struct task_step step;
    struct gate has_waited;
    brief_wait_fn *wait;
    uint64_t until_ns;
    tenon_status waited;
};

static tenon_status next_briefly(
    tenon_scope *scope, tenon_handle *handle, uint64_t deadline_ns)
{
    return tenon_scope_next_until(scope, deadline_ns, &handle);
}

static tenon_status await_briefly(
    tenon_scope *scope, tenon_handle *handle, uint64_t deadline_ns)
{
    (void)scope;
    return tenon_wait_until(&handle, 1, TENON_WAIT_ALL, deadline_ns);
}

static tenon_status await_all_briefly(
    tenon_scope *scope, tenon_handle *handle, uint64_t deadline_ns)
{
    (void)handle;
    return tenon_scope_wait_until(scope, deadline_ns);
}

static int wait_for_long_child(tenon_task *self, void *arg)
{
    struct brief_wait *brief = arg;
    tenon_scope scope;
    tenon_handle handle;

    (void)self;
    if (tenon_scope_open(&scope, NULL) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status body =
        tenon_spawn_task(&scope, &handle, task_step, &brief->step, NULL);
    brief->waited = brief->wait(&scope, &handle, brief->until_ns);
    gate_open(&brief->has_waited);
    return tenon_scope_join(&scope, body, NULL);
}

static void wait_in_task(tenon_executor *executor, struct test_clock *clock)
{
    brief_wait_fn *const waits[] = {
        next_briefly, await_briefly, await_all_briefly};

    for (int i = 0; i < 3; i++) {
        struct brief_wait brief = {.wait = waits[i]};
        brief.until_ns = tenon_executor_now_ns(executor) + 1;
        tenon_scope scope;
        must_open(&scope, executor);
        must_spawn(&scope, wait_for_long_child, &brief);
        cr_assert(gate_wait(&brief.step.started));
        pool_move_clock(executor, clock, 1);
        bool has_waited = gate_wait(&brief.has_waited);
        gate_open(&brief.step.may_end);
        must_join(&scope, NULL, TENON_OK);
        cr_expect(has_waited);
        cr_expect(eq(int, brief.waited, TENON_ENOTREADY));
    }
}

Test(await, bounded_wait_of_a_task_is_not_held_up_by_its_children)
{
    pool_each_clock(wait_in_task);
}

// Whichever of the two begins first: the one that ends is heard of.
static int take_first_and_cancel(tenon_task *self, void *arg)
{
    tenon_handle handles[2];
    tenon_handle *all[2] = {&handles[0], &handles[1]};
    tenon_scope scope;

    (void)self;
    (void)arg;
    if (tenon_scope_open(&scope, NULL) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    struct gate started = {0};
    tenon_status body = tenon_spawn_task(&scope, all[0], task_ok, NULL, NULL);
    if (body == TENON_OK) {
        body = tenon_spawn_task(
            &scope, all[1], task_announce_until_cancelled, &started, NULL);
    }
    tenon_status waited =
        tenon_wait_until(all, 2, TENON_WAIT_FIRST, TENON_NO_DEADLINE);
    tenon_scope_cancel(&scope, 0, "one is enough");
    body = tenon_scope_join(&scope, body, NULL);
    return body == TENON_OK ? waited : body;
}

static void take_first_often(tenon_executor *executor)
{
    for (int i = 0; i < 200; i++) {
        must_run(executor, take_first_and_cancel, NULL, TENON_OK);
    }
}

Test(await, task_that_waits_for_the_first_does_not_run_the_other_itself)
{
    pool_each_parallel(take_first_often);
}
