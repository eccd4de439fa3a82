// SPDX-License-Identifier: MIT
//
// debug_test — in debug mode tasks that ignore a cancel or do not poll, scopes
// left open, wrong callers and waits for each other's units are told; else not.

#include "catch.h"
#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

TestSuite(debug, .timeout = 60);

#define GRACE_NS TENON_SECONDS(10)
#define SLOW_NS TENON_SECONDS(4)

// What was found so far, by kind, and the last of each.
struct findings {
    atomic_uint counts[8];
    pthread_mutex_t lock;
    tenon_finding last[8];
    char texts[8][256];
    char task_names[8][32];
    char scope_names[8][32];
};

static void keep(const tenon_finding *finding, void *context)
{
    struct findings *findings = context;
    unsigned kind = finding->kind;

    pthread_mutex_lock(&findings->lock);
    findings->last[kind] = *finding;
    snprintf(findings->texts[kind], 256, "%s", finding->text);
    snprintf(findings->task_names[kind], 32, "%s", finding->task_name);
    snprintf(findings->scope_names[kind], 32, "%s", finding->scope_name);
    pthread_mutex_unlock(&findings->lock);
    atomic_fetch_add(&findings->counts[kind], 1);
}

static unsigned count_of(struct findings *findings, tenon_finding_kind kind)
{
    return atomic_load(&findings->counts[kind]);
}

struct awaited {
    struct findings *findings;
    tenon_finding_kind kind;
};

static bool is_found(void *context)
{
    struct awaited *awaited = context;

    return count_of(awaited->findings, awaited->kind) > 0;
}

// The timer's thread may have found it, and be just about to tell. False: not
// found, or more than once.
static bool await_one(struct findings *findings, tenon_finding_kind kind)
{
    struct awaited awaited = {findings, kind};

    return gate_poll(is_found, &awaited) && count_of(findings, kind) == 1;
}

typedef void debug_scene_fn(
    tenon_executor *executor, struct test_clock *clock,
    struct findings *findings);

static void play(uint32_t worker_count, debug_scene_fn *scene)
{
    static struct findings findings;
    struct test_clock clock = {0};

    memset(&findings, 0, sizeof(findings));
    pthread_mutex_init(&findings.lock, NULL);
    tenon_executor *executor = pool_create_with(TENON_EXECUTOR_OPTIONS(
            .worker_count = worker_count, .debug = true,
            .cancel_grace_ns = GRACE_NS, .slow_poll_ns = SLOW_NS,
            .clock = {test_clock_now_ns, &clock}));
    tenon_set_finding_hook(keep, &findings);
    scene(executor, &clock, &findings);
    pool_destroy(executor);
    tenon_set_finding_hook(NULL, NULL);
    pthread_mutex_destroy(&findings.lock);
}

static void play_each(debug_scene_fn *scene)
{
    static const uint32_t worker_counts[] = {1, 2, 4, 16};

    for (int i = 0; i < 4; i++) {
        play(worker_counts[i], scene);
    }
}

// Looks at once, whatever the timer's thread does meanwhile: what it has told
// is not told again.
static void move_and_look(
    tenon_executor *executor, struct test_clock *clock, uint64_t by_ns)
{
    test_clock_move(clock, by_ns);
    tenon_executor_inspect(executor);
}

// Does the dump show a task in that state?
static bool is_one(tenon_executor *executor, const char *state)
{
    char *text = NULL;
    size_t size_bytes = 0;
    FILE *stream = open_memstream(&text, &size_bytes);

    if (stream == NULL) {
        return false;
    }
    tenon_status status = tenon_dump(executor, stream);
    fclose(stream);
    bool is_found = status == TENON_OK && strstr(text, state) != NULL;
    free(text);
    return is_found;
}

static bool is_one_waiting(void *executor)
{
    return is_one(executor, ": waiting for ");
}

static bool is_one_joining(void *executor)
{
    return is_one(executor, ": joining for ");
}

// --- cancels ignored ---

// Joins a scope of its own, whose task does not heed the cancel.
static int join_deaf(tenon_task *self, void *arg)
{
    tenon_scope scope;

    (void)self;
    if (tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.name = "inner")) !=
        TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status body = tenon_spawn_with(
        &scope, task_step, arg, TENON_TASK_OPTIONS(.name = "deaf", .id = 7));
    return tenon_scope_join(&scope, body, NULL);
}

static void ignore_cancel(
    tenon_executor *executor, struct test_clock *clock,
    struct findings *findings)
{
    tenon_scope scope;
    struct task_step step = {.status = TENON_OK};

    must_open(&scope, executor);
    must_spawn(&scope, join_deaf, &step);
    cr_assert(gate_wait(&step.started));
    cr_assert(gate_poll(is_one_joining, executor));
    move_and_look(executor, clock, GRACE_NS);
    cr_expect(eq(u32, count_of(findings, TENON_FINDING_CANCEL_IGNORED), 0));
    tenon_scope_cancel(&scope, 0, NULL);
    move_and_look(executor, clock, 0);
    move_and_look(executor, clock, GRACE_NS - 1);
    cr_expect(eq(u32, count_of(findings, TENON_FINDING_CANCEL_IGNORED), 0));
    move_and_look(executor, clock, 1);
    move_and_look(executor, clock, GRACE_NS);
    // Told once, of who ignores it, not of who waits for that.
    cr_assert(await_one(findings, TENON_FINDING_CANCEL_IGNORED));
    gate_open(&step.may_end);
    must_join(&scope, NULL, TENON_OK);
    const tenon_finding *last = &findings->last[TENON_FINDING_CANCEL_IGNORED];
    cr_expect(eq(u64, last->task_id, 7));
    cr_expect(eq(u64, last->for_ns, GRACE_NS));
    cr_expect(
        eq(str, findings->task_names[TENON_FINDING_CANCEL_IGNORED], "deaf"));
    cr_expect(
        eq(str, findings->scope_names[TENON_FINDING_CANCEL_IGNORED], "inner"));
    cr_expect(
        eq(str, findings->texts[TENON_FINDING_CANCEL_IGNORED],
           "task 'deaf' #7 of scope 'inner' runs on after its cancel for "
           "10.000 s"));
}

Test(debug, task_that_ignores_a_cancel_is_named_after_the_grace_period)
{
    play_each(ignore_cancel);
}

static int block_on(tenon_task *self, void *arg)
{
    tenon_blocking_begin(self);
    int status = task_step(self, arg);
    tenon_blocking_end(self);
    return status;
}

static void block_after_cancel(
    tenon_executor *executor, struct test_clock *clock,
    struct findings *findings)
{
    tenon_scope scope;
    struct task_step step = {.status = TENON_OK};

    must_open(&scope, executor);
    must_spawn(&scope, block_on, &step);
    cr_assert(gate_wait(&step.started));
    tenon_scope_cancel(&scope, 0, NULL);
    move_and_look(executor, clock, 0);
    move_and_look(executor, clock, GRACE_NS);
    cr_expect(await_one(findings, TENON_FINDING_CANCEL_IGNORED));
    gate_open(&step.may_end);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(u32, count_of(findings, TENON_FINDING_SLOW_POLL), 0));
    cr_expect(ne(
        ptr, strstr(findings->texts[TENON_FINDING_CANCEL_IGNORED], "blocks on"),
        NULL));
}

Test(debug, task_that_blocks_on_after_a_cancel_is_named_too)
{
    play_each(block_after_cancel);
}

static void heed_cancel(
    tenon_executor *executor, struct test_clock *clock,
    struct findings *findings)
{
    for (int i = 0; i < 200; i++) {
        tenon_scope scope;
        struct gate started = {0};
        must_open(&scope, executor);
        must_spawn(&scope, task_announce_until_cancelled, &started);
        cr_assert(gate_wait(&started));
        tenon_scope_cancel(&scope, 0, NULL);
        must_join(&scope, NULL, TENON_OK);
        move_and_look(executor, clock, GRACE_NS);
    }
    cr_expect(eq(u32, count_of(findings, TENON_FINDING_CANCEL_IGNORED), 0));
}

Test(debug, task_that_heeds_a_cancel_is_not_named)
{
    play_each(heed_cancel);
}

// --- slow polls ---

struct poller {
    struct gate started;
    struct gate may_poll;
    struct gate has_polled;
    struct gate may_end;
};

static int poll_once(tenon_task *self, void *arg)
{
    struct poller *poller = arg;

    gate_open(&poller->started);
    bool in_time = gate_wait(&poller->may_poll);
    (void)tenon_cancelled(self);
    gate_open(&poller->has_polled);
    return in_time && gate_wait(&poller->may_end) ? TENON_OK : TASK_IN_VAIN;
}

static void poll_slowly(
    tenon_executor *executor, struct test_clock *clock,
    struct findings *findings)
{
    tenon_scope scope;
    struct poller poller = {0};

    must_open(&scope, executor);
    must_spawn_with(
        &scope, poll_once, &poller, TENON_TASK_OPTIONS(.name = "slow"));
    cr_assert(gate_wait(&poller.started));
    move_and_look(executor, clock, 0);
    move_and_look(executor, clock, SLOW_NS - 1);
    cr_expect(eq(u32, count_of(findings, TENON_FINDING_SLOW_POLL), 0));
    gate_open(&poller.may_poll);
    cr_assert(gate_wait(&poller.has_polled));
    move_and_look(executor, clock, 1);  // it has polled: all begins anew
    move_and_look(executor, clock, SLOW_NS - 2);
    cr_expect(eq(u32, count_of(findings, TENON_FINDING_SLOW_POLL), 0));
    move_and_look(executor, clock, 2);
    move_and_look(executor, clock, SLOW_NS);
    cr_expect(await_one(findings, TENON_FINDING_SLOW_POLL));
    cr_expect(eq(str, findings->task_names[TENON_FINDING_SLOW_POLL], "slow"));
    cr_expect(ge(u64, findings->last[TENON_FINDING_SLOW_POLL].for_ns, SLOW_NS));
    gate_open(&poller.may_end);
    must_join(&scope, NULL, TENON_OK);
}

Test(debug, task_that_does_not_poll_is_named_after_the_threshold)
{
    play_each(poll_slowly);
}

static int sleep_long(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_sleep_until(self, CLOCK_BEGIN_NS + 10 * SLOW_NS);
}

static void wait_long(
    tenon_executor *executor, struct test_clock *clock,
    struct findings *findings)
{
    tenon_scope scope;

    must_open(&scope, executor);
    must_spawn(&scope, sleep_long, NULL);
    cr_assert(gate_poll(is_one_waiting, executor));
    for (int i = 0; i < 9; i++) {
        move_and_look(executor, clock, SLOW_NS - 1);
    }
    pool_move_clock(executor, clock, 10 * SLOW_NS);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(u32, count_of(findings, TENON_FINDING_SLOW_POLL), 0));
}

Test(debug, task_that_sleeps_needs_no_poll)
{
    play_each(wait_long);
}

// --- structure ---

static int leave_open(tenon_task *self, void *arg)
{
    (void)self;
    return tenon_scope_open(arg, TENON_SCOPE_OPTIONS(.name = "forgotten"));
}

static void leave_scope_open(
    tenon_executor *executor, struct test_clock *clock,
    struct findings *findings)
{
    tenon_scope forgotten = {.depth = 0};
    tenon_scope scope;

    (void)clock;
    must_open(&scope, executor);
    must_spawn_with(
        &scope, leave_open, &forgotten, TENON_TASK_OPTIONS(.name = "careless"));
    must_join(&scope, NULL, TENON_ERRORS);
    cr_assert(eq(u32, count_of(findings, TENON_FINDING_LEFT_OPEN), 1));
    cr_expect(
        eq(str, findings->texts[TENON_FINDING_LEFT_OPEN],
           "task 'careless' ended with scope 'forgotten' still open"));
}

Test(debug, scope_left_open_is_named_with_its_task)
{
    play_each(leave_scope_open);
}

static int join_others(tenon_task *self, void *arg)
{
    (void)self;
    return tenon_scope_join(arg, TENON_OK, NULL) == TENON_EPERM ? TENON_OK : 1;
}

static void call_wrongly(
    tenon_executor *executor, struct test_clock *clock,
    struct findings *findings)
{
    tenon_scope scopes[2];

    (void)clock;
    must_open_with(
        &scopes[0], TENON_SCOPE_OPTIONS(.executor = executor, .name = "mine"));
    must_open(&scopes[1], executor);
    must_spawn_with(
        &scopes[1], join_others, &scopes[0],
        TENON_TASK_OPTIONS(.name = "stranger", .id = 3));
    must_join(&scopes[1], NULL, TENON_OK);
    must_join(&scopes[0], NULL, TENON_OK);
    cr_assert(eq(u32, count_of(findings, TENON_FINDING_WRONG_CALLER), 1));
    cr_expect(
        eq(str, findings->task_names[TENON_FINDING_WRONG_CALLER], "stranger"));
    cr_expect(
        eq(str, findings->scope_names[TENON_FINDING_WRONG_CALLER], "mine"));
    cr_expect(eq(u64, findings->last[TENON_FINDING_WRONG_CALLER].task_id, 3));
    // Who is too late is refused; of what is joined nothing is told.
    must_run(executor, join_others, &scopes[0], TENON_OK);
    cr_expect(eq(u32, count_of(findings, TENON_FINDING_WRONG_CALLER), 1));
}

Test(debug, who_joins_the_scope_of_another_is_named)
{
    play_each(call_wrongly);
}

// --- limiters ---

struct greedy {
    tenon_limiter limiter;
    bool acquires;    // by a call, else by its own option
    bool gives_back;  // before it waits
    struct gate is_waiting;
};

static int spawn_limited(tenon_task *self, void *arg)
{
    struct greedy *greedy = arg;
    tenon_scope scope;

    if (greedy->acquires &&
        tenon_limiter_acquire_until(
            self, &greedy->limiter, 1, TENON_NO_DEADLINE) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    if (greedy->acquires && greedy->gives_back) {
        tenon_limiter_release(&greedy->limiter, 1);
    }
    if (tenon_scope_open(&scope, NULL) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status body = tenon_spawn_with(
        &scope, task_ok, NULL,
        TENON_TASK_OPTIONS(.limiter = &greedy->limiter, .unit_count = 2));
    // It would be for ever.
    if (!greedy->gives_back) {
        tenon_scope_cancel(&scope, 0, NULL);
    }
    body = tenon_scope_join(&scope, body, NULL);
    if (greedy->acquires && !greedy->gives_back) {
        tenon_limiter_release(&greedy->limiter, 1);
    }
    return body;
}

static void wait_for_own_units(
    tenon_executor *executor, struct findings *findings, bool acquires,
    bool gives_back)
{
    struct greedy greedy = {.acquires = acquires, .gives_back = gives_back};
    tenon_scope scope;
    unsigned before = count_of(findings, TENON_FINDING_LIMITER);

    tenon_limiter_init(&greedy.limiter, 2);
    must_open(&scope, executor);
    must_spawn_with(
        &scope, spawn_limited, &greedy,
        TENON_TASK_OPTIONS(
                .name = "greedy", .id = 3,
                .limiter = acquires ? NULL : &greedy.limiter));
    must_join(&scope, NULL, TENON_OK);
    unsigned found = count_of(findings, TENON_FINDING_LIMITER) - before;
    cr_expect(eq(u32, found, gives_back ? 0 : 1));
    tenon_limiter_fini(&greedy.limiter);
}

static void wait_for_each_other(
    tenon_executor *executor, struct test_clock *clock,
    struct findings *findings)
{
    (void)clock;
    wait_for_own_units(executor, findings, false, false);
    cr_expect(
        eq(str, findings->texts[TENON_FINDING_LIMITER],
           "task 'greedy' #3 has units of a limiter and waits, itself or in a "
           "join, for 2 more"));
    wait_for_own_units(executor, findings, true, false);
    wait_for_own_units(executor, findings, true, true);
}

Test(debug, waiting_for_units_that_an_ancestor_has_is_told)
{
    play_each(wait_for_each_other);
}

// --- errors that nobody reads ---

// The first line on stderr of what a root task that fails leaves unread.
static void leave_unread(tenon_executor *executor, char *line, int size)
{
    struct catch catch;
    int code = 7;

    catch_begin(&catch);
    tenon_status status = tenon_run(executor, task_return, &code, NULL);
    catch_end(&catch);
    cr_expect(eq(int, status, TENON_ERRORS));
    line[0] = '\0';
    cr_expect(
        eq(int, fgets(line, size, catch.caught) != NULL, line[0] != '\0'));
    fclose(catch.caught);
}

static void leave_unread_here(
    tenon_executor *executor, struct test_clock *clock,
    struct findings *findings)
{
    char line[128];

    (void)clock;
    (void)findings;
    leave_unread(executor, line, sizeof(line));
    cr_expect(eq(str, line, "tenon: errors that nobody has read\n"));
}

Test(debug, errors_that_nobody_reads_are_written_to_stderr)
{
    play_each(leave_unread_here);
}

static void leave_unread_silently(tenon_executor *executor)
{
    char line[128];

    leave_unread(executor, line, sizeof(line));
    cr_expect(eq(str, line, ""));
}

Test(debug, without_debug_mode_unread_errors_are_not_written)
{
    pool_each(leave_unread_silently);
}

Test(debug, is_asked_for_by_the_environment)
{
    char line[128];

    setenv("TENON_DEBUG", "1", 1);  // before anything of ours looks
    tenon_executor *executor = pool_create(1);
    leave_unread(executor, line, sizeof(line));
    cr_expect(eq(str, line, "tenon: errors that nobody has read\n"));
    pool_destroy(executor);
}

// --- without debug mode ---

static void find_nothing(tenon_executor *executor, struct test_clock *clock)
{
    static struct findings findings;
    tenon_scope scope;
    struct task_step step = {.status = TENON_OK};

    pthread_mutex_init(&findings.lock, NULL);
    tenon_set_finding_hook(keep, &findings);
    must_open(&scope, executor);
    must_spawn(&scope, join_deaf, &step);
    cr_assert(gate_wait(&step.started));
    tenon_scope_cancel(&scope, 0, NULL);
    for (int i = 0; i < 5; i++) {
        move_and_look(executor, clock, TENON_SECONDS(100));
    }
    gate_open(&step.may_end);
    must_join(&scope, NULL, TENON_OK);
    tenon_set_finding_hook(NULL, NULL);
    for (int kind = 0; kind < 8; kind++) {
        cr_expect(eq(u32, atomic_load(&findings.counts[kind]), 0));
    }
    pthread_mutex_destroy(&findings.lock);
}

Test(debug, without_debug_mode_nothing_is_looked_for)
{
    pool_each_clock(find_nothing);
}
