// SPDX-License-Identifier: MIT
//
// stop — a stop in two steps: first "please finish", then, when the grace
// period is over, a cancel. What runs is given the time to end well, and no
// more.
//
//     status = tenon_stop_init(
//         &stop, TENON_STOP_OPTIONS(.grace_ns = TENON_SECONDS(5)));
//     status = tenon_scope_open(
//         &scope, TENON_SCOPE_OPTIONS(.parent = &stop.hard));
//     ... in a task's loop: if (tenon_stop_wanted(stop)) { ... }
//     ... elsewhere: tenon_token_cancel(&stop.please, 0, "new version");

#ifndef TENON_STOP_H
#define TENON_STOP_H

#include "tenon/callback.h"
#include "tenon/executor.h"
#include "tenon/token.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_stop_options {
    size_t struct_size;        ///< set by the macro; in C++ by you: its sizeof
    uint64_t grace_ns;         ///< between the two steps; 0: none
    tenon_executor *executor;  ///< whose clock; NULL: as for a scope
    tenon_token *parent;       ///< sets `hard` at once; or NULL
} tenon_stop_options;

#define TENON_STOP_OPTIONS(...)   \
    (&(const tenon_stop_options){ \
        .struct_size = sizeof(tenon_stop_options), __VA_ARGS__})

/// May lie anywhere; may not move between init and fini.
typedef struct tenon_stop {
    /// Cancel it to ask for the stop. Below `hard`. A scope that is to end with
    /// the first step, as one that takes new work, has it as `parent`.
    tenon_token please;
    /// Set when the grace period is over, or by you: the second step at once.
    /// As `parent` of the scopes that are to be stopped.
    tenon_token hard;

    // Private.
    tenon_callback callback;
    tenon_executor *executor;
    uint64_t grace_ns;
} tenon_stop;

/// Make both tokens unset. From now on, when `please` is set, by whatever,
/// `hard` is set after the grace period, with a cause of source DEADLINE.
///
/// Owns:     `stop` is yours; executor and parent must outlive it. End with
///           tenon_stop_fini().
/// Threads:  one, before it is shared.
/// Errors:   TENON_EINVAL an option; TENON_EFORK; as tenon_executor_default().
///           If there is no timer thread when it is asked for, `hard` is set at
///           once.
TENON_API TENON_NODISCARD tenon_status
tenon_stop_init(tenon_stop *stop, const tenon_stop_options *options);

/// Has the first step been taken? For every loop that can end well.
///
/// Threads:  any.
/// Errors:   none.
/// Cost:     as tenon_token_cancelled().
static inline bool tenon_stop_wanted(tenon_stop *stop)
{
    return tenon_token_cancelled(&stop->please);
}

/// Accepts zeroed memory.
///
/// Threads:  one; no scope below it may still be open.
/// Blocks:   as tenon_token_fini().
/// Errors:   none.
TENON_API void tenon_stop_fini(tenon_stop *stop);

#ifdef __cplusplus
}
#endif

#endif
