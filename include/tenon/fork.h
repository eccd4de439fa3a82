// SPDX-License-Identifier: MIT
//
// fork — recursion on all cores: a child in the caller's frame, joined last in,
// first out, for the price of a call. The child shares its parent's scope and
// token; an error of it is recorded in that scope. Scopes that the parent has
// open itself are not the child's: their cancels and deadlines do not reach it.
//
//     tenon_fork(self, &child, half, &left);
//     tenon_status right_status = half(self, &right);
//     tenon_status left_status = tenon_join(self, &child);

#ifndef TENON_FORK_H
#define TENON_FORK_H

#include "tenon/inline.h"
#include "tenon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Offer `fn(child, arg)` to the other workers; without memory to queue it, it
/// runs at once. Gives the child's place in the queue, for tenon_unfork().
///
/// Owns:     `child` and `arg` are yours and must live until tenon_join(self,
///           child) or a tenon_unfork() that gives true. Every fork needs one
///           of them before `self` returns, or the process is aborted; but
///           a child that is no longer in this worker's own queue by then is
///           not found, and may run in a frame that is gone.
/// Threads:  the one that runs `self`; aborts for the `self` of another task of
///           this thread, and in debug mode on another thread.
/// Blocks:   never, but for a child that runs at once. Not a cancellation
///           checkpoint.
/// Errors:   none.
/// Cost:     a few nanoseconds; a futex call only if a worker sleeps.
static inline int64_t tenon_fork(
    tenon_task *self, tenon_task *child, tenon_task_fn *fn, void *arg)
{
    struct tenon_worker *worker = self->worker;

    if (TENON_UNLIKELY(worker->current != self || fn == NULL)) {
        return tenon_fork_slow(self, child, fn, arg);
    }
    // relaxed: the owner wrote it.
    int64_t place = TENON_LOAD_RELAXED(&worker->deque.bottom);
    child->fn = fn;
    child->arg = arg;
    child->relation = self;  // the rest comes from it, when the child runs
    // relaxed: the push publishes it.
    TENON_STORE_RELAXED(&child->state, TENON_TASK_FORKED);
    tenon_deque_add(&worker->deque, place, tenon_item_of(child));
    if (TENON_UNLIKELY(tenon_deque_must_look(&worker->deque, place))) {
        tenon_fork_look(self, child);
    }
    return place;
}

/// Take the newest child back unless somebody has begun it. `place` is what its
/// fork gave. True: it is as if it had not been forked, and its function will
/// not be called. Call it, if you still want that, as any other one: then it is
/// no task but a part of `self`, and what it returns is yours to heed. This is
/// the fastest way to recurse. False: tenon_join() it.
///
/// Last in, first out: what was forked after it is joined or taken back
/// already. One that is not the newest is not taken back (false). In debug mode
/// `place` is not looked at, and misuse is found. In other modes a place that
/// is that of another child by now takes that one back instead, whose
/// tenon_join() then never returns.
///
///     int64_t place = tenon_fork(self, &child, half, &left);
///     ...
///     if (tenon_unfork(self, &child, place)) {
///         status = half(self, &left);
///     } else {
///         status = tenon_join(self, &child);
///     }
///
/// Threads:  the one that forked it. Aborts here, or in the tenon_join() of who
///           forked it, if `self` did not fork it or it is joined already and
///           nothing has taken its place; in debug mode in any case, and on
///           another thread, too.
/// Blocks:   never. Not a cancellation checkpoint.
/// Errors:   none. False for one that is not the newest, and in a fork(2)
///           child.
/// Cost:     as tenon_fork().
static inline TENON_NODISCARD bool tenon_unfork(
    tenon_task *self, tenon_task *child, int64_t place)
{
    struct tenon_worker *worker = self->worker;

    // `place` and not bottom - 1 is what is stored: as a rule it lies in a
    // register, and the next fork need not wait for the one before it.
    // relaxed: the owner wrote it.
    if (TENON_UNLIKELY(
            TENON_LOAD_RELAXED(&worker->deque.bottom) - 1 != place)) {
        return tenon_unfork_slow(self, child);
    }
    int64_t top = tenon_deque_retreat(&worker->deque, place, true);
    if (TENON_UNLIKELY(top >= place)) {
        return tenon_unfork_other(self, child, place, top);
    }
    child->relation = NULL;  // no child any more
    return true;
}

/// Has this worker nothing queued that another one could take? Then a loop
/// offers a part of what is left of it: so it is divided no more often than
/// somebody takes a part ("lazy binary splitting": Tzannes, Caragea, Barua and
/// Vishkin, PPoPP 2010). A hint: it may have changed when you read it. Who asks
/// every few microseconds also saves thieves the fence that interrupts this
/// worker: it answers them.
///
/// Threads:  the one that runs `self`.
/// Blocks:   never. Not a cancellation checkpoint.
/// Errors:   none.
/// Cost:     two loads and a compare.
static inline bool tenon_queue_is_empty(const tenon_task *self)
{
    struct tenon_deque *deque = &self->worker->deque;

    // relaxed: it says only where to look.
    if (TENON_UNLIKELY(TENON_LOAD_RELAXED(&deque->quick_limit) == 0)) {
        return tenon_queue_is_empty_slow();
    }
    // relaxed: a hint, both.
    return TENON_LOAD_RELAXED(&deque->bottom) <=
           TENON_LOAD_RELAXED(&deque->top);
}

/// Run `child` here if nobody has taken it, else help and wait until it ended.
/// In any order; the reverse order of the forks is the fast one.
///
/// Threads:  the one that forked it; aborts elsewhere, and for a child that was
///           not forked by `self` or is joined already.
/// Blocks:   until the child has ended, running only descendants of `self`.
/// Errors:   what the child returned; its failure is recorded already, so
///           `self` may return the same code without adding an error. An error
///           that `self` describes is one more. TENON_CANCELLED also if the
///           child was dropped: its token was set before it began. TENON_EFORK.
TENON_API TENON_NODISCARD tenon_status
tenon_join(tenon_task *self, tenon_task *child);

/// Run `fn(child, arg)` here and now, as a child of `self` that nobody else can
/// take: a fork with its join, without the queue. What is called so is a task
/// with an error of its own, recorded when it ends, not when `self` does.
///
/// Owns:     `arg` is yours.
/// Threads:  the one that runs `self`; aborts for the `self` of another task of
///           this thread, for no `fn`, and in debug mode on another thread.
/// Blocks:   until the child has ended.
/// Errors:   as tenon_join().
TENON_API TENON_NODISCARD tenon_status
tenon_fork_join(tenon_task *self, tenon_task_fn *fn, void *arg);

#ifdef __cplusplus
}
#endif

#endif
