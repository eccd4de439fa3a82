// SPDX-License-Identifier: MIT
//
// blocking — a task that waits for the world leaves its core to a spare thread.

#include "tenon/blocking.h"

#include "base/check.h"
#include "sched/executor.h"
#include "sched/worker.h"
#include "scope/census.h"
#include "scope/pause.h"
#include "scope/task.h"

static bool never(struct tn_pause *pause)
{
    (void)pause;
    return false;
}

tenon_status tenon_sleep_until(tenon_task *self, uint64_t deadline_ns)
{
    struct tn_worker *worker = tn_task_worker(self);
    struct tn_pause pause;

    if (worker == NULL) {
        return TENON_EFORK;
    }
    tn_pause_init(&pause, worker->executor, self->scope, never);
    tenon_status status = tn_pause_wait(
        &pause, tn_task_innermost_token(self), deadline_ns, false);
    return status == TENON_ENOTREADY ? TENON_OK : status;
}

tenon_status tenon_sleep(tenon_task *self, uint64_t duration_ns)
{
    struct tn_worker *worker = tn_task_worker(self);

    if (worker == NULL) {
        return TENON_EFORK;
    }
    uint64_t now_ns = tn_timer_now_ns(&worker->executor->timer);
    uint64_t left_ns = TENON_NO_DEADLINE - now_ns;
    return tenon_sleep_until(
        self, duration_ns < left_ns ? now_ns + duration_ns : TENON_NO_DEADLINE);
}

void tenon_blocking_begin(tenon_task *self)
{
    struct tn_worker *worker = tn_task_worker(self);

    if (worker == NULL) {
        return;
    }
    tn_require(
        worker->blocking_depth == 0 || worker->blocking_task == self,
        "a task ended in a blocking region of its own, before task '%s'",
        tenon_task_name(self));
    if (worker->blocking_depth++ == 0) {
        worker->blocking_task = self;
        tn_census_enter(self, TN_STATE_BLOCKING);
        tn_crew_leave(worker);
    }
}

void tenon_blocking_end(tenon_task *self)
{
    struct tn_worker *worker = tn_task_worker(self);

    if (worker == NULL) {
        return;
    }
    tn_require(
        worker->blocking_depth > 0 && worker->blocking_task == self,
        "task '%s' ends a blocking region that it did not begin",
        tenon_task_name(self));
    if (--worker->blocking_depth == 0) {
        tn_crew_return(worker);
        tn_census_enter(self, TN_STATE_RUNNING);
    }
}
