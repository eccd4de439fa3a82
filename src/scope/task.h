// SPDX-License-Identifier: MIT
//
// task — how a task runs and ends; the scheduler's job, seen from above.
//
// Behind include/tenon/task.h and fork.h. See task.c and fork.c.

#ifndef TN_SCOPE_TASK_H
#define TN_SCOPE_TASK_H

#include "base/atomic.h"
#include "base/check.h"
#include "sched/executor.h"
#include "sched/job.h"
#include "sched/worker.h"
#include "scope/error.h"
#include "scope/scope.h"
#include "scope/token.h"
#include "tenon/handle.h"

#include <stdbool.h>
#include <stdint.h>

// The low bits of `state`; the outcome and the waiter's parker are above.
#define TN_TASK_FORKED TENON_TASK_FORKED  // lives in its parent's frame
#define TN_TASK_HANDLED UINT32_C(2)       // begins a handle; else a piece
#define TN_TASK_OWNED UINT32_C(4)         // the handle is ours
#define TN_TASK_ALWAYS UINT32_C(8)        // runs even if cancelled before
#define TN_TASK_WATCHED UINT32_C(16)      // its scope's policy hears of its end
#define TN_TASK_BEGUN UINT32_C(32)        // goes on: it is not dropped any more
#define TN_TASK_NOTED UINT32_C(64)        // has a node of the census
#define TN_TASK_FLAGS UINT32_C(0xff)
#define TN_TASK_OUTCOME_SHIFT 8
#define TN_TASK_OUTCOME_MASK (UINT32_C(7) << TN_TASK_OUTCOME_SHIFT)
#define TN_TASK_WAITER_SHIFT 16

// What few tasks have: in a piece of memory of its own, or in the handle.
struct tn_task_extra {
    const char *name;
    tenon_destroy_fn *destroy_arg;
    uint64_t id;
    tenon_done_fn *on_done;
    void *on_done_context;
    struct tn_ticket *ticket;  // of a limiter, or NULL
    struct tn_delay *delay;    // or NULL
    struct tn_node *node;      // in debug mode, or NULL
};

// [any] Queue a task that is counted in its scope.
void tn_task_queue(tenon_task *task);

// [any] The same for who has nothing to do with the scope, which is held
// meanwhile, and with it the executor.
void tn_task_queue_held(tenon_task *task);

// [any] Likewise; but with a limiter the task needs its units before.
void tn_task_start_held(tenon_task *task);

// [worker] Run or drop a queued task; it is gone when this returns.
tn_job_run_fn tn_task_run;

// [any] The task that runs on this thread, or NULL.
static inline tenon_task *tn_task_current(void)
{
    struct tn_worker *worker = tn_worker_self();

    return worker == NULL ? NULL : worker->face.current;
}

// [any] What never changes in its state.
static inline uint32_t tn_task_flags(const tenon_task *task)
{
    // relaxed: flags are set before the task is shared.
    return tn_load_relaxed(&task->state) & TN_TASK_FLAGS;
}

// [any]
static inline bool tn_task_is_forked(const tenon_task *task)
{
    return (tn_task_flags(task) & TN_TASK_FORKED) != 0;
}

// [any]
static inline bool tn_task_is_handled(const tenon_task *task)
{
    return (tn_task_flags(task) & TN_TASK_HANDLED) != 0;
}

// [any] The handle of a task that has one.
static inline tenon_handle *tn_task_handle(tenon_task *task)
{
    return (tenon_handle *)task;  // its first member
}

// [any] Where a handle has its extras.
static inline struct tn_task_extra *tn_handle_extra(tenon_handle *handle)
{
    return (struct tn_task_extra *)&handle->name;
}

// [its thread] The token of a task itself: its own, or that of its scope.
static inline tenon_token *tn_task_token(tenon_task *task)
{
    while (tn_unlikely(tn_task_is_forked(task))) {
        task = task->relation;
    }
    return tn_unlikely(tn_task_is_handled(task)) ? &tn_task_handle(task)->token
                                                 : &task->scope->token;
}

// [its thread] The token of what a running task does now: that of the innermost
// scope that it has open, or its own.
static inline tenon_token *tn_task_innermost_token(tenon_task *task)
{
    tenon_scope *scope = task->link;

    return scope != NULL ? &scope->token : tn_task_token(task);
}

// [worker] The scope of a task, also of a forked one that has not begun.
static inline const tenon_scope *tn_task_scope(const tenon_task *task)
{
    return tn_task_is_forked(task) ? ((tenon_task *)task->relation)->scope
                                   : task->scope;
}

// [worker] The state of a task that has ended.
static inline uint32_t tn_task_ended_state(
    const tenon_task *task, tenon_outcome outcome)
{
    return tn_task_flags(task) | (uint32_t)outcome << TN_TASK_OUTCOME_SHIFT;
}

// [any] How a task with a handle has ended, or TENON_OUTCOME_NONE; what it left
// in the handle is there to read (E1 of task.c).
static inline tenon_outcome tn_handle_ended(const tenon_handle *handle)
{
    uint32_t state = tn_load_acquire(&handle->task.state);  // E1 of task.c
    uint32_t outcome = (state & TN_TASK_OUTCOME_MASK) >> TN_TASK_OUTCOME_SHIFT;

    return (tenon_outcome)outcome;
}

// What a task came to.
struct tn_ending {
    tenon_outcome outcome;
    int status;
    const tenon_error *error;  // its own, if kept; or NULL
};

// [worker] What a task that returned `status` came to. Its error is recorded.
// One that was stopped by its own deadline has failed with TENON_TIMEOUT.
struct tn_ending tn_task_conclude(tenon_task *task, int status);

// [worker] Let a forked task that was taken from a deque inherit what it runs
// with. Its parent waits for it.
void tn_fork_begin(tenon_task *task);

// [worker] Tell who joins a forked task that it has ended. It may be gone when
// this returns.
void tn_fork_end(tenon_task *task, tenon_outcome outcome, int status);

// [worker] `task` ended: abort if one of the items above its mark is a child
// that it forked and did not join. (One that was stolen is not found.)
void tn_fork_check_left(struct tn_worker *worker, const tenon_task *task);

// [worker] `task` returned `status` to the caller of this: abort or close what
// it left behind. Gives its status now. Aborts in the child of a fork(2).
int tn_task_check_left(struct tn_worker *worker, tenon_task *task, int status);

// [its thread] The worker that runs `self`, or NULL in the child of a fork(2);
// aborts elsewhere.
static inline struct tn_worker *tn_task_worker(const tenon_task *self)
{
    struct tn_worker *worker = tn_worker_self();

    tn_require(
        (worker != NULL && worker->face.current == self) || tn_has_forked,
        "this task is not the one that this thread runs now");
    return worker;
}

// [worker] Run the function as the thread's current task, instead of
// `previous`. It has `said` something before.
static inline int tn_task_call(
    struct tn_worker *worker, tenon_task *task, void *previous, tn_failure said)
{
    worker->face.current = task;
    task->link = NULL;
    task->failure = said;
    task->result.mark = (uint32_t)tn_deque_bottom(&worker->face.deque);
    tenon_task_fn *fn = task->fn;
    task->worker = worker->shown;
    int status = fn(task, task->arg);
    // It left a scope or forked children; or this is the child of a fork(2).
    if (tn_unlikely(
            task->link != NULL ||
            (uint32_t)tn_deque_bottom(&worker->face.deque) !=
                task->result.mark)) {
        status = tn_task_check_left(worker, task, status);
    }
    task->fn = fn;
    worker->face.current = previous;
    return status;
}

// [worker] The rest of a task that was not a plain success: it has returned
// `status`.
void tn_task_end_otherwise(
    struct tn_worker *worker, tenon_task *task, int status);

// [worker] A spawned task that is not run, because it was cancelled before.
void tn_task_drop(struct tn_worker *worker, tenon_task *task);

// [worker] Was it cancelled before it began?
bool tn_task_is_late(tenon_task *task);

// [worker] Run a spawned task without flags, a member of `scope`. In the common
// case it leaves nothing behind but its piece. `is_owner`: this thread is the
// scope's owner, and it is a scope of this worker's executor.
static inline __attribute__((always_inline)) void tn_task_run_plainly(
    struct tn_worker *worker, tenon_task *task, tenon_scope *scope,
    bool is_owner)
{
    // relaxed: I2 of token.c.
    task->clean_epoch = tn_load_relaxed(&scope->token.clean_epoch);
    if (tn_unlikely(
            !tn_token_is_clean(&scope->token) && tn_task_is_late(task))) {
        tn_task_drop(worker, task);
        return;
    }
    int status =
        tn_task_call(worker, task, worker->face.current, TN_FAILURE_NONE);
    if (tn_unlikely(
            status != TENON_OK || task->failure != TN_FAILURE_NONE ||
            task->relation != NULL)) {
        tn_task_end_otherwise(worker, task, status);
        return;
    }
    tn_worker_give_piece(worker, task);
    if (is_owner) {
        tn_worker_count(worker, TN_TALLY_ENDED_TASKS, 1);
        scope->local_live--;
    } else {
        tn_executor_count(scope->executor, TN_TALLY_ENDED_TASKS, 1);
        tn_scope_exit(scope);
    }
}

// [any] Whose child it is: of who forked it, or of the owner of its scope.
// NULL: of nobody.
static inline tenon_task *tn_task_parent(const tenon_task *task)
{
    return tn_task_is_forked(task) ? task->relation : task->scope->owner;
}

// [any] Is `task` a member of `scope`, at any depth?
bool tn_task_is_within(const tenon_task *task, const tenon_scope *scope);

// [any] Does `task` descend from `ancestor`?
bool tn_task_descends(const tenon_task *task, const tenon_task *ancestor);

#endif
