// SPDX-License-Identifier: MIT
//
// tasks — what the tasks of many tests do; none of them asserts.

#ifndef SUPPORT_TASKS_H
#define SUPPORT_TASKS_H

#include "gate.h"

#include <stdatomic.h>
#include <stdint.h>
#include <tenon/spawn.h>

// What a task of ours returns when it waited in vain; no test expects it.
#define TASK_IN_VAIN 7777

// Returns TENON_OK.
tenon_task_fn task_ok;

// Returns the int that `arg` points to.
tenon_task_fn task_return;

// Adds one to the atomic_uint that `arg` points to.
tenon_task_fn task_count;

// Opens the gate that `arg` points to.
tenon_task_fn task_open_gate;

// Polls until cancelled, then returns TENON_CANCELLED.
tenon_task_fn task_until_cancelled;

// Opens `started`, waits for `may_end`, returns `status`.
struct task_step {
    struct gate started;
    struct gate may_end;
    int status;
};
tenon_task_fn task_step;

// Waits in the join of a scope of its own for as long as the test keeps `ref`,
// which it may use once `is_open`. `joined` is what that join returned.
struct task_waiter {
    struct gate is_open;
    tenon_scope_ref ref;
    tenon_status joined;
};
tenon_task_fn task_wait_for_ref;

// Argument destructor: adds one to the atomic_uint that `arg` points to.
tenon_destroy_fn task_destroy_count;

// As task_until_cancelled(), but opens the gate `arg` when it runs.
tenon_task_fn task_announce_until_cancelled;

// The same asleep, with its core left to others: one worker is enough.
tenon_task_fn task_announce_and_sleep;

// As task_step(), with its core left to others.
tenon_task_fn task_step_aside;

// False: the task was not cancelled before the patience ran out.
bool task_await_cancel(tenon_task *self);

// False: the scope was not cancelled before the patience ran out.
bool task_await_scope_cancel(tenon_scope *scope);

#endif
