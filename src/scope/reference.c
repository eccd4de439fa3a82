// SPDX-License-Identifier: MIT
//
// reference — the right to spawn from another thread, which keeps a scope open.
//
// A reference counts many tasks at a time in its scope: then who submits and
// who ends tasks need not pass the scope's word to and fro for each. Nobody can
// see it, since a scope with a reference is not joined.
//
// Roles:    the holder, one thread at a time; tasks end anywhere.
// Progress: as spawn.c.

#include "base/check.h"
#include "sched/executor.h"
#include "scope/policy.h"
#include "scope/scope.h"
#include "scope/spawn.h"
#include "scope/task.h"
#include "scope/token.h"

#define CREDIT 64

void tn_reference_count(tenon_scope_ref *ref)
{
    tenon_scope *scope = ref->scope;

    if (ref->credit_count == 0) {
        // relaxed: the reference keeps the count above 0.
        tn_add_relaxed(&scope->word, CREDIT * TN_WORD_COUNT_ONE);
        // relaxed: the owner reads it after all have ended (E1 of scope.c).
        tn_add_relaxed(&scope->shared_spawned, ref->spawned_count);
        ref->spawned_count = 0;
        ref->credit_count = CREDIT;
    }
    ref->credit_count--;
    ref->spawned_count++;
}

tenon_status tenon_scope_acquire(tenon_scope *scope, tenon_scope_ref *ref)
{
    if (scope == NULL || scope->executor == NULL || ref == NULL) {
        return TENON_EINVAL;
    }
    if (tn_has_forked) {
        return TENON_EFORK;
    }
    tenon_status status = tn_spawn_permission(scope);
    if (status == TENON_OK) {
        tn_scope_enter(scope);
        *ref = (tenon_scope_ref){.scope = scope};
    }
    return status;
}

// A plain task from a thread that is no worker: as in tenon_spawn().
static tenon_status spawn_from_outside(
    tenon_scope_ref *ref, tenon_task_fn *fn, void *arg)
{
    tenon_scope *scope = ref->scope;
    tenon_executor *executor = scope->executor;
    tenon_task *task =
        tn_foreign_take_counted(&executor->foreign, TN_TALLY_TASKS);

    if (task == NULL) {
        return TENON_ENOMEM;
    }
    tn_spawn_fill(task, scope, fn, arg);
    tn_reference_count(ref);
    tn_executor_inject(executor, (struct tn_job *)task);
    return TENON_OK;
}

// Nothing that would have to be looked at?
static inline bool is_plain(const tenon_scope_ref *ref)
{
    tenon_scope *scope = ref->scope;

    return !tn_policy_is_watching(scope) && scope->limiter == NULL &&
           !scope->executor->is_debugged &&
           scope->executor->inject.limit == 0 &&
           tn_token_is_clean(&scope->token);
}

tenon_status tenon_ref_spawn(
    tenon_scope_ref *ref, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options)
{
    if (tn_likely(
            tn_worker_self() == NULL && options == NULL && fn != NULL &&
            ref != NULL && ref->scope != NULL && !tn_has_forked &&
            is_plain(ref))) {
        return spawn_from_outside(ref, fn, arg);
    }
    struct tn_spawn spawn = {
        .scope = ref == NULL ? NULL : ref->scope,
        .fn = fn,
        .arg = arg,
        .options = options,
        .ref = ref,
    };

    return tn_spawn_do(&spawn);
}

void tenon_scope_release(tenon_scope_ref *ref)
{
    if (ref != NULL && ref->scope != NULL) {
        tenon_scope *scope = ref->scope;
        int64_t unused_count = ref->credit_count;

        // relaxed: the owner reads it after all have ended (E1 of scope.c).
        tn_add_relaxed(&scope->shared_spawned, ref->spawned_count);
        *ref = (tenon_scope_ref){.scope = NULL};
        tn_scope_exit_shared(scope, unused_count + 1);
    }
}
