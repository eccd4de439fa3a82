// SPDX-License-Identifier: MIT
//
// task — how a task runs and ends; the scheduler's job, seen from above.
//
// Behind include/tenon/task.h and fork.h. See task.c.

#ifndef TN_SCOPE_TASK_H
#define TN_SCOPE_TASK_H

#include "base/atomic.h"
#include "sched/job.h"
#include "sched/worker.h"
#include "scope/error.h"
#include "tenon/task.h"

#include <stdbool.h>
#include <stdint.h>

// The low bits of `state`; the outcome and the waiter's parker are above.
#define TN_TASK_FORKED UINT32_C(1)  // lives in its parent's frame
#define TN_TASK_KEPT UINT32_C(2)    // the caller's; else a piece of ours
#define TN_TASK_FLAGS UINT32_C(15)
#define TN_TASK_OUTCOME_SHIFT 4
#define TN_TASK_OUTCOME_MASK (UINT32_C(7) << TN_TASK_OUTCOME_SHIFT)
#define TN_TASK_WAITER_SHIFT 8

// What few tasks have; a piece of memory of its own.
struct tn_task_extra {
    const char *name;
    tenon_destroy_fn *destroy_arg;
};

// [worker] Run or drop a queued task; it is gone when this returns.
tn_job_run_fn tn_task_run;

// [any] The task that runs on this thread, or NULL.
static inline tenon_task *tn_task_current(void)
{
    struct tn_worker *worker = tn_worker_self;

    return worker == NULL ? NULL : worker->current;
}

// [any] Is `task` a member of `scope`, at any depth?
bool tn_task_is_within(const tenon_task *task, const tenon_scope *scope);

// [any] Does `task` descend from `ancestor`?
bool tn_task_descends(const tenon_task *task, const tenon_task *ancestor);

#endif
