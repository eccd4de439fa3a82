// SPDX-License-Identifier: MIT
//
// scope_test — opened, joined when everything in it has ended, nested.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

TestSuite(scope, .timeout = 60);

static void join_empty(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.spawned_count, 0));
    cr_expect(eq(u64, report.error_count, 0));
    cr_expect(eq(ptr, (void *)report.primary, NULL));
    cr_expect(not(report.cancel_requested));
    tenon_report_free(&report);
}

Test(scope, empty_one_joins_ok)
{
    pool_each(join_empty);
}

static void count_thousand(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    atomic_uint count = 0;

    must_open(&scope, executor);
    for (int i = 0; i < 1000; i++) {
        must_spawn(&scope, task_count, &count);
    }
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 1000));
    cr_expect(eq(u64, report.spawned_count, 1000));
    cr_expect(eq(u64, report.ok_count, 1000));
    tenon_report_free(&report);
}

Test(scope, join_returns_when_every_task_has_ended)
{
    pool_each(count_thousand);
}

struct late {
    struct gate joiner_waits;
    atomic_uint ended_count;
};

static int end_late(tenon_task *self, void *arg)
{
    struct late *late = arg;

    (void)self;
    gate_wait(&late->joiner_waits);
    atomic_fetch_add(&late->ended_count, 1);
    return TENON_OK;
}

// One task holds the others back while the owner already waits.
static void join_late(tenon_executor *executor)
{
    tenon_scope scope;
    struct late late = {.ended_count = 0};

    must_open(&scope, executor);
    must_spawn(&scope, end_late, &late);
    must_spawn(&scope, task_open_gate, &late.joiner_waits);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&late.ended_count), 1));
}

Test(scope, join_waits_for_a_task_that_waits_for_another)
{
    pool_each_parallel(join_late);
}

static void open_again(tenon_executor *executor)
{
    tenon_scope scope;
    atomic_uint count = 0;

    for (int i = 0; i < 500; i++) {
        must_open(&scope, executor);
        must_spawn(&scope, task_count, &count);
        must_join(&scope, NULL, TENON_OK);
    }
    cr_expect(eq(uint, atomic_load(&count), 500));
}

Test(scope, storage_may_be_opened_again_after_join)
{
    pool_each(open_again);
}

Test(scope, options_may_be_missing)
{
    tenon_scope scope;
    atomic_uint count = 0;

    cr_assert(eq(int, tenon_scope_open(&scope, NULL), TENON_OK));
    must_spawn(&scope, task_count, &count);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 1));
}

Test(scope, name_is_the_one_given_at_open)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope named;
    tenon_scope unnamed;

    cr_assert(eq(
        int,
        tenon_scope_open(
            &named, TENON_SCOPE_OPTIONS(.executor = executor, .name = "outer")),
        TENON_OK));
    must_open(&unnamed, executor);
    cr_expect(eq(str, (char *)tenon_scope_name(&named), "outer"));
    cr_expect(eq(str, (char *)tenon_scope_name(&unnamed), ""));
    must_join(&unnamed, NULL, TENON_OK);
    must_join(&named, NULL, TENON_OK);
    pool_destroy(executor);
}

static void join_two_roots(tenon_executor *executor)
{
    tenon_scope first;
    tenon_scope second;
    atomic_uint count = 0;

    must_open(&first, executor);
    must_open(&second, executor);
    must_spawn(&second, task_count, &count);
    must_spawn(&first, task_count, &count);
    must_join(&first, NULL, TENON_OK);
    must_join(&second, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 2));
}

Test(scope, root_scopes_of_one_thread_do_not_nest)
{
    pool_each(join_two_roots);
}

// --- nested ---

struct tree {
    tenon_executor *executor;
    int depth;
    atomic_uint *leaf_count;
};

static int grow_tree(tenon_task *self, void *arg)
{
    struct tree *tree = arg;
    struct tree child = {tree->executor, tree->depth - 1, tree->leaf_count};
    tenon_scope scope;

    (void)self;
    if (tree->depth == 0) {
        atomic_fetch_add(tree->leaf_count, 1);
        return TENON_OK;
    }
    tenon_status status = tenon_scope_open(&scope, NULL);
    if (status != TENON_OK) {
        return status;
    }
    for (int i = 0; i < 3; i++) {
        tenon_status spawned = tenon_spawn(&scope, grow_tree, &child);
        status = status == TENON_OK ? spawned : status;
    }
    tenon_status joined = tenon_scope_join(&scope, status, NULL);
    // The child's argument lives in this frame: all must have ended.
    child.leaf_count = NULL;
    return joined;
}

static void join_tree(tenon_executor *executor)
{
    atomic_uint leaf_count = 0;
    struct tree tree = {executor, 6, &leaf_count};

    must_run(executor, grow_tree, &tree, TENON_OK);
    cr_expect(eq(uint, atomic_load(&leaf_count), 729));
}

Test(scope, nested_ones_are_joined_before_their_task_goes_on)
{
    pool_each(join_tree);
}

struct places {
    tenon_task *self;
    tenon_scope *around;
    tenon_task *current_before;
    tenon_task *current_after;
    void *arg;
    char name[16];
};

static int look_around(tenon_task *self, void *arg)
{
    struct places *places = arg;
    tenon_scope inner;

    places->self = self;
    places->around = tenon_task_scope(self);
    places->arg = tenon_task_arg(self);
    places->current_before = tenon_current();
    snprintf(places->name, sizeof(places->name), "%s", tenon_task_name(self));
    tenon_status status = tenon_scope_open(&inner, NULL);
    if (status == TENON_OK) {
        status = tenon_spawn(&inner, task_ok, NULL);
        status = tenon_scope_join(&inner, status, NULL);
    }
    places->current_after = tenon_current();
    return status;
}

static void look(tenon_executor *executor)
{
    tenon_scope scope;
    struct places places = {.self = NULL};

    must_open(&scope, executor);
    cr_expect(eq(ptr, tenon_current(), NULL));
    tenon_status status = tenon_spawn_with(
        &scope, look_around, &places, TENON_TASK_OPTIONS(.name = "looker"));
    cr_assert(eq(int, status, TENON_OK));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(ptr, places.around, &scope));
    cr_expect(eq(ptr, places.current_before, places.self));
    cr_expect(eq(ptr, places.current_after, places.self));
    cr_expect(eq(ptr, places.arg, &places));
    cr_expect(eq(str, places.name, "looker"));
    cr_expect(eq(ptr, tenon_current(), NULL));
}

Test(scope, task_knows_itself_its_scope_its_argument_and_its_name)
{
    pool_each(look);
}

static int nest_deep(tenon_task *self, void *arg)
{
    tenon_scope scopes[20];
    atomic_uint *count = arg;

    (void)self;
    for (int i = 0; i < 20; i++) {
        if (tenon_scope_open(&scopes[i], NULL) != TENON_OK ||
            tenon_spawn(&scopes[i], task_count, count) != TENON_OK) {
            return 1;
        }
    }
    for (int i = 19; i >= 0; i--) {
        if (tenon_scope_join(&scopes[i], TENON_OK, NULL) != TENON_OK) {
            return 2;
        }
    }
    return TENON_OK;
}

static void join_deep(tenon_executor *executor)
{
    atomic_uint count = 0;

    must_run(executor, nest_deep, &count, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 20));
}

Test(scope, one_task_may_nest_many)
{
    pool_each(join_deep);
}

struct heap_pair {
    tenon_scope outer;
    tenon_scope inner;
};

static int nest_on_heap(tenon_task *self, void *arg)
{
    struct heap_pair *pair = malloc(sizeof(*pair));

    (void)self;
    memset(pair, 0xa5, sizeof(*pair));
    tenon_status status = tenon_scope_open(&pair->outer, NULL);
    if (status == TENON_OK) {
        status = tenon_scope_open(&pair->inner, NULL);
        status = status != TENON_OK
                     ? status
                     : tenon_spawn(&pair->inner, task_count, arg);
        status = tenon_scope_join(&pair->inner, status, NULL);
        status = tenon_scope_join(&pair->outer, status, NULL);
    }
    free(pair);
    return status;
}

static void join_heap(tenon_executor *executor)
{
    atomic_uint count = 0;

    must_run(executor, nest_on_heap, &count, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 1));
}

Test(scope, storage_may_be_anywhere_with_any_contents)
{
    pool_each(join_heap);
}

Test(scope, nonsense_options_are_refused)
{
    tenon_scope scope;
    tenon_scope_options no_size = {.name = "x"};

    cr_expect(eq(int, tenon_scope_open(NULL, NULL), TENON_EINVAL));
    cr_expect(eq(int, tenon_scope_open(&scope, &no_size), TENON_EINVAL));
    tenon_status status = tenon_scope_open(
        &scope, TENON_SCOPE_OPTIONS(.policy = (tenon_policy)77));
    cr_expect(eq(int, status, TENON_EINVAL));
}

static int spawn_and_end(tenon_task *self, void *arg)
{
    (void)arg;
    for (int i = 0; i < 1000; i++) {
        if (tenon_spawn(tenon_task_scope(self), task_ok, NULL) != TENON_OK) {
            return 1;
        }
    }
    return TENON_OK;
}

static void spawn_long(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    for (int i = 0; i < 50; i++) {
        must_spawn(&scope, spawn_and_end, NULL);
    }
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.spawned_count, 50 * 1001));
    cr_expect(eq(u64, report.ok_count, 50 * 1001));
    tenon_report_free(&report);
}

Test(scope, counters_are_exact_whoever_spawned)
{
    pool_each(spawn_long);
}
