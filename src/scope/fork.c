// SPDX-License-Identifier: MIT
//
// fork — a child in the caller's frame; popped by its parent, a call.
//
// Most children are joined before anybody steals them: then neither a count nor
// an atomic read-modify-write has been spent on them. A child taken by a thief
// tells its parent when it has ended, by the one word of its state.
//
// Roles:    the parent forks and joins; any worker may run the child.
// Progress: fork wait-free but for growth of the deque; join blocks while the
//           child runs elsewhere.
// Memory:   the child is the caller's; a thief's last access is the exchange
//           that says so.
// Ordering:
//   E1 ended  end: exchange-acqrel state -> join: load-acquire state
//             (the child's writes; the child may be gone right after)
//   E2 wait   announce: cas-acqrel state -> end: exchange-acqrel state
//             (one of the two sees the other: same word)

#include "tenon/fork.h"

#include "base/check.h"
#include "sched/executor.h"
#include "sched/worker.h"
#include "scope/error.h"
#include "scope/scope.h"
#include "scope/task.h"
#include "sync/parker.h"

void tn_fork_end(tenon_task *task, tenon_outcome outcome, int status)
{
    task->result.status = status;
    uint32_t old = tn_exchange_acqrel(
        &task->state, tn_task_ended_state(task, outcome));  // E1, E2
    uint32_t parker = old >> TN_TASK_WAITER_SHIFT;
    if (parker != TN_PARKER_NONE) {
        tn_parker_unpark(parker);
    }
}

// The child would live on in a frame that is gone.
_Noreturn void tn_fork_fail_left(const tenon_task *task)
{
    tn_fail_check(
        __FILE__, __LINE__, "task '%s' returned with a forked child not joined",
        tenon_task_name(task));
}

// A child that its parent popped did not simply return 0.
static __attribute__((noinline)) tenon_status end_inline(
    tenon_task *self, tenon_task *child, int status)
{
    if (tn_task_conclude(child, status) == TENON_OUTCOME_FAILED) {
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
    int status = tn_task_call(worker, child);
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
        tn_fork_end(child, TENON_OUTCOME_OK, status);  // join takes the status
    }
}

void tenon_fork(
    tenon_task *self, tenon_task *child, tenon_task_fn *fn, void *arg)
{
    struct tn_worker *worker = tn_task_worker(self);

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
    struct tn_worker *worker = tn_task_worker(self);

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
