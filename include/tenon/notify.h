// SPDX-License-Identifier: MIT
//
// notify — for event loops: a scope that says when it can be joined without
// waiting. The loop opens it, gives it tasks, and goes on.
//
//     status = tenon_scope_notify_fd(&scope, event_fd);
//     ... poll() says that event_fd is readable ...
//     status = tenon_scope_try_join(&scope, TENON_OK, &report);

#ifndef TENON_NOTIFY_H
#define TENON_NOTIFY_H

#include "tenon/scope.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Called once, when the scope can be joined without waiting; on any thread,
/// perhaps in the call that asked for it. It may not join: it tells the owner
/// to.
typedef void tenon_notify_fn(void *context);

/// Close `scope`, a root scope, to its owner, and call `fn(context)` when all
/// its tasks have ended. Tasks of the scope may still spawn. The owner joins it
/// afterwards, or at any time.
///
/// Owns:     `context` must live until `fn` has been called, also if the scope
///           is joined before.
/// Threads:  the owner.
/// Blocks:   never.
/// Errors:   TENON_EPERM not the owner, or a scope inside a task; TENON_EDEADLK
///           from inside the scope; TENON_EALREADY closed or joined;
///           TENON_EAGAIN the executor has no threads: nobody would run the
///           tasks; TENON_EINVAL; TENON_EFORK.
TENON_API TENON_NODISCARD tenon_status
tenon_scope_notify(tenon_scope *scope, tenon_notify_fn *fn, void *context);

/// The same with a file descriptor of eventfd(2): 1 is added to it.
///
/// Owns:     `event_fd` must stay open until it has been read: the scope may be
///           found ready a moment before.
/// Threads:  as tenon_scope_notify().
/// Blocks:   never.
/// Errors:   as tenon_scope_notify().
TENON_API TENON_NODISCARD tenon_status
tenon_scope_notify_fd(tenon_scope *scope, int event_fd);

#ifdef __cplusplus
}
#endif

#endif
