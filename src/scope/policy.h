// SPDX-License-Identifier: MIT
//
// policy — what the end of a task means for its scope, and what a join comes
// to.
//
// Behind include/tenon/policy.h. That a failure cancels is in ledger.c.

#ifndef TN_SCOPE_POLICY_H
#define TN_SCOPE_POLICY_H

#include "tenon/scope.h"

#include <stdbool.h>

// [owner] Do the options make sense?
bool tn_policy_is_valid(const tenon_scope_options *options);

// [owner] Must the policy hear of every task's end?
static inline bool tn_policy_is_watching(const tenon_scope *scope)
{
    return scope->policy >= TENON_POLICY_ANY_OK;
}

// [worker] A task of a scope whose policy is watching has ended.
void tn_policy_complete(tenon_scope *scope, const tenon_completion *completion);

// [owner] All have ended: add the error of a scope that should have had a
// result. True: one was added to what `report` says.
bool tn_policy_settle(tenon_scope *scope, const tenon_report *report);

// [owner] What the join comes to; `report` has all but that.
tenon_status tn_policy_verdict(tenon_scope *scope, const tenon_report *report);

// [any] What a join without errors comes to.
tenon_status tn_policy_status_without_errors(const tenon_report *report);

#endif
