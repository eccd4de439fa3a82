// SPDX-License-Identifier: MIT
//
// task — a function that runs on one worker from start to end, in a scope.
// The function gets its own task and polls it; it returns 0, a code of its
// own (positive), or TENON_CANCELLED to acknowledge a cancel.
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
typedef struct tenon_handle tenon_handle;
typedef struct tenon_limiter tenon_limiter;

/// What a task runs. 0 is ok. TENON_CANCELLED is a cancellation if the task's
/// token is set; it and every other value is otherwise a failure with that
/// code.
typedef int tenon_task_fn(tenon_task *self, void *arg);

/// Ends the life of an argument: called exactly once, on any thread, after the
/// task ran, when it was dropped, or when its spawn was refused. It may open
/// scopes; one that it leaves open is joined, and an error of the task's scope.
typedef void tenon_destroy_fn(void *arg);

/// How a task ended.
typedef enum tenon_outcome {
    TENON_OUTCOME_NONE = 0,  ///< not ended
    TENON_OUTCOME_OK,
    TENON_OUTCOME_FAILED,
    TENON_OUTCOME_CANCELLED,  ///< ran, and acknowledged a cancel
    TENON_OUTCOME_DROPPED     ///< cancelled before it ran
} tenon_outcome;

/// A task at its end, as callbacks see it: valid until they return.
typedef struct tenon_completion {
    tenon_outcome outcome;
    int status;            ///< what it returned; TENON_CANCELLED if dropped
    uint64_t id;           ///< as given at its spawn, or 0
    const char *name;      ///< or ""
    void *arg;             ///< not yet destroyed
    tenon_handle *handle;  ///< of tenon_spawn_task(), or NULL
    /// Its own, that the report of the scope will have: `next` is not to be
    /// read before the join. NULL: no failure, one not kept, or one of a forked
    /// child that it passed on.
    const tenon_error *error;
} tenon_completion;

/// Called once when a task has ended, run or dropped, before its argument is
/// destroyed and before the join of its scope can return; on any thread. For
/// scopes that it opens, as tenon_destroy_fn.
typedef void tenon_done_fn(const tenon_completion *completion, void *context);

typedef struct tenon_task_options {
    size_t struct_size;             ///< set by the macro; in C++ by you
    const char *name;               ///< must outlive the scope; NULL: none
    tenon_destroy_fn *destroy_arg;  ///< NULL: none
    uint64_t id;                    ///< yours: in errors and completions
    uint64_t timeout_ns;            ///< from the spawn on, also while it is
                                    ///< queued or waits for units; 0: none
    uint64_t deadline_ns;           ///< of the executor's clock; 0: none. The
                                    ///< earlier counts
    uint64_t delay_ns;              ///< not to begin before; 0: at once
    uint64_t begin_ns;              ///< the same as a time; the later counts
    tenon_done_fn *on_done;         ///< NULL: none
    void *on_done_context;
    tenon_limiter *limiter;  ///< NULL: its scope's, if any
    uint32_t unit_count;     ///< that it needs of it while it runs; 0: 1
    bool start_always;  ///< run it even if it is cancelled before it begins
} tenon_task_options;

#define TENON_TASK_OPTIONS(...)   \
    (&(const tenon_task_options){ \
        .struct_size = sizeof(tenon_task_options), __VA_ARGS__})

/// Private inside; 64 bytes, a cache line's worth. A caller's own one may lie
/// anywhere and may not move until the scope is joined.
struct tenon_task {
    void *link;  // queued: the next in a list. Running: innermost scope
    union {
        tenon_task_fn *fn;            // queued: what to call
        struct tenon_worker *worker;  // running: who runs it
    };
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

/// Has the running task been asked to stop: it, its scope, what is around that,
/// or the innermost scope that the task itself has open? Call it in every long
/// loop.
///
/// Threads:  the one that runs `self`.
/// Blocks:   never. No clock, no lock.
/// Errors:   none.
/// Cost:     two loads and a compare while nothing was cancelled.
static inline bool tenon_cancelled(tenon_task *self)
{
    // relaxed: a changed epoch is loaded again with acquire order.
    uint64_t epoch = TENON_LOAD_RELAXED(&tenon_cancel_epoch.value);

    return TENON_UNLIKELY(epoch != self->clean_epoch) &&
           tenon_cancelled_slow(self);
}

/// Why tenon_cancelled() says true. False, and `*cause` untouched, while it
/// does not.
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

/// The token of what `self` does now: that of the innermost scope that it has
/// open, or its own. To be cancelled with it, as a parent or with a callback.
///
/// Owns:     the task's; gone when that scope is joined, or the task has ended.
/// Threads:  the one that runs `self`.
/// Errors:   none.
TENON_API tenon_token *tenon_task_token(tenon_task *self);

/// The name given at spawn, or "".
///
/// Threads:  the one that runs `self`.
/// Errors:   none.
TENON_API const char *tenon_task_name(const tenon_task *self);

/// The id given at spawn, or 0.
///
/// Threads:  the one that runs `self`.
/// Errors:   none.
TENON_API uint64_t tenon_task_id(const tenon_task *self);

/// The argument given at spawn, or at the fork.
///
/// Owns:     whose it was.
/// Threads:  the one that runs `self`.
/// Errors:   none.
TENON_API void *tenon_task_arg(const tenon_task *self);

/// The earliest deadline that `self` has to keep: its own, and all those around
/// it up to the nearest shield, beginning with the innermost scope that it has
/// open itself. TENON_NO_DEADLINE: none. To be handed to a system call.
///
/// Threads:  the one that runs `self`.
/// Errors:   none.
TENON_API uint64_t tenon_task_deadline(const tenon_task *self);

#ifdef __cplusplus
}
#endif

#endif
