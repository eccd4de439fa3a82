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
#include "base/platform.h"
#include "sched/executor.h"
#include "sched/worker.h"
#include "scope/census.h"
#include "scope/error.h"
#include "scope/scope.h"
#include "scope/task.h"
#include "sync/parker.h"

void tn_fork_begin(tenon_task *task)
{
    tenon_task *parent = task->relation;

    task->scope = parent->scope;
    task->link = NULL;
    // relaxed: I2 of token.c.
    task->clean_epoch = tn_load_relaxed(&tn_task_token(parent)->clean_epoch);
}

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

void tn_fork_check_left(struct tn_worker *worker, const tenon_task *task)
{
    struct tenon_deque *deque = &worker->face.deque;
    int64_t bottom = tn_deque_bottom(deque);
    int64_t mark = bottom - (uint32_t)((uint32_t)bottom - task->result.mark);
    int64_t top = tn_deque_top_hint(deque);

    for (int64_t i = top > mark ? top : mark; i < bottom; i++) {
        uintptr_t item = (uintptr_t)tenon_deque_at(deque, i);
        tn_require(
            (item & TENON_ITEM_FORKED) == 0,
            "task '%s' returned with a forked child not joined",
            tenon_task_name(task));
    }
}

// The child ended with `status`: record its error and say so to its parent.
static __attribute__((noinline)) void pass_on(
    tenon_task *self, tenon_task *child, int status)
{
    struct tn_ending ending = tn_task_conclude(child, status);

    if (ending.outcome == TENON_OUTCOME_FAILED) {
        tn_failure_pass_on(&self->failure, ending.status);
    }
}

// False: it is dropped. What the parent polls is what its child would, unless
// the parent has a scope of its own open.
static bool begin_here(tenon_task *self, tenon_task *child)
{
    if (tn_unlikely(self->link != NULL)) {
        tn_fork_begin(child);
        return !tenon_cancelled(child);
    }
    if (tenon_cancelled(self)) {
        return false;
    }
    child->scope = self->scope;
    child->clean_epoch = self->clean_epoch;
    return true;
}

// The child runs in its parent's place, as part of the fork or the join.
static tenon_status run_here(
    struct tn_worker *worker, tenon_task *self, tenon_task *child)
{
    if (!begin_here(self, child)) {
        return TENON_CANCELLED;
    }
    int status = tn_task_call(worker, child, self, TN_FAILURE_NONE);
    if (tn_unlikely(status != TENON_OK || child->failure != TN_FAILURE_NONE)) {
        pass_on(self, child, status);
    }
    return status;
}

bool tenon_queue_is_empty_slow(void)
{
    struct tn_worker *worker = tn_worker_self();

    if (worker == NULL) {
        return true;  // forked from: there is no queue
    }
    tn_deque_answer(&worker->face.deque);
    return tn_deque_looks_empty(&worker->face.deque);
}

#define NO_PLACE INT64_MIN  // wherever the newest item may be

// There is no memory to queue it.
static void run_at_once(
    struct tn_worker *worker, tenon_task *self, tenon_task *child)
{
    int status = run_here(worker, self, child);

    tn_fork_end(child, TENON_OUTCOME_OK, status);  // join takes the status
}

static void make_child(
    tenon_task *self, tenon_task *child, tenon_task_fn *fn, void *arg)
{
    tn_require(fn != NULL, "task %p forks no function", (void *)self);
    child->fn = fn;
    child->arg = arg;
    child->relation = self;
    // relaxed: a push publishes it.
    tn_store_relaxed(&child->state, TN_TASK_FORKED);
}

int64_t tenon_fork_slow(
    tenon_task *self, tenon_task *child, tenon_task_fn *fn, void *arg)
{
    struct tn_worker *worker = tn_task_worker(self);

    make_child(self, child, fn, arg);
    if (worker == NULL) {
        return NO_PLACE;  // forked from: the join says so
    }
    if (!tn_worker_push(worker, tenon_item_of(child))) {
        run_at_once(worker, self, child);
    }
    return NO_PLACE;
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

static enum tn_kinship fork_kinship(struct tn_wait *base, struct tn_job *job)
{
    struct fork_wait *wait = (struct fork_wait *)base;
    const tenon_task *task = (const tenon_task *)job;

    if (task == wait->child) {
        return TN_KIN_AWAITED;
    }
    return tn_task_descends(task, wait->self) ? TN_KIN_DESCENDS : TN_KIN_NONE;
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

static tenon_status wait_for(
    struct tn_worker *worker, tenon_task *self, tenon_task *child)
{
    struct fork_wait wait = {
        .base =
            {fork_is_done, fork_kinship, fork_announce, fork_retract,
             worker->executor},
        .self = self,
        .child = child,
    };

    uint32_t before = tn_census_enter(self, TN_STATE_JOINING);
    tn_worker_wait(worker, self->result.mark, &wait.base);
    tn_census_enter(self, before);
    // relaxed: the wait acquired it.
    uint32_t state = tn_load_relaxed(&child->state) & TN_TASK_OUTCOME_MASK;
    if (state == (uint32_t)TENON_OUTCOME_FAILED << TN_TASK_OUTCOME_SHIFT) {
        tn_failure_pass_on(&self->failure, child->result.status);
    }
    return child->result.status;
}

// `index` was claimed from the deque, but it is the last one, or none is left,
// or another job lies there. True: `child` it was.
static bool take_claimed(
    struct tn_worker *worker, tenon_task *child, int64_t index, int64_t top)
{
    struct tenon_deque *deque = &worker->face.deque;
    void *item = top >= index ? tn_deque_pop_last(deque, index, top)
                              : tenon_deque_at(deque, index);

    if (tn_job_of(item) == (struct tn_job *)child) {
        return true;
    }
    if (item != NULL) {
        tn_worker_requeue(worker, item);
    }
    return false;
}

static void check_parent(const tenon_task *self, const tenon_task *child)
{
    tn_require(
        child->relation == self,
        "task %p joins a child that it did not fork, or twice", (void *)self);
}

bool tenon_unfork_other(
    tenon_task *self, tenon_task *child, int64_t index, int64_t top)
{
    check_parent(self, child);
    if (!take_claimed(tn_worker_self(), child, index, top)) {
        return false;
    }
    child->relation = NULL;  // no child any more
    return true;
}

// True: `child` was the newest and is the caller's again.
static bool take_newest(
    struct tn_worker *worker, tenon_task *self, tenon_task *child)
{
    struct tenon_deque *deque = &worker->face.deque;
    int64_t index = tn_deque_bottom(deque) - 1;

    check_parent(self, child);
    // It may have ended in a wait. What lies below the mark is of those further
    // out: wait.c.
    // relaxed: only a look.
    if (tn_load_relaxed(&child->state) != TN_TASK_FORKED ||
        (uint32_t)(index + 1) == self->result.mark) {
        return false;
    }
    int64_t top = tenon_deque_retreat(deque, index, deque->is_asymmetric);
    return take_claimed(worker, child, index, top);
}

// Where the inline calls are not to be used, by a place that is not known, or
// by misuse.
bool tenon_unfork_slow(tenon_task *self, tenon_task *child)
{
    struct tn_worker *worker = tn_task_worker(self);

    if (worker == NULL || !take_newest(worker, self, child)) {
        return false;  // if forked from: the join says so
    }
    child->relation = NULL;  // no child any more
    return true;
}

// `child` has been pushed: wake others if they sleep, answer who asks, and make
// room for the next one. Without memory for that its place is needed again.
void tenon_fork_look(tenon_task *self, tenon_task *child)
{
    struct tn_worker *worker = tn_worker_self();
    struct tenon_deque *deque = &worker->face.deque;

    tn_idle_notify(worker->idle);
    if (!tn_deque_make_room(deque)) {
        if (take_newest(worker, self, child)) {
            run_at_once(worker, self, child);
        } else {
            // Thieves have it, and all else: no memory is needed for room now.
            (void)!tn_deque_make_room(deque);
        }
    }
    tn_assert(tn_deque_bottom(deque) < deque->limit);
}

tenon_status tenon_join(tenon_task *self, tenon_task *child)
{
    struct tn_worker *worker = tn_task_worker(self);

    if (worker == NULL) {
        return TENON_EFORK;
    }
    tenon_status status = take_newest(worker, self, child)
                              ? run_here(worker, self, child)
                              : wait_for(worker, self, child);
    child->relation = NULL;  // joined, and nothing below it is left
    return status;
}

tenon_status tenon_fork_join(tenon_task *self, tenon_task_fn *fn, void *arg)
{
    struct tn_worker *worker = tn_task_worker(self);
    tenon_task child;

    make_child(self, &child, fn, arg);
    return worker == NULL ? TENON_EFORK : run_here(worker, self, &child);
}
