// SPDX-License-Identifier: MIT
//
// debug — what Tenon finds wrong with a program while it runs: in executors
// made with the option `debug`, and in all with TENON_DEBUG=1 in the
// environment. Findings go to stderr, a line each, and to a function of yours.
//
//     tenon: cancel ignored: task 'fetch' #3 of scope 'requests' runs on after
//     its cancel for 1.200 s

#ifndef TENON_DEBUG_H
#define TENON_DEBUG_H

#include "tenon/executor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tenon_finding_kind {
    /// A task goes on for longer than the grace period after its cancel. A task
    /// that waits for others in a join is not meant, but those.
    TENON_FINDING_CANCEL_IGNORED = 1,
    /// A task computes for longer than it should without tenon_cancelled() or a
    /// call that waits.
    TENON_FINDING_SLOW_POLL,
    /// A scope was left open by what opened it, and closed for it.
    TENON_FINDING_LEFT_OPEN,
    /// Somebody called who may not: another thread or task than the owner, a
    /// member, who has no reference.
    TENON_FINDING_WRONG_CALLER,
    /// Units of a limiter are waited for, and who waits for that has some.
    TENON_FINDING_LIMITER
} tenon_finding_kind;

/// Valid until the function that is given it returns. Strings are "" where
/// there is nothing to say.
typedef struct tenon_finding {
    tenon_finding_kind kind;
    const char *text;  ///< the whole of it but the kind, for people
    const char *task_name;
    uint64_t task_id;
    const char *scope_name;
    uint64_t for_ns;  ///< how long it has lasted; 0: no such thing
} tenon_finding;

/// Called on any thread, on several at the same time, without a lock of ours;
/// also below calls that the program makes: it may open no scope.
typedef void tenon_finding_fn(const tenon_finding *finding, void *context);

/// The one function of the process to be called besides; NULL: none. In the
/// child of a fork(2) nothing is done: nothing is found there.
///
/// Threads:  any.
/// Errors:   none.
TENON_API void tenon_set_finding_hook(tenon_finding_fn *fn, void *context);

/// Look now for cancels ignored and slow polls, as is done every so often by
/// the executor's timer thread, by the executor's clock. Each is told once.
///
/// Threads:  any.
/// Errors:   none. Without debug mode nothing is done.
/// Cost:     linear in what lives; the next poll of every task looks upward.
TENON_API void tenon_executor_inspect(tenon_executor *executor);

#ifdef __cplusplus
}
#endif

#endif
