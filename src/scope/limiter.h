// SPDX-License-Identifier: MIT
//
// limiter — lets tasks be queued only while they have their units.
//
// Behind include/tenon/limiter.h. See limiter.c.

#ifndef TN_SCOPE_LIMITER_H
#define TN_SCOPE_LIMITER_H

#include "base/atomic.h"
#include "tenon/callback.h"
#include "tenon/limiter.h"
#include "tenon/status.h"

#include <stdbool.h>
#include <stdint.h>

struct tenon_executor;
struct tn_pause;

// A place in the line. Of a task, allocated; of a caller that blocks, on its
// stack.
struct tn_ticket {
    struct tn_ticket *next;
    struct tn_ticket *previous;
    tenon_limiter *limiter;
    uint32_t unit_count;
    _Atomic(uint32_t) state;  // written with the limiter's lock held
    tenon_task *task;         // queued when granted
    struct tn_pause *pause;   // or: woken when granted
    tenon_callback callback;  // of a task that waits
};

// [any] A ticket for a task, or NULL without memory.
struct tn_ticket *tn_ticket_create(
    tenon_limiter *limiter, uint32_t unit_count, tenon_task *task);

// [any] Units at once, or none: false.
bool tn_ticket_try(struct tn_ticket *ticket);

// [any] Queue the task as soon as it has its units, or `token` is set: then to
// be dropped, unless `is_patient`. It may be gone when this returns.
void tn_ticket_line_up(
    struct tn_ticket *ticket, tenon_token *token, bool is_patient);

// [its thread, blocks] The same for the calling thread: see tn_pause_wait().
tenon_status tn_ticket_wait(
    struct tn_ticket *ticket, struct tenon_executor *executor,
    tenon_scope *scope, tenon_token *token, uint64_t deadline_ns);

// [worker] The task, which runs, ends for now: give back what it has; it lines
// up again later. Accepts NULL.
void tn_ticket_give_back(struct tn_ticket *ticket);

// [worker] The task has ended, or will not begin: give back what it has and
// free the ticket. Accepts NULL.
void tn_ticket_destroy(struct tn_ticket *ticket);

#endif
