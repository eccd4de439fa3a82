// SPDX-License-Identifier: MIT
//
// callback_test — what a cancel calls: once, on its thread, before it returns,
// and never after it was taken out.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <string.h>
#include <tenon/tenon.h>

TestSuite(callback, .timeout = 60);

#define DELAY TENON_SECONDS(10)

struct call {
    atomic_uint count;
    pthread_t thread;
    tenon_cause cause;
    int status;
};

static int note(void *context, const tenon_cause *cause)
{
    struct call *call = context;

    call->thread = pthread_self();
    call->cause = *cause;
    atomic_fetch_add(&call->count, 1);
    return call->status;
}

static void expect_calls(struct call *call, unsigned count)
{
    cr_expect(eq(uint, atomic_load(&call->count), count));
}

Test(callback, runs_once_on_the_thread_that_cancels_with_the_cause)
{
    tenon_token token;
    tenon_callback callback;
    struct call call = {.count = 0};

    tenon_token_init(&token, NULL);
    tenon_callback_register(&callback, &token, note, &call);
    expect_calls(&call, 0);
    tenon_token_cancel(&token, 4, "enough");
    expect_calls(&call, 1);
    cr_expect(pthread_equal(call.thread, pthread_self()));
    cr_expect(eq(int, (int)call.cause.source, (int)TENON_CAUSE_EXPLICIT));
    cr_expect(eq(int, call.cause.code, 4));
    cr_expect(eq(str, call.cause.text, "enough"));
    tenon_token_cancel(&token, 5, "again");
    expect_calls(&call, 1);
    cr_expect(not(tenon_callback_unregister(&callback)));
    tenon_token_fini(&token);
}

Test(callback, registered_too_late_runs_at_once)
{
    tenon_token token;
    tenon_callback callback;
    struct call call = {.count = 0};

    tenon_token_init(&token, NULL);
    tenon_token_cancel(&token, 4, "enough");
    tenon_callback_register(&callback, &token, note, &call);
    expect_calls(&call, 1);
    cr_expect(eq(int, call.cause.code, 4));
    cr_expect(not(tenon_callback_unregister(&callback)));
    tenon_token_fini(&token);
}

Test(callback, taken_out_never_runs)
{
    tenon_token token;
    tenon_callback callbacks[3];
    tenon_callback zeroed = {.fn = NULL};
    struct call calls[3] = {{.count = 0}};

    tenon_token_init(&token, NULL);
    for (int i = 0; i < 3; i++) {
        tenon_callback_register(&callbacks[i], &token, note, &calls[i]);
    }
    cr_expect(tenon_callback_unregister(&callbacks[1]));
    cr_expect(tenon_callback_unregister(&callbacks[1]));
    tenon_token_cancel(&token, 0, NULL);
    expect_calls(&calls[0], 1);
    expect_calls(&calls[1], 0);
    expect_calls(&calls[2], 1);
    cr_expect(tenon_callback_unregister(&zeroed));
    tenon_token_fini(&token);
}

struct order {
    int next;
    int seen[8];
};

struct place {
    struct order *order;
    int name;
};

static int note_place(void *context, const tenon_cause *cause)
{
    struct place *place = context;

    (void)cause;
    place->order->seen[place->order->next++] = place->name;
    return 0;
}

Test(callback, those_above_run_first_each_in_the_order_of_registration)
{
    static const int expected[] = {1, 3, 0, 2, 4};
    struct order order = {.next = 0};
    struct place places[5];
    tenon_callback callbacks[5];
    tenon_token outer;
    tenon_token inner;

    tenon_token_init(&outer, NULL);
    tenon_token_init(&inner, &outer);
    for (int i = 0; i < 5; i++) {
        places[i] = (struct place){&order, i};
        tenon_callback_register(
            &callbacks[i], i % 2 == 0 ? &inner : &outer, note_place,
            &places[i]);
    }
    tenon_token_cancel(&outer, 0, NULL);
    cr_assert(eq(int, order.next, 5));
    for (int i = 0; i < 5; i++) {
        cr_expect(eq(int, order.seen[i], expected[i]));
    }
    tenon_token_fini(&inner);
    tenon_token_fini(&outer);
}

Test(callback, below_a_token_runs_and_above_it_does_not)
{
    tenon_token tokens[3];
    tenon_callback callbacks[3];
    struct call calls[3] = {{.count = 0}};

    for (int i = 0; i < 3; i++) {
        tenon_token_init(&tokens[i], i == 0 ? NULL : &tokens[i - 1]);
        tenon_callback_register(&callbacks[i], &tokens[i], note, &calls[i]);
    }
    tenon_token_cancel(&tokens[1], 6, "the middle one");
    expect_calls(&calls[0], 0);
    expect_calls(&calls[1], 1);
    expect_calls(&calls[2], 1);
    cr_expect(eq(int, (int)calls[2].cause.source, (int)TENON_CAUSE_PARENT));
    cr_expect(eq(int, calls[2].cause.code, 6));
    tenon_token_cancel(&tokens[0], 7, "the top one");
    expect_calls(&calls[0], 1);
    expect_calls(&calls[1], 1);
    expect_calls(&calls[2], 1);
    for (int i = 2; i >= 0; i--) {
        tenon_token_fini(&tokens[i]);
    }
}

Test(callback, of_a_linked_token_runs_once_whichever_parent_is_set)
{
    enum { COUNT = 4 };

    for (int first = 0; first < COUNT; first++) {
        tenon_token parents[COUNT];
        tenon_token_link links[COUNT];
        tenon_token_link diamond[2];
        tenon_token linked;
        tenon_token below;
        tenon_callback callback;
        struct call call = {.count = 0};

        for (int i = 0; i < COUNT; i++) {
            tenon_token_init(&parents[i], NULL);
            links[i].parent = &parents[i];
        }
        tenon_token_init_linked(&linked, links, COUNT);
        diamond[0].parent = &linked;
        diamond[1].parent = &parents[0];
        tenon_token_init_linked(&below, diamond, 2);
        tenon_callback_register(&callback, &below, note, &call);
        for (int i = 0; i < COUNT; i++) {
            tenon_token_cancel(&parents[(first + i) % COUNT], i, NULL);
            expect_calls(&call, 1);
        }
        tenon_token_fini(&below);
        tenon_token_fini(&linked);
        for (int i = 0; i < COUNT; i++) {
            tenon_token_fini(&parents[i]);
        }
    }
}

Test(callback, leaves_nothing_behind_at_the_parents_of_its_token)
{
    tenon_token parent;

    tenon_token_init(&parent, NULL);
    for (int i = 0; i < 1000; i++) {
        tenon_token_link link = {.parent = &parent};
        tenon_token child;
        tenon_callback callback;
        struct call call = {.count = 0};
        tenon_token_init_linked(&child, &link, 1);
        tenon_callback_register(&callback, &child, note, &call);
        if (i % 2 == 0) {
            tenon_callback_unregister(&callback);
        }
        tenon_token_fini(&child);
        memset(&child, 0xa5, sizeof(child));
        memset(&link, 0xa5, sizeof(link));
    }
    cr_expect(tenon_token_cancel(&parent, 0, NULL));
    tenon_token_fini(&parent);
}

struct slow {
    struct gate has_begun;
    struct gate may_end;
    atomic_bool has_ended;
    tenon_token token;
    tenon_callback callback;
    tenon_callback later;
    struct call later_call;
};

static int run_slowly(void *context, const tenon_cause *cause)
{
    struct slow *slow = context;

    (void)cause;
    gate_open(&slow->has_begun);
    gate_wait(&slow->may_end);
    atomic_store(&slow->has_ended, true);
    return 0;
}

static void *cancel_slowly(void *arg)
{
    struct slow *slow = arg;

    tenon_token_cancel(&slow->token, 0, NULL);
    return NULL;
}

static void *let_end(void *arg)
{
    struct slow *slow = arg;

    gate_open(&slow->may_end);
    return NULL;
}

static pthread_t start(void *(*function)(void *), void *arg)
{
    pthread_t thread;

    cr_assert(eq(int, pthread_create(&thread, NULL, function, arg), 0));
    return thread;
}

Test(callback, taking_out_waits_for_one_that_runs_elsewhere)
{
    struct slow slow = {.has_ended = false};

    tenon_token_init(&slow.token, NULL);
    tenon_callback_register(&slow.callback, &slow.token, run_slowly, &slow);
    tenon_callback_register(&slow.later, &slow.token, note, &slow.later_call);
    pthread_t canceller = start(cancel_slowly, &slow);
    cr_assert(gate_wait(&slow.has_begun));
    // One that waits for its turn is taken out at once.
    cr_expect(tenon_callback_unregister(&slow.later));
    pthread_t helper = start(let_end, &slow);
    cr_expect(not(tenon_callback_unregister(&slow.callback)));
    cr_expect(atomic_load(&slow.has_ended));
    pthread_join(canceller, NULL);
    pthread_join(helper, NULL);
    expect_calls(&slow.later_call, 0);
    tenon_token_fini(&slow.token);
}

Test(callback, end_of_the_token_waits_for_one_that_runs_elsewhere)
{
    struct slow slow = {.has_ended = false};

    tenon_token_init(&slow.token, NULL);
    tenon_callback_register(&slow.callback, &slow.token, run_slowly, &slow);
    tenon_callback_register(&slow.later, &slow.token, note, &slow.later_call);
    pthread_t canceller = start(cancel_slowly, &slow);
    cr_assert(gate_wait(&slow.has_begun));
    pthread_t helper = start(let_end, &slow);
    tenon_token_fini(&slow.token);
    cr_expect(atomic_load(&slow.has_ended));
    // It was about to run when the token ended.
    expect_calls(&slow.later_call, 1);
    pthread_join(canceller, NULL);
    pthread_join(helper, NULL);
}

struct suicide {
    tenon_callback callback;
    bool never_ran;
};

static int take_itself_out(void *context, const tenon_cause *cause)
{
    struct suicide *suicide = context;

    (void)cause;
    suicide->never_ran = tenon_callback_unregister(&suicide->callback);
    memset(&suicide->callback, 0xa5, sizeof(suicide->callback));
    return 0;
}

Test(callback, may_take_itself_out_and_be_freed)
{
    struct suicide suicide = {.never_ran = true};
    tenon_callback other;
    struct call call = {.count = 0};
    tenon_token token;

    tenon_token_init(&token, NULL);
    tenon_callback_register(
        &suicide.callback, &token, take_itself_out, &suicide);
    tenon_callback_register(&other, &token, note, &call);
    tenon_token_cancel(&token, 0, NULL);
    cr_expect(not(suicide.never_ran));
    expect_calls(&call, 1);
    tenon_token_fini(&token);
}

struct busy {
    tenon_token *token;
    tenon_token other;
    tenon_callback inner;
    struct call inner_call;
    tenon_callback next;  // registered after this one
    bool next_never_ran;
    bool has_cancelled;
};

// Nothing of ours is held while it runs.
static int use_everything(void *context, const tenon_cause *cause)
{
    struct busy *busy = context;

    (void)cause;
    busy->has_cancelled = tenon_token_cancel(&busy->other, 0, NULL);
    tenon_callback_register(&busy->inner, busy->token, note, &busy->inner_call);
    busy->next_never_ran = tenon_callback_unregister(&busy->next);
    return 0;
}

Test(callback, may_cancel_register_and_take_out_others)
{
    tenon_token token;
    struct busy busy = {.token = &token};
    tenon_callback callback;
    struct call next_call = {.count = 0};

    tenon_token_init(&token, NULL);
    tenon_token_init(&busy.other, NULL);
    tenon_callback_register(&callback, &token, use_everything, &busy);
    tenon_callback_register(&busy.next, &token, note, &next_call);
    tenon_token_cancel(&token, 0, NULL);
    cr_expect(busy.has_cancelled);
    expect_calls(&busy.inner_call, 1);
    cr_expect(busy.next_never_ran);
    expect_calls(&next_call, 0);
    tenon_token_fini(&busy.other);
    tenon_token_fini(&token);
}

static void fail_in_callback(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    tenon_callback bad;
    tenon_callback good;
    struct call bad_call = {.status = 77};
    struct call good_call = {.status = 0};

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .name = "served"));
    tenon_callback_register(&bad, tenon_scope_token(&scope), note, &bad_call);
    tenon_callback_register(&good, tenon_scope_token(&scope), note, &good_call);
    tenon_scope_cancel(&scope, 1, "stop");
    must_join(&scope, &report, TENON_ERRORS);
    expect_calls(&bad_call, 1);
    expect_calls(&good_call, 1);
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, 77));
    cr_expect(eq(str, (char *)report.primary->domain, "callback"));
    cr_expect(eq(str, (char *)report.primary->scope_name, "served"));
    cr_expect(report.primary->after_cancel);
    tenon_report_free(&report);
    cr_expect(not(tenon_callback_unregister(&bad)));
}

Test(callback, failure_is_an_error_of_the_scope_and_the_others_run)
{
    pool_each(fail_in_callback);
}

static int fail_at_once(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_fail(self, 8, "broken");
}

static void fail_in_task(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    tenon_callback callback;
    struct call call = {.status = 9};

    must_open(&scope, executor);
    tenon_callback_register(&callback, tenon_scope_token(&scope), note, &call);
    must_spawn(&scope, fail_at_once, NULL);
    must_join(&scope, &report, TENON_ERRORS);
    expect_calls(&call, 1);
    cr_expect(eq(int, (int)call.cause.source, (int)TENON_CAUSE_FAILURE));
    cr_expect(eq(u64, report.error_count, 2));
    cr_expect(eq(int, report.primary->code, 8));
    tenon_report_free(&report);
}

Test(callback, runs_when_a_failure_cancels)
{
    pool_each(fail_in_task);
}

static void pass_deadline(tenon_executor *executor, struct test_clock *clock)
{
    tenon_scope scope;
    tenon_callback callback;
    struct call call = {.status = 0};

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .timeout_ns = DELAY));
    tenon_callback_register(&callback, tenon_scope_token(&scope), note, &call);
    pool_move_clock(executor, clock, DELAY);
    cr_assert(task_await_scope_cancel(&scope));
    must_join(&scope, NULL, TENON_OK);  // waits for the callback
    expect_calls(&call, 1);
    cr_expect(eq(int, (int)call.cause.source, (int)TENON_CAUSE_DEADLINE));
    cr_expect(not(pthread_equal(call.thread, pthread_self())));
}

Test(callback, runs_when_a_deadline_passes_although_nobody_polls)
{
    pool_each_clock(pass_deadline);
}

struct nested {
    struct gate is_registered;
    struct gate may_end;
    struct call inner;
    struct call shielded;
    struct call handled;
};

static int register_inside(tenon_task *self, void *arg)
{
    struct nested *nested = arg;
    tenon_scope inner;
    tenon_scope shielded;
    tenon_callback callbacks[2];

    (void)self;
    if (tenon_scope_open(&inner, NULL) != TENON_OK ||
        tenon_scope_open(&shielded, TENON_SCOPE_OPTIONS(.is_shielded = true)) !=
            TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_callback_register(
        &callbacks[0], tenon_scope_token(&inner), note, &nested->inner);
    tenon_callback_register(
        &callbacks[1], tenon_scope_token(&shielded), note, &nested->shielded);
    gate_open(&nested->is_registered);
    bool in_time = gate_wait(&nested->may_end);
    tenon_status status = tenon_scope_join(&shielded, TENON_OK, NULL);
    // The shield's callback was forgotten with its scope.
    if (status != TENON_OK || !tenon_callback_unregister(&callbacks[1])) {
        return TASK_IN_VAIN;
    }
    status = tenon_scope_join(&inner, TENON_OK, NULL);
    return in_time ? status : TASK_IN_VAIN;
}

static void cancel_outside(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_handle handle;
    struct nested nested = {.inner = {.count = 0}};

    must_open(&scope, executor);
    cr_assert(eq(
        int, tenon_spawn_task(&scope, &handle, register_inside, &nested, NULL),
        TENON_OK));
    cr_assert(gate_wait(&nested.is_registered));
    tenon_handle_cancel(&handle, 0, NULL);
    expect_calls(&nested.inner, 1);
    expect_calls(&nested.shielded, 0);
    gate_open(&nested.may_end);
    must_join(&scope, NULL, TENON_OK);
    expect_calls(&nested.inner, 1);
    expect_calls(&nested.shielded, 0);
}

Test(callback, in_nested_scopes_runs_but_not_behind_a_shield)
{
    pool_each(cancel_outside);
}

static int cancel_inner(tenon_task *self, void *arg)
{
    tenon_scope inner;

    (void)self;
    (void)arg;
    if (tenon_scope_open(&inner, NULL) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_scope_cancel(&inner, 0, NULL);
    return tenon_scope_join(&inner, TENON_OK, NULL);
}

static void cancel_below(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_callback callback;
    struct call call = {.status = 0};

    must_open(&scope, executor);
    tenon_callback_register(&callback, tenon_scope_token(&scope), note, &call);
    must_spawn(&scope, cancel_inner, NULL);
    must_join(&scope, NULL, TENON_OK);
    expect_calls(&call, 0);
}

Test(callback, of_the_owner_is_left_alone_by_a_cancel_of_its_scope)
{
    pool_each(cancel_below);
}

static int run_another(void *context, const tenon_cause *cause)
{
    (void)cause;
    return tenon_run(NULL, task_count, context, NULL);
}

static void run_in_callback(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    tenon_callback callback;
    atomic_uint count = 0;

    must_open(&scope, executor);
    tenon_callback_register(
        &callback, tenon_scope_token(&scope), run_another, &count);
    must_spawn(&scope, fail_at_once, NULL);
    must_join(&scope, &report, TENON_ERRORS);
    // In the failed task, whose scope is cancelled: refused.
    cr_expect(eq(uint, atomic_load(&count), 0));
    cr_expect(eq(u64, report.error_count, 2));
    tenon_report_free(&report);
}

Test(callback, may_open_scopes_on_a_worker)
{
    pool_each(run_in_callback);
}
