// SPDX-License-Identifier: MIT
//
// process_test — after fork() the child gets TENON_EFORK from every call that
// can fail, and hangs in none.

#include "child.h"
#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <tenon/tenon.h>
#include <unistd.h>

// The parent's objects, which the child has copies of.
static tenon_executor *executor;
static tenon_scope scope;
static tenon_scope_ref ref;
static tenon_handle handle;
static struct task_step step;

static void make_scope(void)
{
    executor = pool_create(2);
    must_open(&scope, executor);
    cr_assert(
        eq(int, tenon_spawn_task(&scope, &handle, task_step, &step, NULL),
           TENON_OK));
    cr_assert(eq(int, tenon_scope_acquire(&scope, &ref), TENON_OK));
}

static void end_scope(void)
{
    gate_open(&step.may_end);
    tenon_scope_release(&ref);
    must_join(&scope, NULL, TENON_OK);
    pool_destroy(executor);
}

TestSuite(process, .init = make_scope, .fini = end_scope, .timeout = 60);

static int create(void *arg)
{
    tenon_executor *made = NULL;

    (void)arg;
    return -tenon_executor_create(
        &made, TENON_EXECUTOR_OPTIONS(.worker_count = 1));
}

static int get_default(void *arg)
{
    tenon_executor *found = NULL;

    (void)arg;
    return -tenon_executor_default(&found);
}

static int get_info(void *arg)
{
    tenon_executor_info info = {.struct_size = sizeof(info)};

    (void)arg;
    return -tenon_executor_info_get(executor, &info);
}

static int destroy(void *arg)
{
    (void)arg;
    return -tenon_executor_destroy(executor);
}

static int run(void *arg)
{
    (void)arg;
    return -tenon_run(executor, task_ok, NULL, NULL);
}

static int run_default(void *arg)
{
    (void)arg;
    return -tenon_run(NULL, task_ok, NULL, NULL);
}

static int open_scope(void *arg)
{
    tenon_scope inner;

    (void)arg;
    return -tenon_scope_open(&inner, TENON_SCOPE_OPTIONS(.executor = executor));
}

static int open_with_deadline(void *arg)
{
    tenon_scope inner;

    (void)arg;
    return -tenon_scope_open(
        &inner, TENON_SCOPE_OPTIONS(
                        .executor = executor, .timeout_ns = TENON_SECONDS(1)));
}

static int spawn(void *arg)
{
    (void)arg;
    return -tenon_spawn(&scope, task_ok, NULL);
}

static int spawn_task(void *arg)
{
    tenon_handle other;

    (void)arg;
    return -tenon_spawn_task(&scope, &other, task_ok, NULL, NULL);
}

static int spawn_by_reference(void *arg)
{
    (void)arg;
    return -tenon_ref_spawn(&ref, task_ok, NULL, NULL);
}

static int acquire(void *arg)
{
    tenon_scope_ref other;

    (void)arg;
    return -tenon_scope_acquire(&scope, &other);
}

static int join(void *arg)
{
    (void)arg;
    return -tenon_scope_join(&scope, TENON_OK, NULL);
}

static int try_spawn(void *arg)
{
    (void)arg;
    return -tenon_try_spawn(&scope, NULL, task_ok, NULL, NULL);
}

static int spawn_until(void *arg)
{
    (void)arg;
    return -tenon_spawn_until(
        &scope, NULL, task_ok, NULL, NULL, TENON_NO_DEADLINE);
}

static int take_next(void *arg)
{
    tenon_handle *next = NULL;

    (void)arg;
    return -tenon_scope_next(&scope, &next);
}

static int wait_for_handle(void *arg)
{
    tenon_handle *handles[] = {&handle};

    (void)arg;
    return -tenon_wait_until(handles, 1, TENON_WAIT_ALL, TENON_NO_DEADLINE);
}

static int wait_for_scope(void *arg)
{
    (void)arg;
    return -tenon_scope_wait_until(&scope, TENON_NO_DEADLINE);
}

static int try_join(void *arg)
{
    (void)arg;
    return -tenon_scope_try_join(&scope, TENON_OK, NULL);
}

static int set_deadline(void *arg)
{
    (void)arg;
    return -tenon_scope_set_deadline(&scope, 1);
}

static int notify_fd(void *arg)
{
    (void)arg;
    return -tenon_scope_notify_fd(&scope, 0);
}

static int shut_down(void *arg)
{
    (void)arg;
    return -tenon_executor_shutdown(executor, TENON_SHUTDOWN_CANCEL);
}

static int try_acquire(void *arg)
{
    tenon_limiter limiter;

    (void)arg;
    tenon_limiter_init(&limiter, 1);
    return -tenon_limiter_try_acquire(&limiter, 1);
}

static int gather(void *arg)
{
    tenon_call call = {.fn = task_ok};

    (void)arg;
    return -tenon_gather(
        &call, 1, TENON_SCOPE_OPTIONS(.executor = executor), NULL);
}

static int gather_all(void *arg)
{
    tenon_call call = {.fn = task_ok};

    (void)arg;
    return -tenon_gather_all(&call, 1, NULL, NULL);
}

static int race(void *arg)
{
    tenon_call call = {.fn = task_ok};

    (void)arg;
    return -tenon_race(
        &call, 1, TENON_SCOPE_OPTIONS(.executor = executor), NULL, NULL);
}

static int do_batch(tenon_task *self, size_t first, size_t end, void *context)
{
    (void)first;
    (void)end;
    return task_ok(self, context);
}

static int run_batches(void *arg)
{
    (void)arg;
    return -tenon_batches(
        5, do_batch, NULL, TENON_BATCH_OPTIONS(.executor = executor), NULL);
}

static int run_limited_batches(void *arg)
{
    (void)arg;
    return -tenon_batches(
        5, do_batch, NULL,
        TENON_BATCH_OPTIONS(.executor = executor, .max_running = 1), NULL);
}

static int start(void *arg)
{
    tenon_handshake ready;

    (void)arg;
    return -tenon_start(&scope, &ready, task_ok, NULL, NULL, TENON_NO_DEADLINE);
}

static int start_until(void *arg)
{
    tenon_handshake ready;

    (void)arg;
    return -tenon_start(&scope, &ready, task_ok, NULL, NULL, 1);
}

static int set_token_deadline(void *arg)
{
    tenon_token token;

    (void)arg;
    tenon_token_init(&token, NULL);
    return -tenon_token_set_deadline(&token, executor, 1);
}

static int set_default_token_deadline(void *arg)
{
    tenon_token token;

    (void)arg;
    tenon_token_init(&token, NULL);
    return -tenon_token_set_deadline(&token, NULL, TENON_NO_DEADLINE);
}

static int init_stop(void *arg)
{
    tenon_stop stop;

    (void)arg;
    return -tenon_stop_init(&stop, NULL);
}

Test(process, child_is_refused_every_call)
{
    static int (*const calls[])(void *arg) = {
        create,
        get_default,
        get_info,
        destroy,
        run,
        run_default,
        open_scope,
        open_with_deadline,
        spawn,
        spawn_task,
        spawn_by_reference,
        acquire,
        join,
        try_spawn,
        spawn_until,
        take_next,
        wait_for_handle,
        wait_for_scope,
        try_join,
        set_deadline,
        notify_fd,
        shut_down,
        try_acquire,
        gather,
        gather_all,
        race,
        run_batches,
        run_limited_batches,
        start,
        start_until,
        set_token_deadline,
        set_default_token_deadline,
        init_stop,
    };

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        cr_expect(
            eq(int, child_run(calls[i], NULL), -TENON_EFORK), "call %zu", i);
    }
}

static int destroy_argument(void *arg)
{
    atomic_uint count = 0;

    (void)arg;
    tenon_status status = tenon_spawn_with(
        &scope, task_ok, &count,
        TENON_TASK_OPTIONS(.destroy_arg = task_destroy_count));
    return status == TENON_EFORK ? (int)atomic_load(&count) : 99;
}

static int destroy_argument_of_start(void *arg)
{
    tenon_handshake ready;
    atomic_uint count = 0;

    (void)arg;
    tenon_status status = tenon_start(
        &scope, &ready, task_ok, &count,
        TENON_TASK_OPTIONS(.destroy_arg = task_destroy_count), 1);
    return status == TENON_EFORK ? (int)atomic_load(&count) : 99;
}

Test(process, child_has_arguments_of_refused_spawns_destroyed)
{
    cr_expect(eq(int, child_run(destroy_argument, NULL), 1));
    cr_expect(eq(int, child_run(destroy_argument_of_start, NULL), 1));
}

static int never_called(void *context, const tenon_cause *cause)
{
    (void)context;
    (void)cause;
    _exit(9);
}

// None of these can say no; they must come back all the same.
static int call_the_rest(void *arg)
{
    tenon_token token;
    tenon_cause cause;

    (void)arg;
    tenon_scope_cancel(&scope, 1, "in the child");
    tenon_scope_cancelled(&scope);
    tenon_scope_cause(&scope, &cause);
    tenon_token_init(&token, tenon_scope_token(&scope));
    bool is_set = tenon_token_cancelled(&token);
    tenon_callback callback;
    tenon_callback_register(&callback, &token, never_called, NULL);
    tenon_callback_unregister(&callback);
    tenon_token_fini(&token);
    tenon_handle_cancel(&handle, 1, "in the child");
    tenon_executor_tick(executor);
    tenon_scope_release(&ref);
    tenon_handshake ready = {.fn = NULL};
    tenon_started(&ready);
    return is_set && tenon_current() == NULL ? 7 : 8;
}

Test(process, child_hangs_in_no_call)
{
    cr_expect(eq(int, child_run(call_the_rest, NULL), 7));
}

// --- fork() in a task ---

static int return_self_state(void *arg)
{
    tenon_task *self = arg;
    tenon_scope inner;

    return tenon_cancelled(self) ||
                   tenon_scope_open(&inner, NULL) != TENON_EFORK ||
                   tenon_run(NULL, task_ok, NULL, NULL) != TENON_EFORK ||
                   tenon_spawn(&scope, task_ok, NULL) != TENON_EFORK
               ? 8
               : 7;
}

static int fork_in_task(tenon_task *self, void *arg)
{
    *(int *)arg = child_run(return_self_state, self);
    return TENON_OK;
}

Test(process, child_of_a_task_is_refused_as_well)
{
    int result = 0;

    must_run(executor, fork_in_task, &result, TENON_OK);
    cr_expect(eq(int, result, 7));
}

static int go_on(void *arg)
{
    return -tenon_again(arg, 1);
}

static int retry_attempt(void *arg)
{
    tenon_retry retry = {.attempt_count = 0};

    return -tenon_retry_attempt(arg, &retry, task_ok, NULL, NULL);
}

static tenon_key key;

static int read_value(void *arg)
{
    return *(int *)tenon_value(arg, &key);
}

// What a child does with the task of its parent.
struct forker {
    int (*call)(void *self);
    int result;
};

static int fork_and_call(tenon_task *self, void *arg)
{
    struct forker *forker = arg;

    forker->result = child_run(forker->call, self);
    return TENON_OK;
}

Test(process, child_of_a_task_cannot_go_on_later)
{
    struct forker again = {.call = go_on};
    struct forker retry = {.call = retry_attempt};

    must_run(executor, fork_and_call, &again, TENON_OK);
    must_run(executor, fork_and_call, &retry, TENON_OK);
    cr_expect(eq(int, again.result, -TENON_EFORK));
    cr_expect(eq(int, retry.result, -TENON_EFORK));
}

Test(process, child_of_a_task_reads_its_values)
{
    int value = 12;
    tenon_binding bindings[] = {{&key, &value}};
    struct forker forker = {.call = read_value};
    tenon_scope inner;

    must_open_with(
        &inner, TENON_SCOPE_OPTIONS(
                        .executor = executor, .bindings = bindings,
                        .binding_count = 1));
    must_spawn(&inner, fork_and_call, &forker);
    must_join(&inner, NULL, TENON_OK);
    cr_expect(eq(int, forker.result, 12));
}

static int fail_forked(void *arg)
{
    return -tenon_scope_fail((tenon_scope *)arg, 3, "in the child");
}

Test(process, child_cannot_fail_a_scope_of_its_parent)
{
    cr_expect(eq(int, child_run(fail_forked, &scope), -TENON_EFORK));
}

static int join_forked(void *arg)
{
    tenon_task *self = arg;
    tenon_task child;
    int code = 3;

    tenon_fork(self, &child, task_return, &code);
    return -tenon_join(self, &child);
}

static int fork_and_join_forked(tenon_task *self, void *arg)
{
    *(int *)arg = child_run(join_forked, self);
    return TENON_OK;
}

Test(process, child_of_a_task_cannot_fork_children_of_ours)
{
    int result = 0;

    must_run(executor, fork_and_join_forked, &result, TENON_OK);
    cr_expect(eq(int, result, -TENON_EFORK));
}

// The child that is forked here goes the way of the task.
static int return_in_child(tenon_task *self, void *arg)
{
    struct child child;

    (void)self;
    if (!child_start(&child)) {
        return TASK_IN_VAIN;
    }
    if (child.id != 0) {
        *(int *)arg = child_await(&child);
    }
    return TENON_OK;
}

static int return_in_child_with_scope(tenon_task *self, void *arg)
{
    tenon_scope inner;

    if (tenon_scope_open(&inner, NULL) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status body = return_in_child(self, arg);
    return tenon_scope_join(&inner, body, NULL);
}

Test(process, child_of_a_task_that_returns_from_it_is_aborted)
{
    int result = 0;

    must_run(executor, return_in_child, &result, TENON_OK);
    cr_expect(eq(int, result, CHILD_SIGNAL + SIGABRT));
    must_run(executor, return_in_child_with_scope, &result, TENON_OK);
    cr_expect(eq(int, result, CHILD_SIGNAL + SIGABRT));
}

Test(process, parent_goes_on_as_before)
{
    atomic_uint count = 0;

    gate_open(&step.may_end);

    cr_assert(eq(int, child_run(run, NULL), -TENON_EFORK));
    must_run(executor, task_count, &count, TENON_OK);
    must_spawn(&scope, task_count, &count);
    tenon_scope_release(&ref);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 2));
    must_open(&scope, executor);  // for the end
}
