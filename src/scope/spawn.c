// SPDX-License-Identifier: MIT
//
// spawn — gives a scope one more task: who may, what it takes, where it goes.
//
// Roles:    the owner, members of the scope at any depth, holders of a
//           reference.
// Progress: never blocks, but for the allocator's lock on a foreign thread, and
//           in tenon_spawn_until().

#include "scope/spawn.h"

#include "base/check.h"
#include "sched/executor.h"
#include "sched/worker.h"
#include "scope/census.h"
#include "scope/delay.h"
#include "scope/finding.h"
#include "scope/limiter.h"
#include "scope/scope.h"
#include "scope/stream.h"
#include "scope/task.h"
#include "scope/token.h"

static bool is_closed(tenon_scope *scope)
{
    // relaxed: a courtesy to who has no right to look.
    return (tn_load_relaxed(&scope->word) & TN_WORD_CLOSED) != 0;
}

tenon_status tn_spawn_permission(tenon_scope *scope)
{
    tenon_task *current = tn_task_current();

    if (scope->owner_thread == tn_thread_self() && scope->owner == current) {
        return tn_scope_is_open(scope) ? TENON_OK : TENON_ECLOSED;
    }
    if (is_closed(scope)) {
        return TENON_ECLOSED;
    }
    if (current != NULL && tn_task_is_within(current, scope)) {
        return TENON_OK;
    }
    tn_finding_say(
        TENON_FINDING_WRONG_CALLER, current, scope,
        "scope '%s' is given a task by who is neither its owner nor inside, "
        "without a reference",
        tenon_scope_name(scope));
    return TENON_EPERM;
}

// More units than its scope will ever have?
static bool asks_too_much(const struct tn_spawn *spawn)
{
    const tenon_task_options *options = spawn->options;
    const tenon_scope *scope = spawn->scope;

    return options != NULL && options->limiter == NULL && scope->owns_limiter &&
           options->unit_count > scope->limiter->limit;
}

// Units now, but the task later?
static bool is_contradictory(const struct tn_spawn *spawn)
{
    const tenon_task_options *options = spawn->options;

    return spawn->mode != TN_SPAWN_LINE_UP && options != NULL &&
           (options->delay_ns != 0 || options->begin_ns != 0);
}

static bool reject_if_cancelled(tenon_scope *scope)
{
    bool is_cancelled = tenon_token_cancelled(&scope->token);

    if (is_cancelled) {
        // relaxed: the owner reads it after all have ended (E1 of scope.c).
        tn_add_relaxed(&scope->rejected_count, 1);
    }
    return is_cancelled;
}

static tenon_status admit(struct tn_spawn *spawn)
{
    tenon_scope *scope = spawn->scope;

    if (scope == NULL || scope->executor == NULL || spawn->fn == NULL ||
        asks_too_much(spawn) || is_contradictory(spawn)) {
        return TENON_EINVAL;
    }
    if (tn_has_forked) {
        return TENON_EFORK;
    }
    tenon_status status =
        spawn->ref != NULL ? TENON_OK : tn_spawn_permission(scope);
    if (status != TENON_OK) {
        return status;
    }
    return reject_if_cancelled(scope) ? TENON_CANCELLED : TENON_OK;
}

static tenon_status queue(tenon_scope *scope, tenon_task *task)
{
    struct tn_worker *worker = tn_worker_self();
    struct tn_job *job = (struct tn_job *)task;

    if (worker != NULL && worker->executor == scope->executor) {
        return tn_worker_push(worker, job) ? TENON_OK : TENON_ENOMEM;
    }
    return tn_executor_try_inject(scope->executor, job) ? TENON_OK
                                                        : TENON_EAGAIN;
}

static void count_spawned(tenon_scope *scope, int64_t difference)
{
    if (tn_scope_is_local(scope)) {
        scope->local_spawned += (uint64_t)difference;
    } else {
        // relaxed: the owner reads it after all have ended (E1 of scope.c).
        tn_add_relaxed(&scope->shared_spawned, (uint64_t)difference);
    }
}

void tn_task_queue(tenon_task *task)
{
    tn_census_enter(task, TN_STATE_QUEUED);
    if (queue(task->scope, task) != TENON_OK) {
        tn_executor_inject(task->scope->executor, (struct tn_job *)task);
    }
}

void tn_task_queue_held(tenon_task *task)
{
    tenon_scope *scope = task->scope;

    tn_scope_enter(scope);
    tn_task_queue(task);
    tn_scope_exit(scope);
}

static struct tn_ticket *ticket_of(const tenon_task *task)
{
    const struct tn_task_extra *extra = task->relation;

    return extra == NULL ? NULL : extra->ticket;
}

static struct tn_delay *delay_of(const tenon_task *task)
{
    const struct tn_task_extra *extra = task->relation;

    return extra == NULL ? NULL : extra->delay;
}

static void line_up(tenon_task *task, struct tn_ticket *ticket)
{
    uint32_t flags = tn_task_flags(task);
    // To begin it needs units even after a cancel; to clean up it needs none.
    bool is_patient =
        (flags & (TN_TASK_ALWAYS | TN_TASK_BEGUN)) == TN_TASK_ALWAYS;

    tn_census_enter(task, TN_STATE_LIMITED);
    tn_ticket_line_up(ticket, tn_task_token(task), is_patient);
}

// Behind all that others have queued there: a task that goes on at once again
// and again shall not come before what it may wait for.
void tn_task_start_held(tenon_task *task)
{
    tenon_scope *scope = task->scope;
    struct tn_ticket *ticket = ticket_of(task);

    tn_scope_enter(scope);
    if (ticket != NULL) {
        line_up(task, ticket);
    } else {
        tn_census_enter(task, TN_STATE_QUEUED);
        tn_executor_inject(scope->executor, (struct tn_job *)task);
    }
    tn_scope_exit(scope);
}

// Units before the task is counted, where the caller wants it so.
static tenon_status take_units(
    const struct tn_spawn *spawn, struct tn_ticket *ticket)
{
    tenon_scope *scope = spawn->scope;
    tenon_task *current = tn_task_current();

    if (spawn->mode == TN_SPAWN_TRY) {
        return tn_ticket_try(ticket) ? TENON_OK : TENON_EAGAIN;
    }
    // The caller's, and the scope's: there may be a shield between them.
    tenon_token_link links[2] = {{.parent = &scope->token}};
    tenon_token either;
    if (current != NULL) {
        links[1].parent = tn_task_innermost_token(current);
    }
    tenon_token_init_linked(&either, links, current == NULL ? 1 : 2);
    tenon_status status = tn_ticket_wait(
        ticket, scope->executor, scope, &either, spawn->deadline_ns);
    tenon_token_fini(&either);
    return status;
}

static void count_in(struct tn_spawn *spawn)
{
    // Counted before it can be taken: the count never misses a live task.
    if (spawn->ref != NULL) {
        tn_reference_count(spawn->ref);
    } else {
        tn_scope_enter(spawn->scope);
        count_spawned(spawn->scope, 1);
    }
    tn_executor_count(spawn->scope->executor, TN_TALLY_TASKS, 1);
    if (spawn->handle != NULL) {
        tn_stream_expect(spawn->scope);
    }
}

static void count_out(struct tn_spawn *spawn)
{
    if (spawn->handle != NULL) {
        tn_stream_forget(spawn->scope);
    }
    tn_executor_count(spawn->scope->executor, TN_TALLY_TASKS, UINT64_MAX);
    if (spawn->ref != NULL) {
        spawn->ref->spawned_count--;
        spawn->ref->credit_count++;
    } else {
        count_spawned(spawn->scope, -1);
        tn_scope_exit(spawn->scope);
    }
}

static tenon_status start_limited(
    struct tn_spawn *spawn, tenon_task *task, struct tn_ticket *ticket)
{
    if (spawn->mode == TN_SPAWN_LINE_UP) {
        count_in(spawn);
        line_up(task, ticket);
        return TENON_OK;
    }
    tenon_status status = take_units(spawn, ticket);
    if (status != TENON_OK) {
        tn_spawn_unmake(spawn, task);
        if (status == TENON_CANCELLED) {
            (void)reject_if_cancelled(spawn->scope);
        }
        return status;
    }
    count_in(spawn);
    tn_task_queue(task);
    return TENON_OK;
}

static tenon_status start(struct tn_spawn *spawn)
{
    tenon_task *task = NULL;
    tenon_status status = tn_spawn_make(spawn, &task);

    if (status != TENON_OK) {
        return status;
    }
    struct tn_delay *delay = delay_of(task);
    if (delay != NULL) {
        count_in(spawn);
        tn_delay_release(delay);
        return TENON_OK;
    }
    struct tn_ticket *ticket = ticket_of(task);
    if (ticket != NULL) {
        return start_limited(spawn, task, ticket);
    }
    count_in(spawn);
    status = queue(spawn->scope, task);
    if (status != TENON_OK) {
        tn_spawn_unmake(spawn, task);
        count_out(spawn);
    }
    return status;
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
    const struct tn_spawn *spawn, tenon_status status)
{
    forget(spawn->handle);
    if (spawn->options != NULL && spawn->options->destroy_arg != NULL) {
        spawn->options->destroy_arg(spawn->arg);
    }
    return status;
}

tenon_status tn_spawn_do(struct tn_spawn *spawn)
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
    struct tn_spawn spawn = {.scope = scope, .fn = fn, .arg = arg};

    return tn_spawn_do(&spawn);
}

// Thieves ask, or somebody who sleeps is to be woken.
static __attribute__((noinline)) tenon_status look(struct tn_worker *worker)
{
    tn_idle_notify(worker->idle);
    tn_worker_answer(worker);
    return TENON_OK;
}

// Thieves ask, the deque is full, or no piece is at hand. The same again, if it
// helps.
static __attribute__((noinline)) tenon_status spawn_once_more(
    tenon_scope *scope, tenon_task_fn *fn, void *arg)
{
    struct tn_worker *worker = tn_worker_self();
    struct tenon_deque *deque = &worker->face.deque;

    if (deque->is_inline && tn_deque_is_asked(deque)) {
        tn_worker_answer(worker);
    }
    return deque->is_inline && worker->cache.hot != NULL &&
                   tn_deque_make_room(deque) && !tn_deque_is_asked(deque)
               ? tenon_spawn(scope, fn, arg)
               : spawn_slowly(scope, fn, arg);
}

// The common case in one straight line that needs no frame: the owner, a task,
// spawns a plain task on its own worker, a piece is at hand, there is room in
// the deque, and nothing is cancelled.
tenon_status tenon_spawn(tenon_scope *scope, tenon_task_fn *fn, void *arg)
{
    struct tn_worker *worker = tn_worker_self();

    if (tn_unlikely(!tn_spawn_is_plain(worker, scope, fn))) {
        return spawn_slowly(scope, fn, arg);
    }
    if (tn_unlikely(
            tn_deque_room(&worker->face.deque) == 0 ||
            worker->cache.hot == NULL)) {
        return spawn_once_more(scope, fn, arg);
    }
    tenon_task *task = tn_worker_take_piece(worker);
    tn_spawn_fill(task, scope, fn, arg);
    scope->local_live++;
    scope->local_spawned++;
    tn_worker_count(worker, TN_TALLY_TASKS, 1);
    int64_t bottom = tn_deque_bottom(&worker->face.deque);
    tenon_deque_add(&worker->face.deque, bottom, task);
    if (tn_unlikely(tenon_deque_must_look(&worker->face.deque, bottom))) {
        return look(worker);
    }
    return TENON_OK;
}

tenon_status tenon_spawn_with(
    tenon_scope *scope, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options)
{
    struct tn_spawn spawn = {
        .scope = scope, .fn = fn, .arg = arg, .options = options};

    return tn_spawn_do(&spawn);
}

tenon_status tenon_spawn_task(
    tenon_scope *scope, tenon_handle *handle, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options)
{
    struct tn_spawn spawn = {
        .scope = scope,
        .handle = handle,
        .fn = handle == NULL ? NULL : fn,  // refused as invalid
        .arg = arg,
        .options = options,
    };

    return tn_spawn_do(&spawn);
}

tenon_status tenon_try_spawn(
    tenon_scope *scope, tenon_handle *handle, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options)
{
    struct tn_spawn spawn = {
        .scope = scope,
        .handle = handle,
        .fn = fn,
        .arg = arg,
        .options = options,
        .mode = TN_SPAWN_TRY,
    };

    return tn_spawn_do(&spawn);
}

tenon_status tenon_spawn_until(
    tenon_scope *scope, tenon_handle *handle, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options, uint64_t deadline_ns)
{
    struct tn_spawn spawn = {
        .scope = scope,
        .handle = handle,
        .fn = fn,
        .arg = arg,
        .options = options,
        .mode = TN_SPAWN_WAIT,
        .deadline_ns = deadline_ns,
    };

    return tn_spawn_do(&spawn);
}
