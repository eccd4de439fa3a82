// SPDX-License-Identifier: MIT
//
// join — waits until every member has ended, then says what it came to.
//
// In this order: inner scopes left open are closed, the body's failure is
// recorded, the wait, the deadline taken back, the verdict, the errors handed
// over, the scope closed. Who joined may free the scope right after.
//
// Roles:    the owner; the last member out wakes it (scope.c).
// Progress: blocks until all members have ended.
// Memory:   errors go into the report, else up to the owner, else are shown to
//           a hook and freed.
// Ordering: E1 and E2 are those of scope.c.
//   E1 done   exit: sub-release word -> is_done: load-acquire word
//   E2 wait   announce: cas-relaxed word -> exit: sub-release word

#include "base/check.h"
#include "base/futex.h"
#include "base/platform.h"
#include "sched/executor.h"
#include "sched/worker.h"
#include "scope/callback.h"
#include "scope/census.h"
#include "scope/deadline.h"
#include "scope/error.h"
#include "scope/finding.h"
#include "scope/open.h"
#include "scope/pause.h"
#include "scope/policy.h"
#include "scope/root.h"
#include "scope/scope.h"
#include "scope/task.h"
#include "scope/token.h"
#include "scope/unobserved.h"
#include "scope/value.h"
#include "tenon/wait.h"

struct scope_wait {
    struct tn_wait base;
    tenon_scope *scope;
};

static bool is_empty(tenon_scope *scope)
{
    int64_t word = tn_load_acquire(&scope->word);  // E1

    return scope->local_live + tn_word_count(word) == 0;  // I1
}

static bool scope_is_done(struct tn_wait *base)
{
    return is_empty(((struct scope_wait *)base)->scope);
}

static enum tn_kinship scope_kinship(struct tn_wait *base, struct tn_job *job)
{
    tenon_scope *scope = ((struct scope_wait *)base)->scope;
    const tenon_task *task = (const tenon_task *)job;

    if (tn_task_scope(task) == scope) {
        return TN_KIN_AWAITED;
    }
    bool is_kin = scope->owner != NULL ? tn_task_descends(task, scope->owner)
                                       : tn_task_is_within(task, scope);
    return is_kin ? TN_KIN_DESCENDS : TN_KIN_NONE;
}

// False: nobody is left to wait for.
static bool announce(tenon_scope *scope, uint32_t parker)
{
    int64_t add = scope->local_live * TN_WORD_COUNT_ONE +
                  ((int64_t)parker << TN_WORD_WAITER_SHIFT);
    // relaxed: the cas decides.
    int64_t word = tn_load_relaxed(&scope->word);

    // relaxed: E2 is in the word itself; who sees that nobody is left acquires
    // (E1).
    while (!tn_cas_relaxed(&scope->word, &word, word + add)) {
    }
    scope->local_live = 0;  // I2
    return tn_word_count(word + add) != 0;
}

static void retract(tenon_scope *scope)
{
    // relaxed: the cas decides.
    int64_t word = tn_load_relaxed(&scope->word);

    // relaxed: as above.
    while (!tn_cas_relaxed(&scope->word, &word, word & ~TN_WORD_WAITER_MASK)) {
    }
}

static bool scope_announce(struct tn_wait *base, uint32_t parker)
{
    tenon_scope *scope = ((struct scope_wait *)base)->scope;

    if (announce(scope, parker)) {
        return true;
    }
    retract(scope);
    return false;
}

static void scope_retract(struct tn_wait *base)
{
    retract(((struct scope_wait *)base)->scope);
}

// Is it a scope of another executor, which has no thread of its own?
static bool must_lend(const tenon_scope *scope)
{
    return scope->executor != tn_worker_self()->executor &&
           !tn_crew_has_threads(&scope->executor->crew);
}

static void wait_for_all(tenon_scope *scope)
{
    struct scope_wait wait = {
        .base =
            {scope_is_done, scope_kinship, scope_announce, scope_retract,
             scope->executor},
        .scope = scope,
    };

    if (scope_is_done(&wait.base)) {
        return;
    }
    struct tn_worker *worker = tn_worker_self();
    if (worker == NULL) {
        tn_thread_wait(scope->executor, &wait.base);
    } else if (scope->owner == NULL || must_lend(scope)) {
        // Outside of tasks: a function of the user's that a cancel calls.

        tn_crew_leave(worker);
        tn_thread_wait(scope->executor, &wait.base);
        tn_crew_return(worker);
    } else {
        uint32_t before = tn_census_enter(scope->owner, TN_STATE_JOINING);
        tn_worker_wait(worker, scope->owner->result.mark, &wait.base);
        tn_worker_tidy(worker);
        tn_census_enter(scope->owner, before);
    }
}

// Joined: its executor may be gone.
static bool is_closed(tenon_scope *scope)
{
    // relaxed: a courtesy to who calls too late.
    return (tn_load_relaxed(&scope->word) & TN_WORD_CLOSED) != 0;
}

static void say_wrong_caller(
    const tenon_scope *scope, const tenon_task *caller, bool is_inside)
{
    tn_finding_say(
        TENON_FINDING_WRONG_CALLER, caller, scope,
        "scope '%s' is joined, waited for or closed by %s",
        tenon_scope_name(scope),
        is_inside ? "one of its own tasks" : "another than its owner");
}

tenon_status tn_scope_check_owner(tenon_scope *scope)
{
    tenon_task *current = tn_task_current();

    if (scope == NULL || scope->executor == NULL) {
        return TENON_EINVAL;
    }
    if (tn_has_forked) {
        return TENON_EFORK;
    }
    if (scope->owner_thread != tn_thread_self() || scope->owner != current) {
        bool is_inside = current != NULL && tn_task_is_within(current, scope);
        if (!is_closed(scope)) {
            say_wrong_caller(scope, current, is_inside);
        }
        return is_inside ? TENON_EDEADLK : TENON_EPERM;
    }
    return TENON_OK;
}

static tenon_status check_join(tenon_scope *scope)
{
    tenon_status status = tn_scope_check_owner(scope);

    if (status != TENON_OK) {
        return status;
    }
    return tn_scope_is_unjoined(scope) ? TENON_OK : TENON_EALREADY;
}

// Cancel and join the scopes that `task` opened after `end` and left open.
static void close_inner(tenon_task *task, const tenon_scope *end)
{
    while (task->link != end) {
        tenon_scope *inner = task->link;
        tenon_scope_cancel(inner, TENON_ESTRUCT, "left open");
        tenon_status misuse = check_join(inner);
        tn_require(
            misuse == TENON_OK, "scope '%s' is neither open nor joined",
            tenon_scope_name(inner));
        (void)!tenon_scope_join(inner, TENON_OK, NULL);
    }
}

static void close_left_open_inside(tenon_scope *scope)
{
    tenon_task *owner = scope->owner;

    if (owner != NULL && owner->link != scope) {
        tn_finding_say(
            TENON_FINDING_LEFT_OPEN, owner, owner->link,
            "scope '%s' was still open when '%s' was joined",
            tenon_scope_name(owner->link), tenon_scope_name(scope));
        tn_ledger_left_open(scope, tenon_scope_name(owner->link));
        close_inner(owner, scope);
    }
}

int tn_scope_close_left_open(tenon_task *task, const char *end)
{
    tenon_scope *inner = task->link;

    if (tn_stack_has_left(inner, end)) {
        tn_census_show_dead(inner, task->scope->executor);
        tn_fail_check(
            __FILE__, __LINE__,
            "task '%s' returned without joining a scope of its own frame",
            tenon_task_name(task));
    }
    tn_finding_say(
        TENON_FINDING_LEFT_OPEN, task, inner,
        "task '%s' ended with scope '%s' still open", tenon_task_name(task),
        tenon_scope_name(inner));
    tenon_fail_place place = {.domain = "tenon"};
    tenon_fail_at(
        task, place, TENON_ESTRUCT,
        "task '%.40s' ended with scope '%.40s' still open",
        tenon_task_name(task), tenon_scope_name(inner));
    close_inner(task, NULL);
    return TENON_ESTRUCT;
}

// All counters are exact: everybody has ended.
static uint64_t final_count(_Atomic(uint64_t) *counter)
{
    // relaxed: E1 has ordered it.
    return tn_load_relaxed(counter);
}

static void fill_report(
    tenon_scope *scope, tenon_report *report, const tenon_cause *cause)
{
    *report = (tenon_report){
        .cancel_requested = cause->source != TENON_CAUSE_NONE,
        .cancelled = cause->source != TENON_CAUSE_NONE &&
                     cause->source != TENON_CAUSE_PARENT,
        .cause = *cause,
        .body_status = scope->body_status,
        .spawned_count =
            scope->local_spawned + final_count(&scope->shared_spawned),
        .failed_count = final_count(&scope->failed_count),
        .cancelled_count = final_count(&scope->cancelled_count),
        .dropped_count = final_count(&scope->dropped_count),
        .rejected_count = final_count(&scope->rejected_count),
        .alone_count = final_count(&scope->alone_count),
        .error_count = scope->error_count,
        .kept_count = scope->kept_count,
        .errors = scope->first_error,
        .primary = scope->primary != NULL ? scope->primary : scope->first_error,
    };
    report->ok_count = report->spawned_count - report->failed_count -
                       report->cancelled_count - report->dropped_count;
}

// The errors go into the report, else up to the owner, else to the hook. Those
// of a join that is well all the same (any-ok) concern nobody.
static void give_errors(
    tenon_scope *scope, tenon_report *report, const tenon_report *made)
{
    if (report != NULL) {
        *report = *made;
    } else if (scope->owner != NULL && scope->first_error != NULL) {
        tn_failure_gather(
            &scope->owner->failure, scope->first_error,
            scope->error_count - scope->kept_count, made->status == TENON_OK);
    } else if (scope->error_count > 0) {
        if (made->status != TENON_OK) {
            tn_unobserved_tell(scope->executor, made);
        }
        tn_error_free_list(scope->first_error);
    }
    scope->first_error = NULL;
    scope->last_error = NULL;
}

// What it came to, and where its errors go.
static __attribute__((noinline)) void conclude(
    tenon_scope *scope, tenon_report *report)
{
    tenon_cause cause = tn_token_cause(&scope->token);
    tenon_report made;

    tn_failure_clear(&scope->body_failure);
    fill_report(scope, &made, &cause);
    if (tn_policy_settle(scope, &made)) {
        fill_report(scope, &made, &cause);
    }
    made.status = tn_policy_verdict(scope, &made);
    scope->join_status = made.status;
    give_errors(scope, report, &made);
    // What is called here may have set it anew.
    tn_deadline_stop(&scope->token, &scope->executor->timer);
}

static void end_body(tenon_scope *scope, tenon_status body)
{
    bool is_failure =
        body != TENON_OK &&
        !(body == TENON_CANCELLED && tenon_token_cancelled(&scope->token));

    if (is_failure) {
        tn_ledger_body_failed(scope, body);
    }
    if (body != TENON_OK) {
        scope->body_status = body;
    }
}

static void close(tenon_scope *scope)
{
    tenon_executor *executor = scope->executor;
    bool is_root = scope->owner == NULL;
    bool is_outermost = tn_scope_is_outermost(scope);
    tenon_scope *parent = scope->parent;

    if (!is_root) {
        tn_scope_check_anew(scope);
    }
    tn_scope_drop_limiter(scope);
    if (tn_unlikely(executor->is_debugged)) {
        tn_census_remove_scope(scope);
    }
    tenon_token_fini(&scope->token);
    scope->phase = TN_SCOPE_JOINED;
    // relaxed: only a courtesy to who calls too late.
    tn_store_relaxed(&scope->word, TN_WORD_CLOSED);
    if (!is_root) {
        bool is_same_owner = parent->owner == scope->owner;
        scope->owner->link = is_same_owner ? parent : NULL;  // I3
    } else {
        tn_root_remove(scope);
        tn_executor_trim(executor);
    }
    if (is_outermost) {
        tn_open_leave(executor);
    } else {
        tn_executor_count(executor, TN_TALLY_ENDED_SCOPES, 1);
    }
}

// `end` as for tn_value_check(); a plain scope has no values.
static __attribute__((noinline)) tenon_status join_slowly(
    tenon_scope *scope, tenon_status body, tenon_report *report,
    const char *end)
{
    tenon_status misuse = check_join(scope);

    if (misuse != TENON_OK) {
        return misuse;
    }
    tn_value_check(scope, end);
    close_left_open_inside(scope);
    scope->phase = TN_SCOPE_JOINING;
    end_body(scope, body);
    wait_for_all(scope);
    tn_deadline_stop(&scope->token, &scope->executor->timer);
    tn_callback_end(&scope->token);
    // The rest is for who has something to tell or wants to be told.
    if (report != NULL || scope->error_count > 0 ||
        tn_policy_is_watching(scope) ||
        (!tn_token_is_clean(&scope->token) &&
         tenon_token_cancelled(&scope->token))) {
        conclude(scope, report);
    }
    tenon_status status = scope->join_status;
    close(scope);
    return status;
}

// --- the common case in straight lines ---

// The owner, and nothing but a plain scope that is its innermost?
static inline bool may_join_plainly(
    const struct tn_worker *worker, const tenon_scope *scope)
{
    return worker != NULL && scope != NULL && scope->is_plain &&
           scope->phase == TN_SCOPE_OPEN &&
           scope->owner == worker->face.current &&
           scope->owner->link == scope && !tn_has_forked;
}

// Nobody has failed, nobody is cancelled, nobody is to be told?
static inline bool is_uneventful(tenon_scope *scope)
{
    return scope->error_count == 0 && tn_token_is_plain(&scope->token);
}

// All have ended. What is not as common goes the other way, here and below.
static inline __attribute__((always_inline)) tenon_status end_plainly(
    struct tn_worker *worker, tenon_scope *scope)
{
    tenon_scope *parent = scope->parent;
    tenon_task *owner = scope->owner;

    if (tn_unlikely(!is_uneventful(scope))) {
        return join_slowly(scope, TENON_OK, NULL, NULL);
    }
    scope->token.up.parent = NULL;
    scope->phase = TN_SCOPE_JOINED;
    // relaxed: only a courtesy to who calls too late.
    tn_store_relaxed(&scope->word, TN_WORD_CLOSED);
    owner->link = parent->owner == owner ? parent : NULL;  // I3
    tn_worker_count(worker, TN_TALLY_ENDED_SCOPES, 1);
    return TENON_OK;
}

// The members that lie on top of the own deque run first. What others have
// counted is not looked at before the own part is 0: it is in a cache line of
// theirs.
static __attribute__((noinline)) tenon_status run_members(
    struct tn_worker *worker, tenon_scope *scope)
{
    struct tenon_deque *deque = &worker->face.deque;
    uint32_t mark = scope->owner->result.mark;

    while (scope->local_live != 0) {
        // What lies below is of those further out: wait.c.
        if (tn_unlikely((uint32_t)tn_deque_bottom(deque) == mark)) {
            return join_slowly(scope, TENON_OK, NULL, NULL);
        }
        if (tn_unlikely(tn_deque_is_asked(deque))) {
            tn_worker_answer(worker);
        }
        void *item = tn_deque_pop_unasked(deque);
        if (tn_unlikely(item == NULL)) {
            return join_slowly(scope, TENON_OK, NULL, NULL);
        }
        tenon_task *task = (tenon_task *)tn_job_of(item);
        if (tn_unlikely(tn_task_is_forked(task) || task->scope != scope)) {
            tn_worker_requeue(worker, item);
            return join_slowly(scope, TENON_OK, NULL, NULL);
        }
        if (tn_unlikely(tn_task_flags(task) != 0)) {
            tn_task_run(worker, (struct tn_job *)task);
        } else {
            tn_task_run_plainly(worker, task, scope, true);
        }
    }
    if (tn_unlikely(tn_worker_can_trim(worker))) {
        tn_worker_tidy(worker);
    }
    return tn_likely(is_empty(scope))
               ? end_plainly(worker, scope)
               : join_slowly(scope, TENON_OK, NULL, NULL);
}

tenon_status tenon_scope_join(
    tenon_scope *scope, tenon_status body, tenon_report *report)
{
    struct tn_worker *worker = tn_worker_self();

    if (tn_unlikely(
            body != TENON_OK || report != NULL ||
            !may_join_plainly(worker, scope))) {
        return join_slowly(scope, body, report, TN_STACK_CALLEES);
    }
    return is_empty(scope) ? end_plainly(worker, scope)
                           : run_members(worker, scope);
}

tenon_status tenon_scope_try_join(
    tenon_scope *scope, tenon_status body, tenon_report *report)
{
    tenon_status misuse = check_join(scope);

    if (misuse != TENON_OK) {
        return misuse;
    }
    if (!is_empty(scope) && tn_crew_has_threads(&scope->executor->crew)) {
        return TENON_ENOTREADY;
    }
    return tenon_scope_join(scope, body, report);
}

// A wait for all that a deadline or a cancel may end.
struct bounded_wait {
    struct tn_pause pause;
    tenon_scope *scope;
    bool (*announce_pause)(struct tn_wait *base, uint32_t parker);
    void (*retract_pause)(struct tn_wait *base);
};

static bool bounded_check(struct tn_pause *pause)
{
    return is_empty(((struct bounded_wait *)pause)->scope);
}

// The last one out unparks who is in the word; timer and cancel who is in the
// pause.
static bool bounded_announce(struct tn_wait *base, uint32_t parker)
{
    struct bounded_wait *wait = (struct bounded_wait *)base;

    return announce(wait->scope, parker) && wait->announce_pause(base, parker);
}

static void bounded_retract(struct tn_wait *base)
{
    struct bounded_wait *wait = (struct bounded_wait *)base;

    retract(wait->scope);
    wait->retract_pause(base);
}

tenon_status tenon_scope_wait_until(tenon_scope *scope, uint64_t deadline_ns)
{
    tenon_status misuse = check_join(scope);
    struct bounded_wait wait = {.scope = scope};

    if (misuse != TENON_OK) {
        return misuse;
    }
    tn_pause_init(&wait.pause, scope->executor, scope, bounded_check);
    wait.announce_pause = wait.pause.base.announce;
    wait.retract_pause = wait.pause.base.retract;
    wait.pause.base.announce = bounded_announce;
    wait.pause.base.retract = bounded_retract;
    tenon_status status =
        tn_pause_wait(&wait.pause, &scope->token, deadline_ns, true);
    retract(scope);
    return status;
}
