// SPDX-License-Identifier: MIT
//
// policy — when a scope stops by itself, and what its join comes to. Fixed when
// the scope is opened.
//
//     TENON_SCOPE_OPTIONS(.policy = TENON_POLICY_ANY_OK)

#ifndef TENON_POLICY_H
#define TENON_POLICY_H

#include "tenon/report.h"
#include "tenon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tenon_policy {
    /// The first failure of a task cancels the rest.
    TENON_POLICY_FAIL_FAST = 0,
    /// Failures of tasks cancel nobody; one of the body cancels, as always.
    TENON_POLICY_COLLECT_ALL = 1,
    /// The first success cancels the rest; failures cancel nobody, and are no
    /// errors of the join if one task has succeeded. Without any the join is
    /// TENON_ERRORS, with the errors of all or TENON_ENORESULT; if all were
    /// stopped from outside, TENON_TIMEOUT or TENON_CANCELLED.
    TENON_POLICY_ANY_OK = 2,
    /// Failures cancel nobody; the option `on_complete` says when to stop.
    TENON_POLICY_UNTIL = 3,
    /// As UNTIL; besides or instead, `verdict` says what the join comes to.
    TENON_POLICY_CUSTOM = 4
} tenon_policy;

/// Called for each task of the scope when it has ended, run or dropped, after
/// its done callback. True: cancel the rest. Forked children are no tasks of
/// the scope. On any thread, on several at the same time.
typedef bool tenon_on_complete_fn(
    const tenon_completion *completion, void *context);

/// Called by the join when all have ended, with the report, whose `status` is
/// what the join would come to. Returns what it comes to, also a code of your
/// own. On the owner's thread.
typedef tenon_status tenon_verdict_fn(
    const tenon_report *report, void *context);

#ifdef __cplusplus
}
#endif

#endif
