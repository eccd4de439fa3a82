// SPDX-License-Identifier: MIT
//
// abort_test — misuse that no code can report ends the program.

#include "catch.h"
#include "clock.h"
#include "gate.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <tenon/tenon.h>
#include <unistd.h>

TestSuite(abort, .timeout = 30);

static int leave_frame(tenon_task *self, void *arg)
{
    tenon_scope scope;

    (void)self;
    (void)arg;
    return tenon_scope_open(&scope, NULL);  // dies with the frame
}

static void run_alone(tenon_task_fn *fn, void *arg)
{
    tenon_executor *executor = pool_create(1);

    tenon_status status = tenon_run(executor, fn, arg, NULL);
    cr_fail("came back with %d", status);
}

Test(abort, task_leaves_a_scope_of_its_own_frame_open, .signal = SIGABRT)
{
    run_alone(leave_frame, NULL);
}

static int leave_fork(tenon_task *self, void *arg)
{
    static tenon_task child;

    tenon_fork(self, &child, task_ok, arg);
    return TENON_OK;
}

Test(abort, task_leaves_a_forked_child_behind, .signal = SIGABRT)
{
    run_alone(leave_fork, NULL);
}

static int leave_fork_in_frame(tenon_task *self, void *arg)
{
    tenon_task child;

    tenon_fork(self, &child, task_ok, arg);
    return TENON_OK;
}

Test(abort, task_leaves_a_forked_child_of_its_own_frame, .signal = SIGABRT)
{
    run_alone(leave_fork_in_frame, NULL);
}

static int join_one_that_leaves_a_fork(tenon_task *self, void *arg)
{
    tenon_task child;

    tenon_fork(self, &child, leave_fork_in_frame, arg);
    return tenon_join(self, &child);
}

Test(abort, forked_child_leaves_a_child_of_its_own_frame, .signal = SIGABRT)
{
    run_alone(join_one_that_leaves_a_fork, NULL);
}

static void fork_in_destructor(void *arg)
{
    tenon_task child;

    tenon_fork(tenon_current(), &child, task_ok, arg);
}

static int spawn_with_destructor(tenon_task *self, void *arg)
{
    return tenon_spawn_with(
        tenon_task_scope(self), task_ok, arg,
        TENON_TASK_OPTIONS(.destroy_arg = fork_in_destructor));
}

Test(abort, destructor_leaves_a_forked_child, .signal = SIGABRT)
{
    run_alone(spawn_with_destructor, NULL);
}

struct elder {
    tenon_task task;
    int64_t place;
};

static int unfork_elder(tenon_task *self, void *arg)
{
    struct elder *elder = arg;

    return tenon_unfork(self, &elder->task, elder->place);
}

static int fork_two(tenon_task *self, void *arg)
{
    struct elder elder;
    tenon_task younger;

    elder.place = tenon_fork(self, &elder.task, task_ok, arg);
    tenon_fork(self, &younger, unfork_elder, &elder);
    return tenon_join(self, &younger) + tenon_join(self, &elder.task);
}

Test(abort, child_takes_its_elder_back, .signal = SIGABRT)
{
    run_alone(fork_two, NULL);
}

static int fork_for_elder(tenon_task *self, void *arg)
{
    tenon_task *elder = arg;
    tenon_task child;

    (void)self;
    tenon_fork(elder, &child, task_ok, NULL);
    return TENON_OK;
}

static int lend_to_child(tenon_task *self, void *arg)
{
    tenon_task child;

    (void)arg;
    tenon_fork(self, &child, fork_for_elder, self);
    return tenon_join(self, &child);
}

Test(abort, child_forks_in_the_name_of_its_parent, .signal = SIGABRT)
{
    run_alone(lend_to_child, NULL);
}

static void *fork_elsewhere(void *arg)
{
    tenon_task *task = arg;
    tenon_task child;

    tenon_fork(task, &child, task_ok, NULL);
    return NULL;
}

static int lend_to_thread(tenon_task *self, void *arg)
{
    pthread_t thread;

    (void)arg;
    pthread_create(&thread, NULL, fork_elsewhere, self);
    pthread_join(thread, NULL);
    return TENON_OK;
}

Test(abort, thread_forks_for_a_task_in_debug_mode, .signal = SIGABRT)
{
    tenon_executor *executor = pool_create_with(
        TENON_EXECUTOR_OPTIONS(.worker_count = 1, .debug = true));
    tenon_status status = tenon_run(executor, lend_to_thread, NULL, NULL);
    cr_fail("came back with %d", status);
}

static __attribute__((noinline)) tenon_status open_root(
    tenon_executor *executor)
{
    tenon_scope scope;

    return tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.executor = executor));
}

Test(abort, root_scope_is_not_joined_in_its_frame, .signal = SIGABRT)
{
    tenon_executor *executor = pool_create(1);
    tenon_status first = open_root(executor);
    tenon_scope other;
    tenon_status second =
        tenon_scope_open(&other, TENON_SCOPE_OPTIONS(.executor = executor));

    cr_fail("came back with %d and %d", first, second);
}

static int fork_nothing(tenon_task *self, void *arg)
{
    tenon_task child;

    (void)arg;
    tenon_fork(self, &child, NULL, NULL);
    return tenon_join(self, &child);
}

Test(abort, task_forks_no_function, .signal = SIGABRT)
{
    run_alone(fork_nothing, NULL);
}

static int join_nothing_at_once(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_fork_join(self, NULL, NULL);
}

Test(abort, task_calls_no_function_as_its_child, .signal = SIGABRT)
{
    run_alone(join_nothing_at_once, NULL);
}

// The child is not the newest job any more.
static int leave_fork_below(tenon_task *self, void *arg)
{
    static tenon_task child;

    tenon_fork(self, &child, task_ok, arg);
    return tenon_spawn(tenon_task_scope(self), task_ok, NULL);
}

Test(abort, task_leaves_a_forked_child_below_others, .signal = SIGABRT)
{
    run_alone(leave_fork_below, NULL);
}

static int join_fork_twice(tenon_task *self, void *arg)
{
    tenon_task child;

    tenon_fork(self, &child, task_ok, arg);
    tenon_status first = tenon_join(self, &child);
    tenon_status second = tenon_join(self, &child);
    return first + second;
}

Test(abort, forked_child_is_joined_twice, .signal = SIGABRT)
{
    run_alone(join_fork_twice, NULL);
}

static int join_unforked(tenon_task *self, void *arg)
{
    tenon_task child;
    int64_t place = tenon_fork(self, &child, task_ok, arg);
    bool is_ours = tenon_unfork(self, &child, place);

    return tenon_join(self, &child) + is_ours;
}

Test(abort, child_taken_back_is_joined, .signal = SIGABRT)
{
    run_alone(join_unforked, NULL);
}

static int unfork_twice(tenon_task *self, void *arg)
{
    tenon_task child;
    int64_t place = tenon_fork(self, &child, task_ok, arg);
    bool first = tenon_unfork(self, &child, place);
    bool second = tenon_unfork(self, &child, place);

    return first + second;
}

Test(abort, child_is_taken_back_twice, .signal = SIGABRT)
{
    run_alone(unfork_twice, NULL);
}

static int fork_as(tenon_task *self, void *arg)
{
    tenon_task child;

    (void)self;
    tenon_fork(arg, &child, task_ok, NULL);
    return tenon_join(arg, &child);
}

static int lend_self(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_run(NULL, fork_as, self, NULL);
}

Test(abort, task_forks_in_the_name_of_another, .signal = SIGABRT)
{
    run_alone(lend_self, NULL);
}

static int fail_as(tenon_task *self, void *arg)
{
    (void)self;
    return tenon_fail((tenon_task *)arg, 1, "in your name");
}

static int lend_self_to_fail(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_run(NULL, fail_as, self, NULL);
}

Test(abort, task_fails_in_the_name_of_another, .signal = SIGABRT)
{
    run_alone(lend_self_to_fail, NULL);
}

// --- what it says before it ends ---

#define GRACE_NS TENON_SECONDS(10)

static tenon_executor *debugged;
static struct test_clock debugged_clock;

static tenon_executor *create_debugged(void)
{
    tenon_status status = tenon_executor_create(
        &debugged,
        TENON_EXECUTOR_OPTIONS(
                .worker_count = 2, .debug = true, .cancel_grace_ns = GRACE_NS,
                .clock = {test_clock_now_ns, &debugged_clock}));

    return status == TENON_OK ? debugged : NULL;
}

// In a frame of the stack, also where a sanitizer takes its frames elsewhere.
static __attribute__((noinline, no_sanitize_address)) tenon_status open_left(
    tenon_executor *executor)
{
    tenon_scope scope;

    return tenon_scope_open(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .name = "left"));
}

static int open_left_inside(tenon_task *self, void *arg)
{
    (void)self;
    (void)arg;
    return open_left(NULL);
}

// What the last words have to be; exit statuses.
enum { SAID = 7, NOT_SAID = 8, NO_END = 9 };
static struct catch last_words;
static const char *reason;
static const char *below;  // what else is to be shown, or NULL

// abort() calls it.
static void judge_last_words(int number)
{
    char text[4096];

    // As the timer's thread may, meanwhile.
    tenon_executor_inspect(debugged);
    test_clock_move(&debugged_clock, GRACE_NS);
    tenon_executor_inspect(debugged);
    ssize_t size = pread(fileno(last_words.caught), text, sizeof(text) - 1, 0);

    (void)number;
    text[size < 0 ? 0 : size] = 0;
    bool has_all = strstr(text, reason) != NULL &&
                   strstr(text, "scope 'left': open") != NULL &&
                   (below == NULL || strstr(text, below) != NULL) &&
                   strstr(text, "cancel ignored") == NULL;
    _exit(has_all ? SAID : NOT_SAID);
}

static void expect_last_words(const char *expected)
{
    reason = expected;
    catch_begin(&last_words);
    signal(SIGABRT, judge_last_words);
}

Test(
    abort, root_scope_that_is_not_joined_is_shown_in_debug_mode,
    .exit_code = SAID)
{
    tenon_executor *executor = create_debugged();
    tenon_scope other;

    expect_last_words("was not joined before its frame ended");
    (void)!open_left(executor);
    (void)!tenon_scope_open(&other, TENON_SCOPE_OPTIONS(.executor = executor));
    _exit(NO_END);
}

static struct gate never;

static int wait_for_ever(tenon_task *self, void *arg)
{
    (void)self;
    gate_open(arg);
    return gate_wait(&never) ? TENON_OK : TASK_IN_VAIN;
}

// Whether it is cancelled, its token asks the scope's.
static __attribute__((noinline, no_sanitize_address)) tenon_status leave_task(
    tenon_executor *executor, struct gate *started)
{
    static tenon_handle handle;
    tenon_scope scope;
    tenon_status status = tenon_scope_open(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .name = "left"));

    return status != TENON_OK ? status
                              : tenon_spawn_task(
                                    &scope, &handle, wait_for_ever, started,
                                    TENON_TASK_OPTIONS(.name = "orphan"));
}

#define DEEP_BYTES 32768

// Where what is called later does not reach.
static __attribute__((noinline, no_sanitize_address)) tenon_status
leave_task_deep_down(tenon_executor *executor, struct gate *started)
{
    volatile char above[DEEP_BYTES];

    above[0] = 0;
    tenon_status status = leave_task(executor, started);
    return above[0] == 0 ? status : TENON_EINVAL;
}

// Others have used the stack since.
static __attribute__((noinline, no_sanitize_address)) void overwrite_stack(void)
{
    volatile char bytes[2 * DEEP_BYTES];

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = 0x50;  // as an address: none
    }
}

Test(
    abort, task_below_it_is_shown_though_nothing_is_left_of_the_scope,
    .exit_code = SAID)
{
    tenon_executor *executor = create_debugged();
    struct gate started = {0};
    tenon_token elsewhere;
    tenon_scope other;

    expect_last_words("was not joined before its frame ended");
    below = "'orphan'";
    (void)!leave_task_deep_down(executor, &started);
    if (gate_wait(&started)) {
        overwrite_stack();
        // From now on a token asks those above it whether they are set.
        tenon_token_init(&elsewhere, NULL);
        tenon_token_cancel(&elsewhere, 0, NULL);
        (void)!tenon_scope_open(
            &other, TENON_SCOPE_OPTIONS(.executor = executor));
    }
    _exit(NO_END);
}

Test(
    abort, scope_of_a_task_that_is_not_joined_is_shown_in_debug_mode,
    .exit_code = SAID)
{
    tenon_executor *executor = create_debugged();

    expect_last_words("returned without joining a scope of its own frame");
    (void)!tenon_run(executor, open_left_inside, NULL, NULL);
    _exit(NO_END);
}
