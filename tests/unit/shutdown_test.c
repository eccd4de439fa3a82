// SPDX-License-Identifier: MIT
//
// shutdown_test — an executor ends when its scopes have: they go on to their
// end, or are cancelled; and nothing new begins.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <tenon/tenon.h>

TestSuite(shutdown, .timeout = 60);

struct server {
    tenon_executor *executor;
    struct gate is_open;
    struct task_step step;
    tenon_report report;
    bool waits_for_cancel;
    atomic_bool has_joined;
};

// A thread that owns a root scope, as a server's connection would.
static void *serve(void *arg)
{
    struct server *server = arg;
    tenon_scope scope;
    tenon_status body = tenon_scope_open(
        &scope, TENON_SCOPE_OPTIONS(.executor = server->executor));

    if (body == TENON_OK && server->waits_for_cancel) {
        // Refused if the cancel is faster.
        body = tenon_spawn(&scope, task_until_cancelled, NULL);
    } else if (body == TENON_OK) {
        body = tenon_spawn(&scope, task_step, &server->step);
    }
    gate_open(&server->is_open);
    (void)!tenon_scope_join(&scope, body, &server->report);
    atomic_store(&server->has_joined, true);
    return NULL;
}

static pthread_t start(void *(*function)(void *), void *arg)
{
    pthread_t thread;

    cr_assert(eq(int, pthread_create(&thread, NULL, function, arg), 0));
    return thread;
}

static bool is_refused(void *context)
{
    tenon_scope scope;
    tenon_status status =
        tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.executor = context));

    if (status == TENON_OK) {
        (void)!tenon_scope_join(&scope, TENON_OK, NULL);
    }
    return status == TENON_ECLOSED;
}

// Lets the server end when nothing new is taken any more.
static void *refuse_then_end(void *arg)
{
    struct server *server = arg;

    if (gate_poll(is_refused, server->executor)) {
        gate_open(&server->step.may_end);
    }
    return NULL;
}

static void drain(uint32_t worker_count)
{
    struct server server = {.executor = pool_create(worker_count)};
    pthread_t owner = start(serve, &server);

    cr_assert(gate_wait(&server.is_open));
    cr_expect(eq(int, tenon_executor_destroy(server.executor), TENON_EBUSY));
    pthread_t helper = start(refuse_then_end, &server);
    cr_expect(
        eq(int, tenon_executor_shutdown(server.executor, TENON_SHUTDOWN_DRAIN),
           TENON_OK));
    pthread_join(owner, NULL);
    pthread_join(helper, NULL);
    cr_expect(atomic_load(&server.has_joined));
    cr_expect(eq(int, server.report.status, TENON_OK));
    cr_expect(eq(u64, server.report.ok_count, 1));
    tenon_report_free(&server.report);
}

// The helper needs the executor until it is refused: only then does the scope
// end.
Test(shutdown, that_drains_lets_scopes_end_and_opens_no_more)
{
    drain(1);
    drain(2);
    drain(4);
    drain(16);
}

static void cancel(uint32_t worker_count)
{
    struct server servers[3];
    pthread_t owners[3];
    tenon_executor *executor = pool_create(worker_count);

    for (int i = 0; i < 3; i++) {
        servers[i] =
            (struct server){.executor = executor, .waits_for_cancel = true};
        owners[i] = start(serve, &servers[i]);
    }
    for (int i = 0; i < 3; i++) {
        cr_assert(gate_wait(&servers[i].is_open));
    }
    cr_expect(
        eq(int, tenon_executor_shutdown(executor, TENON_SHUTDOWN_CANCEL),
           TENON_OK));
    for (int i = 0; i < 3; i++) {
        pthread_join(owners[i], NULL);
        cr_expect(eq(int, servers[i].report.status, TENON_CANCELLED));
        cr_expect(eq(
            int, (int)servers[i].report.cause.source, (int)TENON_CAUSE_PARENT));
        cr_expect(
            eq(int, (int)servers[i].report.cause.origin,
               (int)TENON_CAUSE_SHUTDOWN));
        tenon_report_free(&servers[i].report);
    }
}

Test(shutdown, that_cancels_is_the_cause_of_all_that_stops)
{
    cancel(1);
    cancel(2);
    cancel(4);
    cancel(16);
}

static int shut_down_inside(tenon_task *self, void *arg)
{
    (void)self;
    return tenon_executor_shutdown(arg, TENON_SHUTDOWN_DRAIN) == TENON_EDEADLK
               ? TENON_OK
               : TASK_IN_VAIN;
}

static void misuse(tenon_executor *executor)
{
    tenon_scope scope;

    must_run(executor, shut_down_inside, executor, TENON_OK);
    must_open(&scope, executor);
    cr_expect(
        eq(int, tenon_executor_shutdown(executor, TENON_SHUTDOWN_CANCEL),
           TENON_EDEADLK));
    cr_expect(not(tenon_scope_cancelled(&scope)));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(
        eq(int, tenon_executor_shutdown(NULL, TENON_SHUTDOWN_DRAIN),
           TENON_EINVAL));
    cr_expect(
        eq(int, tenon_executor_shutdown(executor, (tenon_shutdown)2),
           TENON_EINVAL));
}

Test(shutdown, never_waits_for_who_asks)
{
    pool_each(misuse);
}

Test(shutdown, of_an_idle_executor_is_its_end)
{
    for (int i = 0; i < 200; i++) {
        tenon_executor *executor = pool_create(1 + (uint32_t)i % 4);
        must_run(executor, task_ok, NULL, TENON_OK);
        cr_assert(
            eq(int,
               tenon_executor_shutdown(
                   executor,
                   i % 2 == 0 ? TENON_SHUTDOWN_DRAIN : TENON_SHUTDOWN_CANCEL),
               TENON_OK));
    }
}
