// SPDX-License-Identifier: MIT
//
// block — a scope as a block of C: joined by the compiler on every way out, by
// the thread that came in. C only: C++ has no such macro here.
//
//     TENON_SCOPE(scope, .status = &status) { ... }

#ifndef TENON_BLOCK_H
#define TENON_BLOCK_H

#include "tenon/scope.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef __cplusplus
/// A block with a scope, joined on every way out of it (end, break, continue,
/// return, goto): `TENON_SCOPE(scope, .timeout_ns = ..., .status = &status)
/// { ... }`. Inside, `scope` is a tenon_scope; break and continue leave this
/// block only, not a loop around it. The block is skipped if open fails, with
/// the reason in `status` and in the report's. Say how the body did with
/// tenon_scope_fail() or tenon_scope_set_body(). A `return status;` inside the
/// block takes the value from before the join. Blocks nest in a task; on a
/// foreign thread each is a root scope of its own (tenon_scope_open()).
#define TENON_SCOPE(scope, ...)                                           \
    for (tenon_scope scope                                                \
         __attribute__((cleanup(tenon_scope_leave))) = {.phase = 0},      \
         *scope##_once =                                                  \
             tenon_scope_enter(&scope, TENON_SCOPE_OPTIONS(__VA_ARGS__)); \
         scope##_once != NULL; scope##_once = NULL)
#endif

/// The body's status for the join of a TENON_SCOPE block; the first that is not
/// TENON_OK counts. It takes effect at the join, which cancels nobody any more;
/// tenon_scope_fail() cancels at once. A join by hand has its own `body`.
///
/// Threads:  the owner's.
/// Errors:   none.
TENON_API void tenon_scope_set_body(tenon_scope *scope, tenon_status body);

/// What the macro calls; not for other use.
///
/// Threads:  the owner's.
/// Errors:   NULL if open failed; the status in `*options->status` and, all
///           else zero, in `*options->report`.
TENON_API tenon_scope *tenon_scope_enter(
    tenon_scope *scope, const tenon_scope_options *options);

/// What the macro calls; not for other use.
///
/// Threads:  the owner's.
/// Errors:   in the options' `status`.
TENON_API void tenon_scope_leave(tenon_scope *scope);

#ifdef __cplusplus
}
#endif

#endif
