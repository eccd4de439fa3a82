// SPDX-License-Identifier: MIT
//
// nested_test — scopes that a task opens without options take the shortest way
// through open and join; whatever happens meanwhile is heeded all the same.

#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(nested, .timeout = 60);

enum { CODE = 31, TASK_COUNT = 100 };

// What a task saw; the main thread asserts.
struct seen {
    tenon_status opened;
    tenon_status joined;
    tenon_status again;  // a second call
    atomic_uint count;
    atomic_uint other_count;
    bool is_right;
};

static tenon_status spawn_counters(tenon_scope *scope, atomic_uint *count)
{
    tenon_status status = TENON_OK;

    for (int i = 0; i < TASK_COUNT && status == TENON_OK; i++) {
        status = tenon_spawn(scope, task_count, count);
    }
    return status;
}

static void run_each(
    tenon_task_fn *fn, struct seen *expected, unsigned count, unsigned others)
{
    for (uint32_t workers = 1; workers <= 2; workers++) {
        tenon_executor *executor = pool_create(workers);
        struct seen seen = {.opened = TENON_EINVAL};

        must_run(executor, fn, &seen, TENON_OK);
        pool_destroy(executor);
        cr_expect(eq(int, seen.opened, expected->opened));
        cr_expect(eq(int, seen.joined, expected->joined));
        cr_expect(eq(int, seen.again, expected->again));
        cr_expect(eq(u32, atomic_load(&seen.count), count));
        cr_expect(eq(u32, atomic_load(&seen.other_count), others));
        cr_expect(seen.is_right);
    }
}

// --- the owner's own way through it ---

static int misuse(tenon_task *self, void *arg)
{
    struct seen *seen = arg;
    tenon_scope scope;

    (void)self;
    (void)!tenon_scope_open(&scope, NULL);
    seen->opened = tenon_scope_open(&scope, NULL);
    tenon_status status = spawn_counters(&scope, &seen->count);
    seen->joined = tenon_scope_join(&scope, status, NULL);
    seen->again = tenon_scope_join(&scope, TENON_OK, NULL);
    seen->is_right = tenon_spawn(&scope, task_ok, NULL) == TENON_ECLOSED;
    return TENON_OK;
}

Test(nested, opened_or_joined_twice_is_refused)
{
    run_each(
        misuse,
        &(struct seen){.opened = TENON_EALREADY, .again = TENON_EALREADY},
        TASK_COUNT, 0);
}

// On top of the inner scope's tasks lie some of the outer one's.
static int cross(tenon_task *self, void *arg)
{
    struct seen *seen = arg;
    tenon_scope outer;
    tenon_scope inner;

    (void)self;
    seen->opened = tenon_scope_open(&outer, NULL);
    seen->again = tenon_scope_open(&inner, NULL);
    tenon_status inner_status = spawn_counters(&inner, &seen->count);
    tenon_status outer_status = spawn_counters(&outer, &seen->other_count);
    inner_status = tenon_scope_join(&inner, inner_status, NULL);
    seen->is_right = atomic_load(&seen->count) == TASK_COUNT;
    seen->joined = tenon_scope_join(&outer, outer_status, NULL);
    return inner_status;
}

Test(nested, tasks_of_the_outer_scope_on_top_are_left_to_it)
{
    run_each(cross, &(struct seen){.opened = TENON_OK}, TASK_COUNT, TASK_COUNT);
}

// On top of the scope's tasks lies a forked child.
static int join_before_child(tenon_task *self, void *arg)
{
    struct seen *seen = arg;
    tenon_scope scope;
    tenon_task child;

    seen->opened = tenon_scope_open(&scope, NULL);
    tenon_status status = spawn_counters(&scope, &seen->count);
    tenon_fork(self, &child, task_count, &seen->other_count);
    seen->joined = tenon_scope_join(&scope, status, NULL);
    seen->is_right = atomic_load(&seen->count) == TASK_COUNT;
    return tenon_join(self, &child);
}

Test(nested, forked_child_on_top_is_left_to_its_join)
{
    run_each(
        join_before_child, &(struct seen){.opened = TENON_OK}, TASK_COUNT, 1);
}

// --- what happens meanwhile ---

static int fail(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_fail(self, CODE, "as told");
}

static int join_failed(tenon_task *self, void *arg)
{
    struct seen *seen = arg;
    tenon_scope scope;

    seen->opened = tenon_scope_open(&scope, NULL);
    tenon_status status = tenon_spawn(&scope, fail, NULL);
    seen->joined = tenon_scope_join(&scope, status, NULL);
    // The error is its owner's to say.
    int said = tenon_fail(self, CODE + 1, "because of it");
    seen->is_right = said == CODE + 1;
    return said;
}

Test(nested, error_of_a_member_is_the_joins)
{
    tenon_executor *executor = pool_create(1);
    struct seen seen = {.opened = TENON_EINVAL};
    tenon_report report;

    cr_expect(eq(
        int, tenon_run(executor, join_failed, &seen, &report), TENON_ERRORS));
    pool_destroy(executor);
    cr_expect(eq(int, seen.joined, TENON_ERRORS));
    cr_assert(ne(ptr, (void *)report.primary, NULL));
    cr_expect(eq(int, report.primary->code, CODE + 1));
    cr_assert(ne(ptr, (void *)report.primary->children, NULL));
    cr_expect(eq(int, report.primary->children->code, CODE));
    tenon_report_free(&report);
}

static int cancel_own_scope(tenon_task *self, void *arg)
{
    (void)arg;
    tenon_scope_cancel(tenon_task_scope(self), CODE, "enough");
    return TENON_OK;
}

static int join_cancelled(tenon_task *self, void *arg)
{
    struct seen *seen = arg;
    tenon_scope scope;

    seen->opened = tenon_scope_open(&scope, NULL);
    // With one worker the newest is run first.
    tenon_status status = spawn_counters(&scope, &seen->count);
    if (status == TENON_OK) {
        status = tenon_spawn(&scope, cancel_own_scope, NULL);
    }
    seen->joined = tenon_scope_join(&scope, status, NULL);
    seen->is_right = !tenon_cancelled(self);
    return TENON_OK;
}

Test(nested, cancel_by_the_first_member_drops_the_others)
{
    tenon_executor *executor = pool_create(1);
    struct seen seen = {.opened = TENON_EINVAL};

    must_run(executor, join_cancelled, &seen, TENON_OK);
    pool_destroy(executor);
    cr_expect(eq(int, seen.joined, TENON_OK));
    cr_expect(zero(u32, atomic_load(&seen.count)));
    cr_expect(seen.is_right);
}

static int set_deadline(tenon_task *self, void *arg)
{
    tenon_scope *scope = arg;
    tenon_status status = tenon_scope_set_deadline(scope, 1);

    return status != TENON_OK ? status : task_until_cancelled(self, NULL);
}

static int join_late(tenon_task *self, void *arg)
{
    struct seen *seen = arg;
    tenon_scope scope;

    seen->opened = tenon_scope_open(&scope, NULL);
    tenon_status status = tenon_spawn(&scope, set_deadline, &scope);
    seen->joined = tenon_scope_join(&scope, status, NULL);
    seen->is_right = !tenon_cancelled(self);
    return TENON_OK;
}

Test(nested, deadline_that_a_member_sets_ends_the_scope)
{
    run_each(join_late, &(struct seen){.joined = TENON_TIMEOUT}, 0, 0);
}

static int set_far_deadline(tenon_task *self, void *arg)
{
    tenon_scope *scope = arg;

    (void)self;
    return tenon_scope_set_deadline(
        scope, tenon_executor_now_ns(tenon_scope_executor(scope)) +
                   TENON_SECONDS(3600));
}

static int join_in_time(tenon_task *self, void *arg)
{
    struct seen *seen = arg;

    (void)self;
    // In the same place: a deadline that were left there would be set twice.
    for (int i = 0; i < 3; i++) {
        tenon_scope scope;

        seen->opened = tenon_scope_open(&scope, NULL);
        tenon_status status = tenon_spawn(&scope, set_far_deadline, &scope);
        if (status == TENON_OK) {
            status = spawn_counters(&scope, &seen->count);
        }
        seen->joined = tenon_scope_join(&scope, status, NULL);
    }
    seen->is_right = true;
    return TENON_OK;
}

Test(nested, deadline_that_did_not_pass_goes_with_the_scope)
{
    run_each(
        join_in_time, &(struct seen){.joined = TENON_OK}, 3 * TASK_COUNT, 0);
}

struct listener {
    struct seen *seen;
    tenon_scope *scope;
    tenon_callback callback;
};

static int count_call(void *context, const tenon_cause *cause)
{
    (void)cause;
    atomic_fetch_add((atomic_uint *)context, 1);
    return TENON_OK;
}

static int listen(tenon_task *self, void *arg)
{
    struct listener *listener = arg;

    (void)self;
    tenon_callback_register(
        &listener->callback, tenon_scope_token(listener->scope), count_call,
        &listener->seen->other_count);
    return TENON_OK;
}

static int join_with_listener(tenon_task *self, void *arg)
{
    struct seen *seen = arg;
    tenon_scope scope;
    struct listener listener = {.seen = seen, .scope = &scope};

    seen->opened = tenon_scope_open(&scope, NULL);
    tenon_status status = tenon_spawn(&scope, listen, &listener);
    seen->joined = tenon_scope_join(&scope, status, NULL);
    tenon_scope_cancel(tenon_task_scope(self), CODE, "too late");
    seen->is_right = tenon_callback_unregister(&listener.callback);
    return TENON_OK;
}

Test(nested, callback_of_its_token_ends_with_it_uncalled)
{
    run_each(join_with_listener, &(struct seen){.joined = TENON_OK}, 0, 0);
}
