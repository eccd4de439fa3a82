// SPDX-License-Identifier: MIT
//
// scope — counts its tasks, keeps their errors, and lets its owner wait.
//
// Behind include/tenon/scope.h. Opening and counting are in scope.c,
// spawning is in spawn.c, joining in join.c, which errors are kept in ledger.c.

#ifndef TN_SCOPE_SCOPE_H
#define TN_SCOPE_SCOPE_H

#include "base/atomic.h"
#include "base/check.h"
#include "sched/worker.h"
#include "tenon/scope.h"

#include <stdbool.h>
#include <stdint.h>

// WATCHED is open as well, but each end of a task is of interest.
enum {
    TN_SCOPE_UNUSED,
    TN_SCOPE_OPEN,
    TN_SCOPE_WATCHED,
    TN_SCOPE_CLOSED,  // to its owner, who has still to join it
    TN_SCOPE_JOINING,
    TN_SCOPE_JOINED,
};

// What an executor's tallies count. Forked children and the outermost scopes
// are not among them.
enum {
    TN_TALLY_TASKS,
    TN_TALLY_ENDED_TASKS,
    TN_TALLY_SCOPES,
    TN_TALLY_ENDED_SCOPES,
};
_Static_assert(TN_TALLY_ENDED_SCOPES < TN_TALLY_COUNT, "there is one for each");

// The shared word: live count << 24 | the joiner's parker << 8 | notify |
// closed.
#define TN_WORD_CLOSED INT64_C(1)
#define TN_WORD_NOTIFY INT64_C(2)  // the scope holds itself: one is no member
#define TN_WORD_WAITER_SHIFT 8
#define TN_WORD_WAITER_MASK (INT64_C(0xffff) << TN_WORD_WAITER_SHIFT)
#define TN_WORD_COUNT_SHIFT 24
#define TN_WORD_COUNT_ONE (INT64_C(1) << TN_WORD_COUNT_SHIFT)

// [any] Who waits, by a word: a parker, or TN_PARKER_NONE.
static inline uint32_t tn_word_parker(int64_t word)
{
    return (uint32_t)((word & TN_WORD_WAITER_MASK) >> TN_WORD_WAITER_SHIFT);
}

// [any] Does the calling thread count in plain numbers?
static inline bool tn_scope_is_local(const tenon_scope *scope)
{
    // relaxed: for another thread it is another one, whatever it reads.
    return tn_load_relaxed(&scope->local_thread) == tn_thread_self();
}

// [owner] May tasks be added by the owner, and has it still to be joined?
static inline bool tn_scope_is_open(const tenon_scope *scope)
{
    return scope->phase == TN_SCOPE_OPEN || scope->phase == TN_SCOPE_WATCHED;
}

// [owner] Has it still to be joined?
static inline bool tn_scope_is_unjoined(const tenon_scope *scope)
{
    return tn_scope_is_open(scope) || scope->phase == TN_SCOPE_CLOSED;
}

// [any] The live count in a word.
static inline int64_t tn_word_count(int64_t word)
{
    return word >> TN_WORD_COUNT_SHIFT;
}

// [any] Is it counted as open by its executor: not inside another of its?
bool tn_scope_is_outermost(const tenon_scope *scope);

// [any] One more live task or reference; the caller keeps the scope open.
static inline void tn_scope_enter(tenon_scope *scope)
{
    if (tn_likely(tn_scope_is_local(scope))) {
        scope->local_live++;
    } else {
        // relaxed: the caller keeps the count above 0.
        tn_add_relaxed(&scope->word, TN_WORD_COUNT_ONE);
    }
}

// [any] Nobody is left in a scope that was to tell: tell. It may be gone then.
void tn_scope_notify_empty(tenon_scope *scope);

// [any] May the caller join, wait for or close the scope as its owner? EINVAL,
// EFORK, EPERM, EDEADLK.
tenon_status tn_scope_check_owner(tenon_scope *scope);

// [any] The part of tn_scope_exit() that other threads take: `count` less.
void tn_scope_exit_shared(tenon_scope *scope, int64_t count);

// [any] One less. The scope may be gone when this returns.
static inline void tn_scope_exit(tenon_scope *scope)
{
    if (tn_likely(tn_scope_is_local(scope))) {
        scope->local_live--;
    } else {
        tn_scope_exit_shared(scope, 1);
    }
}

// [owner, inside a task] The innermost scope is `scope` from now on, or it is
// not any more: if its token is not below that of the scope around it, what the
// task has seen of the one says nothing of the other.
void tn_scope_check_anew(tenon_scope *scope);

// [owner] Free the limiter of its own, if it has one.
void tn_scope_drop_limiter(tenon_scope *scope);

// [worker] `task` ended with scopes of its own still open: cancel and join
// them. Returns the task's new status. Aborts if the innermost was in a frame
// below `end`.
int tn_scope_close_left_open(tenon_task *task, const char *end);

// [any] Record that a task failed with `code`, and do as the policy says.
// Returns its error; NULL: not kept, or recorded already.
const tenon_error *tn_ledger_task_failed(tenon_task *task, int code);

// [worker] The same for what was called at the end of the task: an error of the
// scope, whatever its policy makes of tasks.
void tn_ledger_end_failed(tenon_task *task, int code);

// [owner] The same for the body.
void tn_ledger_body_failed(tenon_scope *scope, int code);

// [any] Record that a callback of `token` failed with `code`, in the scope that
// the token belongs to, if any. Cancels nobody: that has been done.
void tn_ledger_callback_failed(tenon_token *token, int code);

// [owner] Record that no task of an any-ok scope succeeded.
void tn_ledger_no_result(tenon_scope *scope);

// [owner] Join found `inner` still open inside `scope`.
void tn_ledger_left_open(tenon_scope *scope, const char *inner_name);

#endif
