// SPDX-License-Identifier: MIT
//
// stop — two tokens, and a callback of the first that gives the second a
// deadline.
//
// Roles:    anyone cancels either; the executor's timer sets the second.
// Memory:   the caller's.

#include "tenon/stop.h"

#include "tenon/scope.h"

static tenon_status grant_grace(tenon_stop *stop)
{
    uint64_t now_ns = tenon_executor_now_ns(stop->executor);
    uint64_t left_ns = TENON_NO_DEADLINE - now_ns;

    // Not 0, which is no time.
    uint64_t deadline_ns = now_ns == 0 ? 1 : now_ns;
    deadline_ns = stop->grace_ns < left_ns ? deadline_ns + stop->grace_ns
                                           : TENON_NO_DEADLINE;
    return tenon_token_set_deadline(&stop->hard, stop->executor, deadline_ns);
}

static int begin_grace(void *context, const tenon_cause *cause)
{
    tenon_stop *stop = context;

    (void)cause;
    tenon_status status = grant_grace(stop);
    if (status == TENON_EALREADY) {
        return 0;
    }
    if (status != TENON_OK) {
        tenon_token_cancel(&stop->hard, status, "no timer for a grace period");
    }
    return status;
}

tenon_status tenon_stop_init(
    tenon_stop *stop, const tenon_stop_options *options)
{
    static const tenon_stop_options defaults = {
        .struct_size = sizeof(defaults)};
    tenon_task *current = tenon_current();

    options = options == NULL ? &defaults : options;
    if (stop == NULL || options->struct_size != sizeof(*options)) {
        return TENON_EINVAL;
    }
    stop->executor = options->executor;
    if (stop->executor == NULL && current != NULL) {
        stop->executor = tenon_scope_executor(tenon_task_scope(current));
    }
    if (stop->executor == NULL) {
        tenon_status status = tenon_executor_default(&stop->executor);
        if (status != TENON_OK) {
            return status;
        }
    }
    tenon_executor_info info = {.struct_size = sizeof(info)};
    tenon_status status = tenon_executor_info_get(stop->executor, &info);
    if (status != TENON_OK) {
        return status;  // in the child of a fork(2) nobody would set `hard`
    }
    stop->grace_ns = options->grace_ns;
    tenon_token_init(&stop->hard, options->parent);
    tenon_token_init(&stop->please, &stop->hard);
    tenon_callback_register(&stop->callback, &stop->please, begin_grace, stop);
    return TENON_OK;
}

void tenon_stop_fini(tenon_stop *stop)
{
    tenon_callback_unregister(&stop->callback);
    tenon_token_fini(&stop->please);
    tenon_token_fini(&stop->hard);
}
