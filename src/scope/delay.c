// SPDX-License-Identifier: MIT
//
// delay — queues a task when its time has come, or its token is set.
//
// Two things have to happen before the task is queued: whoever armed the delay
// lets it go, counted in its scope, and it becomes due, by the timer or by a
// cancel, whichever is first. The second of the two queues the task. A task
// that goes on later is the same task: it has been counted, keeps its handle,
// and ends once.
//
// Roles:    who spawns, or the task itself, arms; timer and cancel make it due.
// Progress: as the timer and the callbacks: their locks.
// Memory:   the delay belongs to the task; the end of the task takes it out of
//           the timer and the token, which waits for both.
// Ordering:
//   E1 ready  release, make_due: add-acqrel ready_count (what the first of them
//             wrote is there for the second)
//   E2 due    make_due: exchange-acqrel is_due (the first of several counts)

#include "scope/delay.h"

#include "sched/executor.h"
#include "scope/census.h"
#include "scope/deadline.h"
#include "scope/limiter.h"
#include "scope/spawn.h"
#include "scope/task.h"
#include "scope/token.h"
#include "tenon/later.h"

#include <stdlib.h>

struct tn_delay *tn_delay_create(tenon_task *task)
{
    struct tn_delay *delay = calloc(1, sizeof(*delay));

    if (delay != NULL) {
        delay->task = task;
        delay->timer = &task->scope->executor->timer;
    }
    return delay;
}

static void count(struct tn_delay *delay)
{
    tenon_task *task = delay->task;

    if (tn_add_acqrel(&delay->ready_count, 1) == 1) {  // E1
        tn_task_start_held(task);
    }
}

static void make_due(struct tn_delay *delay)
{
    if (!tn_exchange_acqrel(&delay->is_due, true)) {  // E2
        count(delay);
    }
}

static void expire(struct tn_timer_entry *entry)
{
    make_due((struct tn_delay *)entry);  // its first member
}

static int end_by_cancel(void *context, const tenon_cause *cause)
{
    (void)cause;
    make_due(context);
    return 0;
}

bool tn_delay_arm(struct tn_delay *delay, uint64_t until_ns)
{
    tn_atomic_init(&delay->is_due, false);
    tn_atomic_init(&delay->ready_count, 0);
    delay->entry = (struct tn_timer_entry){.deadline_ns = TN_FOREVER};
    switch (tn_timer_set(delay->timer, &delay->entry, expire, until_ns, 0)) {
    case TN_TIMER_NO_THREAD:
        return false;
    case TN_TIMER_PAST:
        make_due(delay);
        break;
    default:
        tenon_callback_register(
            &delay->callback, tn_task_token(delay->task), end_by_cancel, delay);
        break;
    }
    return true;
}

void tn_delay_release(struct tn_delay *delay)
{
    count(delay);
}

void tn_delay_stop(struct tn_delay *delay)
{
    tenon_callback_unregister(&delay->callback);
    tn_timer_disarm(delay->timer, &delay->entry);
}

void tn_delay_destroy(struct tn_delay *delay)
{
    if (delay == NULL) {
        return;
    }
    tn_delay_stop(delay);
    tn_failure_clear(&delay->said);
    free(delay);
}

static struct tn_delay *find(const tenon_task *task)
{
    const struct tn_task_extra *extra = task->relation;

    return extra == NULL ? NULL : extra->delay;
}

tn_failure tn_delay_said(tenon_task *task)
{
    struct tn_delay *delay = find(task);
    tn_failure said = TN_FAILURE_NONE;

    if (delay != NULL) {
        said = delay->said;
        delay->said = TN_FAILURE_NONE;
    }
    return said;
}

bool tn_delay_goes_on(tenon_task *task, int status)
{
    struct tn_delay *delay = find(task);

    if (status != TENON_AGAIN || delay == NULL || !delay->is_asked) {
        return false;
    }
    tn_census_enter(task, TN_STATE_DELAYED);
    delay->is_asked = false;
    delay->said = task->failure;
    task->failure = TN_FAILURE_NONE;
    // relaxed: the queue publishes it; who has the handle reads other bits.
    tn_store_relaxed(&task->state, tn_task_flags(task) | TN_TASK_BEGUN);
    tn_ticket_give_back(((struct tn_task_extra *)task->relation)->ticket);
    tn_delay_release(delay);
    return true;
}

// Extras of a running task that has none yet. NULL: no memory.
static struct tn_task_extra *make_extra(
    struct tn_worker *worker, tenon_task *task)
{
    struct tn_task_extra *extra =
        tn_task_is_handled(task) ? tn_handle_extra(tn_task_handle(task))
                                 : tn_executor_take_piece(worker->executor);

    if (extra != NULL) {
        *extra = (struct tn_task_extra){.name = NULL};
    }
    task->relation = extra;
    return extra;
}

static struct tn_delay *delay_of(struct tn_worker *worker, tenon_task *task)
{
    struct tn_task_extra *extra = task->relation;

    if (extra == NULL) {
        extra = make_extra(worker, task);
    }
    if (extra == NULL) {
        return NULL;
    }
    if (extra->delay == NULL) {
        extra->delay = tn_delay_create(task);
    } else {
        tn_delay_stop(extra->delay);
    }
    return extra->delay;
}

// What it has asked for before.
static void forget(tenon_task *task)
{
    struct tn_delay *delay = find(task);

    if (delay != NULL) {
        delay->is_asked = false;
    }
}

int tenon_again(tenon_task *self, uint64_t delay_ns)
{
    struct tn_worker *worker = tn_task_worker(self);

    if (worker == NULL) {
        return TENON_EFORK;
    }
    if (tn_task_is_forked(self)) {
        return TENON_EPERM;
    }
    forget(self);
    if (tenon_token_cancelled(tn_task_token(self))) {
        return TENON_CANCELLED;
    }
    struct tn_delay *delay = delay_of(worker, self);
    if (delay == NULL) {
        return TENON_ENOMEM;
    }
    uint64_t until_ns =
        delay_ns == 0 ? 0 : tn_deadline_of(delay->timer, 0, delay_ns);
    delay->is_asked = tn_delay_arm(delay, until_ns);
    return delay->is_asked ? TENON_AGAIN : TENON_EAGAIN;
}
