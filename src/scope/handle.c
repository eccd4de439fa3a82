// SPDX-License-Identifier: MIT
//
// handle — asks a single task for its outcome, and asks it to stop.
//
// The token lies in the caller's storage, so a cancel needs no memory of the
// task's, which may have ended meanwhile: its token is sealed then (token.c).

#include "tenon/handle.h"

#include "scope/task.h"
#include "scope/token.h"

tenon_status tenon_handle_outcome(
    const tenon_handle *handle, tenon_outcome *outcome, int *status)
{
    tenon_outcome ended = tn_handle_ended(handle);

    if (ended == TENON_OUTCOME_NONE) {
        return TENON_ENOTREADY;
    }
    if (outcome != NULL) {
        *outcome = ended;
    }
    if (status != NULL) {
        *status = handle->task.result.status;
    }
    return TENON_OK;
}

bool tenon_handle_cancel(
    tenon_handle *handle, int code, const char *format, ...)
{
    tenon_task *current = tn_task_current();
    va_list args;

    if (!tn_task_is_handled(&handle->task) ||
        tn_handle_ended(handle) != TENON_OUTCOME_NONE) {
        return false;
    }
    va_start(args, format);
    tenon_cause cause = tn_cause_make(TENON_CAUSE_EXPLICIT, code, format, args);
    va_end(args);
    if (current != NULL) {
        tn_cause_copy(
            cause.task_name, sizeof(cause.task_name), tenon_task_name(current));
        cause.task_id = tenon_task_id(current);
    }
    tn_cause_copy(
        cause.scope_name, sizeof(cause.scope_name),
        tenon_scope_name(handle->task.scope));
    return tn_token_set(&handle->token, &cause);
}
