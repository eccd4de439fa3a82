// SPDX-License-Identifier: MIT
//
// callback — a function that a cancel calls: to close a socket, to wake what
// cannot poll. It runs on the thread that cancels, without any lock of ours.
//
//     tenon_callback_register(&callback, token, close_socket, &socket);
//     tenon_callback_unregister(&callback);

#ifndef TENON_CALLBACK_H
#define TENON_CALLBACK_H

#include "tenon/token.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Called once, when the token is set, with its cause, before the cancel that
/// set it returns; on any thread, also on the executor's timer thread, which
/// all its deadlines need: it should be brief, and there it can neither open a
/// scope in that executor, nor wait for its tasks, nor end it (TENON_EDEADLK).
/// What it returns, unless 0 or it has taken itself out meanwhile, is recorded
/// as an error of the token's scope, with the domain "callback" (of a
/// free-standing token it is unobserved: report.h); the other callbacks run all
/// the same. In the child of a fork(2) none runs.
typedef int tenon_callback_fn(void *context, const tenon_cause *cause);

/// Private inside. May lie anywhere; may not move while registered. Zeroed, it
/// is registered nowhere.
struct tenon_callback {
    tenon_callback_fn *fn;
    void *context;
    tenon_token *token;
    struct tenon_callback *next;      // of the same token
    struct tenon_callback *previous;  // likewise
    struct tenon_callback *run_next;  // of the same cancel
    struct tenon_callback *run_previous;
    void *run;  // the cancel that runs it
    uint32_t state;
    uint32_t reserved;
};
typedef struct tenon_callback tenon_callback;

/// Call `fn(context, cause)` when `token` is set, by itself or from above. If
/// it is set already, `fn` runs before this returns. Those of one token run in
/// the order of registration, those of what is above it first.
///
/// Owns:     `callback` is yours, until tenon_callback_unregister() has
///           returned or the token has ended: it ends with the join of its
///           scope, or the end of its task, or tenon_token_fini(), which wait
///           for it too.
/// Threads:  any that may use `token`; one at a time for one callback.
/// Blocks:   as `fn` does.
/// Errors:   none.
/// Cost:     a lock of the process, and a step for each token up to the root or
///           to one that has a callback below it already.
TENON_API void tenon_callback_register(
    tenon_callback *callback, tenon_token *token, tenon_callback_fn *fn,
    void *context);

/// From now on it does not run, and is not running; but one that calls this for
/// itself goes on. Accepts one that is zeroed, has run, or whose token has
/// ended. True: it never ran.
///
/// Threads:  any, one at a time for one callback.
/// Blocks:   while it runs on another thread: hold no lock that it takes.
/// Errors:   none.
TENON_API bool tenon_callback_unregister(tenon_callback *callback);

#ifdef __cplusplus
}
#endif

#endif
