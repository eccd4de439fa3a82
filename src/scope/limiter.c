// SPDX-License-Identifier: MIT
//
// limiter — a count and a line of tickets behind one lock.
//
// A task with a limiter is counted in its scope at once, but queued only when
// its ticket is granted: it holds no worker while it waits. A cancel takes it
// out of the line and queues it to be dropped.
//
// Roles:    any thread takes and gives; a cancel takes out.
// Progress: blocks on the lock, held for a few steps and for each grant.
// Memory:   a task's ticket lives until the task has ended. Who blocks is woken
//           with the lock held, and takes it before it goes.
// Invariants:
//   I1 used <= limit when units are granted
//   I2 the first in line is granted before any other

#include "scope/limiter.h"

#include "base/check.h"
#include "sched/executor.h"
#include "sched/worker.h"
#include "scope/census.h"
#include "scope/finding.h"
#include "scope/pause.h"
#include "scope/scope.h"
#include "scope/task.h"
#include "scope/token.h"

#include <stdlib.h>

enum { NEW, WAITING, GRANTED, OUT };

static uint32_t state_of(struct tn_ticket *ticket)
{
    // relaxed: who acts on it takes the lock, or was queued by who wrote it.
    return tn_load_relaxed(&ticket->state);
}

static void set_state(struct tn_ticket *ticket, uint32_t state)
{
    // relaxed: as above.
    tn_store_relaxed(&ticket->state, state);
}

static bool fits_locked(const tenon_limiter *limiter, uint64_t unit_count)
{
    return limiter->used + unit_count <= limiter->limit;
}

static void append_locked(tenon_limiter *limiter, struct tn_ticket *ticket)
{
    struct tn_ticket *last = limiter->last;

    ticket->next = NULL;
    ticket->previous = last;
    if (last == NULL) {
        limiter->first = ticket;
    } else {
        last->next = ticket;
    }
    limiter->last = ticket;
    limiter->waiting_count++;
    set_state(ticket, WAITING);
}

static void remove_locked(tenon_limiter *limiter, struct tn_ticket *ticket)
{
    if (ticket->next != NULL) {
        ticket->next->previous = ticket->previous;
    } else {
        limiter->last = ticket->previous;
    }
    if (ticket->previous != NULL) {
        ticket->previous->next = ticket->next;
    } else {
        limiter->first = ticket->next;
    }
    limiter->waiting_count--;
}

// I1, I2. Whose turn it is: the tasks among them come back as a list.
static struct tn_ticket *grant_locked(tenon_limiter *limiter)
{
    struct tn_ticket *granted = NULL;
    struct tn_ticket **end = &granted;
    struct tn_ticket *ticket = NULL;

    while ((ticket = limiter->first) != NULL &&
           fits_locked(limiter, ticket->unit_count)) {
        remove_locked(limiter, ticket);
        limiter->used += ticket->unit_count;
        ticket->next = NULL;
        if (ticket->task != NULL) {
            *end = ticket;
            end = &ticket->next;
        }
        set_state(ticket, GRANTED);
        if (ticket->pause != NULL) {
            tn_pause_wake(ticket->pause);
        }
    }
    return granted;
}

static void queue_all(struct tn_ticket *granted)
{
    while (granted != NULL) {
        struct tn_ticket *next = granted->next;
        tn_task_queue_held(granted->task);
        granted = next;
    }
}

static bool try_locked(tenon_limiter *limiter, uint64_t unit_count)
{
    bool is_free = limiter->first == NULL && fits_locked(limiter, unit_count);

    limiter->used += is_free ? unit_count : 0;
    return is_free;
}

void tenon_limiter_init(tenon_limiter *limiter, uint32_t unit_count)
{
    *limiter = (tenon_limiter){.limit = unit_count};
    pthread_mutex_init(&limiter->lock, NULL);
}

void tenon_limiter_resize(tenon_limiter *limiter, uint32_t unit_count)
{
    if (tn_has_forked) {
        return;
    }
    pthread_mutex_lock(&limiter->lock);
    limiter->limit = unit_count;
    struct tn_ticket *granted = grant_locked(limiter);
    pthread_mutex_unlock(&limiter->lock);
    queue_all(granted);
}

tenon_status tenon_limiter_try_acquire(
    tenon_limiter *limiter, uint32_t unit_count)
{
    if (unit_count == 0) {
        return TENON_EINVAL;
    }
    if (tn_has_forked) {
        return TENON_EFORK;
    }
    pthread_mutex_lock(&limiter->lock);
    bool is_free = try_locked(limiter, unit_count);
    pthread_mutex_unlock(&limiter->lock);
    return is_free ? TENON_OK : TENON_EAGAIN;
}

void tenon_limiter_release(tenon_limiter *limiter, uint32_t unit_count)
{
    if (tn_has_forked) {
        return;
    }
    tn_census_gave(limiter);
    pthread_mutex_lock(&limiter->lock);
    tn_require(
        limiter->used >= unit_count,
        "%u units were released, but only %llu are in use", unit_count,
        (unsigned long long)limiter->used);
    limiter->used -= unit_count;
    struct tn_ticket *granted = grant_locked(limiter);
    pthread_mutex_unlock(&limiter->lock);
    queue_all(granted);
}

void tenon_limiter_look(
    tenon_limiter *limiter, uint64_t *used_count, uint64_t *waiting_count)
{
    if (tn_has_forked) {
        return;
    }
    pthread_mutex_lock(&limiter->lock);
    if (used_count != NULL) {
        *used_count = limiter->used;
    }
    if (waiting_count != NULL) {
        *waiting_count = limiter->waiting_count;
    }
    pthread_mutex_unlock(&limiter->lock);
}

void tenon_limiter_fini(tenon_limiter *limiter)
{
    tn_require(
        (limiter->used == 0 && limiter->first == NULL) || tn_has_forked,
        "limiter %p is still in use", (void *)limiter);
    pthread_mutex_destroy(&limiter->lock);
}

struct tn_ticket *tn_ticket_create(
    tenon_limiter *limiter, uint32_t unit_count, tenon_task *task)
{
    struct tn_ticket *ticket = calloc(1, sizeof(*ticket));

    if (ticket != NULL) {
        ticket->limiter = limiter;
        ticket->unit_count = unit_count;
        ticket->task = task;
    }
    return ticket;
}

bool tn_ticket_try(struct tn_ticket *ticket)
{
    pthread_mutex_lock(&ticket->limiter->lock);
    bool is_free = try_locked(ticket->limiter, ticket->unit_count);
    if (is_free) {
        set_state(ticket, GRANTED);
    }
    pthread_mutex_unlock(&ticket->limiter->lock);
    return is_free;
}

// A cancel: out of the line, to be dropped.
static int leave_line(void *context, const tenon_cause *cause)
{
    struct tn_ticket *ticket = context;
    tenon_limiter *limiter = ticket->limiter;
    struct tn_ticket *granted = NULL;

    (void)cause;
    pthread_mutex_lock(&limiter->lock);
    uint32_t before = state_of(ticket);
    if (before == WAITING) {
        remove_locked(limiter, ticket);
        granted = grant_locked(limiter);
    }
    if (before == WAITING || before == NEW) {
        set_state(ticket, OUT);
    }
    pthread_mutex_unlock(&limiter->lock);
    queue_all(granted);
    if (before == WAITING) {
        tn_task_queue_held(ticket->task);
    }
    return 0;
}

static bool has_units(const tenon_task *task, const tenon_limiter *limiter)
{
    // Others may get their extras just now.
    if ((tn_task_flags(task) & TN_TASK_NOTED) == 0) {
        return false;
    }
    const struct tn_task_extra *extra = task->relation;
    bool has_ticket = extra->ticket != NULL &&
                      extra->ticket->limiter == limiter &&
                      state_of(extra->ticket) == GRANTED;
    return has_ticket || tn_census_holds(extra->node, limiter);
}

// Who waits for what waits, beginning with `task`, may have units: then they
// wait for each other.
static void look_for_deadlock(
    const struct tn_ticket *ticket, const tenon_task *task)
{
    if (tn_likely(!tn_census_is_on())) {
        return;
    }
    for (; task != NULL; task = tn_task_parent(task)) {
        if (has_units(task, ticket->limiter)) {
            tn_finding_say(
                TENON_FINDING_LIMITER, task, task->scope,
                "task '%s' #%llu has units of a limiter and waits, itself or "
                "in a join, for %u more",
                tenon_task_name(task), (unsigned long long)tenon_task_id(task),
                ticket->unit_count);
            return;
        }
    }
}

// True: the task is to be queued now, with units or to be dropped.
static bool enter_line(struct tn_ticket *ticket)
{
    tenon_limiter *limiter = ticket->limiter;

    pthread_mutex_lock(&limiter->lock);
    bool is_now = state_of(ticket) == OUT;
    if (!is_now && try_locked(limiter, ticket->unit_count)) {
        set_state(ticket, GRANTED);
        is_now = true;
    } else if (!is_now) {
        append_locked(limiter, ticket);
    }
    pthread_mutex_unlock(&limiter->lock);
    return is_now;
}

void tn_ticket_line_up(
    struct tn_ticket *ticket, tenon_token *token, bool is_patient)
{
    tenon_task *task = ticket->task;

    if (tn_ticket_try(ticket)) {
        tn_task_queue(task);
        return;
    }
    // Both before it is in line: then it may be granted, run and be gone.
    look_for_deadlock(ticket, task->scope->owner);
    if (!is_patient) {
        tenon_callback_register(&ticket->callback, token, leave_line, ticket);
    }
    if (enter_line(ticket)) {
        tn_task_queue(task);
    }
}

struct blocked {
    struct tn_pause pause;
    struct tn_ticket *ticket;
};

static bool is_granted(struct tn_pause *pause)
{
    return state_of(((struct blocked *)pause)->ticket) == GRANTED;
}

tenon_status tn_ticket_wait(
    struct tn_ticket *ticket, struct tenon_executor *executor,
    tenon_scope *scope, tenon_token *token, uint64_t deadline_ns)
{
    struct blocked blocked = {.ticket = ticket};
    tenon_limiter *limiter = ticket->limiter;
    struct tn_ticket *granted = NULL;
    tenon_task *task = ticket->task;

    tn_pause_init(&blocked.pause, executor, scope, is_granted);
    ticket->pause = &blocked.pause;
    ticket->task = NULL;  // the caller sees to it
    tenon_status status = TENON_OK;
    if (!enter_line(ticket)) {
        look_for_deadlock(ticket, tn_task_current());
        status = tn_pause_wait(&blocked.pause, token, deadline_ns, true);
    }
    pthread_mutex_lock(&limiter->lock);
    if (state_of(ticket) == WAITING) {
        remove_locked(limiter, ticket);
        set_state(ticket, OUT);
        granted = grant_locked(limiter);
    } else {
        status = TENON_OK;  // granted, if only in the last moment
    }
    ticket->pause = NULL;
    ticket->task = task;
    pthread_mutex_unlock(&limiter->lock);
    queue_all(granted);
    return status;
}

tenon_status tenon_limiter_acquire_until(
    tenon_task *self, tenon_limiter *limiter, uint32_t unit_count,
    uint64_t deadline_ns)
{
    struct tn_worker *worker = tn_task_worker(self);
    struct tn_ticket ticket = {.limiter = limiter, .unit_count = unit_count};

    if (worker == NULL) {
        return TENON_EFORK;
    }
    if (unit_count == 0) {
        return TENON_EINVAL;
    }
    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;
    }
    tenon_status status = tn_ticket_wait(
        &ticket, worker->executor, self->scope, tn_task_innermost_token(self),
        deadline_ns);
    if (status == TENON_OK) {
        tn_census_took(self, limiter);
    }
    return status;
}

void tn_ticket_give_back(struct tn_ticket *ticket)
{
    if (ticket == NULL) {
        return;
    }
    tenon_callback_unregister(&ticket->callback);
    if (state_of(ticket) == GRANTED) {
        tenon_limiter_release(ticket->limiter, ticket->unit_count);
    }
    set_state(ticket, NEW);
}

void tn_ticket_destroy(struct tn_ticket *ticket)
{
    tn_ticket_give_back(ticket);
    free(ticket);
}
