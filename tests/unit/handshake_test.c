// SPDX-License-Identifier: MIT
//
// handshake_test — who starts a task hears whether it is ready, or why not, and
// never waits for what will not come.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <tenon/tenon.h>

TestSuite(handshake, .timeout = 60);

#define DELAY TENON_SECONDS(10)

enum { CODE = 31 };

// What is started, and what is seen of it.
struct server {
    uint32_t say_count;        // so often it says that it is ready
    bool cancels;              // its scope, before it waits
    struct test_clock *clock;  // moved by DELAY before it waits; or NULL
    bool waits;                // for `may_end`, told to stop or not
    int status;
    int words;  // written before it is ready

    tenon_handshake ready;  // not at the address of the whole
    struct gate may_end;
    atomic_uint ran_count;
    atomic_uint done_count;
    atomic_uint destroyed_count;
    tenon_completion completion;
};

static int serve(tenon_task *self, void *arg)
{
    struct server *server = arg;
    bool in_time = true;

    atomic_fetch_add(&server->ran_count, 1);
    server->words = 12;
    for (uint32_t i = 0; i < server->say_count; i++) {
        tenon_started(&server->ready);
    }
    if (server->cancels) {
        tenon_scope_cancel(tenon_task_scope(self), 1, "stop");
    }
    if (server->clock != NULL) {
        pool_move_clock(
            tenon_scope_executor(tenon_task_scope(self)), server->clock, DELAY);
    }
    if (server->waits) {
        tenon_blocking_begin(self);
        in_time = gate_wait(&server->may_end);
        tenon_blocking_end(self);
    }
    return in_time ? server->status : TASK_IN_VAIN;
}

static void note_done(const tenon_completion *completion, void *context)
{
    struct server *server = context;

    server->completion = *completion;
    atomic_fetch_add(&server->done_count, 1);
}

static void note_destroyed(void *arg)
{
    atomic_fetch_add(&((struct server *)arg)->destroyed_count, 1);
}

#define OPTIONS(server, ...)                                     \
    TENON_TASK_OPTIONS(                                          \
            .destroy_arg = note_destroyed, .on_done = note_done, \
            .on_done_context = (server), .id = 7, __VA_ARGS__)

static tenon_status start(tenon_scope *scope, struct server *server)
{
    return tenon_start(
        scope, &server->ready, serve, server, OPTIONS(server, .name = "server"),
        TENON_NO_DEADLINE);
}

static void expect_ended(struct server *server, tenon_outcome outcome)
{
    cr_expect(eq(int, (int)server->completion.outcome, (int)outcome));
    cr_expect(eq(u64, server->completion.id, 7));
    cr_expect(eq(u32, atomic_load(&server->done_count), 1));
    cr_expect(eq(u32, atomic_load(&server->destroyed_count), 1));
}

// --- ready ---

static void get_ready(tenon_executor *executor)
{
    for (uint32_t say_count = 1; say_count <= 2; say_count++) {
        struct server server = {.say_count = say_count, .waits = true};
        tenon_scope scope;
        must_open(&scope, executor);
        cr_expect(zero(int, start(&scope, &server)));
        cr_expect(eq(int, server.words, 12));
        cr_expect(zero(u32, atomic_load(&server.done_count)));
        gate_open(&server.may_end);
        must_join(&scope, NULL, TENON_OK);
        expect_ended(&server, TENON_OUTCOME_OK);
    }
}

Test(handshake, start_returns_when_it_is_ready_said_once_or_twice)
{
    pool_each(get_ready);
}

static void say_and_end(tenon_executor *executor)
{
    for (int i = 0; i < 200; i++) {
        struct server server = {.say_count = 1, .status = i % 2 * CODE};
        tenon_scope scope;
        must_open(&scope, executor);
        cr_assert(zero(int, start(&scope, &server)));
        must_join(&scope, NULL, i % 2 == 0 ? TENON_OK : TENON_ERRORS);
        expect_ended(
            &server, i % 2 == 0 ? TENON_OUTCOME_OK : TENON_OUTCOME_FAILED);
    }
}

Test(handshake, who_was_ready_was_ready_however_soon_it_ends)
{
    pool_each(say_and_end);
}

static void *say_ready(void *arg)
{
    tenon_started(arg);
    return NULL;
}

// It lets another thread say it.
static int let_say(tenon_task *self, void *arg)
{
    struct server *server = arg;
    pthread_t thread;

    (void)self;
    if (pthread_create(&thread, NULL, say_ready, &server->ready) != 0) {
        return TASK_IN_VAIN;
    }
    pthread_join(thread, NULL);
    return gate_wait(&server->may_end) ? TENON_OK : TASK_IN_VAIN;
}

static void be_said_ready(tenon_executor *executor)
{
    struct server server = {.status = 0};
    tenon_scope scope;

    must_open(&scope, executor);
    cr_expect(zero(
        int,
        tenon_start(
            &scope, &server.ready, let_say, &server, NULL, TENON_NO_DEADLINE)));
    gate_open(&server.may_end);
    must_join(&scope, NULL, TENON_OK);
}

Test(handshake, another_thread_may_say_it)
{
    pool_each(be_said_ready);
}

struct starter {
    struct server server;
    tenon_status started;
};

static int start_in_task(tenon_task *self, void *arg)
{
    struct starter *starter = arg;
    tenon_scope scope;

    (void)self;
    tenon_status status = tenon_scope_open(&scope, NULL);
    if (status != TENON_OK) {
        return status;
    }
    starter->started = start(&scope, &starter->server);
    gate_open(&starter->server.may_end);
    return tenon_scope_join(&scope, TENON_OK, NULL);
}

static int start_beside(tenon_task *self, void *arg)
{
    struct starter *starter = arg;

    starter->started = start(tenon_task_scope(self), &starter->server);
    gate_open(&starter->server.may_end);
    return TENON_OK;
}

static void start_from_tasks(tenon_executor *executor)
{
    for (int i = 0; i < 200; i++) {
        struct starter starter = {.server = {.say_count = 1, .waits = true}};
        tenon_task_fn *fn = i % 2 == 0 ? start_in_task : start_beside;
        starter.started = 99;
        must_run(executor, fn, &starter, TENON_OK);
        cr_assert(zero(int, starter.started));
        expect_ended(&starter.server, TENON_OUTCOME_OK);
    }
}

Test(handshake, task_that_starts_another_leaves_it_the_core)
{
    pool_each(start_from_tasks);
}

// --- not ready ---

static void fail_early(tenon_executor *executor)
{
    for (int i = 0; i < 200; i++) {
        struct server server = {.status = CODE};
        tenon_scope scope;
        tenon_report report;
        must_open(&scope, executor);
        // It cancels the scope, which is no reason to say that it goes on.
        tenon_status status = start(&scope, &server);
        must_join(&scope, &report, TENON_ERRORS);
        cr_assert(eq(int, status, TENON_ERRORS));
        cr_assert(eq(int, report.primary->code, CODE));
        cr_assert(eq(str, (char *)report.primary->task_name, "server"));
        expect_ended(&server, TENON_OUTCOME_FAILED);
        cr_assert(eq(ptr, server.completion.arg, &server));
        tenon_report_free(&report);
    }
}

Test(handshake, failure_before_it_is_ready_is_told_and_stays_in_the_scope)
{
    pool_each(fail_early);
}

static int start_to_fail(tenon_task *self, void *arg)
{
    struct starter *starter = arg;

    starter->started = start(tenon_task_scope(self), &starter->server);
    return TENON_OK;
}

static void fail_beside(tenon_executor *executor)
{
    for (int i = 0; i < 200; i++) {
        struct starter starter = {.server = {.status = CODE}};
        must_run(executor, start_to_fail, &starter, TENON_ERRORS);
        cr_assert(eq(int, starter.started, TENON_ERRORS));
        expect_ended(&starter.server, TENON_OUTCOME_FAILED);
    }
}

Test(handshake, failure_is_told_to_a_task_that_it_cancels)
{
    pool_each(fail_beside);
}

// Moves the clock when the deadline of what waits for its begin is set.
static int move_clock(tenon_task *self, void *arg)
{
    pool_move_clock(tenon_scope_executor(tenon_task_scope(self)), arg, DELAY);
    return TENON_OK;
}

static void time_out_early(tenon_executor *executor, struct test_clock *clock)
{
    for (int i = 0; i < 200; i++) {
        struct server server = {.waits = false};
        tenon_scope scope;
        uint64_t deadline_ns = tenon_executor_now_ns(executor) + 1;
        must_open(&scope, executor);
        must_spawn(&scope, move_clock, clock);
        tenon_status status = tenon_start(
            &scope, &server.ready, serve, &server,
            OPTIONS(
                &server, .begin_ns = TENON_NO_DEADLINE - 1,
                .deadline_ns = deadline_ns),
            TENON_NO_DEADLINE);
        pool_move_clock(executor, clock, DELAY);
        must_join(&scope, NULL, TENON_ERRORS);
        cr_assert(eq(int, status, TENON_ERRORS));
        cr_assert(zero(u32, atomic_load(&server.ran_count)));
        expect_ended(&server, TENON_OUTCOME_FAILED);
    }
}

Test(handshake, deadline_of_the_task_before_it_begins_is_a_failure)
{
    pool_each_clock(time_out_early);
}

static void end_early(tenon_executor *executor)
{
    struct server server = {.status = TENON_OK};
    tenon_scope scope;

    must_open(&scope, executor);
    cr_expect(eq(int, start(&scope, &server), TENON_ENORESULT));
    must_join(&scope, NULL, TENON_OK);
    expect_ended(&server, TENON_OUTCOME_OK);
}

Test(handshake, who_ends_without_a_word_was_not_ready)
{
    pool_each(end_early);
}

// It waits behind a shield for what is dropped in front of it.
struct shielded {
    struct server server;
    struct gate is_ready;
    tenon_status started;
};

static int start_outside(tenon_task *self, void *arg)
{
    struct shielded *shielded = arg;
    tenon_scope scope;

    tenon_status status =
        tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.is_shielded = true));
    if (status != TENON_OK) {
        return status;
    }
    gate_open(&shielded->is_ready);
    shielded->started = tenon_start(
        tenon_task_scope(self), &shielded->server.ready, serve,
        &shielded->server, OPTIONS(&shielded->server, .delay_ns = DELAY),
        TENON_NO_DEADLINE);
    return tenon_scope_join(&scope, TENON_OK, NULL);
}

static void drop(tenon_executor *executor, struct test_clock *clock)
{
    struct shielded shielded = {.started = 99};
    tenon_scope scope;

    (void)clock;
    must_open(&scope, executor);
    must_spawn(&scope, start_outside, &shielded);
    cr_assert(gate_wait(&shielded.is_ready));
    tenon_scope_cancel(&scope, 0, NULL);
    must_join(&scope, NULL, TENON_OK);
    // Dropped, or refused if the cancel came first.
    bool is_refused = atomic_load(&shielded.server.done_count) == 0;
    cr_expect(eq(
        int, shielded.started, is_refused ? TENON_CANCELLED : TENON_ENORESULT));
    cr_expect(zero(u32, atomic_load(&shielded.server.ran_count)));
    cr_expect(eq(u32, atomic_load(&shielded.server.destroyed_count), 1));
}

static void drop_often(tenon_executor *executor, struct test_clock *clock)
{
    for (int i = 0; i < 200; i++) {
        drop(executor, clock);
    }
}

Test(handshake, who_is_dropped_was_not_ready)
{
    pool_each_clock(drop_often);
}

static void cancel_while_waiting(tenon_executor *executor)
{
    for (int i = 0; i < 200; i++) {
        struct server server = {.cancels = true, .waits = true};
        tenon_scope scope;
        must_open(&scope, executor);
        cr_assert(eq(int, start(&scope, &server), TENON_CANCELLED));
        cr_assert(zero(u32, atomic_load(&server.done_count)));
        gate_open(&server.may_end);
        must_join(&scope, NULL, TENON_OK);
        expect_ended(&server, TENON_OUTCOME_OK);  // it went on
    }
}

Test(handshake, cancel_ends_the_wait_and_not_the_task)
{
    pool_each(cancel_while_waiting);
}

static void cancel_starter(tenon_executor *executor)
{
    struct starter starter = {.server = {.waits = true}};
    tenon_scope scope;
    tenon_handle handle;

    must_open(&scope, executor);
    cr_assert(zero(
        int, tenon_spawn_task(&scope, &handle, start_beside, &starter, NULL)));
    tenon_handle_cancel(&handle, 0, NULL);  // at any time
    must_join(&scope, NULL, TENON_OK);
    bool was_begun = atomic_load(&starter.server.ran_count) > 0;
    cr_expect(eq(int, starter.started, was_begun ? TENON_CANCELLED : TENON_OK));
    if (was_begun) {
        expect_ended(&starter.server, TENON_OUTCOME_OK);
    }
}

static void cancel_starter_often(tenon_executor *executor)
{
    for (int i = 0; i < 200; i++) {
        cancel_starter(executor);
    }
}

Test(handshake, cancel_of_the_task_that_waits_ends_its_wait)
{
    pool_each(cancel_starter_often);
}

static void be_late(tenon_executor *executor, struct test_clock *clock)
{
    struct server server = {.waits = true, .clock = clock};
    tenon_scope scope;

    must_open(&scope, executor);
    cr_expect(
        eq(int,
           tenon_start(
               &scope, &server.ready, serve, &server, OPTIONS(&server, ),
               CLOCK_BEGIN_NS + DELAY),
           TENON_ENOTREADY));
    cr_expect(not(tenon_scope_cancelled(&scope)));
    cr_expect(zero(u32, atomic_load(&server.done_count)));
    tenon_started(&server.ready);  // too late, and no harm
    gate_open(&server.may_end);
    must_join(&scope, NULL, TENON_OK);
    expect_ended(&server, TENON_OUTCOME_OK);
}

Test(handshake, deadline_ends_the_wait_and_not_the_task)
{
    pool_each_clock(be_late);
}

static void be_in_time(tenon_executor *executor, struct test_clock *clock)
{
    struct server server = {.say_count = 1, .waits = true};
    struct server past = {.waits = true};
    tenon_scope scope;

    must_open(&scope, executor);
    cr_expect(zero(
        int, tenon_start(
                 &scope, &server.ready, serve, &server, OPTIONS(&server, ),
                 CLOCK_BEGIN_NS + DELAY)));
    pool_move_clock(executor, clock, 2 * DELAY);
    cr_expect(
        eq(int,
           tenon_start(&scope, &past.ready, serve, &past, OPTIONS(&past, ), 1),
           TENON_ENOTREADY));
    gate_open(&server.may_end);
    gate_open(&past.may_end);
    must_join(&scope, NULL, TENON_OK);
    expect_ended(&server, TENON_OUTCOME_OK);
    expect_ended(&past, TENON_OUTCOME_OK);
}

Test(handshake, deadline_that_passes_later_changes_nothing)
{
    pool_each_clock(be_in_time);
}

// --- refused ---

static void expect_refused(
    tenon_scope *scope, struct server *server, tenon_handshake *handshake,
    uint64_t deadline_ns, tenon_status reason)
{
    *server = (struct server){.say_count = 1};
    cr_expect(
        eq(int,
           tenon_start(
               scope, handshake, serve, server, OPTIONS(server, ), deadline_ns),
           reason));
    cr_expect(zero(u32, atomic_load(&server->ran_count)));
    cr_expect(zero(u32, atomic_load(&server->done_count)));
    cr_expect(eq(u32, atomic_load(&server->destroyed_count), 1));
}

struct stranger {
    tenon_scope *scope;
    tenon_status status;
    struct server server;
};

static void *start_as_stranger(void *arg)
{
    struct stranger *stranger = arg;

    stranger->status = start(stranger->scope, &stranger->server);
    return NULL;
}

static void refuse(tenon_executor *executor)
{
    struct server server;
    struct stranger stranger = {.status = 0};
    tenon_scope scope;
    pthread_t thread;
    tenon_handshake *ready = &server.ready;

    must_open(&scope, executor);
    expect_refused(NULL, &server, ready, TENON_NO_DEADLINE, TENON_EINVAL);
    expect_refused(&scope, &server, NULL, TENON_NO_DEADLINE, TENON_EINVAL);
    expect_refused(&scope, &server, ready, 0, TENON_EINVAL);
    stranger.scope = &scope;
    cr_assert(
        zero(int, pthread_create(&thread, NULL, start_as_stranger, &stranger)));
    pthread_join(thread, NULL);
    cr_expect(eq(int, stranger.status, TENON_EPERM));
    cr_expect(eq(u32, atomic_load(&stranger.server.destroyed_count), 1));
    cr_expect(eq(
        int,
        tenon_start(
            &scope, ready, serve, &server,
            &(const tenon_task_options){.struct_size = 1}, TENON_NO_DEADLINE),
        TENON_EINVAL));
    cr_expect(
        eq(int, tenon_start(&scope, ready, NULL, NULL, NULL, TENON_NO_DEADLINE),
           TENON_EINVAL));
    tenon_scope_cancel(&scope, 0, NULL);
    expect_refused(&scope, &server, ready, TENON_NO_DEADLINE, TENON_CANCELLED);
    expect_refused(&scope, &server, ready, 1, TENON_CANCELLED);
    must_join(&scope, NULL, TENON_OK);
    expect_refused(&scope, &server, ready, TENON_NO_DEADLINE, TENON_ECLOSED);
    expect_refused(&scope, &server, ready, 1, TENON_ECLOSED);
    scope = (tenon_scope){.executor = NULL};
    expect_refused(&scope, &server, ready, TENON_NO_DEADLINE, TENON_EINVAL);
    expect_refused(&scope, &server, ready, 1, TENON_EINVAL);
}

Test(handshake, refused_it_starts_nothing_and_destroys_the_argument)
{
    pool_each(refuse);
}
