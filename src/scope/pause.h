// SPDX-License-Identifier: MIT
//
// pause — a wait that a deadline or a cancel may end early.
//
// What the waits of wait.h and the sleep of blocking.h are made of. See
// pause.c.

#ifndef TN_SCOPE_PAUSE_H
#define TN_SCOPE_PAUSE_H

#include "base/atomic.h"
#include "sched/job.h"
#include "sched/timer.h"
#include "tenon/callback.h"
#include "tenon/status.h"
#include "tenon/task.h"

#include <stdbool.h>
#include <stdint.h>

struct tn_pause;

// Has what is waited for come to pass? On the waiting thread, often.
typedef bool tn_pause_check_fn(struct tn_pause *pause);

// Part of a larger object on the stack of who waits. All of it is set by
// tn_pause_init().
struct tn_pause {
    struct tn_wait base;
    tenon_task *self;    // who waits, or NULL: a thread
    tenon_scope *scope;  // whose tasks may run meanwhile, for a thread
    tn_pause_check_fn *check;
    struct tn_timer_entry entry;
    tenon_callback callback;

    // Who wakes reads, who waits writes.
    _Atomic(uint32_t) parker;

    // Who ends it early writes.
    _Atomic(bool) has_expired;
    _Atomic(bool) is_cancelled;
};

// [its thread] A wait of the running task, or of this thread.
void tn_pause_init(
    struct tn_pause *pause, struct tenon_executor *executor, tenon_scope *scope,
    tn_pause_check_fn *check);

// [its thread, blocks] TENON_OK: it came to pass, as of some moment;
// TENON_CANCELLED: `token` was set first; TENON_ENOTREADY: not by
//                  `deadline_ns`;
// TENON_EAGAIN: no timer thread. A spare has the core meanwhile; without one,
// descendants of who waits run here if `may_help`.
tenon_status tn_pause_wait(
    struct tn_pause *pause, tenon_token *token, uint64_t deadline_ns,
    bool may_help);

// [any] What it waits for may have come to pass. The pause must not end
// meanwhile.
void tn_pause_wake(struct tn_pause *pause);

#endif
