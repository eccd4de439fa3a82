// SPDX-License-Identifier: MIT
//
// ledger — which errors a scope keeps, which one is primary, and what follows.
//
// Every error is counted and numbered. The first `max_errors` are kept whole;
// beyond them only one that outranks the rest: the one that won the cancel, or
// the first fatal one. An error is in the list before the cancel that it
// triggers. Errors are rare: one lock for the process guards all ledgers.
//
// Roles:    tasks record on any worker while their scope is open; the owner
//           records for the body.
// Progress: blocks on the lock, held for a few stores and one cancel.
// Memory:   records belong to the scope until join moves them to a report.
// Invariants:
//   I1 first_error .. last_error are sorted by sequence
//   I2 kept_count <= max_errors + 2 (the winner, the fatal one)
//   I3 primary is the first fatal error, else the one that won the cancel,
//      else NULL: then the first of the list is

#include "base/check.h"
#include "base/clock.h"
#include "scope/callback.h"
#include "scope/error.h"
#include "scope/scope.h"
#include "scope/task.h"
#include "scope/token.h"
#include "scope/unobserved.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool is_fatal(const tenon_error *error)
{
    return error != NULL && error->severity == TENON_SEVERITY_FATAL;
}

static void append_locked(tenon_scope *scope, tenon_error *error)
{
    error->next = NULL;
    if (scope->last_error == NULL) {
        scope->first_error = error;
    } else {
        scope->last_error->next = error;
    }
    scope->last_error = error;
    scope->kept_count++;
}

static bool cancel_for(tenon_scope *scope, const tenon_error *error)
{
    tenon_cause cause = {
        .source = TENON_CAUSE_FAILURE,
        .origin = TENON_CAUSE_FAILURE,
        .code = error->code,
        .time_ns = tn_clock_now_ns(),
        .sequence = error->sequence,
        .task_id = error->task_id,
    };

    tn_cause_copy(cause.text, sizeof(cause.text), error->text);
    tn_cause_copy(cause.task_name, sizeof(cause.task_name), error->task_name);
    tn_cause_copy(
        cause.scope_name, sizeof(cause.scope_name), error->scope_name);
    return tn_token_mark(&scope->token, &cause);
}

// Where the list ended before an error was added.
struct list_end {
    tenon_error *last;
};

static void unappend_locked(tenon_scope *scope, struct list_end end)
{
    if (end.last == NULL) {
        scope->first_error = NULL;
    } else {
        end.last->next = NULL;
    }
    scope->last_error = end.last;
    scope->kept_count--;
}

// Returns `error`, or NULL if it is not kept. `*has_won`: it has cancelled the
// scope.
static const tenon_error *record_locked(
    tenon_scope *scope, tenon_error *error, bool cancels, bool *has_won)
{
    struct list_end end = {scope->last_error};
    bool is_kept = scope->kept_count < scope->max_errors;

    error->after_cancel = tenon_token_cancelled(&scope->token);
    append_locked(scope, error);
    *has_won = cancels && cancel_for(scope, error);
    if (is_fatal(error) && !is_fatal(scope->primary)) {
        scope->primary = error;
        is_kept = true;
    } else if (*has_won && scope->primary == NULL) {
        scope->primary = error;
    }
    if (!is_kept && !*has_won) {
        unappend_locked(scope, end);
        tn_error_free_list(error);
        return NULL;
    }
    return error;
}

static tenon_error unnamed_error(int code)
{
    return (tenon_error){
        .domain = "",
        .code = code,
        .text = "",
        .file = "",
        .task_name = "",
        .scope_name = "",
    };
}

// Whose error it is, and whether it cancels.
enum kind { OF_TASK, OF_TASK_CANCELS, OWN, OWN_CANCELS };

// Returns `error`, or NULL if it is not kept.
static const tenon_error *record(
    tenon_scope *scope, tenon_error *error, int code, enum kind kind)
{
    const tenon_error *kept = NULL;
    bool cancels = kind == OF_TASK_CANCELS || kind == OWN_CANCELS;
    bool has_won = false;

    pthread_mutex_lock(&lock);
    uint64_t sequence = ++scope->error_count;
    scope->own_error_count += kind == OWN || kind == OWN_CANCELS;
    if (error != NULL) {
        error->sequence = sequence;
        kept = record_locked(scope, error, cancels, &has_won);
    } else if (cancels) {
        // No memory at all: counted, and it cancels all the same.
        tenon_error words = unnamed_error(code);
        words.sequence = sequence;
        has_won = cancel_for(scope, &words);
    }
    pthread_mutex_unlock(&lock);
    if (has_won) {
        tn_callback_run(&scope->token);
    }
    return kept;
}

static const tenon_error *record_of_task(
    tenon_task *task, int code, enum kind kind)
{
    tenon_scope *scope = task->scope;
    bool is_recorded = false;
    tn_failure said = task->failure;
    tenon_error *error = tn_failure_take(&said, code, &is_recorded);

    task->failure = TN_FAILURE_NONE;
    if (is_recorded) {
        return NULL;
    }
    if (error != NULL) {
        error->task_id = tenon_task_id(task);
        tn_error_set_names(
            error, tenon_task_name(task), tenon_scope_name(scope));
    }
    return record(scope, error, code, kind);
}

static bool is_fail_fast(const tenon_task *task)
{
    return task->scope->policy == TENON_POLICY_FAIL_FAST;
}

const tenon_error *tn_ledger_task_failed(tenon_task *task, int code)
{
    return record_of_task(
        task, code, is_fail_fast(task) ? OF_TASK_CANCELS : OF_TASK);
}

void tn_ledger_end_failed(tenon_task *task, int code)
{
    (void)record_of_task(task, code, is_fail_fast(task) ? OWN_CANCELS : OWN);
}

void tn_ledger_body_failed(tenon_scope *scope, int code)
{
    bool is_recorded = false;
    tn_failure said = scope->body_failure;
    tenon_error *error = tn_failure_take(&said, code, &is_recorded);

    scope->body_failure = TN_FAILURE_NONE;
    tn_failure_pass_on(&scope->body_failure, code);
    if (is_recorded) {
        return;
    }
    if (error != NULL) {
        tn_error_set_names(error, "", tenon_scope_name(scope));
    }
    record(scope, error, code, OWN_CANCELS);
}

void tn_ledger_no_result(tenon_scope *scope)
{
    tenon_fail_place place = {.domain = "tenon"};
    tenon_error *error =
        tn_error_create(&place, TENON_ENORESULT, "no task succeeded");

    if (error != NULL) {
        tn_error_set_names(error, "", tenon_scope_name(scope));
    }
    record(scope, error, TENON_ENORESULT, OWN);
}

void tn_ledger_left_open(tenon_scope *scope, const char *inner_name)
{
    tenon_fail_place place = {.domain = "tenon"};
    char text[128];

    snprintf(
        text, sizeof(text), "scope '%.40s' was still open when '%.40s' ended",
        inner_name, tenon_scope_name(scope));
    tenon_error *error = tn_error_create(&place, TENON_ESTRUCT, text);
    if (error != NULL) {
        tn_error_set_names(error, "", tenon_scope_name(scope));
    }
    record(scope, error, TENON_ESTRUCT, OWN_CANCELS);
}

// The scope that a token belongs to, or NULL.
static tenon_scope *scope_of(tenon_token *token)
{
    switch (token->kind) {
    case TN_TOKEN_OF_SCOPE:
        return (tenon_scope *)((char *)token - offsetof(tenon_scope, token));
    case TN_TOKEN_OF_TASK:
        return ((tenon_handle *)((char *)token - offsetof(tenon_handle, token)))
            ->task.scope;
    default:
        return NULL;
    }
}

void tn_ledger_callback_failed(tenon_token *token, int code)
{
    tenon_scope *scope = scope_of(token);
    tenon_fail_place place = {.domain = "callback"};

    tenon_error *error =
        tn_error_create(&place, code, "a cancel's callback failed");
    if (scope == NULL) {
        tenon_report report = {
            .status = TENON_ERRORS,
            .cancel_requested = true,
            .cause = tn_token_cause(token),
            .error_count = 1,
            .kept_count = error != NULL,
            .errors = error,
            .primary = error,
        };
        tn_unobserved_tell(NULL, &report);
        tn_error_free_list(error);
        return;
    }
    if (error != NULL) {
        tn_error_set_names(error, "", tenon_scope_name(scope));
    }
    record(scope, error, code, OWN);
}

int tenon_scope_fail_at(
    tenon_scope *scope, tenon_fail_place place, int code, const char *format,
    ...)
{
    va_list args;

    if (code == TENON_OK) {
        return TENON_EINVAL;
    }
    if (tn_has_forked) {
        return TENON_EFORK;
    }
    if (scope->owner_thread != tn_thread_self() ||
        scope->owner != tn_task_current()) {
        return TENON_EPERM;
    }
    if (!tn_scope_is_unjoined(scope)) {
        return TENON_ECLOSED;
    }
    tenon_status first =
        scope->body_status == TENON_CANCELLED ? TENON_OK : scope->body_status;
    if (first != TENON_OK && scope->body_failure == TN_FAILURE_NONE) {
        tn_ledger_body_failed(scope, first);  // tenon_scope_set_body() said so
    }
    tn_failure recorded = scope->body_failure;
    scope->body_failure = TN_FAILURE_NONE;
    va_start(args, format);
    tn_failure_describe(&scope->body_failure, &place, code, format, args);
    va_end(args);
    tn_ledger_body_failed(scope, code);
    // Whichever of them the join will be told is not another one.
    scope->body_failure = recorded;
    tn_failure_pass_on(&scope->body_failure, code);
    scope->body_status = first == TENON_OK ? code : first;
    return code;
}
