// SPDX-License-Identifier: MIT
//
// open — the outermost scopes of an executor: counted, cancelled together, and
// waited for by who shuts it down.
//
// A scope's last access to its executor is the subtraction that may let the
// shut-down go on; the wake-up after it reads nothing there.

#ifndef TN_SCOPE_OPEN_H
#define TN_SCOPE_OPEN_H

#include "base/atomic.h"
#include "sched/executor.h"
#include "scope/census.h"
#include "tenon/executor.h"
#include "tenon/latency.h"
#include "tenon/token.h"

#include <stdbool.h>
#include <stdint.h>

// What every executor has above the scheduler: its `upper`.
struct tn_upper {
    tenon_token token;
    struct tn_census census;

    // Workers count (src/scope/task.c).
    _Atomic(uint64_t) latency_counts[TENON_LATENCY_BUCKETS];
    _Atomic(uint64_t) latency_max_ns;
};

// [any]
static inline struct tn_upper *tn_open_upper(const tenon_executor *executor)
{
    return executor->upper;
}

// [any] NULL: no memory.
void *tn_open_create(void);

// [one thread] No scope is open. Accepts NULL.
void tn_open_destroy(void *upper);

// [any] The token above all root scopes of the executor.
tenon_token *tn_open_token(tenon_executor *executor);

// [any] One more is open. False: the executor is being shut down.
bool tn_open_enter(tenon_executor *executor);

// [any] One less. The executor may be gone when this returns.
void tn_open_leave(tenon_executor *executor);

// [any] How many are open.
uint32_t tn_open_count(tenon_executor *executor);

// [any] No more are opened from now on. False: somebody has said so before.
bool tn_open_close(tenon_executor *executor);

// [one thread, blocks] Wait until none is open.
void tn_open_drain(tenon_executor *executor);

#endif
