// SPDX-License-Identifier: MIT
//
// spawn_test — who may add to a scope and when; what a kept task tells.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <string.h>
#include <tenon/tenon.h>

TestSuite(spawn, .timeout = 60);

struct cascade {
    tenon_scope *scope;
    int depth;
    atomic_uint *count;
};

static struct cascade cascades[12];

// Each task spawns two into the one scope that all are of.
static int spawn_two(tenon_task *self, void *arg)
{
    struct cascade *cascade = arg;

    (void)self;
    atomic_fetch_add(cascade->count, 1);
    if (cascade->depth == 0) {
        return TENON_OK;
    }
    for (int i = 0; i < 2; i++) {
        tenon_status status =
            tenon_spawn(cascade->scope, spawn_two, cascade - 1);
        if (status != TENON_OK) {
            return 1;
        }
    }
    return TENON_OK;
}

static void cascade_all(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    atomic_uint count = 0;

    must_open(&scope, executor);
    for (int i = 0; i < 12; i++) {
        cascades[i] = (struct cascade){&scope, i, &count};
    }
    must_spawn(&scope, spawn_two, &cascades[11]);
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 4095));
    cr_expect(eq(u64, report.spawned_count, 4095));
    tenon_report_free(&report);
}

Test(spawn, tasks_of_the_scope_may_at_any_depth_while_the_owner_joins)
{
    pool_each(cascade_all);
}

// --- from a scope that lies deeper ---

struct outward {
    tenon_scope *outer;
    atomic_uint count;
    tenon_status status;
};

static int spawn_outward(tenon_task *self, void *arg)
{
    struct outward *outward = arg;

    (void)self;
    outward->status = tenon_spawn(outward->outer, task_count, &outward->count);
    return TENON_OK;
}

static int run_inner(tenon_task *self, void *arg)
{
    (void)self;
    return tenon_run(NULL, spawn_outward, arg, NULL);
}

static void spawn_from_inner(tenon_executor *executor)
{
    tenon_scope scope;
    struct outward outward = {.outer = &scope};

    must_open(&scope, executor);
    must_spawn(&scope, run_inner, &outward);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(int, outward.status, TENON_OK));
    cr_expect(eq(uint, atomic_load(&outward.count), 1));
}

Test(spawn, task_of_a_nested_scope_may_spawn_into_the_outer_one)
{
    pool_each(spawn_from_inner);
}

// One task opens both scopes: the inner one's tasks are inside the outer one.
static int open_both(tenon_task *self, void *arg)
{
    struct outward *outward = arg;
    tenon_scope outer;
    tenon_scope inner;

    (void)self;
    outward->outer = &outer;
    if (tenon_scope_open(&outer, NULL) != TENON_OK ||
        tenon_scope_open(&inner, NULL) != TENON_OK) {
        return 1;
    }
    tenon_status status = tenon_spawn(&inner, spawn_outward, outward);
    status = tenon_scope_join(&inner, status, NULL);
    return tenon_scope_join(&outer, status, NULL);
}

static void spawn_beside(tenon_executor *executor)
{
    struct outward outward = {.status = TENON_EINVAL};

    must_run(executor, open_both, &outward, TENON_OK);
    cr_expect(eq(int, outward.status, TENON_OK));
    cr_expect(eq(uint, atomic_load(&outward.count), 1));
}

Test(spawn, task_of_a_scope_nested_by_the_same_owner_may_spawn_into_the_outer)
{
    pool_each(spawn_beside);
}

// --- who may not ---

static int spawn_into(tenon_task *self, void *arg)
{
    struct outward *outward = arg;

    (void)self;
    outward->status = tenon_spawn(outward->outer, task_count, &outward->count);
    return TENON_OK;
}

static void *spawn_main(void *arg)
{
    struct outward *outward = arg;

    outward->status = tenon_spawn(outward->outer, task_count, &outward->count);
    return NULL;
}

Test(spawn, foreign_thread_without_a_reference_may_not)
{
    tenon_executor *executor = pool_create(2);
    tenon_scope scope;
    struct outward outward = {.outer = &scope};
    pthread_t thread;

    must_open(&scope, executor);
    pthread_create(&thread, NULL, spawn_main, &outward);
    pthread_join(thread, NULL);
    cr_expect(eq(int, outward.status, TENON_EPERM));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&outward.count), 0));
    pool_destroy(executor);
}

static void spawn_from_stranger(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_scope other;
    struct outward outward = {.outer = &scope};

    must_open(&scope, executor);
    must_open(&other, executor);
    must_spawn(&other, spawn_into, &outward);
    must_join(&other, NULL, TENON_OK);
    cr_expect(eq(int, outward.status, TENON_EPERM));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&outward.count), 0));
}

Test(spawn, task_of_another_scope_may_not)
{
    pool_each(spawn_from_stranger);
}

static int spawn_into_own_children(tenon_task *self, void *arg)
{
    struct outward *outward = arg;
    tenon_scope inner;
    struct task_step step = {.status = TENON_OK};

    (void)self;
    if (tenon_scope_open(&inner, NULL) != TENON_OK ||
        tenon_spawn(&inner, task_step, &step) != TENON_OK) {
        return 1;
    }
    gate_open(&step.may_end);
    tenon_status status = tenon_scope_join(&inner, TENON_OK, NULL);
    outward->status = tenon_spawn(&inner, task_count, &outward->count);
    return status;
}

static void spawn_after_join(tenon_executor *executor)
{
    tenon_scope scope;
    struct outward outward = {.outer = &scope};

    must_open(&scope, executor);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(
        int, tenon_spawn(&scope, task_count, &outward.count), TENON_ECLOSED));
    must_run(executor, spawn_into, &outward, TENON_OK);
    cr_expect(eq(int, outward.status, TENON_ECLOSED));
    must_run(executor, spawn_into_own_children, &outward, TENON_OK);
    cr_expect(eq(int, outward.status, TENON_ECLOSED));
    cr_expect(eq(uint, atomic_load(&outward.count), 0));
}

Test(spawn, joined_scope_is_closed_for_everyone)
{
    pool_each(spawn_after_join);
}

Test(spawn, nonsense_is_refused)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_scope never_opened = {.phase = 0};
    tenon_task_options no_size = {.name = "x"};
    tenon_report report;

    must_open(&scope, executor);
    cr_expect(eq(int, tenon_spawn(NULL, task_ok, NULL), TENON_EINVAL));
    cr_expect(eq(int, tenon_spawn(&scope, NULL, NULL), TENON_EINVAL));
    cr_expect(eq(int, tenon_spawn(&never_opened, task_ok, NULL), TENON_EINVAL));
    cr_expect(eq(
        int, tenon_spawn_with(&scope, task_ok, NULL, &no_size), TENON_EINVAL));
    cr_expect(
        eq(int, tenon_spawn_task(&scope, NULL, task_ok, NULL, NULL),
           TENON_EINVAL));
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.spawned_count, 0));
    cr_expect(eq(u64, report.rejected_count, 0));
    tenon_report_free(&report);
    pool_destroy(executor);
}

// --- a task of the caller's ---

static void keep_outcomes(tenon_executor *executor)
{
    static int codes[] = {TENON_OK, 5, TENON_CANCELLED};
    static const tenon_outcome expected[] = {
        TENON_OUTCOME_OK, TENON_OUTCOME_FAILED, TENON_OUTCOME_FAILED};
    tenon_scope scope;
    tenon_handle handles[3];
    tenon_outcome outcome = TENON_OUTCOME_NONE;
    int status = 77;

    tenon_status opened = tenon_scope_open(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    cr_assert(eq(int, opened, TENON_OK));
    for (int i = 0; i < 3; i++) {
        tenon_status spawned =
            tenon_spawn_task(&scope, &handles[i], task_return, &codes[i], NULL);
        cr_assert(eq(int, spawned, TENON_OK));
    }
    must_join(&scope, NULL, TENON_ERRORS);
    for (int i = 0; i < 3; i++) {
        cr_assert(
            eq(int, tenon_handle_outcome(&handles[i], &outcome, &status),
               TENON_OK));
        cr_expect(eq(int, (int)outcome, (int)expected[i]));
        cr_expect(eq(int, status, codes[i]));
    }
    cr_expect(eq(int, tenon_handle_outcome(&handles[0], NULL, NULL), TENON_OK));
}

Test(spawn, kept_task_tells_its_outcome_after_join)
{
    pool_each(keep_outcomes);
}

static void ask_early(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_handle handle;
    struct task_step step = {.status = 3};
    tenon_outcome outcome = TENON_OUTCOME_DROPPED;
    int status = 77;

    must_open(&scope, executor);
    cr_assert(
        eq(int, tenon_spawn_task(&scope, &handle, task_step, &step, NULL),
           TENON_OK));
    cr_assert(gate_wait(&step.started));
    cr_expect(
        eq(int, tenon_handle_outcome(&handle, &outcome, &status),
           TENON_ENOTREADY));
    cr_expect(eq(int, (int)outcome, (int)TENON_OUTCOME_DROPPED));
    cr_expect(eq(int, status, 77));
    gate_open(&step.may_end);
    must_join(&scope, NULL, TENON_ERRORS);
}

Test(spawn, outcome_is_not_ready_before_the_task_has_ended)
{
    pool_each(ask_early);
}

static void refuse_kept(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_handle handle;

    must_open(&scope, executor);
    cr_assert(eq(
        int, tenon_spawn_task(&scope, &handle, task_ok, NULL, NULL), TENON_OK));
    must_join(&scope, NULL, TENON_OK);
    cr_assert(eq(int, tenon_handle_outcome(&handle, NULL, NULL), TENON_OK));

    must_open(&scope, executor);
    tenon_scope_cancel(&scope, 1, "too late");
    cr_assert(
        eq(int, tenon_spawn_task(&scope, &handle, task_ok, NULL, NULL),
           TENON_CANCELLED));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(
        eq(int, tenon_handle_outcome(&handle, NULL, NULL), TENON_ENOTREADY));
}

Test(spawn, refused_task_has_no_outcome)
{
    pool_each(refuse_kept);
}

static void spawn_again(tenon_executor *executor)
{
    tenon_handle handle;
    tenon_task_options wrong = {.struct_size = 1};
    tenon_scope scope;

    must_open(&scope, executor);
    cr_expect(eq(
        int, tenon_spawn_task(&scope, &handle, task_ok, NULL, NULL), TENON_OK));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(int, tenon_handle_outcome(&handle, NULL, NULL), TENON_OK));
    must_open(&scope, executor);
    cr_expect(
        eq(int, tenon_spawn_task(&scope, &handle, task_ok, NULL, &wrong),
           TENON_EINVAL));
    cr_expect(
        eq(int, tenon_handle_outcome(&handle, NULL, NULL), TENON_ENOTREADY));
    must_join(&scope, NULL, TENON_OK);
}

Test(spawn, refused_task_has_no_former_outcome)
{
    pool_each(spawn_again);
}
