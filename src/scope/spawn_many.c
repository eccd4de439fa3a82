// SPDX-License-Identifier: MIT
//
// spawn_many — many tasks of one function at a time.
//
// In the common case (spawn.h) they are counted, published and announced
// together, RUN_MAX at a time: so others see the first ones while the rest is
// made. Whatever is in the way of that is dealt with by one single spawn.
//
// Roles, progress: as spawn.c.

#include "base/check.h"
#include "sched/executor.h"
#include "sched/worker.h"
#include "scope/scope.h"
#include "scope/spawn.h"
#include "scope/task.h"

#define RUN_MAX 64

struct many {
    tenon_scope *scope;
    tenon_task_fn *fn;
    char *args;
    size_t arg_size;
    size_t count;  // that are left
};

static void *next_arg(struct many *many)
{
    void *arg = many->args;

    many->args = arg == NULL ? NULL : many->args + many->arg_size;
    many->count--;
    return arg;
}

// As many as there is room and memory for; perhaps none.
static void spawn_run(struct tn_worker *worker, struct many *many)
{
    struct tenon_deque *deque = &worker->face.deque;
    int64_t first = tn_deque_bottom(deque);
    int64_t end = first;
    int64_t room = tn_deque_room(deque);

    room = room < RUN_MAX ? room : RUN_MAX;
    while (many->count > 0 && end - first < room) {
        tenon_task *task = tn_worker_take_piece(worker);

        if (task == NULL) {
            break;
        }
        tn_spawn_fill(task, many->scope, many->fn, next_arg(many));
        tn_deque_put(deque, end++, task);
    }
    if (end > first) {
        many->scope->local_live += end - first;
        many->scope->local_spawned += (uint64_t)(end - first);
        tn_worker_count(worker, TN_TALLY_TASKS, (uint64_t)(end - first));
        tn_deque_advance(deque, end);
        tn_idle_notify(worker->idle);
    }
}

tenon_status tenon_spawn_n(
    tenon_scope *scope, tenon_task_fn *fn, void *args, size_t arg_size,
    size_t count, size_t *spawned_count)
{
    struct tn_worker *worker = tn_worker_self();
    struct many many = {scope, fn, args, arg_size, count};
    tenon_status status = TENON_OK;

    if (count == 0) {
        status = scope == NULL || fn == NULL ? TENON_EINVAL : TENON_OK;
    }
    while (many.count > 0 && status == TENON_OK) {
        if (tn_spawn_is_plain(worker, scope, fn)) {
            spawn_run(worker, &many);
        }
        if (many.count > 0) {
            status = tenon_spawn(scope, fn, next_arg(&many));
        }
    }
    if (spawned_count != NULL) {
        *spawned_count = count - many.count - (status != TENON_OK && count > 0);
    }
    return status;
}
