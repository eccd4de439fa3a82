// SPDX-License-Identifier: MIT
//
// handshake — starts a task and waits until it says that it is ready: a server
// that has to listen before its clients begin.
//
//     status = tenon_start(
//         &scope, &server.ready, serve, &server, NULL, TENON_NO_DEADLINE);
//     ... in serve(): tenon_started(&server->ready);

#ifndef TENON_HANDSHAKE_H
#define TENON_HANDSHAKE_H

#include "tenon/spawn.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Private inside; storage is yours, made by tenon_start(). May lie anywhere;
/// may not move until the scope is joined.
typedef struct tenon_handshake {
    TENON_ATOMIC(uint32_t) state;
    tenon_task_fn *fn;
    void *arg;
    tenon_destroy_fn *destroy_arg;
    tenon_done_fn *on_done;
    void *on_done_context;
} tenon_handshake;

/// Spawn `fn(task, arg)` into `scope` and wait until it has called
/// tenon_started(), or has ended.
///
/// Owns:     `handshake` is yours; it must live until the join of `scope`.
///           `arg` as for tenon_spawn_with().
/// Threads:  as tenon_spawn(); the executor must have a thread.
/// Blocks:   until then, or until the caller (its task or innermost scope;
///           outside of tasks `scope`) is cancelled, or until `deadline_ns` of
///           the executor's clock (TENON_NO_DEADLINE: for ever), running
///           nothing. A spare thread has the core of a task that waits; without
///           one nobody may be there to run what is started.
/// Errors:   TENON_OK it is ready; TENON_ERRORS it has failed before it was:
///           the error is in `scope` as ever; TENON_ENORESULT it has ended
///           otherwise, or was dropped; TENON_ENOTREADY not by then,
///           TENON_CANCELLED: it goes on, cancel it if you will (or, where the
///           scope was cancelled before, nothing was started). Else nothing
///           was started: TENON_EAGAIN also for an executor without threads, or
///           no timer thread; TENON_EINVAL also a deadline of 0; as
///           tenon_spawn_with().
TENON_API TENON_NODISCARD tenon_status tenon_start(
    tenon_scope *scope, tenon_handshake *handshake, tenon_task_fn *fn,
    void *arg, const tenon_task_options *options, uint64_t deadline_ns);

/// Say that the started task is ready. Once; further calls do nothing.
///
/// Threads:  the started task, or whoever it tells to.
/// Blocks:   never.
/// Errors:   none.
TENON_API void tenon_started(tenon_handshake *handshake);

#ifdef __cplusplus
}
#endif

#endif
