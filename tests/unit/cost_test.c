// SPDX-License-Identifier: MIT
//
// cost_test — how many locked instructions and system calls an operation takes,
// and which lines that all workers share it writes: what scaling.md says.

#include "gate.h"
#include "sched/executor.h"
#include "sched/worker.h"
#include "step.h"
#include "sync/deque.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <tenon/tenon.h>
#include <unistd.h>

TestSuite(cost, .timeout = 60);

// So many operations are counted, after as many that are not.
#define COUNT 5

enum line { BOTTOM, TOP, IDLE, INJECT, RETURNED, EPOCH };

static void must_be_counted(enum step_result result)
{
    if (result == STEP_UNAVAILABLE) {
        cr_skip("no steps to be counted here, or fences are portable");
    }
    cr_assert(eq(int, (int)result, (int)STEP_COUNTED));
}

// Where the light fence is an instruction, all costs are others.
static tenon_executor *must_create(void)
{
    tenon_executor *executor = NULL;

    if (tenon_executor_create(
            &executor, TENON_EXECUTOR_OPTIONS(.worker_count = 1)) != TENON_OK) {
        exit(1);
    }
    if (!tn_fence_is_asymmetric) {
        step_give_up();
    }
    return executor;
}

// --- in a task, on the only worker ---

struct plan {
    tenon_task_fn *fn;  // one operation
    bool is_alone;      // nothing else lies in the deque
};

static void watch_worker(tenon_task *self)
{
    struct tn_worker *worker = (struct tn_worker *)self->worker;

    step_watch(BOTTOM, &worker->face.deque.bottom);
    step_watch(TOP, &worker->face.deque.top);
    step_watch(IDLE, &worker->idle->state);
    step_watch(INJECT, &worker->executor->inject.arrived);
    step_watch(RETURNED, &worker->cache.returned);
    step_watch(EPOCH, &tenon_cancel_epoch.value);
}

static int repeat(tenon_task *self, tenon_task_fn *fn)
{
    int status = TENON_OK;

    for (int i = 0; i < COUNT && status == TENON_OK; i++) {
        status = fn(self, NULL);
    }
    return status;
}

static int count_in_task(tenon_task *self, void *arg)
{
    const struct plan *plan = arg;
    tenon_task child;

    if (!plan->is_alone) {
        tenon_fork(self, &child, task_ok, NULL);
    }
    int status = repeat(self, plan->fn);
    watch_worker(self);
    step_begin();
    int counted_status = repeat(self, plan->fn);
    step_end();
    tenon_status joined = plan->is_alone ? TENON_OK : tenon_join(self, &child);
    return status | counted_status | joined;
}

static void run_plan(void *arg)
{
    tenon_executor *executor = must_create();

    if (tenon_run(executor, count_in_task, arg, NULL) != TENON_OK ||
        tenon_executor_destroy(executor) != TENON_OK) {
        exit(1);
    }
}

// Per operation; of the lines those that `written` names, ended by -1.
static void expect_costs(
    tenon_task_fn *fn, bool is_alone, uint64_t locked_count, const int *written)
{
    struct plan plan = {fn, is_alone};
    struct step_counts counts;
    bool is_expected[STEP_LINES] = {false};

    must_be_counted(step_run(run_plan, &plan, &counts));
    for (; *written >= 0; written++) {
        is_expected[*written] = true;
    }
    cr_expect(gt(u64, counts.instruction_count, COUNT));
    cr_expect(eq(u64, counts.locked_count, COUNT * locked_count));
    cr_expect(zero(u64, counts.syscall_count));
    for (int i = 0; i < STEP_LINES; i++) {
        cr_expect(eq(int, counts.is_changed[i], is_expected[i]), "line %d", i);
    }
}

#define LINES(...) ((const int[]){__VA_ARGS__, -1})
#define NO_LINES ((const int[]){-1})

static int poll(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_cancelled(self) ? TENON_CANCELLED : TENON_OK;
}

Test(cost, poll_reads)
{
    expect_costs(poll, false, 0, NO_LINES);
}

static int fork_and_unfork(tenon_task *self, void *arg)
{
    tenon_task child;
    int64_t place = tenon_fork(self, &child, task_ok, arg);

    return tenon_unfork(self, &child, place) ? TENON_OK
                                             : tenon_join(self, &child);
}

static int fork_and_join(tenon_task *self, void *arg)
{
    tenon_task child;

    tenon_fork(self, &child, task_ok, arg);
    return tenon_join(self, &child);
}

Test(cost, fork_and_unfork_write_the_line_of_bottom)
{
    expect_costs(fork_and_unfork, false, 0, LINES(BOTTOM));
}

Test(cost, fork_and_join_write_the_line_of_bottom)
{
    expect_costs(fork_and_join, false, 0, LINES(BOTTOM));
}

// A thief may want it as well.
Test(cost, last_child_of_all_is_taken_back_by_one_locked_instruction)
{
    expect_costs(fork_and_unfork, true, 1, LINES(BOTTOM, TOP));
}

static int open_and_join(tenon_task *self, void *arg)
{
    tenon_scope scope;
    tenon_status status = tenon_scope_open(&scope, NULL);

    (void)self;
    (void)arg;
    return status == TENON_OK ? tenon_scope_join(&scope, TENON_OK, NULL)
                              : status;
}

Test(cost, nested_scope_writes_no_shared_line)
{
    expect_costs(open_and_join, false, 0, NO_LINES);
}

static int spawn_some(tenon_task *self, void *arg)
{
    tenon_scope scope;
    tenon_status status = tenon_scope_open(&scope, NULL);

    (void)self;
    (void)arg;
    for (int i = 0; i < 3 && status == TENON_OK; i++) {
        status = tenon_spawn(&scope, task_ok, NULL);
    }
    return tenon_scope_join(&scope, status, NULL);
}

static int spawn_many(tenon_task *self, void *arg)
{
    tenon_scope scope;
    tenon_status status = tenon_scope_open(&scope, NULL);

    (void)self;
    (void)arg;
    if (status == TENON_OK) {
        status = tenon_spawn_n(&scope, task_ok, NULL, 0, 10, NULL);
    }
    return tenon_scope_join(&scope, status, NULL);
}

Test(cost, spawn_run_and_join_write_the_line_of_bottom)
{
    expect_costs(spawn_some, false, 0, LINES(BOTTOM));
    expect_costs(spawn_many, false, 0, LINES(BOTTOM));
}

static int cancel_some(int count)
{
    tenon_scope scope;
    tenon_status status = tenon_scope_open(&scope, NULL);

    for (int i = 0; i < count && status == TENON_OK; i++) {
        status = tenon_spawn(&scope, task_ok, NULL);
    }
    tenon_scope_cancel(&scope, 0, NULL);
    return tenon_scope_join(&scope, status, NULL);
}

static int cancel_nobody(tenon_task *self, void *arg)
{
    (void)self;
    (void)arg;
    return cancel_some(0);
}

static int cancel_and_drop(tenon_task *self, void *arg)
{
    (void)self;
    (void)arg;
    return cancel_some(3);
}

// A full fence is a locked instruction.
Test(cost, cancel_takes_two_locked_instructions_and_a_fence)
{
    expect_costs(cancel_nobody, false, 3, LINES(EPOCH));
}

Test(cost, drop_takes_a_locked_instruction)
{
    expect_costs(cancel_and_drop, false, 3 + 3, LINES(BOTTOM, EPOCH));
}

// --- from outside ---

static void count_from_outside(
    tenon_executor *executor, tenon_status (*fn)(tenon_executor *executor))
{
    tenon_status status = TENON_OK;

    for (int i = 0; i < COUNT; i++) {
        status |= fn(executor);
    }
    step_begin();
    for (int i = 0; i < COUNT; i++) {
        status |= fn(executor);
    }
    step_end();
    if (status != TENON_OK) {
        exit(1);
    }
}

static tenon_status open_and_join_root(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_status status =
        tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.executor = executor));

    return status == TENON_OK ? tenon_scope_join(&scope, TENON_OK, NULL)
                              : status;
}

static void open_roots(void *arg)
{
    tenon_executor *executor = must_create();

    (void)arg;
    count_from_outside(executor, open_and_join_root);
    if (tenon_executor_destroy(executor) != TENON_OK) {
        exit(1);
    }
}

Test(cost, root_scope_counts_in_and_out_of_its_executor)
{
    struct step_counts counts;

    must_be_counted(step_run(open_roots, NULL, &counts));
    // Each also counts for the gauge, in a part of its own.
    cr_expect(eq(u64, counts.locked_count, COUNT * 2));
    cr_expect(zero(u64, counts.syscall_count));
}

// As many as a reference counts at a time.
#define SUBMITTED 64

struct busy {
    struct gate has_begun;
    struct gate may_end;
};

static int be_busy(tenon_task *self, void *arg)
{
    struct busy *busy = arg;

    (void)self;
    gate_open(&busy->has_begun);
    return gate_wait(&busy->may_end) ? TENON_OK : TENON_CANCELLED;
}

static tenon_status submit(tenon_scope_ref *ref)
{
    tenon_status status = TENON_OK;

    for (int i = 0; i < SUBMITTED && status == TENON_OK; i++) {
        status = tenon_ref_spawn(ref, task_ok, NULL, NULL);
    }
    return status;
}

// The only worker is busy: nobody sleeps who would have to be woken.
static void submit_all(void *arg)
{
    tenon_executor *executor = must_create();
    tenon_scope scope;
    tenon_scope_ref ref;
    static struct busy busy;

    (void)arg;
    if (tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.executor = executor)) !=
            TENON_OK ||
        tenon_scope_acquire(&scope, &ref) != TENON_OK ||
        tenon_spawn(&scope, be_busy, &busy) != TENON_OK ||
        !gate_wait(&busy.has_begun)) {
        exit(1);
    }
    tenon_status before = submit(&ref);
    step_begin();
    tenon_status counted = submit(&ref);
    step_end();
    gate_open(&busy.may_end);
    tenon_scope_release(&ref);
    tenon_status joined = tenon_scope_join(&scope, TENON_OK, NULL);
    if (before != TENON_OK || counted != TENON_OK || joined != TENON_OK ||
        tenon_executor_destroy(executor) != TENON_OK) {
        exit(1);
    }
}

// Lock and unlock a part of what foreign threads share with few others, push;
// and twice for all, the reference counts.
Test(cost, submission_takes_three_locked_instructions)
{
    struct step_counts counts;

    must_be_counted(step_run(submit_all, NULL, &counts));
    cr_expect(eq(u64, counts.locked_count, SUBMITTED * 3 + 2));
    cr_expect(zero(u64, counts.syscall_count));
}

// --- a theft ---

static struct tenon_deque deque;

static void *steal_main(void *arg)
{
    void *item = NULL;
    int64_t index = 0;

    for (int i = 0; i < COUNT; i++) {
        tn_deque_steal(&deque, 1, &item, &index);
    }
    step_watch(BOTTOM, &deque.bottom);
    step_watch(TOP, &deque.top);
    step_begin();
    for (int i = 0; i < COUNT; i++) {
        if (tn_deque_steal(&deque, 1, &item, &index) != TN_STEAL_TAKEN) {
            exit(1);
        }
    }
    step_end();
    return arg;
}

static void steal_all(void *arg)
{
    static int items[2 * COUNT];
    pthread_t thief;

    (void)arg;
    tn_fence_setup();
    if (!tn_fence_is_asymmetric) {
        step_give_up();
    }
    if (!tn_deque_init(&deque, 256, true)) {
        exit(1);
    }
    for (int i = 0; i < 2 * COUNT; i++) {
        if (!tn_deque_push(&deque, &items[i])) {
            exit(1);
        }
    }
    if (pthread_create(&thief, NULL, steal_main, NULL) != 0 ||
        pthread_join(thief, NULL) != 0) {
        exit(1);
    }
    tn_deque_fini(&deque);
}

// From an owner that does not answer: it asks, takes the fence, and claims. The
// limit that it sets to 0 to ask is in the line of bottom.
Test(cost, theft_takes_two_locked_instructions_and_a_fence)
{
    struct step_counts counts;

    must_be_counted(step_run(steal_all, NULL, &counts));
    cr_expect(eq(u64, counts.locked_count, COUNT * 2));
    cr_expect(eq(u64, counts.syscall_count, COUNT));
    cr_expect(counts.is_changed[TOP]);
}

// --- the end of a search ---

static struct tn_idle idle;

enum { SEARCHER, SLEEPER, THIRD, WORKER_COUNT };

static bool look_at_nothing(void *context)
{
    return context != NULL;
}

static void call_nobody(void *context)
{
    (void)context;
}

static void *sleep_main(void *arg)
{
    tn_idle_arrive(&idle, SLEEPER);
    tn_idle_search(&idle);
    tn_idle_sleep(&idle, SLEEPER);
    tn_idle_found(&idle, SLEEPER);
    return arg;
}

static bool is_asleep(void *context)
{
    (void)context;
    return tn_load_relaxed(&idle.state) == TN_IDLE_SLEEPING_ONE;
}

static void search_and_find(void)
{
    for (int i = 0; i < COUNT; i++) {
        tn_idle_search(&idle);
        tn_idle_found(&idle, SEARCHER);
    }
}

static void search_all(void *is_another_about)
{
    pthread_t sleeper;

    tn_fence_setup();
    if (!tn_fence_is_asymmetric) {
        step_give_up();
    }
    if (!tn_idle_init(
            &idle, WORKER_COUNT, look_at_nothing, call_nobody, NULL) ||
        pthread_create(&sleeper, NULL, sleep_main, NULL) != 0 ||
        !gate_poll(is_asleep, NULL)) {
        exit(1);
    }
    tn_idle_arrive(&idle, SEARCHER);
    if (is_another_about != NULL) {
        tn_idle_arrive(&idle, THIRD);
    }
    search_and_find();
    step_begin();
    search_and_find();
    step_end();
    tn_idle_wake_all(&idle);
    if (pthread_join(sleeper, NULL) != 0) {
        exit(1);
    }
    tn_idle_fini(&idle);
}

Test(cost, search_of_who_is_alone_calls_no_system)
{
    struct step_counts counts;

    must_be_counted(step_run(search_all, NULL, &counts));
    cr_expect(eq(u64, counts.locked_count, COUNT * 4));
    cr_expect(zero(u64, counts.syscall_count));
}

Test(cost, search_beside_who_is_about_issues_one_fence)
{
    struct step_counts counts;

    must_be_counted(step_run(search_all, &idle, &counts));
    cr_expect(eq(u64, counts.locked_count, COUNT * 3));
    cr_expect(eq(u64, counts.syscall_count, COUNT));
}

// --- the counter itself ---

static void lock_and_call(void *arg)
{
    atomic_uint count = 0;

    (void)arg;
    step_watch(0, &count);
    getppid();  // what finds it the first time may lock
    step_begin();
    for (int i = 0; i < COUNT; i++) {
        atomic_fetch_add(&count, 1);
        atomic_exchange(&count, (unsigned)i);
        getppid();
    }
    step_end();
}

static void end_badly(void *arg)
{
    (void)arg;
    exit(1);
}

static void count_nothing(void *arg)
{
    (void)arg;
}

static void give_up(void *arg)
{
    (void)arg;
    step_give_up();
}

Test(cost, counter_sees_what_is_locked_and_what_calls_the_system)
{
    struct step_counts counts;

    must_be_counted(step_run(lock_and_call, NULL, &counts));
    cr_expect(eq(u64, counts.locked_count, COUNT * 2));
    cr_expect(eq(u64, counts.syscall_count, COUNT));
    cr_expect(eq(u64, counts.line_count, 1));
    cr_expect(counts.is_changed[0]);
    cr_expect(
        eq(int, (int)step_run(end_badly, NULL, &counts), (int)STEP_FAILED));
    cr_expect(
        eq(int, (int)step_run(count_nothing, NULL, &counts), (int)STEP_FAILED));
    cr_expect(
        eq(int, (int)step_run(give_up, NULL, &counts), (int)STEP_UNAVAILABLE));
}
