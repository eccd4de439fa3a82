// SPDX-License-Identifier: MIT
//
// gather — calls several functions at the same time and gives what each came
// to, in the order of the calls; or only the first that succeeds. Each result
// lies where its argument says.
//
//     tenon_call calls[] = {
//         {.fn = fetch, .arg = &a}, {.fn = fetch, .arg = &b}};
//     status = tenon_gather(calls, 2, NULL, &report);

#ifndef TENON_GATHER_H
#define TENON_GATHER_H

#include "tenon/scope.h"

#ifdef __cplusplus
extern "C" {
#endif

/// One of the calls. In errors its task has the id index + 1.
typedef struct tenon_call {
    tenon_task_fn *fn;
    void *arg;
    const char *name;  ///< must outlive the report's making; NULL: none

    // Filled in, whatever is returned.
    tenon_outcome outcome;     ///< DROPPED also if it was not even started
    int status;                ///< what `fn` returned, or TENON_CANCELLED
    const tenon_error *error;  ///< in the report, if it failed; or NULL, as
                               ///< in tenon_completion
} tenon_call;

/// Make calls[0 .. call_count - 1], each as a task, and wait for all. The first
/// failure cancels the others; the results of those that have succeeded stay.
///
/// Owns:     the array and what its arguments point to are yours. `options` are
///           those of the scope in which they run, NULL: all defaults; its
///           policy is set here. `report` as for tenon_scope_join(), but
///           untouched if no call is made: zero it before. Without one (NULL)
///           no call has an `error`.
/// Threads:  any.
/// Blocks:   as tenon_scope_join().
/// Errors:   the join status; TENON_EINVAL a call without a function, or
///           options with a policy: nothing was called; as tenon_scope_open();
///           a spawn that was refused for another reason than a cancel is a
///           failure of the body.
/// Cost:     a task for each; no memory but theirs.
TENON_API TENON_NODISCARD tenon_status tenon_gather(
    tenon_call *calls, size_t call_count, const tenon_scope_options *options,
    tenon_report *report);

/// As tenon_gather(), but failures cancel nobody: each call comes to its own
/// end, and each error is kept.
///
/// Owns:     as tenon_gather().
/// Threads:  as tenon_gather().
/// Blocks:   as tenon_gather().
/// Errors:   as tenon_gather().
TENON_API TENON_NODISCARD tenon_status tenon_gather_all(
    tenon_call *calls, size_t call_count, const tenon_scope_options *options,
    tenon_report *report);

/// Make the calls at the same time until one succeeds, which cancels the
/// others, and wait for all. Others may succeed as well in the meantime.
///
/// Owns:     as tenon_gather(). `*winner`, unless NULL, is the index of the
///           first that succeeded; untouched if there is none.
/// Threads:  as tenon_gather().
/// Blocks:   as tenon_gather().
/// Errors:   as tenon_gather(), with TENON_POLICY_ANY_OK: TENON_OK one has
///           succeeded; TENON_ERRORS all have failed, with the errors of all,
///           or there are none to make.
TENON_API TENON_NODISCARD tenon_status tenon_race(
    tenon_call *calls, size_t call_count, const tenon_scope_options *options,
    size_t *winner, tenon_report *report);

#ifdef __cplusplus
}
#endif

#endif
