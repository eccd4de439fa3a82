// SPDX-License-Identifier: MIT
//
// report — what the join of a scope came to: counts, cause, and a tree of
// errors that outlives the scope. To be walked, printed, split, freed.
//
//     status = tenon_scope_join(&scope, TENON_OK, &report);
//     tenon_report_print(&report, stderr);
//     tenon_report_free(&report);

#ifndef TENON_REPORT_H
#define TENON_REPORT_H

#include "tenon/error.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_report tenon_report;

/// What a scope came to. Filled by join; freed by tenon_report_free().
struct tenon_report {
    tenon_status status;    ///< as join returned it
    bool cancel_requested;  ///< the token was set at some time
    bool cancelled;         ///< the scope cancelled itself (not from outside)
    tenon_cause cause;      ///< source NONE unless cancel_requested
    tenon_status body_status;

    // Tasks: spawned = ok + failed + cancelled + dropped.
    uint64_t spawned_count;
    uint64_t ok_count;
    uint64_t failed_count;
    uint64_t cancelled_count;
    uint64_t dropped_count;   ///< cancelled before they ran; one whose own
                              ///< deadline passed before has failed
    uint64_t rejected_count;  ///< calls to spawn that were refused because it
                              ///< was cancelled; not among the spawned
    uint64_t alone_count;     ///< cancelled or dropped by their own token only

    uint64_t error_count;        ///< exact, of tasks, body and callbacks
    size_t kept_count;           ///< of them in the list below
    const tenon_error *errors;   ///< by sequence number
    const tenon_error *primary;  ///< the one to tell first; NULL without errors
};

/// The error after `previous` in depth-first order, children included; the
/// first one for NULL; NULL at the end. Sets `*depth` (0: top) unless NULL.
///
/// Threads:  any, one at a time or all reading.
/// Errors:   none.
TENON_API const tenon_error *tenon_report_next(
    const tenon_report *report, const tenon_error *previous, size_t *depth);

/// Write the whole tree as text, a line per error; control characters in texts
/// and names as escapes.
///
/// Threads:  any.
/// Errors:   TENON_EAGAIN if the stream refused something.
TENON_API tenon_status
tenon_report_print(const tenon_report *report, FILE *stream);

/// Write the whole report as one JSON object, in UTF-8, on one line. Its keys:
/// "status" (a name), "code" (its number), "body", "cancel_requested",
/// "cancelled"; "counts" with "spawned", "ok", "failed", "cancelled",
/// "dropped", "rejected", "alone", "errors", "kept"; "cause", null or with
/// "source", "origin", "code", "time_ns", "sequence", "task_id", "task",
/// "scope", "text"; "errors", a list of objects with "sequence", "domain",
/// "code", "fatal", "primary", "after_cancel", "text", "file", "line", "task",
/// "task_id", "scope", "children_dropped" and "children", such a list again.
/// Bytes that are not UTF-8 become U+FFFD.
///
/// Threads:  any.
/// Errors:   TENON_EAGAIN if the stream refused something.
TENON_API tenon_status
tenon_report_print_json(const tenon_report *report, FILE *stream);

/// Does the caller want this error, with all that it stands for?
typedef bool tenon_error_match_fn(const tenon_error *error, void *context);

/// Part the errors as Python's `except*` does: those for which `match` says
/// true go to `*matched`, with all their children; of the others, one that
/// stands for both sorts of errors is found on both sides, each with its own;
/// one that stands for nothing else is handled with what it stands for. What
/// the report counts but has not kept is in `*rest`. Either side is a report
/// like the other, with the status that it would have had without the errors of
/// that other.
///
/// Owns:     both are new, yours to free; NULL: not wanted. `report` stays.
/// Threads:  any.
/// Errors:   TENON_ENOMEM nothing was done; TENON_EINVAL.
/// Cost:     linear in the errors kept; each is copied.
TENON_API TENON_NODISCARD tenon_status tenon_report_split(
    const tenon_report *report, tenon_error_match_fn *match, void *context,
    tenon_report *matched, tenon_report *rest);

/// Let its errors travel up: they become children of the error with which
/// `self` ends, as those of a scope joined without a report. If `self` succeeds
/// or is cancelled they are gone. So what a report says can be looked at
/// before.
///
/// Owns:     `report` is freed.
/// Threads:  the one that runs `self`; aborts elsewhere.
/// Errors:   none.
TENON_API void tenon_report_pass_up(tenon_report *report, tenon_task *self);

/// Called with errors that nobody will read: of a scope whose join was not
/// TENON_OK and that was joined without a report, outside of tasks, or by a
/// task that then ends without an error, or at its end by what that calls; and
/// of a callback of a token that belongs to no scope. The report is gone when
/// it returns. What it leaves unread itself is not told.
typedef void tenon_unobserved_fn(const tenon_report *report, void *context);

/// The one function of the process to be called then; NULL: none. In debug mode
/// (debug.h) they are also printed on stderr. In the child of a fork(2) nothing
/// is done, and nothing told.
///
/// Threads:  any; `fn` is called on the thread that joins, that ends the task,
///           or that cancels, on several at the same time.
/// Errors:   none.
TENON_API void tenon_set_unobserved_hook(
    tenon_unobserved_fn *fn, void *context);

/// Free the errors and zero the report. Accepts NULL and zeroed memory.
///
/// Threads:  any, one.
/// Errors:   none.
TENON_API void tenon_report_free(tenon_report *report);

#ifdef __cplusplus
}
#endif

#endif
