// SPDX-License-Identifier: MIT
//
// unread_test — errors that nobody has had to read are told to the hook: of a
// root scope, and of those that a task swallows, and of these all.

#include "catch.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

TestSuite(unread, .timeout = 60);

struct told {
    unsigned count;
    uint64_t error_count;
    int primary_code;
    uint64_t deadline_ns;  // of who is told
};

static void note(const tenon_report *report, void *context)
{
    struct told *told = context;

    told->count++;
    told->error_count = report->error_count;
    told->primary_code = report->primary == NULL ? 0 : report->primary->code;
    if (tenon_current() != NULL) {
        told->deadline_ns = tenon_task_deadline(tenon_current());
    }
}

static int codes[] = {TENON_OK, 7};

static int fail_callback(void *context, const tenon_cause *cause)
{
    (void)context;
    (void)cause;
    return 55;
}

static tenon_status open_failing(tenon_scope *scope)
{
    tenon_status status = tenon_scope_open(scope, NULL);

    return status == TENON_OK ? tenon_spawn(scope, task_return, &codes[1])
                              : status;
}

static int fail_below(tenon_task *self, void *arg)
{
    tenon_scope scope;

    (void)self;
    (void)arg;
    return tenon_scope_join(&scope, open_failing(&scope), NULL);
}

// --- outside of tasks ---

static void lose_errors(tenon_executor *executor)
{
    struct told told = {.count = 0};
    tenon_report report;

    tenon_set_unobserved_hook(note, &told);
    must_run(executor, task_return, &codes[1], TENON_ERRORS);
    cr_expect(eq(uint, told.count, 1));
    cr_expect(eq(u64, told.error_count, 1));
    cr_expect(eq(int, told.primary_code, 7));
    // Who takes the report reads it; who has none to lose loses none.
    cr_expect(
        eq(int, tenon_run(executor, task_return, &codes[1], &report),
           TENON_ERRORS));
    tenon_report_free(&report);
    must_run(executor, task_ok, NULL, TENON_OK);
    cr_expect(eq(uint, told.count, 1));
    // Errors of nested scopes travel up.
    must_run(executor, fail_below, NULL, TENON_ERRORS);
    cr_expect(eq(uint, told.count, 2));
    cr_expect(eq(int, told.primary_code, TENON_ERRORS));

    tenon_token token;
    tenon_callback callback;
    tenon_token_init(&token, NULL);
    tenon_callback_register(&callback, &token, fail_callback, NULL);
    tenon_token_cancel(&token, 0, NULL);
    cr_expect(eq(uint, told.count, 3));
    cr_expect(eq(int, told.primary_code, 55));
    tenon_token_fini(&token);
    tenon_set_unobserved_hook(NULL, NULL);
    must_run(executor, task_return, &codes[1], TENON_ERRORS);
    cr_expect(eq(uint, told.count, 3));
}

Test(unread, are_told_to_the_hook)
{
    pool_each(lose_errors);
}

// All that is written, in one string.
static void read_all(FILE *stream, char *text, size_t size_bytes)
{
    text[fread(text, 1, size_bytes - 1, stream)] = 0;
    fclose(stream);
}

// The environment is read once, by the first who asks.
Test(unread, are_written_to_stderr_in_debug_mode)
{
    char text[1024];
    struct catch catch;
    tenon_report report;

    setenv("TENON_DEBUG", "1", 1);
    tenon_executor *executor = pool_create(2);
    catch_begin(&catch);
    must_run(executor, fail_below, NULL, TENON_ERRORS);
    catch_end(&catch);
    read_all(catch.caught, text, sizeof(text));
    cr_expect(ne(ptr, strstr(text, "errors that nobody has read"), NULL));
    cr_expect(ne(ptr, strstr(text, "app 7"), NULL));
    catch_begin(&catch);
    cr_expect(
        eq(int, tenon_run(executor, fail_below, NULL, &report), TENON_ERRORS));
    tenon_report_free(&report);
    catch_end(&catch);
    read_all(catch.caught, text, sizeof(text));
    cr_expect(eq(str, text, ""));
    pool_destroy(executor);
}

// --- in tasks that end well ---

static int fail_fatally(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_fail_fatal(self, 9, "broken for good");
}

// What a task does before it ends well.
struct swallowing {
    int read_count;    // errors in a report, passed on
    int unread_count;  // errors of a join without one
    tenon_task_fn *last;
    tenon_policy policy;
};

static tenon_status fail_many(
    const struct swallowing *what, int count, tenon_report *report)
{
    tenon_scope scope;
    tenon_status body = tenon_scope_open(
        &scope,
        TENON_SCOPE_OPTIONS(.policy = what->policy, .max_errors = UINT32_MAX));

    if (body != TENON_OK) {
        return body;
    }
    // A single worker begins with the newest.
    if (report == NULL && what->last != NULL) {
        body = tenon_spawn(&scope, what->last, &codes[0]);
    }
    for (int i = 0; i < count && body == TENON_OK; i++) {
        body = tenon_spawn(&scope, task_return, &codes[1]);
    }
    return tenon_scope_join(&scope, body, report);
}

static int swallow(tenon_task *self, void *arg)
{
    const struct swallowing *what = arg;
    tenon_report report = {.status = TENON_OK};

    if (what->read_count > 0) {
        (void)fail_many(what, what->read_count, &report);
        tenon_report_pass_up(&report, self);
    }
    if (what->unread_count > 0) {
        (void)fail_many(what, what->unread_count, NULL);
    }
    return TENON_OK;
}

static void expect_told(
    tenon_executor *executor, struct swallowing what, unsigned count,
    uint64_t error_count, int primary_code)
{
    struct told told = {.count = 0};

    if (what.policy == TENON_POLICY_FAIL_FAST) {
        what.policy = TENON_POLICY_COLLECT_ALL;
    }
    tenon_set_unobserved_hook(note, &told);
    must_run(executor, swallow, &what, TENON_OK);
    tenon_set_unobserved_hook(NULL, NULL);
    cr_expect(eq(uint, told.count, count));
    cr_expect(eq(u64, told.error_count, error_count));
    cr_expect(eq(int, told.primary_code, primary_code));
}

static void count_exactly(tenon_executor *executor)
{
    expect_told(executor, (struct swallowing){.unread_count = 100}, 1, 100, 7);
    expect_told(executor, (struct swallowing){.read_count = 100}, 0, 0, 0);
    expect_told(
        executor, (struct swallowing){.read_count = 20, .unread_count = 1}, 1,
        1, 7);
    // More were passed on than are kept: nothing is left of the others.
    expect_told(
        executor, (struct swallowing){.read_count = 100, .unread_count = 5}, 1,
        5, 0);
}

Test(unread, are_counted_exactly_beside_those_that_were_read)
{
    pool_each(count_exactly);
}

static void swallow_when_done(const tenon_completion *completion, void *context)
{
    (void)completion;
    (void)swallow(NULL, context);
}

static void swallow_in_destructor(void *arg)
{
    (void)swallow(NULL, arg);
}

static void swallow_at_end(tenon_executor *executor)
{
    struct told told = {.count = 0};
    struct swallowing what = {
        .unread_count = 2, .policy = TENON_POLICY_COLLECT_ALL};
    tenon_scope scope;

    tenon_set_unobserved_hook(note, &told);
    must_open(&scope, executor);
    must_spawn_with(
        &scope, task_ok, &what,
        TENON_TASK_OPTIONS(
                .destroy_arg = swallow_in_destructor,
                .on_done = swallow_when_done, .on_done_context = &what));
    must_join(&scope, NULL, TENON_OK);
    tenon_set_unobserved_hook(NULL, NULL);
    cr_expect(eq(uint, told.count, 2));
    cr_expect(eq(u64, told.error_count, 2));
}

Test(unread, of_what_is_called_at_the_end_of_a_task_are_told)
{
    pool_each(swallow_at_end);
}

static void put_first(tenon_executor *executor)
{
    expect_told(
        executor, (struct swallowing){.unread_count = 2, .last = fail_fatally},
        1, 3, 9);
}

Test(unread, have_a_fatal_one_as_the_primary)
{
    pool_each(put_first);
}

static void lose_the_race(tenon_executor *executor)
{
    struct told told = {.count = 0};
    tenon_scope scope;

    expect_told(
        executor,
        (struct swallowing){
            .unread_count = 2,
            .last = task_return,
            .policy = TENON_POLICY_ANY_OK,
        },
        0, 0, 0);
    tenon_set_unobserved_hook(note, &told);
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .policy = TENON_POLICY_ANY_OK));
    may_spawn(&scope, task_return, &codes[1]);
    may_spawn(&scope, task_return, &codes[0]);
    must_join(&scope, NULL, TENON_OK);
    tenon_set_unobserved_hook(NULL, NULL);
    cr_expect(eq(uint, told.count, 0));
}

Test(unread, are_not_those_of_who_lost_against_a_success)
{
    pool_each(lose_the_race);
}

static void be_in_time(tenon_executor *executor)
{
    struct told told = {.count = 0};
    struct swallowing what = {
        .unread_count = 1, .policy = TENON_POLICY_COLLECT_ALL};
    tenon_scope scope;
    tenon_handle handle;

    tenon_set_unobserved_hook(note, &told);
    must_open(&scope, executor);
    cr_assert(zero(
        int, tenon_spawn_task(
                 &scope, &handle, swallow, &what,
                 TENON_TASK_OPTIONS(.timeout_ns = TENON_SECONDS(3600)))));
    must_join(&scope, NULL, TENON_OK);
    tenon_set_unobserved_hook(NULL, NULL);
    cr_expect(eq(uint, told.count, 1));
    cr_expect(eq(u64, told.deadline_ns, TENON_NO_DEADLINE));
}

Test(unread, are_told_when_the_deadline_of_the_task_is_over)
{
    pool_each(be_in_time);
}

static int swallow_and_say(tenon_task *self, void *arg)
{
    (void)swallow(self, arg);
    (void)tenon_fail(self, 5, "said, and thought better of");
    return TENON_OK;
}

static int outlive_fork(tenon_task *self, void *arg)
{
    tenon_task child;

    (void)arg;
    tenon_fork(self, &child, task_return, &codes[1]);
    (void)!tenon_join(self, &child);
    return TENON_OK;
}

static void say_and_succeed(tenon_executor *executor)
{
    struct told told = {.count = 0};
    struct swallowing what = {
        .unread_count = 100, .policy = TENON_POLICY_COLLECT_ALL};
    tenon_report report;

    tenon_set_unobserved_hook(note, &told);
    must_run(executor, swallow_and_say, &what, TENON_OK);
    cr_expect(eq(uint, told.count, 1));
    cr_expect(eq(u64, told.error_count, 100));
    // That of a forked child is in the report of its scope.
    cr_expect(eq(
        int, tenon_run(executor, outlive_fork, NULL, &report), TENON_ERRORS));
    tenon_report_free(&report);
    tenon_set_unobserved_hook(NULL, NULL);
    cr_expect(eq(uint, told.count, 1));
}

Test(unread, are_counted_whatever_the_task_said_and_only_if_nobody_has_them)
{
    pool_each(say_and_succeed);
}
