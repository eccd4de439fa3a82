// SPDX-License-Identifier: MIT
//
// scope — owns tasks: opened, given tasks, joined. Join returns only when every
// task has ended, and says all that went wrong. The owner, a task or a foreign
// thread, opens and joins; storage is the owner's.
//
//     tenon_scope_open(&scope, NULL);
//     tenon_spawn(&scope, work, &item);
//     tenon_status status = tenon_scope_join(&scope, TENON_OK, &report);

#ifndef TENON_SCOPE_H
#define TENON_SCOPE_H

#include "tenon/error.h"
#include "tenon/executor.h"
#include "tenon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/// When a task fails: cancel the rest (the default), or let them go on.
typedef enum tenon_policy {
    TENON_POLICY_FAIL_FAST = 0,
    TENON_POLICY_COLLECT_ALL = 1
} tenon_policy;

typedef struct tenon_scope_options {
    size_t struct_size;        ///< set by the macro; in C++ by you: its sizeof
    tenon_executor *executor;  ///< NULL: the caller's own, else the default
    const char *name;          ///< must outlive the scope; NULL: none
    tenon_policy policy;
    uint64_t timeout_ns;   ///< from open on; 0: none
    uint64_t deadline_ns;  ///< of tenon_now_ns(); 0: none. The earlier counts
    tenon_token *parent;   ///< one more token to heed; must outlive the scope
    uint32_t max_errors;   ///< kept whole, besides the primary; 0: 16
    tenon_report *report;  ///< where TENON_SCOPE puts the report; or NULL
    tenon_status *status;  ///< where TENON_SCOPE puts the join status; or NULL
} tenon_scope_options;

#define TENON_SCOPE_OPTIONS(...)   \
    (&(const tenon_scope_options){ \
        .struct_size = sizeof(tenon_scope_options), __VA_ARGS__})

/// Private inside. May lie anywhere; may not move between open and join.
struct tenon_scope {
    // Fixed at open.
    tenon_executor *executor;
    tenon_task *owner;  // NULL: a root scope
    const void *owner_thread;
    tenon_scope *parent;  // the scope around it; NULL: a root scope
    uint32_t depth;
    uint32_t policy;
    uint32_t max_errors;
    uint32_t phase;
    tenon_token token;

    // The owner's thread only.
    int64_t local_live;
    uint64_t local_spawned;
    tenon_status body_status;
    tenon_status join_status;
    uintptr_t body_failure;
    tenon_report *report;
    tenon_status *status;

    // Guarded by the timer.
    void *timer_links[3];
    uint64_t deadline_ns;
    uint64_t timer_state;

    // Every thread; a cache line away from the owner's fields.
    uint64_t gap[8];
    TENON_ATOMIC(int64_t) word;
    TENON_ATOMIC(uint64_t) shared_spawned;
    TENON_ATOMIC(uint64_t) failed_count;
    TENON_ATOMIC(uint64_t) cancelled_count;
    TENON_ATOMIC(uint64_t) dropped_count;
    TENON_ATOMIC(uint64_t) rejected_count;

    // Guarded by the lock of the errors.
    uint64_t kept_count;
    uint64_t error_count;
    tenon_error *first_error;
    tenon_error *last_error;
    tenon_error *primary;
    tenon_scope *next_root;      // the open root scopes of one thread
    tenon_scope *previous_root;  // likewise
    uint64_t reserved[2];
};

/// Begin. Inside a task the scope nests in that task's innermost open scope;
/// on any other thread it is a root scope, also where another one is open; give
/// that one's token as `parent` to be cancelled with it. If what is around it
/// is cancelled, it is born cancelled.
///
/// Owns:     `scope` is yours until joined; NULL options: all defaults.
/// Threads:  any. The caller is the owner: it alone joins.
/// Errors:   TENON_EINVAL an option; TENON_ENOMEM and TENON_EAGAIN no default
///           executor, or no timer thread; TENON_EALREADY the running task has
///           it open, or it is one of the thread's 32 newest root scopes;
///           TENON_EFORK. On failure there is nothing to join.
TENON_API TENON_NODISCARD tenon_status
tenon_scope_open(tenon_scope *scope, const tenon_scope_options *options);

/// Start `fn(task, arg)` as a child of `scope`, and forget it.
///
/// Owns:     `arg` is yours and must live until the join.
/// Threads:  the owner before its join; tasks of the scope at any depth, also
///           while the owner joins. Others: tenon_ref_spawn().
/// Blocks:   never. Not a cancellation checkpoint.
/// Errors:   TENON_CANCELLED the scope is cancelled, nothing was started, and
///           it is counted as rejected; TENON_ECLOSED; TENON_EPERM;
///           TENON_EINVAL; TENON_ENOMEM; TENON_EFORK.
/// Cost:     one task from the thread's cache; a futex call only if a worker
///           sleeps.
TENON_API TENON_NODISCARD tenon_status
tenon_spawn(tenon_scope *scope, tenon_task_fn *fn, void *arg);

/// As tenon_spawn(), with a name or an argument destructor.
///
/// Owns:     with a destructor, the task owns `arg`, whatever this returns; but
///           for options of an unknown struct_size, which are not looked into.
/// Threads:  as tenon_spawn().
/// Errors:   as tenon_spawn().
TENON_API TENON_NODISCARD tenon_status tenon_spawn_with(
    tenon_scope *scope, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options);

/// As tenon_spawn_with(), in the caller's `task`, which keeps the outcome.
///
/// Owns:     `task` is yours; it must live, unmoved, until the join. If this
///           fails it has no outcome.
/// Threads:  as tenon_spawn().
/// Errors:   as tenon_spawn().
TENON_API TENON_NODISCARD tenon_status tenon_spawn_task(
    tenon_scope *scope, tenon_task *task, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options);

/// End: wait until every task has ended and every argument is destroyed.
///
/// Owns:     `report` is filled and yours to free. Without one (NULL), errors
///           travel up: they become the children of the error with which the
///           surrounding task ends, or are lost with a root scope.
/// Threads:  the owner.
/// Blocks:   until all have ended, running only descendants of the owner;
///           a foreign thread just waits. No cancel shortens that.
/// Errors:   in this order: TENON_ERRORS a task or the body failed;
///           TENON_TIMEOUT its deadline stopped something; TENON_CANCELLED
///           something around it did; else TENON_OK, also for a scope that
///           was told to stop by itself, by tenon_scope_cancel(): then
///           `report->cancelled` is set, and the counts say what was not done.
///           `body` is how the owner
///           itself did: TENON_OK, TENON_CANCELLED or a failure's code; what a
///           refused spawn returned fits.
///           Misuse: TENON_EPERM not the owner; TENON_EDEADLK from inside the
///           scope; TENON_EALREADY; TENON_EINVAL never opened; TENON_EFORK:
///           then `*report` is untouched. Inner scopes that are still open are
///           cancelled and joined first; an error TENON_ESTRUCT of this scope
///           names both. A task that returns with a scope of its own still open
///           fails with TENON_ESTRUCT; the process is aborted if that scope lay
///           in its frame, which is gone.
TENON_API TENON_NODISCARD tenon_status
tenon_scope_join(tenon_scope *scope, tenon_status body, tenon_report *report);

/// Cancel everything in the scope and below. The owner's own token stays.
///
/// Owns:     as tenon_token_cancel().
/// Threads:  any that may spawn, and any holder of a reference.
/// Blocks:   never.
/// Errors:   none. True if this call was the first; false also after join.
TENON_API bool tenon_scope_cancel(
    tenon_scope *scope, int code, const char *format, ...) TENON_PRINTF(3, 4);

/// Is the scope cancelled? What its body polls. False after the join: then the
/// report has it.
///
/// Threads:  as tenon_scope_cancel().
/// Errors:   none.
/// Cost:     as tenon_cancelled().
TENON_API bool tenon_scope_cancelled(tenon_scope *scope);

/// Why. False, and `*cause` untouched, while it is not cancelled, and after the
/// join: then the report has it.
///
/// Threads:  as tenon_scope_cancel().
/// Errors:   none.
TENON_API bool tenon_scope_cause(tenon_scope *scope, tenon_cause *cause);

/// The scope's token, as a `parent` for others.
///
/// Owns:     the scope's; gone when it is joined.
/// Threads:  as tenon_scope_cancel().
/// Errors:   none.
TENON_API tenon_token *tenon_scope_token(tenon_scope *scope);

/// The name given at open, or "".
///
/// Threads:  as tenon_scope_cancel().
/// Errors:   none.
TENON_API const char *tenon_scope_name(const tenon_scope *scope);

/// A right to spawn from any thread. Keeps the scope from closing: a join
/// waits until it is released.
typedef struct tenon_scope_ref {
    tenon_scope *scope;  // private; NULL when released
} tenon_scope_ref;

/// Take a reference.
///
/// Owns:     `ref` is yours: give it to one other thread, which releases it.
/// Threads:  as tenon_spawn().
/// Errors:   TENON_ECLOSED; TENON_EPERM; TENON_EINVAL; TENON_EFORK.
TENON_API TENON_NODISCARD tenon_status
tenon_scope_acquire(tenon_scope *scope, tenon_scope_ref *ref);

/// As tenon_spawn_with(), from the holder of a reference.
///
/// Threads:  the holder's.
/// Errors:   as tenon_spawn(); TENON_EINVAL the reference was released.
TENON_API TENON_NODISCARD tenon_status tenon_ref_spawn(
    tenon_scope_ref *ref, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options);

/// Give the reference back. Accepts one that is zeroed or released.
///
/// Threads:  the holder's.
/// Errors:   none.
TENON_API void tenon_scope_release(tenon_scope_ref *ref);

#ifdef __cplusplus
}
#endif

#endif
