// SPDX-License-Identifier: MIT
//
// forked_test — in the child of a fork(2), whatever a thread of the parent was
// doing: calls about clocks, limiters, hooks and trees say no, or nothing.

#include "child.h"
#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <tenon/tenon.h>

TestSuite(forked, .timeout = 60);

// What children do with copies of what is their parent's.
struct world {
    tenon_executor *executor;
    tenon_limiter limiter;
    tenon_token token;
    tenon_task *self;
};

static int look_at_tree(void *arg)
{
    struct world *world = arg;

    tenon_executor_inspect(world->executor);
    tenon_executor_inspect(NULL);
    return tenon_dump(world->executor, stderr) == TENON_EFORK &&
                   tenon_dump_json(world->executor, stderr) == TENON_EFORK &&
                   tenon_dump(NULL, stderr) == TENON_EFORK &&
                   tenon_dump_json(NULL, stderr) == TENON_EFORK &&
                   tenon_executor_now_ns(NULL) > 0
               ? 7
               : 8;
}

static int look_at_latency(void *arg)
{
    struct world *world = arg;
    tenon_latency latency = {.struct_size = sizeof(latency)};

    return tenon_latency_get(world->executor, &latency) == TENON_OK &&
                   tenon_latency_quantile(&latency, 0.5) == 0
               ? 7
               : 8;
}

static int use_limiter(void *arg)
{
    struct world *world = arg;
    uint64_t used_count = 99;

    tenon_limiter_resize(&world->limiter, 5);
    tenon_limiter_release(&world->limiter, 5);  // none is in use
    tenon_limiter_look(&world->limiter, &used_count, NULL);
    tenon_status status = tenon_limiter_try_acquire(&world->limiter, 1);
    tenon_limiter_fini(&world->limiter);
    return status == TENON_EFORK && used_count == 99 ? 7 : 8;
}

static int end_token(void *arg)
{
    struct world *world = arg;
    tenon_status status =
        tenon_token_set_deadline(&world->token, world->executor, 1);

    tenon_token_fini(&world->token);
    return status == TENON_EFORK ? 7 : 8;
}

static void debug_world(struct world *world)
{
    cr_assert(zero(
        int, tenon_executor_create(
                 &world->executor,
                 TENON_EXECUTOR_OPTIONS(.worker_count = 2, .debug = true))));
    tenon_limiter_init(&world->limiter, 3);
    tenon_token_init(&world->token, NULL);
    cr_assert(zero(
        int, tenon_token_set_deadline(
                 &world->token, world->executor,
                 tenon_now_ns() + TENON_SECONDS(3600))));
}

Test(forked, calls_about_trees_limiters_and_tokens_come_back)
{
    static int (*const calls[])(void *arg) = {
        look_at_tree, look_at_latency, use_limiter, end_token};
    struct world world = {.self = NULL};

    debug_world(&world);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        cr_expect(eq(int, child_run(calls[i], &world), 7), "call %zu", i);
    }
    tenon_token_fini(&world.token);
    tenon_limiter_fini(&world.limiter);
    pool_destroy(world.executor);
}

// --- fork() in a task ---

static int wait_in_child(void *arg)
{
    struct world *world = arg;
    tenon_task *self = world->self;
    tenon_cause cause;

    tenon_blocking_begin(self);
    tenon_blocking_end(self);
    return tenon_sleep(self, 1) == TENON_EFORK &&
                   tenon_sleep_until(self, TENON_NO_DEADLINE) == TENON_EFORK &&
                   tenon_limiter_acquire_until(
                       self, &world->limiter, 1, TENON_NO_DEADLINE) ==
                       TENON_EFORK &&
                   tenon_again(self, 1) == TENON_EFORK &&
                   tenon_fork_join(self, task_ok, NULL) == TENON_EFORK &&
                   tenon_invoke(self, TENON_INVOCATIONS({task_ok, NULL})) ==
                       TENON_EFORK &&
                   tenon_task_deadline(self) == TENON_NO_DEADLINE &&
                   !tenon_task_cause(self, &cause)
               ? 7
               : 8;
}

static int fork_and_wait(tenon_task *self, void *arg)
{
    struct world *world = arg;

    world->self = self;
    return child_run(wait_in_child, world);
}

static void wait_in_children(tenon_executor *executor)
{
    struct world world = {.executor = executor};
    tenon_report report;

    tenon_limiter_init(&world.limiter, 3);
    cr_expect(
        eq(int, tenon_run(executor, fork_and_wait, &world, &report),
           TENON_ERRORS));
    cr_expect(eq(int, report.primary->code, 7));
    tenon_report_free(&report);
    tenon_limiter_fini(&world.limiter);
}

Test(forked, child_of_a_task_waits_for_nothing)
{
    pool_each(wait_in_children);
}

static int count_run(tenon_task *self, void *arg)
{
    (void)self;
    ++*(int *)arg;
    return TENON_OK;
}

static int fork_in_child(void *arg)
{
    struct world *world = arg;
    tenon_task *self = world->self;
    tenon_task child;
    int run_count = 0;

    int64_t place = tenon_fork(self, &child, count_run, &run_count);
    return !tenon_unfork(self, &child, place) && tenon_queue_is_empty(self) &&
                   tenon_join(self, &child) == TENON_EFORK && run_count == 0
               ? 7
               : 8;
}

static int fork_and_fork(tenon_task *self, void *arg)
{
    struct world *world = arg;

    world->self = self;
    return child_run(fork_in_child, world) == 7 ? TENON_OK : 8;
}

static void fork_in_children(tenon_executor *executor)
{
    struct world world = {.executor = executor};

    must_run(executor, fork_and_fork, &world, TENON_OK);
}

Test(forked, child_of_a_task_forks_nothing)
{
    pool_each(fork_in_children);
}

// --- while a lock is held ---

// What another thread does all the time, so that some forks come when it is
// in the middle of it.
struct racket {
    void (*make)(struct racket *racket);
    int (*call)(void *arg);  // what children do
    tenon_token token;
    tenon_limiter limiter;
    tenon_executor *executor;
    atomic_bool must_end;
    struct gate begun;
};

static void *make_racket(void *arg)
{
    struct racket *racket = arg;

    while (!atomic_load(&racket->must_end)) {
        racket->make(racket);
        gate_open(&racket->begun);
    }
    return NULL;
}

static void ignore_finding(const tenon_finding *finding, void *context)
{
    (void)finding;
    (void)context;
}

static void ignore_report(const tenon_report *report, void *context)
{
    (void)report;
    (void)context;
}

static void set_hooks(struct racket *racket)
{
    (void)racket;
    for (int i = 0; i < 100; i++) {
        tenon_set_finding_hook(ignore_finding, NULL);
        tenon_set_unobserved_hook(ignore_report, NULL);
    }
}

static int set_hooks_in_child(void *arg)
{
    set_hooks(arg);
    return 7;
}

static int ignore_cause(void *context, const tenon_cause *cause)
{
    (void)context;
    (void)cause;
    return 0;
}

static void register_often(struct racket *racket)
{
    tenon_callback callback;

    for (int i = 0; i < 100; i++) {
        tenon_callback_register(&callback, &racket->token, ignore_cause, NULL);
        tenon_callback_unregister(&callback);
    }
}

static int cancel_in_child(void *arg)
{
    struct racket *racket = arg;

    register_often(racket);
    tenon_token_cancel(&racket->token, 1, "in the child");
    tenon_token_fini(&racket->token);
    return 7;
}

static void resize_often(struct racket *racket)
{
    for (uint32_t i = 0; i < 100; i++) {
        tenon_limiter_resize(&racket->limiter, i);
    }
}

static int resize_in_child(void *arg)
{
    struct racket *racket = arg;

    resize_often(racket);
    tenon_limiter_fini(&racket->limiter);
    return 7;
}

static void move_often(struct racket *racket)
{
    for (uint64_t i = 0; i < 100; i++) {
        tenon_status status = tenon_token_set_deadline(
            &racket->token, racket->executor,
            tenon_now_ns() + TENON_SECONDS(3600 + i));
        if (status != TENON_OK) {
            return;
        }
    }
}

static int move_in_child(void *arg)
{
    struct racket *racket = arg;

    move_often(racket);
    tenon_executor_tick(racket->executor);
    tenon_token_fini(&racket->token);
    return 7;
}

static void fork_often(struct racket *racket)
{
    pthread_t thread;

    tenon_token_init(&racket->token, NULL);
    tenon_limiter_init(&racket->limiter, 1);
    pthread_create(&thread, NULL, make_racket, racket);
    bool has_begun = gate_wait(&racket->begun);
    int result = 7;
    for (int i = 0; i < 200 && result == 7; i++) {
        result = child_run(racket->call, racket);
    }
    atomic_store(&racket->must_end, true);
    pthread_join(thread, NULL);
    cr_expect(has_begun);
    cr_expect(eq(int, result, 7));
    tenon_limiter_fini(&racket->limiter);
    tenon_token_fini(&racket->token);
}

Test(forked, lock_that_another_thread_held_hinders_no_child)
{
    struct racket rackets[] = {
        {.make = set_hooks, .call = set_hooks_in_child},
        {.make = register_often, .call = cancel_in_child},
        {.make = resize_often, .call = resize_in_child},
        {.make = move_often, .call = move_in_child},
    };
    tenon_executor *executor = pool_create(2);

    for (size_t i = 0; i < sizeof(rackets) / sizeof(rackets[0]); i++) {
        rackets[i].executor = executor;
        fork_often(&rackets[i]);
    }
    pool_destroy(executor);
}
