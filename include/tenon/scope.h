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

#include "tenon/executor.h"
#include "tenon/policy.h"
#include "tenon/report.h"
#include "tenon/task.h"
#include "tenon/value.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_scope_options {
    size_t struct_size;        ///< set by the macro; in C++ by you: its sizeof
    tenon_executor *executor;  ///< NULL: the caller's own, else the default
    const char *name;          ///< must outlive the scope; NULL: none
    tenon_policy policy;       ///< 0: fail-fast
    tenon_on_complete_fn *on_complete;  ///< with UNTIL and CUSTOM
    tenon_verdict_fn *verdict;          ///< with CUSTOM
    void *policy_context;               ///< for both
    uint64_t timeout_ns;                ///< from open on; 0: none
    uint64_t deadline_ns;    ///< a time of the executor's clock, as of
                             ///< tenon_executor_now_ns(); 0: none. The earlier
                             ///< counts
    tenon_token *parent;     ///< one more token to heed; must outlive the scope
    tenon_limiter *limiter;  ///< its tasks need units of; NULL: none
    uint32_t max_running;    ///< tasks at a time, others wait; 0: no limit
    uint32_t max_errors;     ///< kept whole, besides the primary; 0: 16
    /// What is around it does not cancel it, nor bound its time: only itself,
    /// its own deadline, and `parent`. Still joined.
    bool is_shielded;
    const tenon_binding *bindings;  ///< array, until the join; see value.h
    uint32_t binding_count;
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
    TENON_ATOMIC(const void *) local_thread;  // counts in local_live; or NULL
    tenon_scope *parent;  // the scope around it; NULL: a root scope
    uint32_t depth;
    uint32_t policy;
    uint32_t max_errors;
    uint32_t phase;
    bool owns_limiter;
    bool is_plain;  // nested in the same executor, without options
    uint32_t binding_count;
    const tenon_scope *values;      // the nearest with bindings, or NULL
    const tenon_binding *bindings;  // if that is itself
    tenon_token_link links[2];      // of the token: the option `parent`, ...
    tenon_handle *ready_last;       // with ready_first
    tenon_token token;

    // Fixed at open, with a policy of the user's.
    tenon_on_complete_fn *on_complete;
    tenon_verdict_fn *verdict;
    void *policy_context;

    // Fixed when it is closed to its owner (src/scope/notify.c).
    void (*notify)(void *context);
    void *notify_context;
    int notify_fd;

    // The owner's thread only; from here on all is 0 at open.
    int64_t local_live;
    uint64_t local_spawned;
    tenon_status body_status;
    tenon_status join_status;
    uintptr_t body_failure;
    tenon_report *report;    // fixed at open
    tenon_status *status;    // likewise
    tenon_limiter *limiter;  // likewise
    void *node;              // in debug mode

    // Every thread; a cache line away from the owner's fields.
    uint64_t gap[8];
    TENON_ATOMIC(int64_t) word;
    TENON_ATOMIC(uint64_t) shared_spawned;
    TENON_ATOMIC(uint64_t) failed_count;
    TENON_ATOMIC(uint64_t) cancelled_count;
    TENON_ATOMIC(uint64_t) dropped_count;
    TENON_ATOMIC(uint64_t) rejected_count;
    TENON_ATOMIC(uint64_t) alone_count;  // stopped by their own token

    // Tasks with a handle, as they end (src/scope/stream.c).
    TENON_ATOMIC(uintptr_t) completed;
    TENON_ATOMIC(uint64_t) handle_count;
    TENON_ATOMIC(uint64_t) delivered_count;
    tenon_handle *ready_first;

    // Guarded by the lock of the errors.
    uint64_t kept_count;
    uint64_t error_count;
    uint64_t own_error_count;  // not of tasks: of body, callbacks, structure
    tenon_error *first_error;
    tenon_error *last_error;
    tenon_error *primary;

    // Not 0 at open.
    tenon_scope *next_root;      // the open root scopes of one thread
    tenon_scope *previous_root;  // likewise
};

/// Begin. Inside a task the scope nests in that task's innermost open scope;
/// on any other thread it is a root scope, also where another one is open; give
/// that one's token as `parent` to be cancelled with it. If what is around it
/// is cancelled, it is born cancelled.
///
/// Owns:     `scope` is yours until joined; NULL options: all defaults.
/// Threads:  any. The caller is the owner: it alone joins.
/// Errors:   TENON_EINVAL an option, or a variable that the default executor
///           heeds (executor.h); TENON_ENOMEM and TENON_EAGAIN no default
///           executor, or no timer thread; TENON_EALREADY the running task has
///           it open, or it is one of the thread's 32 newest root scopes;
///           TENON_EDEADLK on the executor's timer thread (callback.h);
///           TENON_ECLOSED the executor is shut down; TENON_EFORK. On failure
///           there is nothing to join.
TENON_API TENON_NODISCARD tenon_status
tenon_scope_open(tenon_scope *scope, const tenon_scope_options *options);

/// End: wait until every task has ended and every argument is destroyed.
///
/// `body` is how the owner itself did: TENON_OK, TENON_CANCELLED or a failure's
/// code; what a refused spawn returned fits.
///
/// Owns:     `report` is filled and yours to free. Without one (NULL), errors
///           travel up: they become the children of the error with which the
///           surrounding task ends. If it ends without one, or there is none,
///           they are gone, and tenon_set_unobserved_hook() hears of them.
/// Threads:  the owner.
/// Blocks:   until all have ended, running only descendants of the owner;
///           a foreign thread just waits. No cancel shortens that.
/// Errors:   in this order: TENON_ERRORS a task, the body or a cancel's
///           callback failed (but see TENON_POLICY_ANY_OK); TENON_TIMEOUT its
///           deadline stopped something; TENON_CANCELLED something around it
///           did; else TENON_OK, also for a scope that was told to stop by
///           itself, by tenon_scope_cancel(): then `report->cancelled` is set,
///           and the counts say what was not done. Misuse: TENON_EPERM not the
///           owner; TENON_EDEADLK from inside the scope; TENON_EALREADY;
///           TENON_EINVAL never opened; TENON_EFORK: then `*report` is
///           untouched. Inner scopes that are still open are cancelled and
///           joined first; an error TENON_ESTRUCT of this scope names both. A
///           task that returns with a scope of its own still open fails with
///           TENON_ESTRUCT; the process is aborted if that scope lay in its
///           frame, which is gone.
TENON_API TENON_NODISCARD tenon_status
tenon_scope_join(tenon_scope *scope, tenon_status body, tenon_report *report);

/// Cancel everything in the scope and below. The owner's own token stays.
///
/// Owns:     as tenon_token_cancel().
/// Threads:  any, while the scope is certainly not joined yet: its owner, its
///           tasks, and holders of a reference can be sure.
/// Blocks:   as the callbacks below it do.
/// Errors:   none. True if this call was the first; false also after join.
TENON_API bool tenon_scope_cancel(
    tenon_scope *scope, int code, const char *format, ...) TENON_PRINTF(3, 4);

/// Move its deadline to `deadline_ns` of its executor's clock, earlier or
/// later; TENON_NO_DEADLINE: none. A time that is past cancels the scope at
/// once.
///
/// Threads:  as tenon_scope_cancel().
/// Blocks:   for a moment, if it is just being fired.
/// Errors:   TENON_EALREADY it has fired, or the scope is cancelled otherwise;
///           TENON_ECLOSED after the join; TENON_EAGAIN no timer thread;
///           TENON_EINVAL 0, or never opened; TENON_EFORK.
TENON_API TENON_NODISCARD tenon_status
tenon_scope_set_deadline(tenon_scope *scope, uint64_t deadline_ns);

/// Is the scope cancelled? False after the join: then the report has it.
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

/// The executor that runs its tasks.
///
/// Owns:     whose it was.
/// Threads:  as tenon_scope_cancel().
/// Errors:   none.
TENON_API tenon_executor *tenon_scope_executor(const tenon_scope *scope);

/// The name given at open, or "".
///
/// Threads:  as tenon_scope_cancel().
/// Errors:   none.
TENON_API const char *tenon_scope_name(const tenon_scope *scope);

#ifdef __cplusplus
}
#endif

#endif
