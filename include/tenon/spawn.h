// SPDX-License-Identifier: MIT
//
// spawn — gives a scope one more task, from inside or, with a reference, from
// any thread. Only tenon_spawn_until() may block.
//
//     status = tenon_spawn(&scope, work, &item);

#ifndef TENON_SPAWN_H
#define TENON_SPAWN_H

#include "tenon/handle.h"
#include "tenon/scope.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Start `fn(task, arg)` as a child of `scope`, and forget it.
///
/// Owns:     `arg` is yours and must live until the join.
/// Threads:  the owner before its join; tasks of the scope at any depth, also
///           while the owner joins. Others: tenon_ref_spawn().
/// Blocks:   never. Not a cancellation checkpoint.
/// Errors:   TENON_CANCELLED the scope is cancelled, nothing was started, and
///           it is counted as rejected; TENON_ECLOSED; TENON_EPERM;
///           TENON_EINVAL; TENON_ENOMEM; TENON_EFORK; TENON_EAGAIN outside of
///           the executor's workers: as many are queued as its `queue_limit`
///           says.
/// Cost:     one task from the thread's cache; a futex call only if a worker
///           sleeps.
TENON_API TENON_NODISCARD tenon_status
tenon_spawn(tenon_scope *scope, tenon_task_fn *fn, void *arg);

/// Start `fn(task, arg)` `count` times, where `arg` is `args` the first time
/// and `arg_size` bytes further on each time; all get `args` if that is 0, or
/// NULL. As so many tenon_spawn(), but faster: in the owner's task, all are
/// announced together.
///
/// Owns:     `args` is yours and must live until the join. `*spawned_count`,
///           unless it is NULL, is set to how many were started: those first in
///           `args`; `count` if TENON_OK is returned.
/// Threads:  as tenon_spawn().
/// Blocks:   as tenon_spawn().
/// Errors:   as tenon_spawn(), for the first one that was not started.
/// Cost:     as tenon_spawn(), but one look at the sleepers for 64 tasks.
TENON_API TENON_NODISCARD tenon_status tenon_spawn_n(
    tenon_scope *scope, tenon_task_fn *fn, void *args, size_t arg_size,
    size_t count, size_t *spawned_count);

/// As tenon_spawn(), with a name, an argument destructor, a deadline, ...
///
/// A deadline of its own sets the task's token, as a cancel. If that stops the
/// task, before or after it began, it has failed with TENON_TIMEOUT.
///
/// Owns:     with a destructor, the task owns `arg`, whatever this returns; but
///           for options of an unknown struct_size, which are not looked into.
/// Threads:  as tenon_spawn().
/// Errors:   as tenon_spawn(); TENON_EAGAIN also without a timer thread for a
///           deadline or a delay.
TENON_API TENON_NODISCARD tenon_status tenon_spawn_with(
    tenon_scope *scope, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options);

/// As tenon_spawn_with(), with a handle: to cancel the task, and its outcome.
///
/// Owns:     `handle` is yours; it must live, unmoved, until the join. If this
///           fails it is the handle of no task.
/// Threads:  as tenon_spawn().
/// Errors:   as tenon_spawn_with().
TENON_API TENON_NODISCARD tenon_status tenon_spawn_task(
    tenon_scope *scope, tenon_handle *handle, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options);

/// As tenon_spawn_task(), but only if the task can be queued at once: if the
/// units of its limiter are free and nobody waits for them. `handle` may be
/// NULL.
///
/// Owns:     as tenon_spawn_task().
/// Threads:  as tenon_spawn().
/// Errors:   TENON_EAGAIN they are not: nothing was started; TENON_EINVAL also
///           if it is to begin later; else as tenon_spawn_with().
TENON_API TENON_NODISCARD tenon_status tenon_try_spawn(
    tenon_scope *scope, tenon_handle *handle, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options);

/// As tenon_try_spawn(), but wait for the units: for who makes tasks faster
/// than they run.
///
/// Owns:     as tenon_spawn_task().
/// Threads:  as tenon_spawn().
/// Blocks:   until the units are free, `deadline_ns` of the executor's clock
///           (TENON_NO_DEADLINE: for ever), or a cancel of the caller or of
///           `scope`; as tenon_scope_next() of wait.h.
/// Errors:   TENON_ENOTREADY not by then: nothing was started; TENON_CANCELLED;
///           else as tenon_try_spawn().
TENON_API TENON_NODISCARD tenon_status tenon_spawn_until(
    tenon_scope *scope, tenon_handle *handle, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options, uint64_t deadline_ns);

/// A right to spawn from any thread, for one thread at a time: each has its
/// own. Keeps the scope from closing: a join waits until it is released.
typedef struct tenon_scope_ref {
    // Private.
    tenon_scope *scope;      // NULL when released
    uint32_t credit_count;   // tasks that are counted in the scope already
    uint32_t spawned_count;  // and those not yet told to it
} tenon_scope_ref;

/// Take a reference.
///
/// Owns:     `ref` is yours: give it to one other thread, which releases it.
/// Threads:  as tenon_spawn().
/// Errors:   TENON_ECLOSED; TENON_EPERM; TENON_EINVAL; TENON_EFORK.
TENON_API TENON_NODISCARD tenon_status
tenon_scope_acquire(tenon_scope *scope, tenon_scope_ref *ref);

/// As tenon_spawn_with(), from the holder of a reference. Plain tasks, without
/// options, are the fastest.
///
/// Threads:  the holder's.
/// Errors:   as tenon_spawn(); TENON_EINVAL the reference was released.
TENON_API TENON_NODISCARD tenon_status tenon_ref_spawn(
    tenon_scope_ref *ref, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options);

/// Give the reference back. Accepts one that is zeroed or released.
///
/// Threads:  the holder's.
/// Errors:   none.
TENON_API void tenon_scope_release(tenon_scope_ref *ref);

#ifdef __cplusplus
}
#endif

#endif
