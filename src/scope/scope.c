// SPDX-License-Identifier: MIT
//
// scope — opened, counted, waited for, closed.
//
// The count of live tasks is split. The owner's thread counts what it spawns
// and what ends on it in a plain number; every other thread adds to the shared
// word. Either part may be negative; their sum is the count. Only before the
// owner parks does it add its part to the shared word, with its parker's
// number: from then on the last one out sees count and waiter in one look.
//
// Roles:    the owner opens, waits and closes; members enter and exit.
// Progress: open and exit wait-free but for deadlines; join blocks.
// Memory:   the storage is the owner's. A member's last access is the
//           subtraction that may let the owner go on; the wake-up needs only
//           the parker's number, which came with it.
// Invariants:
//   I1 live tasks and references = local_live + (word >> 24)
//   I2 the word holds a parker only while local_live == 0 and the owner waits
//   I3 a task's innermost open scope is in its `link`; scopes further out
//      follow by `parent`
// Ordering:
//   E1 done   exit: sub-release word -> is_done: load-acquire word
//             (all that the members wrote)
//   E2 wait   announce: cas-acqrel word -> exit: sub-release word
//             (same word: the last one out sees the parker, or announce sees
//             that nobody is left)

#include "scope/scope.h"

#include "base/check.h"
#include "base/clock.h"
#include "sched/executor.h"
#include "scope/error.h"
#include "scope/task.h"
#include "scope/token.h"
#include "sync/parker.h"
#include "tenon/executor.h"

#include <stddef.h>
#include <string.h>

#define DEFAULT_MAX_ERRORS 16

// Laid over timer_links, deadline_ns and timer_state of the public struct.
static struct tn_timer_entry *timer_of(tenon_scope *scope)
{
    return (struct tn_timer_entry *)scope->timer_links;
}

static tenon_scope *scope_of(struct tn_timer_entry *entry)
{
    return (tenon_scope *)((char *)entry - offsetof(tenon_scope, timer_links));
}

_Static_assert(
    offsetof(struct tn_timer_entry, deadline_ns) ==
            offsetof(tenon_scope, deadline_ns) -
                offsetof(tenon_scope, timer_links) &&
        sizeof(struct tn_timer_entry) ==
            offsetof(tenon_scope, gap) - offsetof(tenon_scope, timer_links),
    "the public struct has room for a timer entry");

static int64_t count_of(int64_t word)
{
    return word >> TN_WORD_COUNT_SHIFT;
}

void tn_scope_enter(tenon_scope *scope)
{
    if (scope->owner_thread == tn_thread_self()) {
        scope->local_live++;
    } else {
        // relaxed: the caller keeps the count above 0.
        tn_add_relaxed(&scope->word, TN_WORD_COUNT_ONE);
    }
}

void tn_scope_exit(tenon_scope *scope)
{
    if (scope->owner_thread == tn_thread_self()) {
        scope->local_live--;
        return;
    }
    // From here on the scope may be gone.
    int64_t old = tn_sub_release(&scope->word, TN_WORD_COUNT_ONE);  // E1, E2
    uint32_t parker =
        (uint32_t)((old & TN_WORD_WAITER_MASK) >> TN_WORD_WAITER_SHIFT);
    if (count_of(old) == 1 && parker != TN_PARKER_NONE) {
        tn_parker_unpark(parker);
    }
}

// --- open ---

static bool are_valid(const tenon_scope_options *options)
{
    return options->struct_size == sizeof(*options) &&
           (options->policy == TENON_POLICY_FAIL_FAST ||
            options->policy == TENON_POLICY_COLLECT_ALL);
}

static uint64_t deadline_of(const tenon_scope_options *options)
{
    uint64_t deadline_ns =
        options->deadline_ns == 0 ? TN_FOREVER : options->deadline_ns;

    if (options->timeout_ns != 0) {
        uint64_t now_ns = tn_clock_now_ns();
        uint64_t left_ns = TN_FOREVER - now_ns;
        uint64_t until_ns = options->timeout_ns < left_ns
                                ? now_ns + options->timeout_ns
                                : TN_FOREVER;
        deadline_ns = until_ns < deadline_ns ? until_ns : deadline_ns;
    }
    return deadline_ns;
}

static tenon_status find_executor(
    const tenon_scope_options *options, tenon_executor **executor)
{
    struct tn_worker *worker = tn_worker_self;

    if (options->executor != NULL) {
        *executor = options->executor;
    } else if (worker != NULL) {
        *executor = worker->executor;
    } else {
        tenon_status status = tenon_executor_default(executor);
        if (status != TENON_OK) {
            return status;
        }
    }
    return TENON_OK;
}

static void init_fields(
    tenon_scope *scope, tenon_executor *executor,
    const tenon_scope_options *options)
{
    tenon_task *owner = tn_task_current();
    tenon_scope *parent = NULL;

    if (owner != NULL) {
        parent = owner->link != NULL ? owner->link : owner->scope;
    }
    memset(scope, 0, sizeof(*scope));
    scope->executor = executor;
    scope->owner = owner;
    scope->owner_thread = tn_thread_self();
    scope->parent = parent;
    scope->depth = parent == NULL ? 0 : parent->depth + 1;
    scope->policy = options->policy;
    scope->max_errors =
        options->max_errors == 0 ? DEFAULT_MAX_ERRORS : options->max_errors;
    scope->phase = TN_SCOPE_OPEN;
    scope->report = options->report;
    scope->status = options->status;
    tn_token_init(
        &scope->token, parent == NULL ? NULL : &parent->token, options->parent,
        options->name);
    // Born cancelled, or clean as of now.
    tenon_token_cancelled(&scope->token);
}

static bool start_deadline(tenon_scope *scope, uint64_t deadline_ns)
{
    struct tn_timer_entry *entry = timer_of(scope);

    entry->deadline_ns = deadline_ns;
    entry->rank = scope->depth;
    if (deadline_ns == TN_FOREVER) {
        return true;
    }
    if (deadline_ns <= tn_clock_now_ns()) {
        tn_scope_expire(entry);
        return true;
    }
    return tn_timer_arm(&scope->executor->timer, entry);
}

static bool is_counted(const tenon_scope *scope)
{
    return scope->parent == NULL || scope->parent->executor != scope->executor;
}

// Is it among the open scopes of the running task? What lies in it is unknown
// otherwise.
static bool is_open_here(const tenon_scope *scope)
{
    const tenon_task *owner = tn_task_current();
    const tenon_scope *open = owner == NULL ? NULL : owner->link;

    while (open != NULL && open != scope && open->owner == owner) {
        open = open->parent;
    }
    return open == scope;
}

tenon_status tenon_scope_open(
    tenon_scope *scope, const tenon_scope_options *options)
{
    static const tenon_scope_options defaults = {
        .struct_size = sizeof(defaults)};
    tenon_executor *executor = NULL;

    options = options == NULL ? &defaults : options;
    if (scope == NULL || !are_valid(options)) {
        return TENON_EINVAL;
    }
    if (tn_has_forked) {
        return TENON_EFORK;
    }
    tenon_status status = find_executor(options, &executor);
    if (status != TENON_OK) {
        return status;
    }
    if (is_open_here(scope)) {
        return TENON_EALREADY;
    }
    init_fields(scope, executor, options);
    if (!start_deadline(scope, deadline_of(options))) {
        scope->phase = TN_SCOPE_UNUSED;
        scope->executor = NULL;
        tenon_token_fini(&scope->token);
        return TENON_EAGAIN;
    }
    if (scope->owner != NULL) {
        scope->owner->link = scope;  // I3
    }
    if (is_counted(scope)) {
        // relaxed: destroy asks after the scope's owner is done with it.
        tn_add_relaxed(&executor->open_count, 1);
    }
    return TENON_OK;
}

// --- cancel ---

static bool cancel(tenon_scope *scope, tenon_cause *cause)
{
    tenon_task *current = tn_task_current();

    tn_cause_copy(
        cause->scope_name, sizeof(cause->scope_name), scope->token.name);
    if (current != NULL) {
        tn_cause_copy(
            cause->task_name, sizeof(cause->task_name),
            tenon_task_name(current));
    }
    return tn_token_set(&scope->token, cause);
}

bool tenon_scope_cancel(tenon_scope *scope, int code, const char *format, ...)
{
    va_list args;

    // relaxed: after the join only the owner may still call.
    if ((tn_load_relaxed(&scope->word) & TN_WORD_CLOSED) != 0) {
        return false;
    }
    va_start(args, format);
    tenon_cause cause = tn_cause_make(TENON_CAUSE_EXPLICIT, code, format, args);
    va_end(args);
    return cancel(scope, &cause);
}

void tn_scope_expire(struct tn_timer_entry *entry)
{
    tenon_scope *scope = scope_of(entry);
    tenon_cause cause = {
        .source = TENON_CAUSE_DEADLINE,
        .origin = TENON_CAUSE_DEADLINE,
        .code = TENON_TIMEOUT,
        .time_ns = tn_clock_now_ns(),
    };

    tn_cause_copy(cause.text, sizeof(cause.text), "deadline passed");
    tn_cause_copy(
        cause.scope_name, sizeof(cause.scope_name), scope->token.name);
    tn_token_set(&scope->token, &cause);
}

bool tenon_scope_cancelled(tenon_scope *scope)
{
    return tenon_token_cancelled(&scope->token);
}

bool tenon_scope_cause(tenon_scope *scope, tenon_cause *cause)
{
    return tenon_token_cause(&scope->token, cause);
}

tenon_token *tenon_scope_token(tenon_scope *scope)
{
    return &scope->token;
}

const char *tenon_scope_name(const tenon_scope *scope)
{
    return scope->token.name == NULL ? "" : scope->token.name;
}

// --- wait ---

struct scope_wait {
    struct tn_wait base;
    tenon_scope *scope;
};

static bool scope_is_done(struct tn_wait *base)
{
    tenon_scope *scope = ((struct scope_wait *)base)->scope;
    int64_t word = tn_load_acquire(&scope->word);  // E1

    return scope->local_live + count_of(word) == 0;  // I1
}

static bool scope_may_run(struct tn_wait *base, struct tn_job *job)
{
    tenon_scope *scope = ((struct scope_wait *)base)->scope;
    const tenon_task *task = (const tenon_task *)job;

    return task->scope == scope ||
           (scope->owner != NULL ? tn_task_descends(task, scope->owner)
                                 : tn_task_is_within(task, scope));
}

static bool scope_announce(struct tn_wait *base, uint32_t parker)
{
    tenon_scope *scope = ((struct scope_wait *)base)->scope;
    int64_t add = scope->local_live * TN_WORD_COUNT_ONE +
                  ((int64_t)parker << TN_WORD_WAITER_SHIFT);
    // relaxed: the cas decides.
    int64_t word = tn_load_relaxed(&scope->word);

    while (!tn_cas_acqrel(&scope->word, &word, word + add)) {  // E2
    }
    scope->local_live = 0;  // I2
    if (count_of(word + add) != 0) {
        return true;
    }
    base->retract(base);
    return false;
}

static void scope_retract(struct tn_wait *base)
{
    tenon_scope *scope = ((struct scope_wait *)base)->scope;
    // relaxed: the cas decides.
    int64_t word = tn_load_relaxed(&scope->word);

    while (!tn_cas_acqrel(
        &scope->word, &word, word & ~TN_WORD_WAITER_MASK)) {  // E2
    }
}

static void wait_for_all(tenon_scope *scope)
{
    struct scope_wait wait = {
        .base = {scope_is_done, scope_may_run, scope_announce, scope_retract},
        .scope = scope,
    };

    if (scope_is_done(&wait.base)) {
        return;
    }
    if (scope->owner != NULL) {
        tn_worker_wait(tn_worker_self, scope->owner->result.mark, &wait.base);
    } else {
        tn_thread_wait(scope->executor, &wait.base);
    }
}

// --- join ---

static tenon_status check_join(tenon_scope *scope)
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
        return is_inside ? TENON_EDEADLK : TENON_EPERM;
    }
    return scope->phase == TN_SCOPE_OPEN ? TENON_OK : TENON_EALREADY;
}

// Cancel and join the scopes that `task` opened after `end` and left open.
static void close_inner(tenon_task *task, const tenon_scope *end)
{
    while (task->link != end) {
        tenon_scope *inner = task->link;
        tenon_scope_cancel(inner, TENON_ESTRUCT, "left open");
        tenon_status status = tenon_scope_join(inner, TENON_OK, NULL);
        tn_require(
            status != TENON_EPERM && status != TENON_EALREADY,
            "scope '%s' is neither open nor joined", tenon_scope_name(inner));
    }
}

static void close_left_open_inside(tenon_scope *scope)
{
    tenon_task *owner = scope->owner;

    if (owner != NULL && owner->link != scope) {
        tn_ledger_left_open(scope, tenon_scope_name(owner->link));
        close_inner(owner, scope);
    }
}

// Is it in a frame of this thread's stack that has returned?
static bool is_in_dead_frame(const tenon_scope *scope)
{
    char here = 0;
    uintptr_t top = (uintptr_t)&here;
    uintptr_t place = (uintptr_t)scope;

    return place < top &&
           top - place < (uintptr_t)scope->executor->stack_size_bytes;
}

int tn_scope_close_left_open(tenon_task *task, int status)
{
    tenon_scope *inner = task->link;

    tn_require(
        !is_in_dead_frame(inner),
        "task '%s' returned without joining a scope of its own frame",
        tenon_task_name(task));
    tenon_fail_place place = {.domain = "tenon"};
    tenon_fail_at(
        task, place, TENON_ESTRUCT,
        "task '%.40s' returned %d with scope '%.40s' still open",
        tenon_task_name(task), status, tenon_scope_name(inner));
    close_inner(task, NULL);
    return TENON_ESTRUCT;
}

// All counters are exact: everybody has ended.
static uint64_t final_count(_Atomic(uint64_t) *counter)
{
    // relaxed: E1 has ordered it.
    return tn_load_relaxed(counter);
}

static bool was_something_stopped(tenon_scope *scope)
{
    return final_count(&scope->cancelled_count) > 0 ||
           final_count(&scope->dropped_count) > 0 ||
           final_count(&scope->rejected_count) > 0 ||
           scope->body_status == TENON_CANCELLED;
}

static tenon_status verdict(tenon_scope *scope, tenon_cause_source source)
{
    if (scope->error_count > 0) {
        return TENON_ERRORS;
    }
    if (source == TENON_CAUSE_NONE || !was_something_stopped(scope)) {
        return TENON_OK;
    }
    if (source == TENON_CAUSE_DEADLINE) {
        return TENON_TIMEOUT;
    }
    return source == TENON_CAUSE_PARENT ? TENON_CANCELLED : TENON_OK;
}

static void fill_report(
    tenon_scope *scope, tenon_report *report, const tenon_cause *cause)
{
    *report = (tenon_report){
        .status = scope->join_status,
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
        .error_count = scope->error_count,
        .kept_count = scope->kept_count,
        .errors = scope->first_error,
        .primary = scope->primary != NULL ? scope->primary : scope->first_error,
    };
    report->ok_count = report->spawned_count - report->failed_count -
                       report->cancelled_count - report->dropped_count;
}

// The errors go into the report, else up to the owner, else nowhere.
static void give_errors(
    tenon_scope *scope, tenon_report *report, const tenon_cause *cause)
{
    if (report != NULL) {
        fill_report(scope, report, cause);
    } else if (scope->owner != NULL && scope->first_error != NULL) {
        tn_failure_gather(
            &scope->owner->failure, scope->first_error,
            scope->error_count - scope->kept_count);
    } else {
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

    scope->join_status = verdict(scope, cause.source);
    give_errors(scope, report, &cause);
}

static void end_body(tenon_scope *scope, tenon_status body)
{
    bool is_failure =
        body != TENON_OK &&
        !(body == TENON_CANCELLED && tenon_token_cancelled(&scope->token));

    if (is_failure) {
        tn_ledger_body_failed(scope, body);
    }
    scope->body_status = body;
}

static void close(tenon_scope *scope)
{
    tenon_executor *executor = scope->executor;
    bool is_root = scope->owner == NULL;
    tenon_scope *parent = scope->parent;

    tenon_token_fini(&scope->token);
    scope->phase = TN_SCOPE_JOINED;
    // relaxed: only a courtesy to who calls too late.
    tn_store_relaxed(&scope->word, TN_WORD_CLOSED);
    if (!is_root) {
        bool is_same_owner = parent->owner == scope->owner;
        scope->owner->link = is_same_owner ? parent : NULL;  // I3
    } else {
        tn_executor_trim(executor);
    }
    if (is_counted(scope)) {
        // relaxed: see open.
        tn_sub_relaxed(&executor->open_count, 1);
    }
}

tenon_status tenon_scope_join(
    tenon_scope *scope, tenon_status body, tenon_report *report)
{
    tenon_status misuse = check_join(scope);

    if (misuse != TENON_OK) {
        return misuse;
    }
    close_left_open_inside(scope);
    scope->phase = TN_SCOPE_JOINING;
    end_body(scope, body);
    wait_for_all(scope);
    if (timer_of(scope)->deadline_ns != TN_FOREVER) {
        tn_timer_disarm(&scope->executor->timer, timer_of(scope));
    }
    // The rest is for who has something to tell or wants to be told.
    if (report != NULL || scope->error_count > 0 ||
        tenon_token_cancelled(&scope->token)) {
        conclude(scope, report);
    }
    tenon_status status = scope->join_status;
    close(scope);
    return status;
}

// --- the block macro ---

tenon_scope *tenon_scope_enter(
    tenon_scope *scope, const tenon_scope_options *options)
{
    tenon_status status = tenon_scope_open(scope, options);

    if (status == TENON_OK) {
        return scope;
    }
    if (options->status != NULL) {
        *options->status = status;
    }
    return NULL;
}

void tenon_scope_set_body(tenon_scope *scope, tenon_status body)
{
    scope->body_status = body;
}

void tenon_scope_leave(tenon_scope *scope)
{
    if (scope->phase != TN_SCOPE_OPEN) {
        return;  // never opened, or joined by hand
    }
    tenon_status *out = scope->status;
    tenon_status status =
        tenon_scope_join(scope, scope->body_status, scope->report);
    tn_require(
        status != TENON_EPERM, "a scope's block was left by another thread");
    if (out != NULL) {
        *out = status;
    }
}
