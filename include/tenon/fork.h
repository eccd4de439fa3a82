// SPDX-License-Identifier: MIT
//
// fork — recursion on all cores: a child in the caller's frame, joined last in,
// first out, for the price of a few function calls. The child shares its
// parent's scope and token; an error of it is recorded in that scope.
//
//     tenon_fork(self, &child, half, &left);
//     tenon_status right = half(self, &right_half);
//     tenon_status left = tenon_join(self, &child);

#ifndef TENON_FORK_H
#define TENON_FORK_H

#include "tenon/inline.h"
#include "tenon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Offer `fn(child, arg)` to the other workers; without memory to queue it, it
/// runs at once.
///
/// Owns:     `child` and `arg` are yours and must live until tenon_join(self,
///           child), which every fork needs before `self` returns.
/// Threads:  the one that runs `self`; aborts elsewhere.
/// Blocks:   never. Not a cancellation checkpoint.
/// Errors:   none.
/// Cost:     a few nanoseconds; a futex call only if a worker sleeps.
static inline void tenon_fork(
    tenon_task *self, tenon_task *child, tenon_task_fn *fn, void *arg)
{
    struct tenon_worker *worker = tenon_worker_here;

    if (TENON_UNLIKELY(
            worker == NULL || worker->current != self ||
            !tenon_deque_has_room(&worker->deque))) {
        tenon_fork_slow(self, child, fn, arg);
        return;
    }
    worker->fork_count++;
    child->fn = fn;
    child->arg = arg;
    child->scope = self->scope;
    child->relation = self;
    child->clean_epoch = self->clean_epoch;
    // relaxed: the push publishes it.
    TENON_STORE_RELAXED(&child->state, TENON_TASK_FORKED);
    tenon_deque_add(&worker->deque, child);
    if (tenon_worker_must_wake(worker)) {
        tenon_fork_wake();
    }
}

/// Run `child` here if nobody has taken it, else help and wait until it ended.
/// In any order; the reverse order of the forks is the fast one.
///
/// Threads:  the one that forked it; aborts elsewhere, and for a child that was
///           not forked by `self` or is joined already.
/// Blocks:   until the child has ended, running only descendants of `self`.
/// Errors:   what the child returned; its failure is recorded already, so `self`
///           may return the same code without adding an error. An error that
///           `self` describes is one more. TENON_CANCELLED also if the child was
///           dropped: its token was set before it began. TENON_EFORK.
static inline TENON_NODISCARD tenon_status
tenon_join(tenon_task *self, tenon_task *child)
{
    struct tenon_worker *worker = tenon_worker_here;
    int64_t top = 0;

    if (TENON_UNLIKELY(
            worker == NULL || worker->current != self ||
            child->relation != self)) {
        return tenon_join_slow(self, child);
    }
    int64_t index = tenon_deque_retreat(&worker->deque, &top);
    if (TENON_UNLIKELY(
            top >= index ||
            tenon_deque_at(&worker->deque, index) != (void *)child)) {
        return tenon_join_other(self, child, index, top);
    }
    if (tenon_cancelled(child)) {
        return tenon_join_end(self, child, TENON_CANCELLED);
    }
    worker->current = child;
    child->link = NULL;
    child->failure = 0;
    child->result.mark = (uint32_t)index;
    int status = child->fn(child, child->arg);
    worker->current = self;
    child->relation = NULL;
    // relaxed: the owner wrote it.
    int64_t bottom = TENON_LOAD_RELAXED(&worker->deque.bottom);
    if (TENON_UNLIKELY(
            status != TENON_OK || child->link != NULL || child->failure != 0 ||
            bottom != index)) {
        return tenon_join_end(self, child, status);
    }
    return TENON_OK;
}

#ifdef __cplusplus
}
#endif

#endif
