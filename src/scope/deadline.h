// SPDX-License-Identifier: MIT
//
// deadline — the time at which a token is set by itself.
//
// Scopes have one, and tasks with a handle. See deadline.c.

#ifndef TN_SCOPE_DEADLINE_H
#define TN_SCOPE_DEADLINE_H

#include "sched/timer.h"
#include "tenon/status.h"
#include "tenon/token.h"

#include <stdbool.h>
#include <stdint.h>

// [any] The earlier of two options, as an absolute time of the timer's clock. 0
// stands for none.
uint64_t tn_deadline_of(
    const struct tn_timer *timer, uint64_t deadline_ns, uint64_t timeout_ns);

// [any] Set the deadline of `token`, or move it; a past one sets the token
// before this returns. Of equal times the lower rank comes first.
//
// TENON_EALREADY the token is set; TENON_EAGAIN there is no timer thread.
tenon_status tn_deadline_set(
    tenon_token *token, struct tn_timer *timer, uint64_t deadline_ns,
    uint32_t rank);

// [one thread, blocks] A free-standing token ends.
void tn_deadline_end(tenon_token *token);

// [any, blocks] From now on it does not fire, and is not firing.
void tn_deadline_stop(tenon_token *token, struct tn_timer *timer);

#endif
