// SPDX-License-Identifier: MIT
//
// root — opens, spawns, joins. The caller runs the task as a rule.

#include "algo/root.h"

#include "tenon/spawn.h"

const tenon_parallel_options tn_root_defaults = {
    .struct_size = sizeof(tn_root_defaults)};

bool tn_root_accepts(const tenon_parallel_options *options)
{
    return options->struct_size == sizeof(*options) &&
           (options->chunks == TENON_CHUNKS_ADAPTIVE ||
            options->chunks == TENON_CHUNKS_STATIC);
}

struct root {
    tenon_task_fn *fn;
    void *arg;
    int status;
};

static int run(tenon_task *self, void *arg)
{
    struct root *root = arg;

    root->status = root->fn(self, root->arg);
    return root->status;
}

tenon_status tn_root_run(
    const tenon_parallel_options *options, tenon_task_fn *fn, void *arg,
    tenon_report *report)
{
    struct root root = {.fn = fn, .arg = arg, .status = TENON_CANCELLED};
    tenon_scope scope;
    tenon_status status = tenon_scope_open(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = options->executor, .name = options->name,
                .timeout_ns = options->timeout_ns, .parent = options->parent));

    if (status != TENON_OK) {
        return status;
    }
    status = tenon_spawn_with(
        &scope, run, &root, TENON_TASK_OPTIONS(.name = options->name));
    status = tenon_scope_join(&scope, status, report);
    if (status == TENON_OK && root.status != TENON_OK) {
        // To the scope that is no failure: who cancelled it was a member.
        status = TENON_CANCELLED;
        if (report != NULL) {
            report->status = status;
        }
    }
    return status;
}
