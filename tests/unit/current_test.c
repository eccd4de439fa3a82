// SPDX-License-Identifier: MIT
//
// current_test — which task runs, and on which thread, after all that it waits
// for and in all that is called for it.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <pthread.h>
#include <tenon/tenon.h>

TestSuite(current, .timeout = 60);

// Belongs to whoever runs on the thread.
static _Thread_local int local;

struct look {
    atomic_uint wrong_count;
    atomic_uint call_count;
    tenon_limiter limiter;
};

static void expect_current(struct look *look, const tenon_task *expected)
{
    if (tenon_current() != expected) {
        atomic_fetch_add(&look->wrong_count, 1);
    }
}

// --- what waits ---

// Several kinds of tasks, so that each way to end one is gone.
static int end_somehow(tenon_task *self, void *arg)
{
    struct look *look = arg;
    int code = (int)tenon_task_id(self) % 2;

    expect_current(look, self);
    return code;
}

static void count_call(void *arg)
{
    struct look *look = arg;

    atomic_fetch_add(&look->call_count, 1);
}

static void count_done(const tenon_completion *completion, void *context)
{
    (void)completion;
    count_call(context);
}

static tenon_status spawn_some(tenon_scope *scope, struct look *look)
{
    tenon_status status = TENON_OK;

    for (uint64_t i = 1; i <= 8 && status == TENON_OK; i++) {
        status = tenon_spawn_with(
            scope, end_somehow, look,
            TENON_TASK_OPTIONS(
                    .id = i, .destroy_arg = i % 4 < 2 ? count_call : NULL,
                    .on_done = i % 3 == 0 ? count_done : NULL,
                    .on_done_context = look,
                    .timeout_ns = i % 5 == 0 ? TENON_SECONDS(3600) : 0));
    }
    return status;
}

static tenon_status open_collecting(tenon_scope *scope)
{
    return tenon_scope_open(
        scope, TENON_SCOPE_OPTIONS(.policy = TENON_POLICY_COLLECT_ALL));
}

static bool wait_in_join(tenon_task *self, struct look *look)
{
    tenon_scope scope;
    tenon_report report;

    (void)self;
    if (open_collecting(&scope) != TENON_OK) {
        return false;
    }
    tenon_status spawned = spawn_some(&scope, look);
    tenon_status joined = tenon_scope_join(&scope, spawned, &report);
    tenon_report_free(&report);
    return spawned == TENON_OK && joined == TENON_ERRORS;
}

static int join_some(tenon_task *self, void *arg)
{
    struct look *look = arg;
    bool is_well = wait_in_join(self, look);

    expect_current(look, self);
    return is_well ? TENON_OK : TASK_IN_VAIN;
}

static bool wait_in_forks(tenon_task *self, struct look *look)
{
    tenon_task children[3];
    tenon_status status = TENON_OK;

    for (int i = 0; i < 3; i++) {
        tenon_fork(self, &children[i], join_some, look);
    }
    for (int i = 2; i >= 0; i--) {
        tenon_status joined = tenon_join(self, &children[i]);
        status = joined == TENON_OK ? status : joined;
    }
    return status == TENON_OK;
}

static bool wait_in_next(tenon_task *self, struct look *look)
{
    tenon_handle handles[4];
    tenon_handle *next = NULL;
    tenon_scope scope;
    tenon_status status = open_collecting(&scope);

    (void)self;
    for (int i = 0; i < 4 && status == TENON_OK; i++) {
        status = tenon_spawn_task(&scope, &handles[i], end_somehow, look, NULL);
    }
    if (status == TENON_OK) {
        status = tenon_scope_next(&scope, &next);
    }
    if (status == TENON_OK) {
        status = tenon_scope_wait_until(&scope, TENON_NO_DEADLINE);
    }
    return tenon_scope_join(&scope, status, NULL) == TENON_OK;
}

static bool wait_in_sleep(tenon_task *self, struct look *look)
{
    (void)look;
    return tenon_sleep(self, 100000) == TENON_OK;
}

static bool wait_in_system(tenon_task *self, struct look *look)
{
    (void)look;
    tenon_blocking_begin(self);
    tenon_blocking_end(self);
    return true;
}

static bool wait_in_line(tenon_task *self, struct look *look)
{
    if (tenon_limiter_acquire_until(
            self, &look->limiter, 1, TENON_NO_DEADLINE) != TENON_OK) {
        return false;
    }
    tenon_limiter_release(&look->limiter, 1);
    return true;
}

typedef bool wait_fn(tenon_task *self, struct look *look);

static wait_fn *const waits[] = {
    wait_in_join,  wait_in_forks,  wait_in_next,
    wait_in_sleep, wait_in_system, wait_in_line,
};

enum { WAIT_COUNT = sizeof(waits) / sizeof(waits[0]) };

static int wait_and_look(tenon_task *self, void *arg)
{
    struct look *look = arg;
    bool is_well = true;

    expect_current(look, self);
    for (int i = 0; i < WAIT_COUNT; i++) {
        is_well &= waits[i](self, look);
        expect_current(look, self);
        // What is only for the task that runs does not abort.
        (void)tenon_fail(self, 1, "a look");
    }
    return is_well ? TENON_OK : TASK_IN_VAIN;
}

static void play(tenon_executor *executor, tenon_task_fn *fn, int repetitions)
{
    for (int i = 0; i < repetitions; i++) {
        struct look look = {.wrong_count = 0};
        tenon_scope scope;

        tenon_limiter_init(&look.limiter, 1);
        must_open(&scope, executor);
        for (int k = 0; k < 4; k++) {
            must_spawn(&scope, fn, &look);
        }
        must_join(&scope, NULL, TENON_OK);
        cr_assert(eq(uint, atomic_load(&look.wrong_count), 0));
        cr_expect(eq(ptr, (void *)tenon_current(), NULL));
        tenon_limiter_fini(&look.limiter);
    }
}

static void wait_and_look_often(tenon_executor *executor)
{
    play(executor, wait_and_look, 50);
}

Test(current, task_is_the_same_after_all_that_it_waits_for)
{
    pool_each(wait_and_look_often);
}

// --- what is called ---

struct called {
    struct look look;
    tenon_task *canceller;  // who cancels from inside, or NULL
    tenon_task *seen[3];    // by destructor, done callback, cancel's callback
    tenon_handle handle;
};

static void see_in_destructor(void *arg)
{
    struct called *called = arg;

    called->seen[0] = tenon_current();
}

static void see_when_done(const tenon_completion *completion, void *context)
{
    struct called *called = context;

    (void)completion;
    called->seen[1] = tenon_current();
}

static int see_in_callback(void *context, const tenon_cause *cause)
{
    struct called *called = context;

    (void)cause;
    called->seen[2] = tenon_current();
    return 0;
}

static int cancel_own_scope(tenon_task *self, void *arg)
{
    struct called *called = arg;

    called->canceller = self;
    bool is_first = tenon_scope_cancel(tenon_task_scope(self), 1, "done");
    expect_current(&called->look, self);
    return is_first ? TENON_OK : TASK_IN_VAIN;
}

static void see_all(tenon_executor *executor)
{
    struct called called = {.canceller = NULL};
    tenon_callback callback;
    tenon_scope scope;

    must_open(&scope, executor);
    tenon_callback_register(
        &callback, tenon_scope_token(&scope), see_in_callback, &called);
    cr_assert(zero(
        int,
        tenon_spawn_task(
            &scope, &called.handle, cancel_own_scope, &called,
            TENON_TASK_OPTIONS(
                    .destroy_arg = see_in_destructor, .on_done = see_when_done,
                    .on_done_context = &called))));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&called.look.wrong_count), 0));
    for (int i = 0; i < 3; i++) {
        cr_expect(
            eq(ptr, (void *)called.seen[i], (void *)called.canceller), "%d", i);
    }
}

Test(current, task_is_the_one_for_which_something_is_called)
{
    pool_each(see_all);
}

// --- the thread ---

// Only the thread that has locked it can give it back.
static int lock_over_waits(tenon_task *self, void *arg)
{
    struct look *look = arg;
    pthread_t thread = pthread_self();
    bool is_well = true;

    for (int i = 0; i < WAIT_COUNT; i++) {
        pthread_mutexattr_t checked;
        pthread_mutex_t mutex;
        int before = local;

        pthread_mutexattr_init(&checked);
        pthread_mutexattr_settype(&checked, PTHREAD_MUTEX_ERRORCHECK);
        pthread_mutex_init(&mutex, &checked);
        pthread_mutex_lock(&mutex);
        local = before + 1;
        is_well &= waits[i](self, look) && local == before + 1 &&
                   pthread_equal(thread, pthread_self()) &&
                   pthread_mutex_unlock(&mutex) == 0;
        local = before;
        pthread_mutex_destroy(&mutex);
        pthread_mutexattr_destroy(&checked);
    }
    errno = EDOM;
    is_well &= !tenon_cancelled(self) && errno == EDOM;
    return is_well ? TENON_OK : TASK_IN_VAIN;
}

static void lock_often(tenon_executor *executor)
{
    play(executor, lock_over_waits, 50);
}

Test(current, thread_is_the_same_after_all_that_a_task_waits_for)
{
    pool_each(lock_often);
}
