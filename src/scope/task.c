// SPDX-License-Identifier: MIT
//
// task — runs a function in its place in the tree, and ends it once.
//
// A spawned task is queued, then run or dropped, then counted out of its scope.
// A forked one lives in its parent's frame; popped by its parent it is little
// more than a call, taken by a thief it tells its parent when it has ended.
//
// Roles:    the worker that took the job runs it from start to end.
// Memory:   a forgotten task's piece is given back before it is counted out.
// Ordering:
//   E1 ended  end_forked: exchange-acqrel state -> join: load-acquire state
//             (the child's writes; the child may be gone right after)
//   E2 wait   announce: cas-acqrel state -> end_forked: exchange-acqrel state
//             (one of the two sees the other: same word)
//   E3 kept   end_spawned: store-release state -> outcome: load-acquire state
//             (the status)

#include "scope/task.h"

#include "base/check.h"
#include "sched/executor.h"
#include "scope/scope.h"
#include "scope/token.h"
#include "sync/parker.h"
#include "tenon/fork.h"
#include "tenon/scope.h"

#include <stddef.h>

_Static_assert(sizeof(tenon_task) == 64, "a task is one piece");
_Static_assert(
    offsetof(tenon_task, link) == 0 && sizeof(struct tn_job) == sizeof(void *),
    "a task begins with its job");
_Static_assert(
    sizeof(struct tn_task_extra) <= TN_PIECE_BYTES, "extras fit a piece");

static uint32_t flags_of(const tenon_task *task)
{
    // relaxed: flags are set before the task is shared.
    return tn_load_relaxed(&task->state) & TN_TASK_FLAGS;
}

static bool is_forked(const tenon_task *task)
{
    return (flags_of(task) & TN_TASK_FORKED) != 0;
}

static struct tn_task_extra *extra_of(const tenon_task *task)
{
    return is_forked(task) ? NULL : task->relation;
}

static const tenon_task *parent_of(const tenon_task *task)
{
    return is_forked(task) ? task->relation : task->scope->owner;
}

bool tn_task_descends(const tenon_task *task, const tenon_task *ancestor)
{
    uint32_t depth = ancestor->scope->depth;

    while (task != NULL && task->scope->depth >= depth) {
        task = parent_of(task);
        if (task == ancestor) {
            return true;
        }
    }
    return false;
}

bool tn_task_is_within(const tenon_task *task, const tenon_scope *scope)
{
    while (task != NULL && task->scope->depth >= scope->depth) {
        if (task->scope == scope) {
            return true;
        }
        task = task->scope->owner;
    }
    return false;
}

// The children would live on in a frame that is gone.
static _Noreturn __attribute__((noinline)) void fail_left_forks(
    const tenon_task *task)
{
    tn_fail_check(
        __FILE__, __LINE__, "task '%s' returned with a forked child not joined",
        tenon_task_name(task));
}

// Run the function; the caller has made it the thread's current task.
static inline int run_function(struct tn_worker *worker, tenon_task *task)
{
    uint32_t fork_count = worker->fork_count;

    task->link = NULL;
    task->failure = TN_FAILURE_NONE;
    task->result.mark = (uint32_t)tn_deque_bottom(&worker->deque);
    int status = task->fn(task, task->arg);
    if (tn_unlikely(worker->fork_count != fork_count)) {
        fail_left_forks(task);
    }
    if (tn_unlikely(task->link != NULL)) {
        status = tn_scope_close_left_open(task, status);
    }
    return status;
}

// What a task that returned `status` comes to; its error is recorded.
static tenon_outcome conclude(tenon_task *task, int status)
{
    if (status == TENON_OK ||
        (status == TENON_CANCELLED && tenon_cancelled(task))) {
        if (tn_unlikely(task->failure != TN_FAILURE_NONE)) {
            tn_failure_clear(&task->failure);
        }
        return status == TENON_OK ? TENON_OUTCOME_OK : TENON_OUTCOME_CANCELLED;
    }
    tn_ledger_task_failed(task, status);
    return TENON_OUTCOME_FAILED;
}

static uint32_t ended_state(const tenon_task *task, tenon_outcome outcome)
{
    return flags_of(task) | (uint32_t)outcome << TN_TASK_OUTCOME_SHIFT;
}

static void end_forked(tenon_task *task, tenon_outcome outcome, int status)
{
    task->result.status = status;
    uint32_t old =
        tn_exchange_acqrel(&task->state, ended_state(task, outcome));  // E1, E2
    uint32_t parker = old >> TN_TASK_WAITER_SHIFT;
    if (parker != TN_PARKER_NONE) {
        tn_parker_unpark(parker);
    }
}

static void count_outcome(tenon_scope *scope, tenon_outcome outcome)
{
    _Atomic(uint64_t) *counter = NULL;

    switch (outcome) {
    case TENON_OUTCOME_FAILED:
        counter = &scope->failed_count;
        break;
    case TENON_OUTCOME_CANCELLED:
        counter = &scope->cancelled_count;
        break;
    case TENON_OUTCOME_DROPPED:
        counter = &scope->dropped_count;
        break;
    default:
        return;
    }
    // relaxed: the count-out (E1 of scope.c) publishes it.
    tn_add_relaxed(counter, 1);
}

static void end_spawned(tenon_task *task, tenon_outcome outcome, int status)
{
    tenon_scope *scope = task->scope;
    struct tn_task_extra *extra = extra_of(task);

    if (extra != NULL) {
        if (extra->destroy_arg != NULL) {
            extra->destroy_arg(task->arg);
        }
        tn_executor_give_piece(scope->executor, extra);
    }
    count_outcome(scope, outcome);
    if ((flags_of(task) & TN_TASK_KEPT) != 0) {
        task->relation = NULL;
        task->result.status = status;
        tn_store_release(&task->state, ended_state(task, outcome));  // E3
    } else {
        tn_executor_give_piece(scope->executor, task);
    }
    tn_scope_exit(scope);
}

static void end(tenon_task *task, tenon_outcome outcome, int status)
{
    if (is_forked(task)) {
        end_forked(task, outcome, status);
    } else {
        end_spawned(task, outcome, status);
    }
}

void tn_task_run(struct tn_worker *worker, struct tn_job *job)
{
    tenon_task *task = (tenon_task *)job;

    if (!is_forked(task)) {
        // relaxed: I2 of token.c.
        task->clean_epoch = tn_load_relaxed(&task->scope->token.clean_epoch);
    }
    if (tenon_cancelled(task)) {
        end(task, TENON_OUTCOME_DROPPED, TENON_CANCELLED);
        return;
    }
    void *previous = worker->current;
    worker->current = task;
    int status = run_function(worker, task);
    worker->current = previous;
    end(task, conclude(task, status), status);
}

bool tenon_cancelled_slow(tenon_task *self)
{
    uint64_t epoch = tn_cancel_epoch();

    if (tn_token_is_set(&self->scope->token, epoch)) {
        return true;
    }
    self->clean_epoch = epoch;
    return false;
}

// NULL in the child of a fork.
static inline struct tn_worker *worker_of(const tenon_task *self)
{
    struct tn_worker *worker = tn_worker_self;

    tn_require(
        (worker != NULL && worker->current == self) || tn_has_forked,
        "this task does not run on this thread");
    return worker;
}

// A child that its parent popped did not simply return 0.
static __attribute__((noinline)) tenon_status end_inline(
    tenon_task *self, tenon_task *child, int status)
{
    if (conclude(child, status) == TENON_OUTCOME_FAILED) {
        tn_failure_pass_on(&self->failure, status);
    }
    return status;
}

// Popped by its parent: a call with a token. What it needs after the call is
// read again, so that the call saves few registers.
static inline tenon_status run_inline(
    struct tn_worker *worker, tenon_task *child)
{
    if (tn_unlikely(tenon_cancelled(child))) {
        child->relation = NULL;  // joined
        return TENON_CANCELLED;
    }
    worker->current = child;
    int status = run_function(worker, child);
    worker->current = child->relation;
    child->relation = NULL;  // joined
    if (tn_unlikely(status != TENON_OK || child->failure != TN_FAILURE_NONE)) {
        return end_inline(worker->current, child, status);
    }
    return TENON_OK;
}

// The deque has to grow; without memory the child runs now.
static __attribute__((noinline)) void fork_slow(
    struct tn_worker *worker, tenon_task *self, tenon_task *child)
{
    if (!tn_worker_push(worker, (struct tn_job *)child)) {
        int status = run_inline(worker, child);
        child->relation = self;
        end_forked(child, TENON_OUTCOME_OK, status);  // join takes the status
    }
}

void tenon_fork(
    tenon_task *self, tenon_task *child, tenon_task_fn *fn, void *arg)
{
    struct tn_worker *worker = worker_of(self);

    if (tn_unlikely(worker == NULL)) {
        return;  // forked from: the join says so
    }
    worker->fork_count++;
    child->fn = fn;
    child->arg = arg;
    child->scope = self->scope;
    child->relation = self;
    child->clean_epoch = self->clean_epoch;
    // relaxed: the push publishes it.
    tn_store_relaxed(&child->state, TN_TASK_FORKED);
    if (tn_unlikely(!tn_deque_has_room(&worker->deque))) {
        fork_slow(worker, self, child);
        return;
    }
    tn_worker_push(worker, (struct tn_job *)child);
}

struct fork_wait {
    struct tn_wait base;
    tenon_task *self;
    tenon_task *child;
};

static bool fork_is_done(struct tn_wait *base)
{
    struct fork_wait *wait = (struct fork_wait *)base;
    uint32_t state = tn_load_acquire(&wait->child->state);  // E1

    return (state & TN_TASK_OUTCOME_MASK) != 0;
}

static bool fork_may_run(struct tn_wait *base, struct tn_job *job)
{
    struct fork_wait *wait = (struct fork_wait *)base;

    return tn_task_descends((tenon_task *)job, wait->self);
}

static bool fork_announce(struct tn_wait *base, uint32_t parker)
{
    struct fork_wait *wait = (struct fork_wait *)base;
    uint32_t expected = TN_TASK_FORKED;
    uint32_t waited = TN_TASK_FORKED | parker << TN_TASK_WAITER_SHIFT;

    return tn_cas_acqrel(&wait->child->state, &expected, waited);  // E2
}

static void fork_retract(struct tn_wait *base)
{
    struct fork_wait *wait = (struct fork_wait *)base;
    // relaxed: only this thread sets the waiter; the cas decides.
    uint32_t state = tn_load_relaxed(&wait->child->state);

    if ((state & TN_TASK_OUTCOME_MASK) == 0) {
        tn_cas_acqrel(&wait->child->state, &state, TN_TASK_FORKED);  // E2
    }
}

// The newest job of our deque, `job`, is not the child, or there is none.
static __attribute__((noinline)) tenon_status join_elsewhere(
    struct tn_worker *worker, tenon_task *self, tenon_task *child,
    struct tn_job *job)
{
    struct fork_wait wait = {
        .base = {fork_is_done, fork_may_run, fork_announce, fork_retract},
        .self = self,
        .child = child,
    };

    if (job != NULL && !tn_worker_push(worker, job)) {
        tn_executor_inject(worker->executor, job);
    }
    tn_worker_wait(worker, self->result.mark, &wait.base);
    child->relation = NULL;  // joined
    // relaxed: the wait acquired it.
    uint32_t state = tn_load_relaxed(&child->state) & TN_TASK_OUTCOME_MASK;
    if (state == (uint32_t)TENON_OUTCOME_FAILED << TN_TASK_OUTCOME_SHIFT) {
        tn_failure_pass_on(&self->failure, child->result.status);
    }
    return child->result.status;
}

tenon_status tenon_join(tenon_task *self, tenon_task *child)
{
    struct tn_worker *worker = worker_of(self);

    if (tn_unlikely(worker == NULL)) {
        return TENON_EFORK;
    }
    tn_require(
        child->relation == self, "joined twice, or not forked by this task");
    worker->fork_count--;
    struct tn_job *job = tn_deque_pop(&worker->deque);
    if (tn_unlikely(job != (struct tn_job *)child)) {
        return join_elsewhere(worker, self, child, job);
    }
    return run_inline(worker, child);
}

bool tenon_task_cause(tenon_task *self, tenon_cause *cause)
{
    return tenon_token_cause(&self->scope->token, cause);
}

tenon_task *tenon_current(void)
{
    return tn_task_current();
}

tenon_scope *tenon_task_scope(const tenon_task *self)
{
    return self->scope;
}

const char *tenon_task_name(const tenon_task *self)
{
    struct tn_task_extra *extra = extra_of(self);

    return extra == NULL || extra->name == NULL ? "" : extra->name;
}

tenon_status tenon_task_outcome(
    const tenon_task *task, tenon_outcome *outcome, int *status)
{
    uint32_t state = tn_load_acquire(&task->state);  // E3
    uint32_t ended = (state & TN_TASK_OUTCOME_MASK) >> TN_TASK_OUTCOME_SHIFT;

    if (ended == TENON_OUTCOME_NONE) {
        return TENON_ENOTREADY;
    }
    if (outcome != NULL) {
        *outcome = (tenon_outcome)ended;
    }
    if (status != NULL) {
        *status = task->result.status;
    }
    return TENON_OK;
}

int tenon_fail_at(
    tenon_task *self, tenon_fail_place place, int code, const char *format, ...)
{
    va_list args;

    if (worker_of(self) == NULL) {
        return code;
    }
    if (code == TENON_OK) {
        return TENON_EINVAL;
    }
    va_start(args, format);
    tn_failure_describe(&self->failure, &place, code, format, args);
    va_end(args);
    return code;
}
