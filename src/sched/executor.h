// SPDX-License-Identifier: MIT
//
// executor — the scheduler as one object: crew, injection, sleep, timer.

#ifndef TN_SCHED_EXECUTOR_H
#define TN_SCHED_EXECUTOR_H

#include "sched/crew.h"
#include "sched/foreign.h"
#include "sched/idle.h"
#include "sched/job.h"
#include "sched/timer.h"
#include "sched/worker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tn_executor_config {
    uint64_t inject_limit;  // 0: none
    uint32_t worker_count;
    uint32_t spare_count;
    size_t stack_size_bytes;
    uint64_t idle_spin_ns;  // before an idle worker sleeps
    uint64_t wait_spin_ns;  // before a waiting one parks
    const char *name;
    tn_job_run_fn *run;
    struct tn_clock clock;
    bool is_debugged;  // no call is inline: each is checked
};

struct tenon_executor {
    tn_job_run_fn *run;
    uint64_t idle_spin_ns;  // before an idle worker sleeps
    uint64_t wait_spin_ns;  // before a waiting one parks
    size_t stack_size_bytes;
    uint32_t searcher_limit;
    uint32_t cpu_count;  // on which its threads may run
    char name[16];
    _Atomic(bool) is_stopping;

    // For the layer above.
    void *upper;
    bool is_debugged;
    _Atomic(uint32_t) open_count;

    struct tn_inject inject;
    struct tn_idle idle;
    struct tn_crew crew;
    struct tn_timer timer;
    struct tn_foreign foreign;
};

// Set in the child of a fork of a process that had an executor, or was about to
// make one: none of its threads exists here, and any lock may be held by one of
// them for ever. Written by the only thread there is.
extern bool tn_has_forked;

// [any] From now on a fork sets it. False: no memory for that.
bool tn_executor_setup(void);

// [any] NULL: no memory.
struct tenon_executor *tn_executor_create(
    const struct tn_executor_config *config);

// [any but its workers, blocks] No job is left.
void tn_executor_destroy(struct tenon_executor *executor);

// [any] Queue a job from a thread without a deque in this executor.
void tn_executor_inject(struct tenon_executor *executor, struct tn_job *job);

// [any] The same, unless as many as the limit says are queued so: false.
bool tn_executor_try_inject(
    struct tenon_executor *executor, struct tn_job *job);

// [any] Count for the gauge, wherever the calling thread is.
static inline void tn_executor_count(
    struct tenon_executor *executor, uint32_t tally, uint64_t difference)
{
    struct tn_worker *worker = tn_worker_self();

    if (tn_likely(worker != NULL && worker->executor == executor)) {
        tn_worker_count(worker, tally, difference);
    } else {
        tn_foreign_count(&executor->foreign, tally, difference);
    }
}

// [any] The sum of all that was counted so far.
uint64_t tn_executor_tally(struct tenon_executor *executor, uint32_t tally);

// [any] 64 bytes, or NULL.
void *tn_executor_take_piece(struct tenon_executor *executor);

// [any] Give such 64 bytes back, on any thread.
void tn_executor_give_piece(struct tenon_executor *executor, void *piece);

// [foreign thread] Give unused memory back to the system.
void tn_executor_trim(struct tenon_executor *executor);

#endif
