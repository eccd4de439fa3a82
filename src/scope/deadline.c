// SPDX-License-Identifier: MIT
//
// deadline — sets a token at a time, the outermost of a chain first.
//
// The token has room for a timer entry. A task or scope may be late to see its
// deadline, and the timer may be late; so what fires first looks whether one
// further out is not later, and sets that one before itself. Then the cause of
// the inner is the outer, whoever came first. Times of different clocks are not
// compared.
//
// Roles:    the owner starts and stops; members move; the timer fires.
// Progress: as the timer's: a lock, and stop waits for a firing.
// Ordering:
//   E1 bind   bind: cas-acqrel timer -> end: load-acquire timer (who set the
//             deadline of a free-standing token is done with it)

#include "scope/deadline.h"

#include "base/atomic.h"
#include "base/clock.h"
#include "sched/executor.h"
#include "sched/worker.h"
#include "scope/token.h"
#include "tenon/executor.h"
#include "tenon/handle.h"
#include "tenon/scope.h"

#include <stddef.h>

_Static_assert(
    offsetof(struct tn_timer_entry, deadline_ns) ==
            offsetof(tenon_token, deadline_ns) -
                offsetof(tenon_token, timer_links) &&
        sizeof(struct tn_timer_entry) ==
            offsetof(tenon_token, timer) - offsetof(tenon_token, timer_links),
    "the public token has room for a timer entry");

static struct tn_timer_entry *entry_of(tenon_token *token)
{
    return (struct tn_timer_entry *)token->timer_links;
}

static tenon_token *token_of(struct tn_timer_entry *entry)
{
    return (tenon_token *)((char *)entry - offsetof(tenon_token, timer_links));
}

static uint64_t own_deadline(const tenon_token *token)
{
    // relaxed: a time of its own; nothing comes with it.
    return tn_load_relaxed(&token->deadline_ns);
}

// By whose clock its own deadline goes; NULL: it has never had one.
static const struct tn_timer *timer_of(const tenon_token *token)
{
    const char *place = (const char *)token;

    switch (token->kind) {
    case TN_TOKEN_OF_SCOPE:
        place -= offsetof(tenon_scope, token);
        return &((const tenon_scope *)place)->executor->timer;
    case TN_TOKEN_OF_TASK:
        place -= offsetof(tenon_handle, token);
        return &((const tenon_handle *)place)->task.scope->executor->timer;
    default:
        return tn_load_acquire(&token->timer);  // E1
    }
}

static bool have_one_clock(const struct tn_timer *a, const struct tn_timer *b)
{
    return a == b ||
           (a != NULL && b != NULL && a->clock.now_ns == b->clock.now_ns &&
            a->clock.context == b->clock.context);
}

// Its own, if it goes by that clock.
static uint64_t deadline_by(
    const tenon_token *token, const struct tn_timer *timer)
{
    uint64_t deadline_ns = own_deadline(token);

    if (deadline_ns == TENON_NO_DEADLINE ||
        !have_one_clock(timer_of(token), timer)) {
        return TENON_NO_DEADLINE;
    }
    return deadline_ns;
}

uint64_t tn_deadline_of(
    const struct tn_timer *timer, uint64_t deadline_ns, uint64_t timeout_ns)
{
    uint64_t until_ns = TENON_NO_DEADLINE;

    if (timeout_ns != 0) {
        uint64_t now_ns = tn_timer_now_ns(timer);
        uint64_t left_ns = TENON_NO_DEADLINE - now_ns;
        until_ns = timeout_ns < left_ns ? now_ns + timeout_ns : until_ns;
    }
    return deadline_ns != 0 && deadline_ns < until_ns ? deadline_ns : until_ns;
}

// The task that a token with a deadline of its own belongs to. It has its
// extras from the start: they may be read here.
static const tenon_task *task_of(const tenon_token *token)
{
    const char *handle = (const char *)token - offsetof(tenon_handle, token);

    return &((const tenon_handle *)handle)->task;
}

static void expire(tenon_token *token)
{
    tenon_cause cause = {
        .source = TENON_CAUSE_DEADLINE,
        .origin = TENON_CAUSE_DEADLINE,
        .code = TENON_TIMEOUT,
        .time_ns = tn_clock_now_ns(),
    };

    tn_cause_copy(cause.text, sizeof(cause.text), "deadline passed");
    tn_cause_name(&cause, token);
    if (token->kind == TN_TOKEN_OF_TASK) {
        cause.task_id = tenon_task_id(task_of(token));
    }
    tn_token_set(token, &cause);
}

// Set the outermost of `token` and all above it whose time, by that clock, is
// not later; first those that links lead to.
static void expire_due(
    tenon_token *token, const struct tn_timer *timer, uint64_t deadline_ns)
{
    tenon_token *outermost = NULL;

    for (tenon_token *at = token; at != NULL; at = at->up.parent) {
        for (uint32_t i = 0; i < at->link_count; i++) {
            expire_due(at->links[i].parent, timer, deadline_ns);
        }
        if (deadline_by(at, timer) <= deadline_ns) {
            outermost = at;
        }
    }
    if (outermost != NULL) {
        expire(outermost);
    }
}

static void fire(struct tn_timer_entry *entry)
{
    tenon_token *token = token_of(entry);

    expire_due(token, timer_of(token), own_deadline(token));
    expire(token);
}

tenon_status tn_deadline_set(
    tenon_token *token, struct tn_timer *timer, uint64_t deadline_ns,
    uint32_t rank)
{
    struct tn_timer_entry *entry = entry_of(token);

    switch (tn_timer_set(timer, entry, fire, deadline_ns, rank)) {
    case TN_TIMER_PAST:
        fire(entry);
        return TENON_OK;
    case TN_TIMER_FIRED:
        return TENON_EALREADY;
    case TN_TIMER_NO_THREAD:
        return TENON_EAGAIN;
    default:
        return TENON_OK;
    }
}

static tenon_status find_timer(
    tenon_executor *executor, struct tn_timer **timer)
{
    struct tn_worker *worker = tn_worker_self();

    if (executor == NULL && worker != NULL) {
        executor = worker->executor;
    }
    if (executor == NULL) {
        tenon_status status = tenon_executor_default(&executor);
        if (status != TENON_OK) {
            return status;
        }
    }
    *timer = &executor->timer;
    return TENON_OK;
}

// All who set it say the same, or are refused.
static bool bind(tenon_token *token, struct tn_timer *timer)
{
    void *bound = NULL;

    bool is_first = tn_cas_acqrel(&token->timer, &bound, (void *)timer);  // E1
    return is_first || bound == timer;
}

tenon_status tenon_token_set_deadline(
    tenon_token *token, tenon_executor *executor, uint64_t deadline_ns)
{
    struct tn_timer *timer = NULL;

    if (token == NULL || deadline_ns == 0 || token->kind != TN_TOKEN_FREE) {
        return TENON_EINVAL;
    }
    if (tn_has_forked) {
        return TENON_EFORK;
    }
    tenon_status status = find_timer(executor, &timer);
    if (status != TENON_OK) {
        return status;
    }
    if (!bind(token, timer)) {
        return TENON_EINVAL;
    }
    if (tenon_token_cancelled(token)) {
        return TENON_EALREADY;
    }
    return tn_deadline_set(token, timer, deadline_ns, 0);
}

void tn_deadline_end(tenon_token *token)
{
    struct tn_timer *timer = tn_load_acquire(&token->timer);  // E1

    if (timer != NULL && !tn_has_forked) {
        tn_deadline_stop(token, timer);
    }
}

void tn_deadline_stop(tenon_token *token, struct tn_timer *timer)
{
    if (own_deadline(token) != TENON_NO_DEADLINE) {
        tn_timer_disarm(timer, entry_of(token));
        // relaxed: the owner's, and nothing comes with it. What is opened below
        // from now on, at its end, is not bound by it.
        tn_store_relaxed(&token->deadline_ns, TENON_NO_DEADLINE);
    }
}

// Of a token without a clock the first that is met counts.
static uint64_t earliest(tenon_token *token, const struct tn_timer **timer)
{
    uint64_t earliest_ns = TENON_NO_DEADLINE;

    for (tenon_token *at = token; at != NULL; at = at->up.parent) {
        *timer = *timer == NULL ? timer_of(at) : *timer;
        uint64_t deadline_ns = deadline_by(at, *timer);
        earliest_ns = deadline_ns < earliest_ns ? deadline_ns : earliest_ns;
        for (uint32_t i = 0; i < at->link_count; i++) {
            deadline_ns = earliest(at->links[i].parent, timer);
            earliest_ns = deadline_ns < earliest_ns ? deadline_ns : earliest_ns;
        }
    }
    return earliest_ns;
}

uint64_t tenon_token_deadline(tenon_token *token)
{
    const struct tn_timer *timer = NULL;

    return earliest(token, &timer);
}
