// SPDX-License-Identifier: MIT
//
// wait — for one task, for some, for the next that ends: without joining. A
// wait may end early; the join may not. Only tasks with a handle are waited for
// one by one.
//
//     while (tenon_scope_next(&scope, &handle) == TENON_OK) { ... }

#ifndef TENON_WAIT_H
#define TENON_WAIT_H

#include "tenon/spawn.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Wait for the next task with a handle to end, in the order of their ends.
/// Each is given once, whoever asks; several may ask at the same time.
///
/// Owns:     `*handle` is the one given to tenon_spawn_task().
/// Threads:  the owner, tasks of the scope, and holders of a reference.
/// Blocks:   until one has ended. A spare thread has the core of a task that
///           waits; where none is to be had, its descendants run on its stack,
///           and it may wait for those too. Hold no lock that they take.
/// Errors:   TENON_END all that were spawned have been given; TENON_CANCELLED
///           none has ended and the caller is cancelled (its task or innermost
///           scope; outside of tasks `scope`); TENON_EDEADLK on the executor's
///           timer thread (callback.h); TENON_EINVAL; TENON_ECLOSED after the
///           join; TENON_EFORK.
TENON_API TENON_NODISCARD tenon_status
tenon_scope_next(tenon_scope *scope, tenon_handle **handle);

/// As tenon_scope_next(), not longer than to `deadline_ns` of the executor's
/// clock; a time that is past: without waiting. Cancels nobody.
///
/// Threads:  as tenon_scope_next().
/// Blocks:   as tenon_scope_next().
/// Errors:   as tenon_scope_next(); TENON_ENOTREADY none has ended by then;
///           TENON_EAGAIN no timer thread.
TENON_API TENON_NODISCARD tenon_status tenon_scope_next_until(
    tenon_scope *scope, uint64_t deadline_ns, tenon_handle **handle);

/// What to wait for.
typedef enum tenon_wait_for {
    TENON_WAIT_FIRST,  ///< one has ended
    TENON_WAIT_ERROR,  ///< one has failed, or all have ended; where a failure
                       ///< cancels the scope, the wait may be CANCELLED first
    TENON_WAIT_ALL     ///< all have ended
} tenon_wait_for;

/// Wait for some of the tasks of one scope: handles[0 .. handle_count - 1].
/// Which have ended, and how, is for tenon_handle_outcome() to say. Takes
/// nothing from tenon_scope_next().
///
/// Owns:     the array stays yours.
/// Threads:  as tenon_scope_next(), for tasks that were spawned, of one scope
///           that is not joined.
/// Blocks:   until it has come to pass, or until `deadline_ns` of the
///           executor's clock (TENON_NO_DEADLINE: for ever), as
///           tenon_scope_next(). A task that waits for itself, or for what it
///           hinders, waits for ever.
/// Errors:   TENON_ENOTREADY not by then; TENON_CANCELLED and TENON_EDEADLK as
///           for tenon_scope_next(); TENON_EINVAL none, one without a task, or
///           of different scopes; TENON_EAGAIN no timer thread; TENON_EFORK.
TENON_API TENON_NODISCARD tenon_status tenon_wait_until(
    tenon_handle *const *handles, size_t handle_count, tenon_wait_for condition,
    uint64_t deadline_ns);

/// Wait until all tasks of `scope` have ended, without joining it: more may be
/// spawned afterwards. Cancels nobody.
///
/// Threads:  the owner.
/// Blocks:   as tenon_wait_until().
/// Errors:   TENON_ENOTREADY not by `deadline_ns`; TENON_CANCELLED the scope,
///           or what is around it, is cancelled: join it; TENON_EPERM not the
///           owner; TENON_EDEADLK from inside the scope; TENON_EALREADY joined;
///           TENON_EAGAIN no timer thread; TENON_EINVAL; TENON_EFORK.
TENON_API TENON_NODISCARD tenon_status
tenon_scope_wait_until(tenon_scope *scope, uint64_t deadline_ns);

/// Join `scope` if all its tasks have ended, else do nothing.
///
/// Owns:     as tenon_scope_join(); `*report` is untouched if it is not joined.
/// Threads:  the owner.
/// Blocks:   never; but in an executor without any thread, as the join does.
/// Errors:   TENON_ENOTREADY they have not; else as tenon_scope_join().
TENON_API TENON_NODISCARD tenon_status tenon_scope_try_join(
    tenon_scope *scope, tenon_status body, tenon_report *report);

#ifdef __cplusplus
}
#endif

#endif
