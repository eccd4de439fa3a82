// SPDX-License-Identifier: MIT
//
// value — what a scope hands down to everything inside it: who asks, a trace, a
// budget. Bound when a scope is opened, never changed, gone with its join. It
// belongs to scopes and tasks, not to threads.
//
//     struct user *user = tenon_value(self, &user_key);

#ifndef TENON_VALUE_H
#define TENON_VALUE_H

#include "tenon/config.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_task tenon_task;
typedef struct tenon_scope tenon_scope;

/// What values are asked for by: its address counts. One for each kind, of
/// static storage.
typedef struct tenon_key {
    const char *name;  ///< for people; or NULL
    void *fallback;    ///< the value where nothing is bound
} tenon_key;

/// A value for a key, from the scope opened with it downward:
///
///     tenon_binding bindings[] = {{&user_key, &user}, {&trace_key, trace}};
///     status = tenon_scope_open(
///         &scope, TENON_SCOPE_OPTIONS(
///                     .bindings = bindings, .binding_count = 2));
///
/// Of two for one key the innermost scope's counts; of one array, the first.
typedef struct tenon_binding {
    const tenon_key *key;
    void *value;  ///< yours; must live until the join
} tenon_binding;

/// The value for `key` where `self` is: bound by the innermost scope that it
/// has open or by one further out, else the key's `fallback`. A forked child
/// has those of the scope that it shares with its parent, not of those that the
/// parent has opened itself.
///
/// Owns:     whatever the value points to stays whose it is.
/// Threads:  the one that runs `self`.
/// Errors:   none.
/// Cost:     a step for each scope with bindings up to the one that has it.
TENON_API void *tenon_value(const tenon_task *self, const tenon_key *key);

/// The value for `key` inside `scope`.
///
/// Owns:     as tenon_value().
/// Threads:  the owner until its join, the scope's tasks, and holders of a
///           reference.
/// Errors:   none.
/// Cost:     as tenon_value().
TENON_API void *tenon_scope_value(
    const tenon_scope *scope, const tenon_key *key);

#ifdef __cplusplus
}
#endif

#endif
