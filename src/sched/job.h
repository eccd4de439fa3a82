// SPDX-License-Identifier: MIT
//
// job — what the scheduler runs, and what it asks of the layer above.

#ifndef TN_SCHED_JOB_H
#define TN_SCHED_JOB_H

#include "sync/inject.h"
#include "tenon/inline.h"

#include <stdbool.h>
#include <stdint.h>

struct tenon_executor;
struct tn_worker;

// The first member of whatever the layer above wants run.
struct tn_job {
    struct tn_link link;
};

// The job of an item of a deque, which may be marked: TENON_ITEM_FORKED.
static inline struct tn_job *tn_job_of(void *item)
{
    return (struct tn_job *)((uintptr_t)item & ~TENON_ITEM_FORKED);
}

// Run the job to its end; it is gone when this returns.
typedef void tn_job_run_fn(struct tn_worker *worker, struct tn_job *job);

enum tn_kinship {
    TN_KIN_NONE,
    TN_KIN_DESCENDS,
    TN_KIN_AWAITED,  // and the wait cannot be over before it has run
};

// Something to wait for. Implemented by the layer above; all but `announce`
// and `retract` are called by the waiting thread while jobs end elsewhere.
struct tn_wait {
    // Has it come to pass?
    bool (*is_done)(struct tn_wait *wait);

    // Does the job descend from who waits? Only such jobs run on its stack.
    enum tn_kinship (*kinship)(struct tn_wait *wait, struct tn_job *job);

    // From now on, whoever makes it come to pass unparks `parker`. False: it
    // has come to pass, nobody will.
    bool (*announce)(struct tn_wait *wait, uint32_t parker);

    // Undo announce. A late unpark may still come.
    void (*retract)(struct tn_wait *wait);

    // Where the jobs are queued whose end is waited for.
    struct tenon_executor *executor;
};

#endif
