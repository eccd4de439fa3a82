// SPDX-License-Identifier: MIT
//
// census — stands for src/scope/census.h: no executor is in debug mode.

#ifndef TN_SCOPE_CENSUS_H
#define TN_SCOPE_CENSUS_H

#include "tenon/executor.h"
#include "tenon/scope.h"
#include "tenon/task.h"

#include <stdbool.h>
#include <stdint.h>

struct tn_node;

struct tn_census {
    bool unused;
};

enum {
    TN_STATE_QUEUED,
    TN_STATE_RUNNING,
    TN_STATE_JOINING,
    TN_STATE_WAITING,
    TN_STATE_BLOCKING,
};

static inline bool tn_census_is_on(void)
{
    return false;
}

static inline void tn_census_add_scope(tenon_scope *scope)
{
    (void)scope;
}

static inline void tn_census_remove_scope(tenon_scope *scope)
{
    (void)scope;
}

static inline void tn_census_show_dead(
    const tenon_scope *scope, tenon_executor *executor)
{
    (void)scope;
    (void)executor;
}

static inline uint32_t tn_census_enter(tenon_task *task, uint32_t state)
{
    (void)task;
    return state;
}

static inline void tn_census_took(
    tenon_task *task, const tenon_limiter *limiter)
{
    (void)task;
    (void)limiter;
}

static inline void tn_census_gave(const tenon_limiter *limiter)
{
    (void)limiter;
}

static inline bool tn_census_holds(
    struct tn_node *node, const tenon_limiter *limiter)
{
    (void)node;
    (void)limiter;
    return false;
}

#endif
