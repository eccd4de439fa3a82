// SPDX-License-Identifier: MIT
//
// task — runs a function in its place in the tree, and ends it once.
//
// A spawned task is queued, then run or dropped, then counted out of its scope.
// A forked one lives in its parent's frame: fork.c.
//
// Roles:    the worker that took the job runs it from start to end.
// Memory:   a forgotten task's piece is given back before it is counted out.
// Ordering:
//   E1 kept   end_handle: store-release state -> tn_handle_ended():
//             load-acquire state (the status)

#include "scope/task.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/platform.h"
#include "sched/executor.h"
#include "scope/callback.h"
#include "scope/census.h"
#include "scope/deadline.h"
#include "scope/delay.h"
#include "scope/limiter.h"
#include "scope/open.h"
#include "scope/policy.h"
#include "scope/scope.h"
#include "scope/stream.h"
#include "scope/token.h"
#include "scope/unobserved.h"
#include "tenon/scope.h"

#include <stddef.h>
#include <stdlib.h>

_Static_assert(sizeof(tenon_task) == 64, "a task is one piece");
_Static_assert(
    offsetof(tenon_task, link) == 0 && sizeof(struct tn_job) == sizeof(void *),
    "a task begins with its job");
_Static_assert(
    sizeof(struct tn_task_extra) <= TN_PIECE_BYTES, "extras fit a piece");
_Static_assert(
    offsetof(tenon_handle, task) == 0 &&
        offsetof(tenon_handle, node) - offsetof(tenon_handle, name) ==
            offsetof(struct tn_task_extra, node),
    "a handle begins with its task and has room for the extras");

static struct tn_task_extra *extra_of(const tenon_task *task)
{
    return tn_task_is_forked(task) ? NULL : task->relation;
}

bool tn_task_descends(const tenon_task *task, const tenon_task *ancestor)
{
    uint32_t depth = ancestor->scope->depth;

    while (task != NULL && tn_task_scope(task)->depth >= depth) {
        task = tn_task_parent(task);
        if (task == ancestor) {
            return true;
        }
    }
    return false;
}

bool tn_task_is_within(const tenon_task *task, const tenon_scope *scope)
{
    const tenon_scope *at = tn_task_scope(task);

    while (at != NULL && at->depth > scope->depth) {
        at = at->parent;
    }
    return at == scope;
}

static void count_outcome(tenon_scope *scope, tenon_outcome outcome)
{
    _Atomic(uint64_t) *counter = NULL;

    switch (outcome) {
    case TENON_OUTCOME_FAILED:
        counter = &scope->failed_count;
        break;
    case TENON_OUTCOME_CANCELLED:
        counter = &scope->cancelled_count;
        break;
    case TENON_OUTCOME_DROPPED:
        counter = &scope->dropped_count;
        break;
    default:
        return;
    }
    // relaxed: the count-out (E1 of scope.c) publishes it.
    tn_add_relaxed(counter, 1);
}

__attribute__((noinline)) int tn_task_check_left(
    struct tn_worker *worker, tenon_task *task, int status)
{
    const char *end = TN_STACK_CALLEES;

    tn_require(
        !tn_has_forked,
        "task '%s' returned in the child of a fork(2), which has no executor",
        tenon_task_name(task));
    tn_fork_check_left(worker, task);
    return task->link == NULL ? status : tn_scope_close_left_open(task, end);
}

// What is called at the end of a task is still the task's: scopes that it opens
// nest there, and it cannot join the task's own.
static void *enter_as(struct tn_worker *worker, tenon_task *task)
{
    void *previous = worker->face.current;

    worker->face.current = task;
    task->link = NULL;
    task->result.mark = (uint32_t)tn_deque_bottom(&worker->face.deque);
    task->worker = worker->shown;
    return previous;
}

// A scope left open there is an error of its own. To record it may cancel, and
// call what leaves another one open. Inline: what was called has its frames
// right below that of who checks.
static inline __attribute__((always_inline)) void check_left_at_end(
    struct tn_worker *worker, tenon_task *task)
{
    int status;

    while ((status = tn_task_check_left(worker, task, TENON_OK)) != TENON_OK) {
        tn_ledger_end_failed(task, status);
    }
}

// Errors of scopes that were joined without a report, of a task that ends
// without an error to be their parent.
static __attribute__((noinline)) void tell_unread(
    struct tn_worker *worker, tenon_task *task)
{
    uint64_t dropped_count = 0;
    tenon_error *unread =
        tn_failure_take_unread(&task->failure, &dropped_count);

    if (unread == NULL && dropped_count == 0) {
        return;
    }
    tenon_report report = {
        .status = TENON_ERRORS,
        .error_count = dropped_count,
        .errors = unread,
        .primary = unread,
    };
    for (const tenon_error *error = unread; error != NULL;
         error = error->next) {
        report.error_count++;
        report.kept_count++;
        if (error->severity == TENON_SEVERITY_FATAL &&
            report.primary->severity != TENON_SEVERITY_FATAL) {
            report.primary = error;
        }
    }
    void *previous = enter_as(worker, task);
    tn_unobserved_tell(task->scope->executor, &report);
    check_left_at_end(worker, task);
    tn_failure_clear(&task->failure);  // what the hook has not read itself
    worker->face.current = previous;
    tn_error_free_list(unread);
}

static void forget_said(struct tn_worker *worker, tenon_task *task)
{
    if (task->failure != TN_FAILURE_NONE) {
        tell_unread(worker, task);
    }
}

static inline __attribute__((always_inline)) void leave_as(
    struct tn_worker *worker, tenon_task *task, void *previous)
{
    check_left_at_end(worker, task);
    worker->face.current = previous;
    forget_said(worker, task);
}

static void destroy_arg(
    struct tn_worker *worker, tenon_task *task, tenon_destroy_fn *destroy)
{
    task->failure = TN_FAILURE_NONE;
    void *previous = enter_as(worker, task);

    destroy(task->arg);
    leave_as(worker, task, previous);
}

// By a cancel of this task, not of its scope? That is not the scope's end.
static bool was_stopped_alone(tenon_handle *handle, tenon_outcome outcome)
{
    bool was_stopped =
        outcome == TENON_OUTCOME_CANCELLED || outcome == TENON_OUTCOME_DROPPED;

    return was_stopped &&
           tn_token_cause(&handle->token).source != TENON_CAUSE_PARENT;
}

// Was its own deadline the cause? To the outside that is an error.
static bool has_timed_out(tenon_task *task)
{
    return tn_task_is_handled(task) &&
           tn_token_cause(&tn_task_handle(task)->token).source ==
               TENON_CAUSE_DEADLINE;
}

// How long it took to heed its cancel.
static void note_latency(tenon_task *task)
{
    struct tn_upper *upper = tn_open_upper(task->scope->executor);
    uint64_t now_ns = tn_clock_now_ns();
    uint64_t set_ns = tn_token_cause(tn_task_token(task)).time_ns;
    uint64_t took_ns = now_ns > set_ns && set_ns != 0 ? now_ns - set_ns : 0;
    uint32_t bucket =
        took_ns == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(took_ns);
    // relaxed: a gauge.
    uint64_t max_ns = tn_load_relaxed(&upper->latency_max_ns);

    bucket =
        bucket < TENON_LATENCY_BUCKETS ? bucket : TENON_LATENCY_BUCKETS - 1;
    // relaxed: likewise.
    tn_add_relaxed(&upper->latency_counts[bucket], 1);
    // relaxed: likewise.
    while (took_ns > max_ns &&
           !tn_cas_relaxed(&upper->latency_max_ns, &max_ns, took_ns)) {
    }
}

struct tn_ending tn_task_conclude(tenon_task *task, int status)
{
    struct tn_ending ending = {.outcome = TENON_OUTCOME_OK, .status = status};
    struct tn_worker *worker = tn_worker_self();

    bool is_stopped = status == TENON_CANCELLED && tenon_cancelled(task);
    bool is_late = is_stopped && has_timed_out(task);

    // What is called from here on is not bound by it.
    if (tn_task_is_handled(task)) {
        tn_deadline_stop(
            &tn_task_handle(task)->token, &task->scope->executor->timer);
    }
    if (is_stopped && !is_late) {
        note_latency(task);
        forget_said(worker, task);
        ending.outcome = TENON_OUTCOME_CANCELLED;
        return ending;
    }
    ending.status = is_late ? TENON_TIMEOUT : status;
    if (ending.status == TENON_OK) {
        forget_said(worker, task);
        return ending;
    }
    // It may cancel the scope, and that calls functions of the user's.
    void *previous = enter_as(worker, task);
    ending.error = tn_ledger_task_failed(task, ending.status);
    leave_as(worker, task, previous);
    ending.outcome = TENON_OUTCOME_FAILED;
    return ending;
}

// Who wants to know hears of it while the argument lives.
static void tell(
    struct tn_worker *worker, tenon_task *task, struct tn_ending ending)
{
    const struct tn_task_extra *extra = task->relation;
    uint32_t flags = tn_task_flags(task);
    bool is_callers =
        (flags & (TN_TASK_HANDLED | TN_TASK_OWNED)) == TN_TASK_HANDLED;
    tenon_completion completion = {
        .outcome = ending.outcome,
        .status = ending.status,
        .id = tenon_task_id(task),
        .name = tenon_task_name(task),
        .arg = task->arg,
        .handle = is_callers ? tn_task_handle(task) : NULL,
        .error = ending.error,
    };

    task->failure = TN_FAILURE_NONE;
    void *previous = enter_as(worker, task);
    if (extra != NULL && extra->on_done != NULL) {
        extra->on_done(&completion, extra->on_done_context);
    }
    if ((flags & TN_TASK_WATCHED) != 0) {
        tn_policy_complete(task->scope, &completion);
    }
    leave_as(worker, task, previous);
}

static void end_extra(struct tn_worker *worker, tenon_task *task)
{
    struct tn_task_extra *extra = task->relation;

    if (extra->destroy_arg != NULL) {
        destroy_arg(worker, task, extra->destroy_arg);
    }
    tn_ticket_destroy(extra->ticket);
    tn_delay_destroy(extra->delay);
    tn_census_remove(extra->node);
    if (!tn_task_is_handled(task)) {
        tn_worker_give_piece(worker, extra);
    }
    task->relation = NULL;
}

static void end_handle(tenon_handle *handle, struct tn_ending ending)
{
    tenon_task *task = &handle->task;

    tn_callback_end(&handle->token);
    tn_token_seal(&handle->token);
    if ((tn_task_flags(task) & TN_TASK_OWNED) != 0) {
        free(handle);
        return;
    }
    task->result.status = ending.status;
    tn_store_release(
        &task->state, tn_task_ended_state(task, ending.outcome));  // E1
    tn_stream_add(handle);
}

// [worker] A spawned task has come to its end, run or dropped.
static __attribute__((noinline)) void end_spawned(
    struct tn_worker *worker, tenon_task *task, struct tn_ending ending)
{
    tenon_scope *scope = task->scope;
    bool is_handled = tn_task_is_handled(task);

    if (is_handled) {
        tn_deadline_stop(&tn_task_handle(task)->token, &scope->executor->timer);
    }
    if (task->relation != NULL ||
        (tn_task_flags(task) & TN_TASK_WATCHED) != 0) {
        tell(worker, task, ending);
    }
    if (task->relation != NULL) {
        end_extra(worker, task);
    }
    if (ending.outcome != TENON_OUTCOME_OK) {
        count_outcome(scope, ending.outcome);
    }
    if (is_handled && was_stopped_alone(tn_task_handle(task), ending.outcome)) {
        // relaxed: as above.
        tn_add_relaxed(&scope->alone_count, 1);
    }
    if (is_handled) {
        end_handle(tn_task_handle(task), ending);
    } else {
        tn_worker_give_piece(worker, task);
    }
    tn_executor_count(scope->executor, TN_TALLY_ENDED_TASKS, 1);
    tn_scope_exit(scope);
}

static __attribute__((noinline)) void run_forked(
    struct tn_worker *worker, tenon_task *task)
{
    tenon_task *parent = task->relation;

    // In a wait of its parent: other jobs will lie at the places of its
    // children, so it has to look from now on.
    if (worker->face.current == parent) {
        parent->worker = &tn_worker_blank;
    }
    tn_fork_begin(task);
    if (tenon_cancelled(task)) {
        tn_fork_end(task, TENON_OUTCOME_DROPPED, TENON_CANCELLED);
        return;
    }
    int status =
        tn_task_call(worker, task, worker->face.current, TN_FAILURE_NONE);
    struct tn_ending ending = tn_task_conclude(task, status);
    tn_fork_end(task, ending.outcome, ending.status);
}

__attribute__((noinline)) void tn_task_end_otherwise(
    struct tn_worker *worker, tenon_task *task, int status)
{
    if (tn_delay_goes_on(task, status)) {
        return;
    }
    struct tn_ending ending = {.outcome = TENON_OUTCOME_OK};

    if (status != TENON_OK || task->failure != TN_FAILURE_NONE) {
        ending = tn_task_conclude(task, status);
    }
    end_spawned(worker, task, ending);
}

// It never ran. If its own deadline was the cause, that is an error.
__attribute__((noinline)) void tn_task_drop(
    struct tn_worker *worker, tenon_task *task)
{
    struct tn_ending ending = {
        .outcome = TENON_OUTCOME_DROPPED,
        .status = TENON_CANCELLED,
    };

    if (has_timed_out(task)) {
        task->failure = TN_FAILURE_NONE;
        ending = tn_task_conclude(task, ending.status);
    }
    end_spawned(worker, task, ending);
}

__attribute__((noinline)) bool tn_task_is_late(tenon_task *task)
{
    task->link = NULL;
    return tenon_cancelled(task);
}

static __attribute__((noinline)) void run_otherwise(
    struct tn_worker *worker, tenon_task *task)
{
    if (tn_task_is_forked(task)) {
        run_forked(worker, task);
        return;
    }
    // relaxed: I2 of token.c.
    task->clean_epoch = tn_load_relaxed(&tn_task_token(task)->clean_epoch);
    bool runs_always =
        (tn_task_flags(task) & (TN_TASK_ALWAYS | TN_TASK_BEGUN)) != 0;
    if (!runs_always && tn_task_is_late(task)) {
        tn_task_drop(worker, task);
        return;
    }
    if ((tn_task_flags(task) & TN_TASK_NOTED) != 0) {
        tn_census_enter(task, TN_STATE_RUNNING);
    }
    int status =
        tn_task_call(worker, task, worker->face.current, tn_delay_said(task));
    tn_task_end_otherwise(worker, task, status);
}

void tn_task_run(struct tn_worker *worker, struct tn_job *job)
{
    tenon_task *task = (tenon_task *)job;

    if (tn_unlikely(tn_task_flags(task) != 0)) {
        run_otherwise(worker, task);
    } else {
        tn_task_run_plainly(worker, task, task->scope, false);
    }
}

bool tenon_cancelled_slow(tenon_task *self)
{
    uint64_t epoch = tn_cancel_epoch();

    tn_census_polled(self, epoch);
    if (tn_token_is_set(tn_task_innermost_token(self), epoch)) {
        return true;
    }
    self->clean_epoch = epoch;
    return false;
}

bool tenon_task_cause(tenon_task *self, tenon_cause *cause)
{
    return tenon_token_cause(tn_task_innermost_token(self), cause);
}

uint64_t tenon_task_deadline(const tenon_task *self)
{
    return tenon_token_deadline(tn_task_innermost_token((tenon_task *)self));
}

tenon_task *tenon_current(void)
{
    return tn_task_current();
}

tenon_scope *tenon_task_scope(const tenon_task *self)
{
    return self->scope;
}

tenon_token *tenon_task_token(tenon_task *self)
{
    return tn_task_innermost_token(self);
}

const char *tenon_task_name(const tenon_task *self)
{
    struct tn_task_extra *extra = extra_of(self);

    return extra == NULL || extra->name == NULL ? "" : extra->name;
}

void *tenon_task_arg(const tenon_task *self)
{
    return self->arg;
}

uint64_t tenon_task_id(const tenon_task *self)
{
    struct tn_task_extra *extra = extra_of(self);

    return extra == NULL ? 0 : extra->id;
}

void tenon_report_pass_up(tenon_report *report, tenon_task *self)
{
    if (tn_task_worker(self) != NULL && report->error_count > 0) {
        tn_failure_gather(
            &self->failure, (tenon_error *)report->errors,
            report->error_count - report->kept_count, true);
        report->errors = NULL;
    }
    tenon_report_free(report);
}

int tenon_fail_at(
    tenon_task *self, tenon_fail_place place, int code, const char *format, ...)
{
    va_list args;

    if (tn_task_worker(self) == NULL) {
        return code;
    }
    if (code == TENON_OK) {
        return TENON_EINVAL;
    }
    va_start(args, format);
    tn_failure_describe(&self->failure, &place, code, format, args);
    va_end(args);
    return code;
}
