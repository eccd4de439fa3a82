// SPDX-License-Identifier: MIT
//
// gather — a scope, a task for each call, and a done callback that keeps what
// it came to.
//
// Roles:    the caller opens, spawns and joins; each task's end fills its call.
// Memory:   the caller's array; the join orders what was written there.
// Ordering:
//   E1 first  keep: cas-acqrel first -> tenon_race, after the join (the first
//             success counts)

#include "tenon/gather.h"

#include "base/atomic.h"
#include "tenon/spawn.h"

#define NONE UINT64_C(0)

struct gathering {
    tenon_call *calls;
    size_t call_count;
    _Atomic(uint64_t) first;  // the id of the first that succeeded, or NONE
};

static bool are_valid(
    const tenon_call *calls, size_t call_count,
    const tenon_scope_options *options)
{
    if (options != NULL && (options->struct_size != sizeof(*options) ||
                            options->policy != TENON_POLICY_FAIL_FAST)) {
        return false;
    }
    for (size_t i = 0; i < call_count; i++) {
        if (calls == NULL || calls[i].fn == NULL) {
            return false;
        }
    }
    return true;
}

static tenon_scope_options options_for(
    const struct gathering *gathering, const tenon_scope_options *given,
    tenon_policy policy)
{
    tenon_scope_options options = {.struct_size = sizeof(options)};

    if (given != NULL) {
        options = *given;
    }
    options.policy = policy;
    if (policy != TENON_POLICY_FAIL_FAST && options.max_errors == 0) {
        options.max_errors = gathering->call_count < UINT32_MAX
                                 ? (uint32_t)gathering->call_count
                                 : UINT32_MAX;
    }
    return options;
}

// A task has ended: the call is the one with its number.
static void keep(const tenon_completion *completion, void *context)
{
    struct gathering *gathering = context;
    tenon_call *call = &gathering->calls[completion->id - 1];
    uint64_t none = NONE;

    call->outcome = completion->outcome;
    call->status = completion->status;
    call->error = completion->error;
    if (completion->outcome == TENON_OUTCOME_OK) {
        tn_cas_acqrel(&gathering->first, &none, completion->id);  // E1
    }
}

// What becomes of calls that are not started.
static void reset_all(struct gathering *gathering)
{
    for (size_t i = 0; i < gathering->call_count; i++) {
        tenon_call *call = &gathering->calls[i];
        call->outcome = TENON_OUTCOME_DROPPED;
        call->status = TENON_CANCELLED;
        call->error = NULL;
    }
}

static tenon_status spawn_all(struct gathering *gathering, tenon_scope *scope)
{
    tenon_status status = TENON_OK;

    for (size_t i = 0; i < gathering->call_count && status == TENON_OK; i++) {
        tenon_call *call = &gathering->calls[i];
        status = tenon_spawn_with(
            scope, call->fn, call->arg,
            TENON_TASK_OPTIONS(
                    .name = call->name, .id = i + 1, .on_done = keep,
                    .on_done_context = gathering));
    }
    return status;
}

// No report holds them: they are gone, or somebody else's.
static void forget_errors(struct gathering *gathering)
{
    for (size_t i = 0; i < gathering->call_count; i++) {
        gathering->calls[i].error = NULL;
    }
}

static tenon_status gather(
    struct gathering *gathering, const tenon_scope_options *given,
    tenon_policy policy, tenon_report *report)
{
    tenon_scope scope;

    if (gathering->calls != NULL) {
        reset_all(gathering);
    }
    if (!are_valid(gathering->calls, gathering->call_count, given)) {
        return TENON_EINVAL;
    }
    tenon_scope_options options = options_for(gathering, given, policy);
    tenon_status status = tenon_scope_open(&scope, &options);
    if (status != TENON_OK) {
        return status;
    }
    status = spawn_all(gathering, &scope);
    status = tenon_scope_join(&scope, status, report);
    if (report == NULL) {
        forget_errors(gathering);
    }
    return status;
}

tenon_status tenon_gather(
    tenon_call *calls, size_t call_count, const tenon_scope_options *options,
    tenon_report *report)
{
    struct gathering gathering = {.calls = calls, .call_count = call_count};

    return gather(&gathering, options, TENON_POLICY_FAIL_FAST, report);
}

tenon_status tenon_gather_all(
    tenon_call *calls, size_t call_count, const tenon_scope_options *options,
    tenon_report *report)
{
    struct gathering gathering = {.calls = calls, .call_count = call_count};

    return gather(&gathering, options, TENON_POLICY_COLLECT_ALL, report);
}

tenon_status tenon_race(
    tenon_call *calls, size_t call_count, const tenon_scope_options *options,
    size_t *winner, tenon_report *report)
{
    struct gathering gathering = {.calls = calls, .call_count = call_count};
    tenon_status status =
        gather(&gathering, options, TENON_POLICY_ANY_OK, report);

    // relaxed: the join ordered it.
    uint64_t first = tn_load_relaxed(&gathering.first);
    if (winner != NULL && status == TENON_OK && first != NONE) {
        *winner = (size_t)first - 1;
    }
    return status;
}
