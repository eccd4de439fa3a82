// SPDX-License-Identifier: MIT
//
// pause — the scheduler's wait, with a timer entry and a cancel's callback.
//
// Roles:    one thread waits; the timer, a cancel, and whoever makes it come to
//           pass wake it.
// Progress: blocks.
// Memory:   on the stack of who waits: timer and callback are out of it when
//           the wait returns. The others see to it themselves.
// Ordering:
//   E1 wake   wake:     [what is waited for], fence, load parker
//             announce: store parker, fence, check
//             (one of the two sees the other)

#include "scope/pause.h"

#include "base/futex.h"
#include "sched/executor.h"
#include "sched/worker.h"
#include "scope/census.h"
#include "scope/task.h"
#include "scope/token.h"
#include "sync/parker.h"

static struct tn_pause *pause_of(struct tn_wait *base)
{
    return (struct tn_pause *)base;  // its first member
}

static bool pause_is_done(struct tn_wait *base)
{
    struct tn_pause *pause = pause_of(base);

    // relaxed: they say only that it is over.
    return tn_load_relaxed(&pause->is_cancelled) ||
           tn_load_relaxed(&pause->has_expired) ||  // relaxed: likewise
           pause->check(pause);
}

static enum tn_kinship pause_kinship(struct tn_wait *base, struct tn_job *job)
{
    struct tn_pause *pause = pause_of(base);
    const tenon_task *task = (const tenon_task *)job;
    bool is_kin = pause->self != NULL ? tn_task_descends(task, pause->self)
                                      : tn_task_is_within(task, pause->scope);

    return is_kin ? TN_KIN_DESCENDS : TN_KIN_NONE;
}

static bool pause_announce(struct tn_wait *base, uint32_t parker)
{
    struct tn_pause *pause = pause_of(base);

    // relaxed: E1.
    tn_store_relaxed(&pause->parker, parker);
    tn_fence_seqcst();  // E1
    return !pause_is_done(base);
}

static void pause_retract(struct tn_wait *base)
{
    // relaxed: a late unpark does no harm.
    tn_store_relaxed(&pause_of(base)->parker, TN_PARKER_NONE);
}

void tn_pause_wake(struct tn_pause *pause)
{
    tn_fence_seqcst();  // E1
    // relaxed: E1.
    uint32_t parker = tn_load_relaxed(&pause->parker);
    if (parker != TN_PARKER_NONE) {
        tn_parker_unpark(parker);
    }
}

static struct tn_pause *pause_of_entry(struct tn_timer_entry *entry)
{
    return (
        struct tn_pause *)((char *)entry - offsetof(struct tn_pause, entry));
}

static void expire(struct tn_timer_entry *entry)
{
    struct tn_pause *pause = pause_of_entry(entry);

    // relaxed: E1 orders it before the look at the parker.
    tn_store_relaxed(&pause->has_expired, true);
    tn_pause_wake(pause);
}

static int end_by_cancel(void *context, const tenon_cause *cause)
{
    struct tn_pause *pause = context;

    (void)cause;
    // relaxed: E1 orders it before the look at the parker.
    tn_store_relaxed(&pause->is_cancelled, true);
    tn_pause_wake(pause);
    return 0;
}

void tn_pause_init(
    struct tn_pause *pause, struct tenon_executor *executor, tenon_scope *scope,
    tn_pause_check_fn *check)
{
    *pause = (struct tn_pause){
        .base =
            {pause_is_done, pause_kinship, pause_announce, pause_retract,
             executor},
        .self = tn_task_current(),
        .scope = scope,
        .check = check,
        .entry.deadline_ns = TN_FOREVER,
    };
}

static void block(struct tn_pause *pause, bool may_help)
{
    struct tn_worker *worker = tn_worker_self();

    if (worker == NULL || pause->self == NULL) {
        tn_thread_wait(pause->base.executor, &pause->base);
    } else if (may_help) {
        tn_worker_stand_aside(worker, pause->self->result.mark, &pause->base);
    } else {
        tn_worker_block(worker, &pause->base);
    }
}

static tenon_status verdict(struct tn_pause *pause)
{
    if (pause->check(pause)) {
        return TENON_OK;
    }
    // relaxed: who writes it is done with the pause.
    if (tn_load_relaxed(&pause->is_cancelled)) {
        return TENON_CANCELLED;
    }
    // Neither: it had come to pass, and somebody else was faster to use it.
    // relaxed: likewise.
    return tn_load_relaxed(&pause->has_expired) ? TENON_ENOTREADY : TENON_OK;
}

tenon_status tn_pause_wait(
    struct tn_pause *pause, tenon_token *token, uint64_t deadline_ns,
    bool may_help)
{
    struct tn_timer *timer = &pause->base.executor->timer;

    if (pause->check(pause)) {
        return TENON_OK;
    }
    // It would wait for itself, unless it only looks.
    if (tn_timer_is_here(timer) && deadline_ns > tn_timer_now_ns(timer)) {
        return TENON_EDEADLK;
    }
    enum tn_timer_result result =
        tn_timer_set(timer, &pause->entry, expire, deadline_ns, 0);
    if (result == TN_TIMER_NO_THREAD) {
        return TENON_EAGAIN;
    }
    if (result == TN_TIMER_PAST) {
        return tenon_token_cancelled(token) ? TENON_CANCELLED : TENON_ENOTREADY;
    }
    tenon_callback_register(&pause->callback, token, end_by_cancel, pause);
    uint32_t before = tn_census_enter(pause->self, TN_STATE_WAITING);
    block(pause, may_help);
    tn_census_enter(pause->self, before);
    tenon_callback_unregister(&pause->callback);
    if (deadline_ns != TENON_NO_DEADLINE) {
        tn_timer_disarm(timer, &pause->entry);
    }
    return verdict(pause);
}
