// SPDX-License-Identifier: MIT
//
// make — a task as its options say: which memory, which extras, which token.
//
// Roles:    who spawns.
// Memory:   64 bytes from the thread's cache, 64 more for options; with a
//           handle none; a deadline without a handle takes one of ours from the
//           heap, and so does a place in a limiter's line.

#include "scope/spawn.h"

#include "sched/executor.h"
#include "scope/census.h"
#include "scope/deadline.h"
#include "scope/delay.h"
#include "scope/limiter.h"
#include "scope/policy.h"
#include "scope/scope.h"
#include "scope/task.h"
#include "scope/token.h"

#include <stdlib.h>

static const tenon_task_options no_options = {
    .struct_size = sizeof(no_options)};

static const tenon_task_options *options_of(const struct tn_spawn *spawn)
{
    return spawn->options == NULL ? &no_options : spawn->options;
}

static bool has_deadline(const tenon_task_options *options)
{
    return options->timeout_ns != 0 || options->deadline_ns != 0;
}

static bool has_delay(const tenon_task_options *options)
{
    return options->delay_ns != 0 || options->begin_ns != 0;
}

static void fill_extra(
    const struct tn_spawn *spawn, struct tn_task_extra *extra)
{
    const tenon_task_options *options = options_of(spawn);

    *extra = (struct tn_task_extra){
        .name = options->name,
        .destroy_arg = options->destroy_arg,
        .id = options->id,
        .on_done = options->on_done,
        .on_done_context = options->on_done_context,
    };
}

// Whose units the task needs, or NULL.
static tenon_limiter *limiter_of(const struct tn_spawn *spawn)
{
    const tenon_task_options *options = options_of(spawn);

    return options->limiter != NULL ? options->limiter : spawn->scope->limiter;
}

static bool needs_extra(const struct tn_spawn *spawn)
{
    const tenon_task_options *options = options_of(spawn);

    return spawn->scope->executor->is_debugged || options->name != NULL ||
           options->destroy_arg != NULL || options->id != 0 ||
           options->on_done != NULL || has_deadline(options) ||
           has_delay(options) || limiter_of(spawn) != NULL;
}

static uint32_t flags_of(const struct tn_spawn *spawn)
{
    const tenon_task_options *options = options_of(spawn);
    uint32_t flags = spawn->handle != NULL ? TN_TASK_HANDLED : 0;

    if (spawn->handle == NULL && has_deadline(options)) {
        flags |= TN_TASK_HANDLED | TN_TASK_OWNED;
    }
    if (spawn->scope->executor->is_debugged) {
        flags |= TN_TASK_NOTED;
    }
    if (options->start_always) {
        flags |= TN_TASK_ALWAYS;
    }
    if (tn_policy_is_watching(spawn->scope)) {
        flags |= TN_TASK_WATCHED;
    }
    return flags;
}

// The memory of a task with these flags, or NULL.
static tenon_task *take_task(struct tn_spawn *spawn, uint32_t flags)
{
    if (spawn->handle != NULL) {
        return &spawn->handle->task;
    }
    return (flags & TN_TASK_OWNED) != 0
               ? calloc(1, sizeof(tenon_handle))
               : tn_executor_take_piece(spawn->scope->executor);
}

static void give_task(struct tn_spawn *spawn, tenon_task *task, uint32_t flags)
{
    if (spawn->handle != NULL) {
        return;
    }
    if ((flags & TN_TASK_OWNED) != 0) {
        free(task);
    } else {
        tn_executor_give_piece(spawn->scope->executor, task);
    }
}

static void give_extra(struct tn_spawn *spawn, tenon_task *task, uint32_t flags)
{
    struct tn_task_extra *extra = task->relation;

    if (extra == NULL) {
        return;
    }
    tn_ticket_destroy(extra->ticket);
    tn_delay_destroy(extra->delay);
    tn_census_remove(extra->node);
    if ((flags & TN_TASK_HANDLED) == 0) {
        tn_executor_give_piece(spawn->scope->executor, extra);
    }
}

static bool add_extra(struct tn_spawn *spawn, tenon_task *task)
{
    struct tn_task_extra *extra = NULL;

    if (needs_extra(spawn)) {
        extra = tn_executor_take_piece(spawn->scope->executor);
        if (extra == NULL) {
            return false;
        }
        fill_extra(spawn, extra);
    }
    task->relation = extra;
    return true;
}

// The extras lie in the handle.
static tenon_status init_handle(struct tn_spawn *spawn, tenon_handle *handle)
{
    tenon_scope *scope = spawn->scope;
    const tenon_task_options *options = options_of(spawn);
    struct tn_timer *timer = &scope->executor->timer;
    struct tn_task_extra *extra = tn_handle_extra(handle);

    handle->task.relation = NULL;
    handle->next = NULL;
    if (needs_extra(spawn)) {
        fill_extra(spawn, extra);
        handle->task.relation = extra;
    }
    tn_token_init(
        &handle->token, &scope->token, TN_TOKEN_OF_TASK, options->name);
    if (!has_deadline(options)) {
        return TENON_OK;
    }
    return tn_deadline_set(
        &handle->token, timer,
        tn_deadline_of(timer, options->deadline_ns, options->timeout_ns),
        scope->depth * 2 + 1);
}

static bool add_ticket(struct tn_spawn *spawn, tenon_task *task)
{
    tenon_limiter *limiter = limiter_of(spawn);
    struct tn_task_extra *extra = task->relation;
    uint32_t unit_count = options_of(spawn)->unit_count;

    if (limiter == NULL || extra == NULL) {
        return true;
    }
    extra->ticket =
        tn_ticket_create(limiter, unit_count == 0 ? 1 : unit_count, task);
    return extra->ticket != NULL;
}

// Of two the later, as a time of the timer's clock.
static uint64_t begin_of(
    const struct tn_timer *timer, const tenon_task_options *options)
{
    uint64_t begin_ns = options->begin_ns;

    if (options->delay_ns != 0) {
        uint64_t delayed_ns = tn_deadline_of(timer, 0, options->delay_ns);
        begin_ns = delayed_ns > begin_ns ? delayed_ns : begin_ns;
    }
    return begin_ns;
}

static tenon_status add_delay(struct tn_spawn *spawn, tenon_task *task)
{
    const tenon_task_options *options = options_of(spawn);
    struct tn_task_extra *extra = task->relation;

    if (!has_delay(options) || extra == NULL) {
        return TENON_OK;
    }
    extra->delay = tn_delay_create(task);
    if (extra->delay == NULL) {
        return TENON_ENOMEM;
    }
    uint64_t begin_ns = begin_of(extra->delay->timer, options);
    return tn_delay_arm(extra->delay, begin_ns) ? TENON_OK : TENON_EAGAIN;
}

tenon_status tn_spawn_make(struct tn_spawn *spawn, tenon_task **made)
{
    uint32_t flags = flags_of(spawn);
    tenon_task *task = take_task(spawn, flags);
    tenon_status status = TENON_OK;

    if (task == NULL) {
        return TENON_ENOMEM;
    }
    task->fn = spawn->fn;
    task->arg = spawn->arg;
    task->scope = spawn->scope;
    // relaxed: the push publishes it.
    tn_store_relaxed(&task->state, flags);
    if ((flags & TN_TASK_HANDLED) != 0) {
        status = init_handle(spawn, tn_task_handle(task));
    } else if (!add_extra(spawn, task)) {
        status = TENON_ENOMEM;
    }
    if (status != TENON_OK) {
        give_task(spawn, task, flags);
        return status;
    }
    status = add_ticket(spawn, task) ? add_delay(spawn, task) : TENON_ENOMEM;
    if (status != TENON_OK) {
        tn_spawn_unmake(spawn, task);
        return status;
    }
    if ((flags & TN_TASK_NOTED) != 0) {
        ((struct tn_task_extra *)task->relation)->node = tn_census_add_task(
            spawn->scope, options_of(spawn), tn_task_token(task));
    }
    *made = task;
    return TENON_OK;
}

void tn_spawn_unmake(struct tn_spawn *spawn, tenon_task *task)
{
    uint32_t flags = tn_task_flags(task);

    give_extra(spawn, task, flags);
    if ((flags & TN_TASK_HANDLED) != 0) {
        tenon_token *token = &tn_task_handle(task)->token;
        tn_deadline_stop(token, &spawn->scope->executor->timer);
        tn_token_seal(token);
    }
    give_task(spawn, task, flags);
}
