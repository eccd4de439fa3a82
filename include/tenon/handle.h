// SPDX-License-Identifier: MIT
//
// handle — one task to be asked about and cancelled by itself: its outcome, its
// own token. The storage is the caller's. Any thread may call.
//
//     status = tenon_spawn_task(&scope, &handle, fetch, &request, NULL);
//     tenon_handle_cancel(&handle, 0, "not needed any more");

#ifndef TENON_HANDLE_H
#define TENON_HANDLE_H

#include "tenon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Private inside. May lie anywhere; may not move between the spawn and the
/// join of the scope. Zeroed, it is the handle of no task.
struct tenon_handle {
    tenon_task task;
    tenon_token token;
    const char *name;
    tenon_destroy_fn *destroy_arg;
    uint64_t id;
    tenon_done_fn *on_done;
    void *on_done_context;
    void *ticket;
    void *delay;
    void *node;
    tenon_handle *next;
};

/// How the task ended, and what it returned: TENON_TIMEOUT after its own
/// deadline.
///
/// Owns:     `status` may be NULL; both outputs are untouched on failure.
/// Threads:  any, at any time from the spawn on; what a task that has ended
///           wrote is there to read.
/// Errors:   TENON_ENOTREADY before the task has ended, or was not started.
TENON_API TENON_NODISCARD tenon_status tenon_handle_outcome(
    const tenon_handle *handle, tenon_outcome *outcome, int *status);

/// Ask this task, and all below it, to stop. Its siblings go on, and its being
/// CANCELLED is no error of the scope. Before it begins: it is dropped.
///
/// Owns:     as tenon_token_cancel().
/// Threads:  any, while the task's scope is certainly not joined yet: its
///           owner, its tasks, and holders of a reference can be sure.
/// Blocks:   as the callbacks below it do.
/// Errors:   none. True if this call was the first; false also when the task
///           has ended, or was not started.
TENON_API bool tenon_handle_cancel(
    tenon_handle *handle, int code, const char *format, ...) TENON_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif

#endif
