// SPDX-License-Identifier: MIT
//
// spawn — what is wanted of a new task, and the task made so.
//
// Behind include/tenon/spawn.h: who may, and where it goes, is in spawn.c; the
// task itself is made in make.c.

#ifndef TN_SCOPE_SPAWN_H
#define TN_SCOPE_SPAWN_H

#include "sched/worker.h"
#include "scope/scope.h"
#include "scope/token.h"
#include "tenon/spawn.h"

#include <stdbool.h>

// If there are no units of its limiter: let the task wait, refuse it, or let
// the caller wait.
enum tn_spawn_mode { TN_SPAWN_LINE_UP, TN_SPAWN_TRY, TN_SPAWN_WAIT };

struct tn_spawn {
    tenon_scope *scope;
    tenon_handle *handle;  // the caller's, or NULL
    tenon_task_fn *fn;
    void *arg;
    const tenon_task_options *options;  // or NULL
    tenon_scope_ref *ref;               // by which the caller may; or NULL
    enum tn_spawn_mode mode;
    uint64_t deadline_ns;  // with TN_SPAWN_WAIT
};

// [any] Do it, whatever it is: as the public functions say.
tenon_status tn_spawn_do(struct tn_spawn *spawn);

// [any] May the calling thread add to the scope?
tenon_status tn_spawn_permission(tenon_scope *scope);

// [holder] Count one more task in the scope of a reference.
void tn_reference_count(tenon_scope_ref *ref);

// [any] The owner, a task on this worker, spawns there, and nothing is
// cancelled?
static inline bool tn_spawn_is_plain(
    struct tn_worker *worker, tenon_scope *scope, tenon_task_fn *fn)
{
    return worker != NULL && scope != NULL && fn != NULL &&
           worker->face.current != NULL &&
           scope->owner == worker->face.current &&
           scope->executor == worker->executor &&
           scope->phase == TN_SCOPE_OPEN && tn_token_is_clean(&scope->token);
}

// [any] What a plain task is made of.
static inline void tn_spawn_fill(
    tenon_task *task, tenon_scope *scope, tenon_task_fn *fn, void *arg)
{
    task->fn = fn;
    task->arg = arg;
    task->scope = scope;
    task->relation = NULL;
    // relaxed: the push publishes it.
    tn_store_relaxed(&task->state, 0);
}

// [any] Make the task. TENON_ENOMEM; TENON_EAGAIN: no timer thread.
tenon_status tn_spawn_make(struct tn_spawn *spawn, tenon_task **made);

// [any] It will not be queued after all.
void tn_spawn_unmake(struct tn_spawn *spawn, tenon_task *task);

#endif
