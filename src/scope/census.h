// SPDX-License-Identifier: MIT
//
// census — in debug mode, who is alive: a tree of scopes and tasks.
//
// A node for each open scope and each spawned task, below what it belongs to.
// Other executors pay a look at one flag. See census.c; who prints it is in
// src/diag/dump.c.

#ifndef TN_SCOPE_CENSUS_H
#define TN_SCOPE_CENSUS_H

#include "base/atomic.h"
#include "base/check.h"
#include "sched/timer.h"
#include "tenon/executor.h"
#include "tenon/scope.h"
#include "tenon/task.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TN_NODE_EXECUTOR, TN_NODE_SCOPE, TN_NODE_TASK };

// What a task does. Scopes have the first.
enum {
    TN_STATE_QUEUED,
    TN_STATE_DELAYED,  // until its time
    TN_STATE_LIMITED,  // until it has units of a limiter
    TN_STATE_RUNNING,
    TN_STATE_JOINING,
    TN_STATE_WAITING,
    TN_STATE_BLOCKING,
};

struct tn_node {
    // Guarded by the census's lock.
    struct tn_node *parent;
    struct tn_node *first;
    struct tn_node *last;
    struct tn_node *next;
    struct tn_node *previous;
    bool is_gone;  // its scope lay in a frame that has returned

    // Fixed.
    uint32_t kind;
    const char *name;  // or NULL
    uint64_t id;
    tenon_token *token;
    const struct tn_timer *timer;  // whose clock; NULL: an executor's

    // Its task writes.
    _Atomic(uint32_t) state;
    _Atomic(uint64_t) since_ns;  // that state
    _Atomic(uint64_t) polled_epoch;
    _Atomic(const tenon_limiter *) held;  // the last it took units of, or NULL

    // Of who looks, one at a time; guarded by the lock.
    uint64_t quiet_since_ns;
    uint64_t quiet_epoch;
    uint64_t set_since_ns;
    bool is_told_slow;
    bool is_told_ignored;
};

// Of an executor.
struct tn_census {
    struct tn_node root;
    struct tn_timer_entry entry;
    tenon_executor *executor;
    uint64_t grace_ns;
    uint64_t slow_ns;
    _Atomic(bool) is_stopping;
};

// Is there an executor in debug mode, or was there one? Set before its first
// scope is opened.
extern _Atomic(bool) tn_census_is_used;

// [one thread] Nothing lives in the executor yet; times 0: the defaults.
void tn_census_init(
    struct tn_census *census, tenon_executor *executor, uint64_t grace_ns,
    uint64_t slow_ns);

// [one thread] Look every so often, on the executor's timer thread. Without one
// nothing is looked at but by tenon_executor_inspect().
void tn_census_start(struct tn_census *census);

// [one thread, blocks] Look no more.
void tn_census_stop(struct tn_census *census);

// [owner] `scope` of an executor in debug mode is open, or joined.
void tn_census_add_scope(tenon_scope *scope);
void tn_census_remove_scope(tenon_scope *scope);

// [any] A node for a task that is made, or NULL without memory; and its end.
// Accepts NULL.
struct tn_node *tn_census_add_task(
    tenon_scope *scope, const tenon_task_options *options, tenon_token *token);
void tn_census_remove(struct tn_node *node);

// [any] The frame of `scope` is gone: show what lives, as far as that goes, if
// `executor` is in debug mode. Nothing is read from the scope.
void tn_census_show_dead(const tenon_scope *scope, tenon_executor *executor);

// [any]
static inline bool tn_census_is_on(void)
{
    // relaxed: set before what is looked at where it matters.
    return tn_load_relaxed(&tn_census_is_used);
}

// [its thread] The slow half of what follows.
uint32_t tn_census_note_state(tenon_task *task, uint32_t state);
void tn_census_note_poll(tenon_task *task, uint64_t epoch);

// [its thread, or who starts it] The task, or who spawned it if it is forked,
// is in another state from now on. The one before.
static inline uint32_t tn_census_enter(tenon_task *task, uint32_t state)
{
    if (tn_likely(!tn_census_is_on()) || task == NULL) {
        return TN_STATE_RUNNING;
    }
    return tn_census_note_state(task, state);
}

// [its thread] It has seen the epoch.
static inline void tn_census_polled(tenon_task *task, uint64_t epoch)
{
    if (tn_unlikely(tn_census_is_on())) {
        tn_census_note_poll(task, epoch);
    }
}

// [its thread] The slow half of what follows.
void tn_census_note_units(
    tenon_task *task, const tenon_limiter *limiter, bool has_taken);

// [its thread] It has waited for units of the limiter, and got them.
static inline void tn_census_took(
    tenon_task *task, const tenon_limiter *limiter)
{
    if (tn_unlikely(tn_census_is_on())) {
        tn_census_note_units(task, limiter, true);
    }
}

// [any] Whoever calls gives some back; perhaps the task that took them.
void tn_census_gave(const tenon_limiter *limiter);

// [any] Has it units that it waited for, of the limiter, the last one? Accepts
// NULL.
static inline bool tn_census_holds(
    struct tn_node *node, const tenon_limiter *limiter)
{
    // relaxed: a hint for people.
    return node != NULL && tn_load_relaxed(&node->held) == limiter;
}

// [any] Nothing is added or taken away between these two.
void tn_census_lock(void);
void tn_census_unlock(void);

// [lock held] The node after `node` in depth-first order below `root`, or NULL;
// `*depth` follows.
struct tn_node *tn_census_next(
    const struct tn_node *root, const struct tn_node *node, size_t *depth);

#endif
