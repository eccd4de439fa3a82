// SPDX-License-Identifier: MIT
//
// policy — built in: fail-fast, collect-all, any-ok; the user's: until, custom.
//
// Roles:    the worker that ended a task asks; the owner judges in its join.
// Progress: as the user's functions.

#include "scope/policy.h"

#include "base/clock.h"
#include "scope/scope.h"
#include "scope/token.h"

bool tn_policy_is_valid(const tenon_scope_options *options)
{
    bool has_complete = options->on_complete != NULL;
    bool has_verdict = options->verdict != NULL;

    switch (options->policy) {
    case TENON_POLICY_FAIL_FAST:
    case TENON_POLICY_COLLECT_ALL:
    case TENON_POLICY_ANY_OK:
        return !has_complete && !has_verdict;
    case TENON_POLICY_UNTIL:
        return has_complete && !has_verdict;
    case TENON_POLICY_CUSTOM:
        return has_complete || has_verdict;
    default:
        return false;
    }
}

static bool wants_stop(tenon_scope *scope, const tenon_completion *completion)
{
    if (scope->policy == TENON_POLICY_ANY_OK) {
        return completion->outcome == TENON_OUTCOME_OK;
    }
    return scope->on_complete != NULL &&
           scope->on_complete(completion, scope->policy_context);
}

void tn_policy_complete(tenon_scope *scope, const tenon_completion *completion)
{
    if (!wants_stop(scope, completion)) {
        return;
    }
    tenon_cause cause = {
        .source = TENON_CAUSE_POLICY,
        .origin = TENON_CAUSE_POLICY,
        .code = completion->status,
        .time_ns = tn_clock_now_ns(),
        .task_id = completion->id,
    };
    tn_cause_copy(
        cause.text, sizeof(cause.text),
        scope->policy == TENON_POLICY_ANY_OK ? "a task succeeded"
                                             : "the policy has enough");
    tn_cause_copy(cause.task_name, sizeof(cause.task_name), completion->name);
    tn_cause_name(&cause, &scope->token);
    tn_token_set(&scope->token, &cause);
}

static bool was_something_stopped(const tenon_report *report)
{
    uint64_t stopped_count = report->cancelled_count + report->dropped_count;

    return stopped_count > report->alone_count || report->rejected_count > 0 ||
           report->body_status == TENON_CANCELLED;
}

bool tn_policy_settle(tenon_scope *scope, const tenon_report *report)
{
    bool was_stopped = was_something_stopped(report) &&
                       (report->cause.source == TENON_CAUSE_DEADLINE ||
                        report->cause.source == TENON_CAUSE_PARENT);
    bool lacks_result = scope->policy == TENON_POLICY_ANY_OK && !was_stopped &&
                        report->error_count == 0 && report->ok_count == 0;

    if (lacks_result) {
        tn_ledger_no_result(scope);
    }
    return lacks_result;
}

static bool has_errors(tenon_scope *scope, const tenon_report *report)
{
    if (scope->policy == TENON_POLICY_ANY_OK && report->ok_count > 0) {
        return scope->own_error_count > 0;
    }
    return report->error_count > 0;
}

tenon_status tn_policy_status_without_errors(const tenon_report *report)
{
    if (!was_something_stopped(report)) {
        return TENON_OK;
    }
    switch (report->cause.source) {
    case TENON_CAUSE_DEADLINE:
        return TENON_TIMEOUT;
    case TENON_CAUSE_PARENT:
        return TENON_CANCELLED;
    default:
        return TENON_OK;
    }
}

static tenon_status own_verdict(tenon_scope *scope, const tenon_report *report)
{
    if (has_errors(scope, report)) {
        return TENON_ERRORS;
    }
    bool has_what_it_wants =
        scope->policy == TENON_POLICY_ANY_OK && report->ok_count > 0;
    return has_what_it_wants ? TENON_OK
                             : tn_policy_status_without_errors(report);
}

tenon_status tn_policy_verdict(tenon_scope *scope, const tenon_report *report)
{
    tenon_report judged = *report;

    judged.status = own_verdict(scope, report);
    if (scope->policy == TENON_POLICY_CUSTOM && scope->verdict != NULL) {
        return scope->verdict(&judged, scope->policy_context);
    }
    return judged.status;
}
