// SPDX-License-Identifier: MIT
//
// task — a function that runs on one worker from start to end, in a scope.
// The function gets its own task and polls it; it returns 0, a code of its
// own (positive), or TENON_CANCELLED to acknowledge a cancel. Handles belong
// to the caller.
//
//     static int work(tenon_task *self, void *arg) { ... return TENON_OK; }

#ifndef TENON_TASK_H
#define TENON_TASK_H

#include "tenon/config.h"
#include "tenon/inline.h"
#include "tenon/status.h"
#include "tenon/token.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_task tenon_task;
typedef struct tenon_scope tenon_scope;
typedef struct tenon_error tenon_error;

/// What a task runs. 0 is ok. TENON_CANCELLED is a cancellation if the task's
/// token is set; it and every other value is otherwise a failure with that
/// code.
typedef int tenon_task_fn(tenon_task *self, void *arg);

/// Ends the life of an argument: called exactly once, on any thread, after the
/// task ran, when it was dropped, or when its spawn was refused.
typedef void tenon_destroy_fn(void *arg);

typedef struct tenon_task_options {
    size_t struct_size;             ///< set by the macro; in C++ by you
    const char *name;               ///< must outlive the scope; NULL: none
    tenon_destroy_fn *destroy_arg;  ///< NULL: none
} tenon_task_options;

#define TENON_TASK_OPTIONS(...)   \
    (&(const tenon_task_options){ \
        .struct_size = sizeof(tenon_task_options), __VA_ARGS__})

/// Private inside; 64 bytes, a cache line's worth. A caller's own one may lie
/// anywhere and may not move until the scope is joined.
struct tenon_task {
    void *link;  // queued: the next in a list. Running: innermost scope
    tenon_task_fn *fn;
    void *arg;
    tenon_scope *scope;
    void *relation;     // forked: the parent task. Spawned: options, or NULL
    uintptr_t failure;  // running: what tenon_fail() said
    uint64_t clean_epoch;
    TENON_ATOMIC(uint32_t) state;
    union {
        uint32_t mark;  // running: the worker's deque when it began
        int status;     // ended: what it returned
    } result;
};

/// How a task ended.
typedef enum tenon_outcome {
    TENON_OUTCOME_NONE = 0,  ///< not ended
    TENON_OUTCOME_OK,
    TENON_OUTCOME_FAILED,
    TENON_OUTCOME_CANCELLED,  ///< ran, and acknowledged a cancel
    TENON_OUTCOME_DROPPED     ///< never ran
} tenon_outcome;

/// Has the running task been asked to stop? Call it in every long loop.
///
/// Threads:  the one that runs `self`.
/// Blocks:   never. No clock, no lock.
/// Errors:   none.
/// Cost:     two loads and a compare while nothing was cancelled.
static inline bool tenon_cancelled(tenon_task *self)
{
    // relaxed: a changed epoch is loaded again with acquire order.
    uint64_t epoch = TENON_LOAD_RELAXED(&tenon_cancel_epoch);

    return TENON_UNLIKELY(epoch != self->clean_epoch) &&
           tenon_cancelled_slow(self);
}

/// Why the running task was asked to stop. False, and `*cause` untouched,
/// while it was not.
///
/// Threads:  the one that runs `self`.
/// Errors:   none.
TENON_API bool tenon_task_cause(tenon_task *self, tenon_cause *cause);

/// The task that runs on this thread, or NULL.
///
/// Threads:  any.
/// Errors:   none.
TENON_API tenon_task *tenon_current(void);

/// The scope that a running task belongs to.
///
/// Threads:  the one that runs `self`.
/// Errors:   none.
TENON_API tenon_scope *tenon_task_scope(const tenon_task *self);

/// The name given at spawn, or "".
///
/// Threads:  the one that runs `self`.
/// Errors:   none.
TENON_API const char *tenon_task_name(const tenon_task *self);

/// How a task of tenon_spawn_task() ended, and what it returned.
///
/// Owns:     `status` may be NULL; both outputs are untouched on failure.
/// Threads:  any, at any time from the spawn on; what the task wrote is there
///           to read after the join of its scope.
/// Errors:   TENON_ENOTREADY before the task has ended.
TENON_API TENON_NODISCARD tenon_status
tenon_task_outcome(const tenon_task *task, tenon_outcome *outcome, int *status);

#ifdef __cplusplus
}
#endif

#endif
