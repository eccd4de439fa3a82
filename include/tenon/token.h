// SPDX-License-Identifier: MIT
//
// token — a request to stop, with its cause, seen by everything below it.
// Every scope has one. Free-standing ones are made here and given to scopes
// as `parent`. Level-triggered: once set, set for ever. Any thread may call.
//
//     tenon_token_cancel(&token, SIGINT, "interrupted");

#ifndef TENON_TOKEN_H
#define TENON_TOKEN_H

#include "tenon/config.h"
#include "tenon/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_token tenon_token;
typedef struct tenon_executor tenon_executor;

/// Who asked.
typedef enum tenon_cause_source {
    TENON_CAUSE_NONE = 0,
    TENON_CAUSE_EXPLICIT,  ///< somebody called cancel
    TENON_CAUSE_FAILURE,   ///< a task or the body failed
    TENON_CAUSE_DEADLINE,  ///< its own deadline
    TENON_CAUSE_PARENT,    ///< something above was cancelled: see `origin`,
                           ///< which is the same wherever it is read
    TENON_CAUSE_POLICY,    ///< the scope's policy had what it wanted
    TENON_CAUSE_SHUTDOWN   ///< the executor is shut down
} tenon_cause_source;

/// Why a token is set. A copy: it depends on nothing. Strings end with a zero
/// and are cut to fit, "" where there is nothing to say. With source PARENT
/// everything but `source` describes the cause at the origin.
typedef struct tenon_cause {
    tenon_cause_source source;
    tenon_cause_source origin;  ///< equal to `source`, except with PARENT
    int code;                   ///< of the failure, or as given to cancel
    uint64_t time_ns;           ///< when the origin was set, by tenon_now_ns()
    uint64_t sequence;          ///< with FAILURE: the error's number, else 0
    uint64_t task_id;           ///< of the task behind it, as for its name
    char task_name[32];
    char scope_name[32];
    char text[128];
} tenon_cause;

/// No deadline: later than any time.
#define TENON_NO_DEADLINE UINT64_MAX

/// One of the parents of a linked token.
typedef struct tenon_token_link {
    tenon_token *parent;  ///< yours to set; the rest is private

    // While the child listens.
    tenon_token *child;
    struct tenon_token_link *next;
    struct tenon_token_link *previous;
} tenon_token_link;

/// Private inside. May lie anywhere; may not move while in use.
struct tenon_token {
    tenon_token_link up;                 // to the parent
    TENON_ATOMIC(uint64_t) clean_epoch;  // last seen unset up to the root
    TENON_ATOMIC(uintptr_t) cause;       // see src/scope/token.c
    tenon_token_link *links;             // to further parents
    uint32_t link_count;
    TENON_ATOMIC(uint32_t) is_announced;  // the epoch moved after the cause
    TENON_ATOMIC(uint32_t) is_listening;  // see src/scope/callback.c
    uint32_t kind;                        // what it is a part of
    const char *name;

    // While it listens.
    tenon_token_link *listeners;
    struct tenon_callback *last_callback;

    // Its deadline; but for the time guarded by the timer.
    void *timer_links[4];
    TENON_ATOMIC(uint64_t) deadline_ns;
    uint64_t timer_state;
    TENON_ATOMIC(void *) timer;  // of a free-standing one with a deadline
};

/// Make `token` unset, below `parent` (NULL: below nothing).
///
/// Owns:     the storage is yours; `parent` must outlive it. End with
///           tenon_token_fini().
/// Threads:  one, before it is shared.
/// Errors:   none.
TENON_API void tenon_token_init(tenon_token *token, tenon_token *parent);

/// Make `token` unset, below the parent of each of links[0 .. link_count - 1]:
/// the first that is set sets it. Nothing is left behind at them when it ends.
///
/// Owns:     the array stays yours, for this token only; it and the parents
///           must outlive `token`.
/// Threads:  one, before it is shared.
/// Errors:   none.
/// Cost:     a poll after a cancel somewhere looks at every parent.
TENON_API void tenon_token_init_linked(
    tenon_token *token, tenon_token_link *links, uint32_t link_count);

/// Ask everything below `token` to stop. The first cause wins. When the call
/// has returned, everything below polls true, and the callbacks have run.
///
/// Owns:     copies the text (printf-like; NULL: none), cut at 127 bytes.
///           Without memory for it the text is lost, never the cancel.
/// Threads:  any; not from a signal handler.
/// Blocks:   as the callbacks below do.
/// Errors:   none. True if this call set it; false if it was set before,
///           by itself or from above.
TENON_API bool tenon_token_cancel(
    tenon_token *token, int code, const char *format, ...) TENON_PRINTF(3, 4);

/// True once `token` or anything above it is set.
///
/// Threads:  any.
/// Errors:   none.
/// Cost:     two loads and a compare while nothing anywhere is cancelled.
TENON_API bool tenon_token_cancelled(tenon_token *token);

/// Why `token` is set. False, and `*cause` untouched, while it is not.
///
/// Threads:  any.
/// Errors:   none.
TENON_API bool tenon_token_cause(tenon_token *token, tenon_cause *cause);

/// The earliest deadline of `token` and everything above it, up to the nearest
/// shield, by the clock of its executor; TENON_NO_DEADLINE if there is none.
///
/// Threads:  any.
/// Errors:   none.
TENON_API uint64_t tenon_token_deadline(tenon_token *token);

/// Set `token` at `deadline_ns` of the clock of `executor` (NULL: as for
/// tenon_scope_open()), or move that time; TENON_NO_DEADLINE: not any more. A
/// time that is past sets it at once.
///
/// Owns:     the executor must outlive the token, and stay the same.
/// Threads:  any; for tokens made by the calls above.
/// Blocks:   for a moment, if it is just being fired.
/// Errors:   TENON_EALREADY it is set; TENON_EAGAIN no timer thread;
///           TENON_EINVAL 0, another executor than before, or the token of a
///           scope; TENON_EFORK; TENON_ENOMEM no default executor.
TENON_API TENON_NODISCARD tenon_status tenon_token_set_deadline(
    tenon_token *token, tenon_executor *executor, uint64_t deadline_ns);

/// Free what the token holds. Accepts zeroed memory.
///
/// Threads:  one; nothing below it may still be in use.
/// Blocks:   while a callback of it runs on another thread, or its deadline
///           fires.
/// Errors:   none.
TENON_API void tenon_token_fini(tenon_token *token);

#ifdef __cplusplus
}
#endif

#endif
