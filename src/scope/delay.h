// SPDX-License-Identifier: MIT
//
// delay — a task that is to begin, or to go on, at a time.
//
// Behind include/tenon/later.h and the options `delay_ns` and `begin_ns`. See
// delay.c.

#ifndef TN_SCOPE_DELAY_H
#define TN_SCOPE_DELAY_H

#include "base/atomic.h"
#include "sched/timer.h"
#include "scope/error.h"
#include "tenon/callback.h"
#include "tenon/task.h"

#include <stdbool.h>
#include <stdint.h>

// Of a task, allocated, until the task has ended.
struct tn_delay {
    struct tn_timer_entry entry;
    tenon_callback callback;
    tenon_task *task;
    struct tn_timer *timer;
    bool is_asked;    // the running task wants to go on
    tn_failure said;  // by the task before it goes on

    // The timer and a cancel write.
    _Atomic(bool) is_due;
    _Atomic(uint32_t) ready_count;  // of two things
};

// [any] For a task that is not queued; NULL without memory.
struct tn_delay *tn_delay_create(tenon_task *task);

// [any] From now on it may become due: at `until_ns`, or when the task's token
// is set. False: no timer thread, nothing was done.
bool tn_delay_arm(struct tn_delay *delay, uint64_t until_ns);

// [any] Start the task as soon as it is due. It may be gone when this returns.
void tn_delay_release(struct tn_delay *delay);

// [any, blocks] It becomes due no more.
void tn_delay_stop(struct tn_delay *delay);

// [any, blocks] Accepts NULL.
void tn_delay_destroy(struct tn_delay *delay);

// [worker] What a task that is to be called has said before.
tn_failure tn_delay_said(tenon_task *task);

// [worker] The task, which runs, has ended with `status`: does it go on later?
// Then it may be gone when this returns.
bool tn_delay_goes_on(tenon_task *task, int status);

#endif
