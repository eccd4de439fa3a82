// SPDX-License-Identifier: MIT
//
// acquire_test — who needs units at once, or waits for them: spawns that refuse
// or block, and tasks in line.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"
#include "units.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(acquire, .timeout = 60);

#define COUNTED TENON_TASK_OPTIONS(.destroy_arg = task_destroy_count)

static void open_limited(
    tenon_scope *scope, tenon_executor *executor, tenon_limiter *limiter)
{
    must_open_with(
        scope, TENON_SCOPE_OPTIONS(.executor = executor, .limiter = limiter));
}

static void try_spawn(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    tenon_handle handle;
    struct task_step step = {.status = TENON_OK};
    atomic_uint destroyed_count = 0;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .max_running = 1));
    cr_expect(
        eq(int, tenon_try_spawn(&scope, &handle, task_step, &step, NULL),
           TENON_OK));
    cr_expect(eq(
        int, tenon_try_spawn(&scope, NULL, task_ok, &destroyed_count, COUNTED),
        TENON_EAGAIN));
    cr_expect(eq(uint, atomic_load(&destroyed_count), 1));
    gate_open(&step.may_end);
    cr_expect(
        eq(int,
           tenon_spawn_until(
               &scope, NULL, task_ok, &destroyed_count, COUNTED,
               TENON_NO_DEADLINE),
           TENON_OK));
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.spawned_count, 2));
    cr_expect(eq(uint, atomic_load(&destroyed_count), 2));
    tenon_report_free(&report);
    // Without a limiter there is nothing to wait for.
    must_open(&scope, executor);
    cr_expect(
        eq(int, tenon_try_spawn(&scope, NULL, task_ok, NULL, NULL), TENON_OK));
    cr_expect(
        eq(int, tenon_spawn_until(&scope, NULL, task_ok, NULL, NULL, 1),
           TENON_OK));
    must_join(&scope, NULL, TENON_OK);
}

Test(acquire, spawn_may_refuse_or_wait_at_the_bound)
{
    pool_each(try_spawn);
}

static void spawn_in_vain(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_limiter limiter;
    atomic_uint destroyed_count = 0;

    (void)clock;
    tenon_limiter_init(&limiter, 0);
    open_limited(&scope, executor, &limiter);
    cr_expect(eq(
        int,
        tenon_spawn_until(
            &scope, NULL, task_ok, &destroyed_count, COUNTED, CLOCK_BEGIN_NS),
        TENON_ENOTREADY));
    units_expect(&limiter, 0, 0);
    tenon_scope_cancel(&scope, 0, NULL);
    cr_expect(
        eq(int,
           tenon_spawn_until(
               &scope, NULL, task_ok, &destroyed_count, COUNTED,
               TENON_NO_DEADLINE),
           TENON_CANCELLED));
    cr_expect(eq(uint, atomic_load(&destroyed_count), 2));
    must_join(&scope, NULL, TENON_OK);
    tenon_limiter_fini(&limiter);
}

Test(acquire, waiting_spawn_ends_with_its_time_or_a_cancel)
{
    pool_each_clock(spawn_in_vain);
}

struct producer {
    tenon_limiter *limiter;
    struct gate waits;
    tenon_status spawned;
    atomic_uint destroyed_count;
};

// The caller is freed by the failure that it should see.
static int produce(tenon_task *self, void *arg)
{
    struct producer *producer = arg;

    gate_open(&producer->waits);
    producer->spawned = tenon_spawn_until(
        tenon_task_scope(self), NULL, task_ok, &producer->destroyed_count,
        TENON_TASK_OPTIONS(
                .limiter = producer->limiter,
                .destroy_arg = task_destroy_count),
        TENON_NO_DEADLINE);
    return producer->spawned;
}

static int fail_when_it_waits(tenon_task *self, void *arg)
{
    struct producer *producer = arg;

    (void)self;
    return gate_wait(&producer->waits) ? 66 : TASK_IN_VAIN;
}

static void fail_beside(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    tenon_limiter limiter;
    struct producer producer = {.limiter = &limiter};

    tenon_limiter_init(&limiter, 0);
    must_open(&scope, executor);
    must_spawn(&scope, produce, &producer);
    cr_assert(gate_wait(&producer.waits));
    must_spawn(&scope, fail_when_it_waits, &producer);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(int, report.primary->code, 66));
    cr_expect(eq(int, producer.spawned, TENON_CANCELLED));
    cr_expect(eq(uint, atomic_load(&producer.destroyed_count), 1));
    tenon_report_free(&report);
    tenon_limiter_fini(&limiter);
}

Test(acquire, waiting_spawn_does_not_hold_who_should_see_a_failure)
{
    pool_each(fail_beside);
}

// Behind a shield the caller sees nothing of the cancel, but its spawn does.
static int produce_shielded(tenon_task *self, void *arg)
{
    struct producer *producer = arg;
    tenon_scope shield;

    if (tenon_scope_open(&shield, TENON_SCOPE_OPTIONS(.is_shielded = true)) !=
        TENON_OK) {
        return TASK_IN_VAIN;
    }
    (void)produce(self, producer);
    bool saw_cancel = tenon_cancelled(self);
    tenon_status status = tenon_scope_join(&shield, TENON_OK, NULL);
    return saw_cancel ? TASK_IN_VAIN : status;
}

static void cancel_across_shield(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_limiter limiter;
    struct producer producer = {.limiter = &limiter};

    tenon_limiter_init(&limiter, 0);
    must_open(&scope, executor);
    must_spawn(&scope, produce_shielded, &producer);
    cr_assert(gate_wait(&producer.waits));
    tenon_scope_cancel(&scope, 0, NULL);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(int, producer.spawned, TENON_CANCELLED));
    cr_expect(eq(uint, atomic_load(&producer.destroyed_count), 1));
    tenon_limiter_fini(&limiter);
}

Test(acquire, waiting_spawn_hears_its_scopes_cancel_across_a_shield)
{
    pool_each(cancel_across_shield);
}

struct line {
    tenon_limiter limiter;
    struct gate waits[3];
    atomic_uint next;
    unsigned order[3];
    tenon_status statuses[3];
};

struct in_line {
    struct line *line;
    int name;
};

static int acquire(tenon_task *self, void *arg)
{
    struct in_line *in_line = arg;
    struct line *line = in_line->line;

    gate_open(&line->waits[in_line->name]);
    tenon_status status =
        tenon_limiter_acquire_until(self, &line->limiter, 1, TENON_NO_DEADLINE);
    line->statuses[in_line->name] = status;
    if (status != TENON_OK) {
        return status;
    }
    line->order[atomic_fetch_add(&line->next, 1)] = (unsigned)in_line->name;
    tenon_limiter_release(&line->limiter, 1);
    return TENON_OK;
}

static bool are_waiting(void *context)
{
    uint64_t waiting_count = 0;
    const uint64_t *wanted = ((void **)context)[1];

    tenon_limiter_look(((void **)context)[0], NULL, &waiting_count);
    return waiting_count == *wanted;
}

static void acquire_in_line(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_handle handles[3];
    struct line line = {.next = 0};
    struct in_line in_lines[3];

    tenon_limiter_init(&line.limiter, 1);
    cr_assert(eq(int, tenon_limiter_try_acquire(&line.limiter, 1), TENON_OK));
    must_open(&scope, executor);
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t wanted = i + 1;
        void *context[] = {&line.limiter, &wanted};
        in_lines[i] = (struct in_line){&line, (int)i};
        cr_assert(eq(
            int,
            tenon_spawn_task(&scope, &handles[i], acquire, &in_lines[i], NULL),
            TENON_OK));
        cr_assert(gate_poll(are_waiting, context));
    }
    cr_expect(tenon_handle_cancel(&handles[1], 0, NULL));
    uint64_t wanted = 2;
    void *context[] = {&line.limiter, &wanted};
    cr_assert(gate_poll(are_waiting, context));
    tenon_limiter_release(&line.limiter, 1);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(int, line.statuses[0], TENON_OK));
    cr_expect(eq(int, line.statuses[1], TENON_CANCELLED));
    cr_expect(eq(int, line.statuses[2], TENON_OK));
    cr_expect(eq(uint, line.order[0], 0));
    cr_expect(eq(uint, line.order[1], 2));
    units_expect(&line.limiter, 0, 0);
    tenon_limiter_fini(&line.limiter);
}

// With few workers the spares see to it that all get to wait.
Test(acquire, acquire_waits_in_line_and_a_cancel_takes_out)
{
    pool_each(acquire_in_line);
}

static int acquire_badly(tenon_task *self, void *arg)
{
    tenon_limiter *limiter = arg;
    bool is_right =
        tenon_limiter_acquire_until(self, limiter, 0, TENON_NO_DEADLINE) ==
            TENON_EINVAL &&
        tenon_limiter_try_acquire(limiter, 0) == TENON_EINVAL &&
        tenon_limiter_acquire_until(self, limiter, 2, 1) == TENON_ENOTREADY &&
        tenon_limiter_acquire_until(self, limiter, 1, 1) == TENON_OK;

    if (!is_right) {
        return TASK_IN_VAIN;
    }
    tenon_limiter_release(limiter, 1);
    tenon_scope_cancel(tenon_task_scope(self), 0, NULL);
    return tenon_limiter_acquire_until(self, limiter, 1, TENON_NO_DEADLINE) ==
                   TENON_CANCELLED
               ? TENON_OK
               : TASK_IN_VAIN;
}

Test(acquire, acquire_says_what_is_wrong)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_limiter limiter;
    tenon_limiter zeroed = {.limit = 0};

    tenon_limiter_init(&limiter, 1);
    must_run(executor, acquire_badly, &limiter, TENON_OK);
    cr_expect(
        eq(int,
           tenon_scope_open(
               &scope, TENON_SCOPE_OPTIONS(
                               .executor = executor, .limiter = &limiter,
                               .max_running = 1)),
           TENON_EINVAL));
    tenon_limiter_fini(&limiter);
    tenon_limiter_fini(&zeroed);
    pool_destroy(executor);
}
