// SPDX-License-Identifier: MIT
//
// block — what the TENON_SCOPE macro calls on the ways in and out.

#include "tenon/block.h"

#include "base/check.h"
#include "scope/scope.h"

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
    if (options->report != NULL) {
        *options->report = (tenon_report){.status = status};
    }
    return NULL;
}

void tenon_scope_set_body(tenon_scope *scope, tenon_status body)
{
    if (scope->body_status == TENON_OK) {
        scope->body_status = body;
    }
}

void tenon_scope_leave(tenon_scope *scope)
{
    if (!tn_scope_is_unjoined(scope)) {
        return;  // never opened, or joined by hand
    }
    tn_require(
        tn_scope_check_owner(scope) != TENON_EPERM,
        "a scope's block was left by another thread");
    tenon_status *out = scope->status;
    tenon_status status =
        tenon_scope_join(scope, scope->body_status, scope->report);
    if (status == TENON_EFORK && scope->report != NULL) {
        *scope->report = (tenon_report){.status = status};
    }
    if (out != NULL) {
        *out = status;
    }
}
