// SPDX-License-Identifier: MIT
//
// spawn — gives a scope one more task: who may, what it takes, where it goes.
//
// Roles:    the owner, members of the scope at any depth, holders of a
//           reference.
// Progress: never blocks, but for the allocator's lock on a foreign thread.
// Memory:   64 bytes from the thread's cache, 64 more for options; with a
//           handle none; a deadline without a handle takes one of ours from the
//           heap.

#include "tenon/spawn.h"
#include "base/check.h"
#include "sched/executor.h"
#include "sched/worker.h"
#include "scope/deadline.h"
#include "scope/policy.h"
#include "scope/scope.h"
#include "scope/stream.h"
#include "scope/task.h"
#include "scope/token.h"

#include <stdlib.h>

struct spawn {
    tenon_scope *scope;
    tenon_handle *handle;  // the caller's, or NULL
    tenon_task_fn *fn;
    void *arg;
    const tenon_task_options *options;  // or NULL
    bool has_reference;
};

static bool is_closed(tenon_scope *scope)
{
    // relaxed: a courtesy to who has no right to look.
    return (tn_load_relaxed(&scope->word) & TN_WORD_CLOSED) != 0;
}

// May the calling thread add to the scope?
static tenon_status permission(tenon_scope *scope)
{
    tenon_task *current = tn_task_current();

    if (scope->owner_thread == tn_thread_self() && scope->owner == current) {
        return tn_scope_is_open(scope) ? TENON_OK : TENON_ECLOSED;
    }
    if (is_closed(scope)) {
        return TENON_ECLOSED;
    }
    return current != NULL && tn_task_is_within(current, scope) ? TENON_OK
                                                                : TENON_EPERM;
}

static tenon_status admit(struct spawn *spawn)
{
    tenon_scope *scope = spawn->scope;

    if (scope == NULL || scope->executor == NULL || spawn->fn == NULL) {
        return TENON_EINVAL;
    }
    if (tn_has_forked) {
        return TENON_EFORK;
    }
    tenon_status status = spawn->has_reference ? TENON_OK : permission(scope);
    if (status != TENON_OK) {
        return status;
    }
    if (tenon_token_cancelled(&scope->token)) {
        // relaxed: the owner reads it after all have ended (E1 of scope.c).
        tn_add_relaxed(&scope->rejected_count, 1);
        return TENON_CANCELLED;
    }
    return TENON_OK;
}

static bool has_deadline(const tenon_task_options *options)
{
    return options != NULL &&
           (options->timeout_ns != 0 || options->deadline_ns != 0);
}

static void fill_extra(
    struct tn_task_extra *extra, const tenon_task_options *options)
{
    *extra = (struct tn_task_extra){
        .name = options->name,
        .destroy_arg = options->destroy_arg,
        .id = options->id,
        .on_done = options->on_done,
        .on_done_context = options->on_done_context,
    };
}

static bool needs_extra(const tenon_task_options *options)
{
    return options != NULL &&
           (options->name != NULL || options->destroy_arg != NULL ||
            options->id != 0 || options->on_done != NULL);
}

static uint32_t flags_of(const struct spawn *spawn)
{
    const tenon_task_options *options = spawn->options;
    uint32_t flags = spawn->handle != NULL ? TN_TASK_HANDLED : 0;

    if (spawn->handle == NULL && has_deadline(options)) {
        flags |= TN_TASK_HANDLED | TN_TASK_OWNED;
    }
    if (options != NULL && options->start_always) {
        flags |= TN_TASK_ALWAYS;
    }
    if (tn_policy_is_watching(spawn->scope)) {
        flags |= TN_TASK_WATCHED;
    }
    return flags;
}

// The memory of a task with these flags, or NULL.
static tenon_task *take_task(struct spawn *spawn, uint32_t flags)
{
    if (spawn->handle != NULL) {
        return &spawn->handle->task;
    }
    return (flags & TN_TASK_OWNED) != 0
               ? calloc(1, sizeof(tenon_handle))
               : tn_executor_take_piece(spawn->scope->executor);
}

static void give_task(struct spawn *spawn, tenon_task *task, uint32_t flags)
{
    if ((flags & TN_TASK_OWNED) != 0) {
        free(task);
    } else if (spawn->handle == NULL) {
        tn_executor_give_piece(spawn->scope->executor, task);
    }
}

static void give_extra(struct spawn *spawn, tenon_task *task, uint32_t flags)
{
    if (task->relation != NULL && (flags & TN_TASK_HANDLED) == 0) {
        tn_executor_give_piece(spawn->scope->executor, task->relation);
    }
}

static bool add_extra(struct spawn *spawn, tenon_task *task)
{
    struct tn_task_extra *extra = NULL;

    if (needs_extra(spawn->options)) {
        extra = tn_executor_take_piece(spawn->scope->executor);
        if (extra == NULL) {
            return false;
        }
        fill_extra(extra, spawn->options);
    }
    task->relation = extra;
    return true;
}

// The extras lie in the handle.
static tenon_status init_handle(struct spawn *spawn, tenon_handle *handle)
{
    tenon_scope *scope = spawn->scope;
    const tenon_task_options *options = spawn->options;
    struct tn_timer *timer = &scope->executor->timer;
    struct tn_task_extra *extra = tn_handle_extra(handle);

    handle->task.relation = NULL;
    handle->next = NULL;
    if (needs_extra(options)) {
        fill_extra(extra, options);
        handle->task.relation = extra;
    }
    tn_token_init(
        &handle->token, &scope->token, TN_TOKEN_OF_TASK,
        options == NULL ? NULL : options->name);
    if (!has_deadline(options)) {
        return TENON_OK;
    }
    return tn_deadline_set(
        &handle->token, timer,
        tn_deadline_of(timer, options->deadline_ns, options->timeout_ns),
        scope->depth * 2 + 1);
}

static tenon_status make_task(struct spawn *spawn, tenon_task **made)
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
    *made = task;
    return TENON_OK;
}

static void unmake_task(struct spawn *spawn, tenon_task *task)
{
    uint32_t flags = tn_task_flags(task);

    if ((flags & TN_TASK_HANDLED) != 0) {
        tenon_token *token = &tn_task_handle(task)->token;
        tn_deadline_stop(token, &spawn->scope->executor->timer);
        tn_token_seal(token);
    }
    give_extra(spawn, task, flags);
    give_task(spawn, task, flags);
}

static bool queue(tenon_scope *scope, tenon_task *task)
{
    struct tn_worker *worker = tn_worker_self();
    struct tn_job *job = (struct tn_job *)task;

    if (worker != NULL && worker->executor == scope->executor) {
        return tn_worker_push(worker, job);
    }
    tn_executor_inject(scope->executor, job);
    return true;
}

static void count_spawned(tenon_scope *scope, int64_t difference)
{
    if (scope->owner_thread == tn_thread_self()) {
        scope->local_spawned += (uint64_t)difference;
    } else {
        // relaxed: the owner reads it after all have ended (E1 of scope.c).
        tn_add_relaxed(&scope->shared_spawned, (uint64_t)difference);
    }
}

static tenon_status start(struct spawn *spawn)
{
    tenon_task *task = NULL;
    tenon_status status = make_task(spawn, &task);

    if (status != TENON_OK) {
        return status;
    }
    // Counted before it can be taken: the count never misses a live task.
    tn_scope_enter(spawn->scope);
    count_spawned(spawn->scope, 1);
    if (spawn->handle != NULL) {
        tn_stream_expect(spawn->scope, 1);
    }
    if (!queue(spawn->scope, task)) {
        unmake_task(spawn, task);
        if (spawn->handle != NULL) {
            tn_stream_expect(spawn->scope, -1);
        }
        count_spawned(spawn->scope, -1);
        tn_scope_exit(spawn->scope);
        return TENON_ENOMEM;
    }
    return TENON_OK;
}

// A handle whose task is not started has no outcome, not even a former one.
static void forget(tenon_handle *handle)
{
    if (handle != NULL) {
        // relaxed: nobody has seen it.
        tn_store_relaxed(&handle->task.state, 0);
    }
}

static __attribute__((noinline)) tenon_status refuse(
    const struct spawn *spawn, tenon_status status)
{
    forget(spawn->handle);
    if (spawn->options != NULL && spawn->options->destroy_arg != NULL) {
        spawn->options->destroy_arg(spawn->arg);
    }
    return status;
}

static tenon_status do_spawn(struct spawn *spawn)
{
    // Options of another size are not looked into.
    if (spawn->options != NULL &&
        spawn->options->struct_size != sizeof(*spawn->options)) {
        forget(spawn->handle);
        return TENON_EINVAL;
    }
    tenon_status status = admit(spawn);
    if (status == TENON_OK) {
        status = start(spawn);
    }
    return tn_likely(status == TENON_OK) ? status : refuse(spawn, status);
}

static __attribute__((noinline)) tenon_status spawn_slowly(
    tenon_scope *scope, tenon_task_fn *fn, void *arg)
{
    struct spawn spawn = {.scope = scope, .fn = fn, .arg = arg};

    return do_spawn(&spawn);
}

static __attribute__((noinline)) tenon_status wake_one(struct tn_worker *worker)
{
    tn_idle_wake_one(worker->idle);
    return TENON_OK;
}

// The common case in one straight line that needs no frame: the owner spawns a
// plain task on its own worker, a piece is at hand, there is room in the deque,
// and nothing is cancelled.
tenon_status tenon_spawn(tenon_scope *scope, tenon_task_fn *fn, void *arg)
{
    struct tn_worker *worker = tn_worker_self();
    int64_t bottom = 0;

    // relaxed: I2 of token.c.
    if (tn_unlikely(
            worker == NULL || scope == NULL || fn == NULL ||
            scope->owner_thread != tn_thread_self() ||
            scope->owner != worker->face.current ||
            scope->executor != worker->executor ||
            scope->phase != TN_SCOPE_OPEN ||
            tn_load_relaxed(&scope->token.clean_epoch) !=
                tn_load_relaxed(&tenon_cancel_epoch) ||
            !tenon_deque_has_room(&worker->face.deque, &bottom) ||
            worker->cache.hot == NULL)) {
        return spawn_slowly(scope, fn, arg);
    }
    tenon_task *task = tn_worker_take_piece(worker);
    task->fn = fn;
    task->arg = arg;
    task->scope = scope;
    task->relation = NULL;
    // relaxed: the push publishes it.
    tn_store_relaxed(&task->state, 0);
    scope->local_live++;
    scope->local_spawned++;
    tenon_deque_add(&worker->face.deque, bottom, task);
    if (tn_unlikely(tn_idle_must_wake(worker->idle))) {
        return wake_one(worker);
    }
    return TENON_OK;
}

tenon_status tenon_spawn_with(
    tenon_scope *scope, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options)
{
    struct spawn spawn = {
        .scope = scope, .fn = fn, .arg = arg, .options = options};

    return do_spawn(&spawn);
}

tenon_status tenon_spawn_task(
    tenon_scope *scope, tenon_handle *handle, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options)
{
    struct spawn spawn = {
        .scope = scope,
        .handle = handle,
        .fn = handle == NULL ? NULL : fn,  // refused as invalid
        .arg = arg,
        .options = options,
    };

    return do_spawn(&spawn);
}

tenon_status tenon_scope_acquire(tenon_scope *scope, tenon_scope_ref *ref)
{
    if (scope == NULL || scope->executor == NULL || ref == NULL) {
        return TENON_EINVAL;
    }
    if (tn_has_forked) {
        return TENON_EFORK;
    }
    tenon_status status = permission(scope);
    if (status == TENON_OK) {
        tn_scope_enter(scope);
        ref->scope = scope;
    }
    return status;
}

tenon_status tenon_ref_spawn(
    tenon_scope_ref *ref, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options)
{
    struct spawn spawn = {
        .scope = ref == NULL ? NULL : ref->scope,
        .fn = fn,
        .arg = arg,
        .options = options,
        .has_reference = true,
    };

    return do_spawn(&spawn);
}

void tenon_scope_release(tenon_scope_ref *ref)
{
    if (ref != NULL && ref->scope != NULL) {
        tenon_scope *scope = ref->scope;
        ref->scope = NULL;
        tn_scope_exit(scope);
    }
}
