// SPDX-License-Identifier: MIT
//
// crew — the threads of an executor: started, replaced while they wait,
// retired when there are too many.
//
// The aim is that `target_count` workers are at work or looking for it. A
// worker that parks in a join leaves; a spare takes its place. When the first
// one comes back there is one too many: whoever runs out of work next retires.

#ifndef TN_SCHED_CREW_H
#define TN_SCHED_CREW_H

#include "base/atomic.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tn_worker;
struct tenon_executor;

struct tn_crew {
    pthread_mutex_t lock;
    uint32_t target_count;
    uint32_t capacity;            // workers at most, spares included
    struct tn_worker *retired;    // guarded by lock
    struct tn_worker *unstarted;  // guarded by lock: those without a thread
    uint32_t thread_count;        // guarded by lock
    uint32_t started_count;       // of tn_crew_start()
    int thread_error;             // guarded by lock: errno of the first failure
    bool is_stopping;             // guarded by lock

    // Guarded by lock for writing; read without it as a hint.
    _Atomic(uint32_t) active_count;

    // workers[0 .. worker_count-1] are set and stay until the end.
    _Atomic(uint32_t) worker_count;
    _Atomic(struct tn_worker *) *workers;
};

// [one thread] No worker is started yet. False: no memory.
bool tn_crew_init(struct tn_crew *crew, uint32_t target, uint32_t capacity);

// [one thread] After tn_crew_stop(). Frees the workers.
void tn_crew_fini(struct tn_crew *crew);

// [one thread] Start `target_count` workers, or as many as the system gives.
void tn_crew_start(struct tn_crew *crew, struct tenon_executor *executor);

// [any but workers, blocks] Make all threads end and join them.
void tn_crew_stop(struct tn_crew *crew);

// [worker] This worker is about to park: a spare takes its place, if there is
// one to be had.
void tn_crew_leave(struct tn_worker *worker);

// [worker] This worker has left: are there as many at work as there should be?
// If not, one more is started, if there is one to be had.
bool tn_crew_refill(struct tn_worker *worker);

// [worker] It goes on.
void tn_crew_return(struct tn_worker *worker);

// [worker] Are there more at work than wanted? A guess.
bool tn_crew_is_crowded(struct tn_crew *crew);

// [any] Is nobody at work? A guess.
static inline bool tn_crew_is_deserted(struct tn_crew *crew)
{
    // relaxed: a guess.
    return tn_load_relaxed(&crew->active_count) == 0;
}

// [worker, blocks] Step aside until a place is free or all stop. Returns at
// once if the crew is not crowded after all.
void tn_crew_retire(struct tn_worker *worker);

// [foreign thread] If no thread could be started: a worker to be meanwhile, or
// NULL while another thread is it.
struct tn_worker *tn_crew_borrow(struct tn_crew *crew);

// [the borrower]
void tn_crew_give_back(struct tn_worker *worker);

// [any] Is there a thread that will run jobs?
bool tn_crew_has_threads(struct tn_crew *crew);

// [any] Worker `index`, or NULL if there is none.
static inline struct tn_worker *tn_crew_worker(
    struct tn_crew *crew, uint32_t index)
{
    return tn_load_acquire(&crew->workers[index]);  // E1 of crew.c
}

// [any] How many workers there are, spares included.
static inline uint32_t tn_crew_count(struct tn_crew *crew)
{
    return tn_load_acquire(&crew->worker_count);  // E1 of crew.c
}

#endif
