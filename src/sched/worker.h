// SPDX-License-Identifier: MIT
//
// worker — a thread that finds jobs and runs them.
//
// The policy is in worker.c: own deque, then others' work, then sleep. What a
// worker does while one of its jobs waits is in wait.c.

#ifndef TN_SCHED_WORKER_H
#define TN_SCHED_WORKER_H

#include "sched/idle.h"
#include "sched/job.h"
#include "sync/deque.h"
#include "sync/slab.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct tenon_executor;

// How many things the layer above counts, for a gauge of what lives.
#define TN_TALLY_COUNT 4

struct tn_worker {
    struct tenon_worker face;  // the deque and what runs; first

    // Owner only.
    alignas(TN_CACHE_LINE) struct tenon_executor *executor;
    struct tenon_worker *shown;  // to inline calls: the face, or a blank one
    struct tn_idle *idle;        // the executor's, at hand
    uint32_t index;
    uint32_t parker;
    uint32_t tick;
    uint32_t blocking_depth;    // used by the layer above: regions that wait
    const void *blocking_task;  // for the system, and whose they are
    uint64_t random;
    struct tn_slab_returns returns;
    struct tn_slab_cache cache;

    // Owner writes, others read: what the layer above has begun and ended here.
    _Atomic(uint64_t) tally[TN_TALLY_COUNT];

    // Owner writes, waiting workers read, as hints: the victim's index << 32 |
    // the low half of the job's index in its deque, and the low half of our
    // bottom when the job began.
    alignas(TN_CACHE_LINE) _Atomic(uint64_t) stolen_from;
    _Atomic(uint32_t) stolen_mark;

    // Guarded by the crew's lock.
    struct tn_worker *next_retired;  // or the next without a thread
    bool is_retired;
    bool has_thread;
    pthread_t thread;
};

#define TN_STOLEN_NONE UINT64_MAX

// What inline calls see where they are not to be used: nothing runs there.
extern struct tenon_worker tn_worker_blank;

extern __thread struct tn_worker *tn_worker_here
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

// [any] The worker that this thread is, or NULL.
static inline struct tn_worker *tn_worker_self(void)
{
    return tn_worker_here;
}

// [any] From now on this thread is `worker`; NULL: none.
static inline void tn_worker_become(struct tn_worker *worker)
{
    tn_worker_here = worker;
}

// [any] A name for the calling thread, unique among the living.
static inline const void *tn_thread_self(void)
{
    return &tn_worker_here;
}

// [its thread]
static inline void tn_worker_count(
    struct tn_worker *worker, uint32_t tally, uint64_t difference)
{
    // relaxed: written here only; a gauge, of which others want no more than
    // what has happened before.
    uint64_t count = tn_load_relaxed(&worker->tally[tally]);
    // relaxed: likewise.
    tn_store_relaxed(&worker->tally[tally], count + difference);
}

// [one thread] NULL: no memory.
struct tn_worker *tn_worker_create(
    struct tenon_executor *executor, uint32_t index);

// [one thread] Its thread has ended. Accepts NULL.
void tn_worker_destroy(struct tn_worker *worker);

// [its thread] Find jobs and run them until the executor stops.
void tn_worker_main(struct tn_worker *worker);

// [its thread, blocks] Wait, running only jobs that `wait` allows: those above
// `mark` of the own deque first, then what thieves took from there.
void tn_worker_wait(
    struct tn_worker *worker, uint32_t mark, struct tn_wait *wait);

// [its thread, blocks] Wait for what may be over while descendants still run: a
// spare has the core meanwhile. Where none is to be had, as tn_worker_wait().
void tn_worker_stand_aside(
    struct tn_worker *worker, uint32_t mark, struct tn_wait *wait);

// [its thread, blocks] Wait, running nothing: a spare has the core meanwhile.
void tn_worker_block(struct tn_worker *worker, struct tn_wait *wait);

// [foreign thread, blocks] Wait. `executor` lends a worker if it has no thread.
void tn_thread_wait(struct tenon_executor *executor, struct tn_wait *wait);

// [its thread] Run a job that came from elsewhere.
void tn_worker_run_stolen(
    struct tn_worker *worker, struct tn_job *job, uint32_t victim_index,
    int64_t job_index);

// [its thread] One try at the deque of another worker; NULL: nothing.
struct tn_job *tn_worker_steal_from(
    struct tn_worker *worker, struct tn_worker *victim, int64_t *job_index);

// [its thread] Take a few injected jobs: the first is returned, the others go
// to the own deque.
struct tn_job *tn_worker_take_injected(struct tn_worker *worker);

// [its thread] Queue an item again that was just taken from the own deque,
// which still has room for it (I3 of deque.c).
void tn_worker_requeue(struct tn_worker *worker, void *item);

// [its thread] Give memory and gathered pieces back before a sleep.
void tn_worker_tidy(struct tn_worker *worker);

// [its thread] May the pages of a large deque go back?
static inline bool tn_worker_can_trim(struct tn_worker *worker)
{
    return worker->face.deque.is_trim_due &&
           tn_deque_looks_empty(&worker->face.deque);
}

// [its thread] 64 bytes, or NULL.
static inline void *tn_worker_take_piece(struct tn_worker *worker)
{
    return tn_slab_take(&worker->cache);
}

// [its thread] Give such 64 bytes back, whoever took them.
static inline void tn_worker_give_piece(struct tn_worker *worker, void *piece)
{
    tn_slab_give(&worker->cache, &worker->returns, piece);
}

// [its thread] Thieves ask, or somebody sleeps: answer, and hand a part of a
// long queue out at once to who looks for work. One theft at a time would cost
// both sides more than short jobs take.
void tn_worker_answer(struct tn_worker *worker);

// [its thread] Add a job, marked or not, to the own deque and wake somebody if
// all sleep. False: no memory.
static inline bool tn_worker_push(struct tn_worker *worker, void *item)
{
    if (tn_unlikely(!tn_deque_push(&worker->face.deque, item))) {
        return false;
    }
    tn_idle_notify(worker->idle);
    return true;
}

#endif
