// SPDX-License-Identifier: MIT
//
// batch — a scope with a limit, and a spawn that waits at it.
//
// The spawn waits for one of the running batches to end, so no more than the
// limit exist, and a cancel is seen before the next begins.
//
// Roles:    the caller spawns; each batch is a task.
// Memory:   a block per batch, freed by the task's end.

#include "tenon/batch.h"

#include "algo/workers.h"
#include "tenon/spawn.h"

#include <stdlib.h>

struct batch {
    tenon_batch_fn *fn;
    void *context;
    size_t first;
    size_t end;
};

static const tenon_batch_options defaults = {.struct_size = sizeof(defaults)};

static int run_batch(tenon_task *self, void *arg)
{
    const struct batch *batch = arg;

    return batch->fn(self, batch->first, batch->end, batch->context);
}

static tenon_status spawn_batch(
    tenon_scope *scope, const struct batch *wanted, const char *name)
{
    struct batch *batch = malloc(sizeof(*batch));

    if (batch == NULL) {
        return TENON_ENOMEM;
    }
    *batch = *wanted;
    return tenon_spawn_until(
        scope, NULL, run_batch, batch,
        TENON_TASK_OPTIONS(
                .name = name, .id = batch->first + 1, .destroy_arg = free),
        TENON_NO_DEADLINE);
}

static tenon_status spawn_all(
    tenon_scope *scope, size_t item_count, struct batch *batch,
    const tenon_batch_options *options)
{
    size_t size = options->batch_size == 0 ? 1 : options->batch_size;
    tenon_status status = TENON_OK;

    while (batch->end < item_count && status == TENON_OK) {
        batch->first = batch->end;
        batch->end =
            item_count - batch->first < size ? item_count : batch->first + size;
        status = spawn_batch(scope, batch, options->name);
    }
    return status;
}

tenon_status tenon_batches(
    size_t item_count, tenon_batch_fn *fn, void *context,
    const tenon_batch_options *options, tenon_report *report)
{
    struct batch batch = {.fn = fn, .context = context};
    tenon_scope scope;
    uint32_t limit = 0;

    options = options == NULL ? &defaults : options;
    if (fn == NULL || options->struct_size != sizeof(*options)) {
        return TENON_EINVAL;
    }
    tenon_status status = TENON_OK;
    limit = options->max_running;
    if (limit == 0) {
        status = tn_workers_count(options->executor, &limit);
    }
    if (status != TENON_OK) {
        return status;
    }
    status = tenon_scope_open(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = options->executor, .name = options->name,
                .policy = options->keeps_going ? TENON_POLICY_COLLECT_ALL
                                               : TENON_POLICY_FAIL_FAST,
                .max_running = limit, .timeout_ns = options->timeout_ns,
                .parent = options->parent));
    if (status != TENON_OK) {
        return status;
    }
    status = spawn_all(&scope, item_count, &batch, options);
    return tenon_scope_join(&scope, status, report);
}
