// SPDX-License-Identifier: MIT
//
// tasks — small task functions.

#include "tasks.h"

#include <tenon/blocking.h>
#include <tenon/task.h>

int task_ok(tenon_task *self, void *arg)
{
    (void)self;
    (void)arg;
    return TENON_OK;
}

int task_return(tenon_task *self, void *arg)
{
    (void)self;
    return *(int *)arg;
}

int task_count(tenon_task *self, void *arg)
{
    atomic_uint *count = arg;

    (void)self;
    atomic_fetch_add(count, 1);
    return TENON_OK;
}

int task_open_gate(tenon_task *self, void *arg)
{
    (void)self;
    gate_open(arg);
    return TENON_OK;
}

static bool is_cancelled(void *self)
{
    return tenon_cancelled(self);
}

bool task_await_cancel(tenon_task *self)
{
    return gate_poll(is_cancelled, self);
}

static bool is_scope_cancelled(void *scope)
{
    return tenon_scope_cancelled(scope);
}

bool task_await_scope_cancel(tenon_scope *scope)
{
    return gate_poll(is_scope_cancelled, scope);
}

int task_until_cancelled(tenon_task *self, void *arg)
{
    (void)arg;
    return task_await_cancel(self) ? TENON_CANCELLED : TASK_IN_VAIN;
}

int task_announce_until_cancelled(tenon_task *self, void *arg)
{
    gate_open(arg);
    return task_until_cancelled(self, NULL);
}

int task_announce_and_sleep(tenon_task *self, void *arg)
{
    gate_open(arg);
    return tenon_sleep_until(self, TENON_NO_DEADLINE);
}

int task_step(tenon_task *self, void *arg)
{
    struct task_step *step = arg;

    (void)self;
    gate_open(&step->started);
    return gate_wait(&step->may_end) ? step->status : TASK_IN_VAIN;
}

int task_step_aside(tenon_task *self, void *arg)
{
    tenon_blocking_begin(self);
    int status = task_step(self, arg);
    tenon_blocking_end(self);
    return status;
}

int task_wait_for_ref(tenon_task *self, void *arg)
{
    struct task_waiter *waiter = arg;
    tenon_scope scope;

    (void)self;
    tenon_status status = tenon_scope_open(&scope, NULL);
    if (status == TENON_OK) {
        status = tenon_scope_acquire(&scope, &waiter->ref);
        gate_open(&waiter->is_open);
        waiter->joined = tenon_scope_join(&scope, TENON_OK, NULL);
    }
    return status;
}

void task_destroy_count(void *arg)
{
    atomic_uint *count = arg;

    atomic_fetch_add(count, 1);
}
