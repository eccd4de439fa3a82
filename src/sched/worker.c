// SPDX-License-Identifier: MIT
//
// worker — the policy of the whole scheduler: where the next job comes from.
//
// Own deque, newest first; injected jobs, looked at every 64th time even if
// there is own work; other workers' oldest jobs, from a random one on; then
// sleep (idle.md). A worker that is one too many retires (crew.c).
//
// Roles:    everything here is for the worker's own thread.
// Memory:   a worker lives as long as its executor, so that thieves and late
//           wakers never look at freed memory.

#include "sched/worker.h"

#include "base/clock.h"
#include "base/platform.h"
#include "sched/executor.h"
#include "sync/parker.h"

#include <stdio.h>
#include <stdlib.h>

#define DEQUE_CAPACITY 256
#define INJECT_PERIOD 64
#define INJECT_BATCH 32
#define STEAL_TRIES 4

// From this length on a half of the own queue, so much at most, is handed out.
#define SHARE_MIN 64
#define SHARE_MAX 256

__thread struct tn_worker *tn_worker_here;

// No place is its newest: an unfork goes the slow way.
struct tenon_worker tn_worker_blank = {.deque.bottom = INT64_MIN + 2};

struct find {
    struct tn_job *job;
    uint32_t victim_index;
    int64_t job_index;  // -1: not stolen
};

struct tn_worker *tn_worker_create(
    struct tenon_executor *executor, uint32_t index)
{
    struct tn_worker *worker =
        aligned_alloc(alignof(struct tn_worker), sizeof(struct tn_worker));

    if (worker == NULL) {
        return NULL;
    }
    *worker = (struct tn_worker){
        .executor = executor,
        .idle = &executor->idle,
        .index = index,
        .random = (index + 1) * UINT64_C(0x9e3779b97f4a7c15),
    };
    if (!tn_deque_init(
            &worker->face.deque, DEQUE_CAPACITY, !executor->is_debugged)) {
        free(worker);
        return NULL;
    }
    tn_deque_watch(&worker->face.deque, &executor->idle.state);
    worker->shown =
        worker->face.deque.is_inline ? &worker->face : &tn_worker_blank;
    tn_slab_init(&worker->cache);
    worker->cache.group = executor;
    worker->returns.group = executor;
    tn_atomic_init(&worker->stolen_from, TN_STOLEN_NONE);
    tn_atomic_init(&worker->stolen_mark, 0);
    return worker;
}

void tn_worker_destroy(struct tn_worker *worker)
{
    if (worker == NULL) {
        return;
    }
    tn_slab_fini(&worker->cache);
    tn_deque_fini(&worker->face.deque);
    free(worker);
}

static bool is_tidy(struct tn_worker *worker)
{
    return worker->returns.first == NULL &&
           tn_slab_is_settled(&worker->cache) && !tn_worker_can_trim(worker);
}

void tn_worker_tidy(struct tn_worker *worker)
{
    tn_slab_flush(&worker->returns);
    if (tn_slab_has_returned(&worker->cache)) {
        tn_slab_collect(&worker->cache);
    }
    if (tn_worker_can_trim(worker)) {
        tn_deque_trim(&worker->face.deque);
    }
}

// It may sleep for long.
static void settle(struct tn_worker *worker)
{
    tn_worker_tidy(worker);
    tn_slab_settle(&worker->cache);
}

void tn_worker_run_stolen(
    struct tn_worker *worker, struct tn_job *job, uint32_t victim_index,
    int64_t job_index)
{
    // relaxed: hints (wait.c); a job taken by them is checked.
    uint64_t old_from = tn_load_relaxed(&worker->stolen_from);
    // relaxed: likewise.
    uint32_t old_mark = tn_load_relaxed(&worker->stolen_mark);
    uint32_t mark = (uint32_t)tn_deque_bottom(&worker->face.deque);

    // relaxed: hints.
    tn_store_relaxed(&worker->stolen_mark, mark);
    // relaxed: hints.
    tn_store_relaxed(
        &worker->stolen_from,
        (uint64_t)victim_index << 32 | (uint32_t)job_index);
    worker->executor->run(worker, job);
    // relaxed: hints.
    tn_store_relaxed(&worker->stolen_from, old_from);
    // relaxed: hints.
    tn_store_relaxed(&worker->stolen_mark, old_mark);
}

// How many threads of ours a fence would interrupt: those that run, on no more
// CPUs than there are.
static uint32_t running_count(struct tn_worker *worker)
{
    struct tenon_executor *executor = worker->executor;
    // relaxed: a guess.
    uint32_t active = tn_load_relaxed(&executor->crew.active_count);
    uint32_t idle = tn_idle_count(worker->idle);
    uint32_t running = active > idle ? active - idle : 1;

    return running < executor->cpu_count ? running : executor->cpu_count;
}

struct tn_job *tn_worker_steal_from(
    struct tn_worker *worker, struct tn_worker *victim, int64_t *job_index)
{
    uint32_t running = running_count(worker);
    void *item = NULL;

    for (int i = 0; i < STEAL_TRIES; i++) {
        enum tn_steal result =
            tn_deque_steal(&victim->face.deque, running, &item, job_index);
        if (result == TN_STEAL_TAKEN) {
            return tn_job_of(item);
        }
        if (result == TN_STEAL_EMPTY) {
            return NULL;
        }
    }
    return NULL;
}

void tn_worker_requeue(struct tn_worker *worker, void *item)
{
    bool has_room = tn_worker_push(worker, item);

    tn_require(has_room, "a deque has lost the room of what it gave");
}

// With a limit the injection queue is for foreign threads alone.
static void share(struct tn_worker *worker, int64_t length)
{
    struct tn_inject *inject = &worker->executor->inject;
    void *jobs[SHARE_MAX];
    size_t wanted_count =
        length / 2 < SHARE_MAX ? (size_t)length / 2 : SHARE_MAX;

    if (inject->limit != 0 || !tn_inject_looks_empty(inject)) {
        return;
    }
    size_t count =
        tn_deque_take_oldest(&worker->face.deque, jobs, wanted_count);
    for (size_t i = 0; i < count; i++) {
        jobs[i] = tn_job_of(jobs[i]);
    }
    if (count > 0) {
        tn_inject_push_all(inject, jobs, count);
        tn_idle_notify(worker->idle);
    }
}

void tn_worker_answer(struct tn_worker *worker)
{
    struct tenon_deque *deque = &worker->face.deque;
    int64_t length = tn_deque_bottom(deque) - tn_deque_top_hint(deque);

    tn_deque_answer(deque);
    if (length >= SHARE_MIN && deque->is_inline) {
        share(worker, length);
    }
}

struct tn_job *tn_worker_take_injected(struct tn_worker *worker)
{
    struct tenon_executor *executor = worker->executor;
    struct tn_link *links[INJECT_BATCH];
    size_t count = tn_inject_take(&executor->inject, links, INJECT_BATCH);

    if (count == 0) {
        return NULL;
    }
    // The newest goes in first: pops then come in the order of arrival.
    for (size_t i = count - 1; i > 0; i--) {
        struct tn_job *job = (struct tn_job *)links[i];
        if (!tn_deque_push(&worker->face.deque, job)) {
            tn_inject_push(&executor->inject, &job->link);
        }
    }
    // Others may have looked between our taking and our pushing.
    tn_idle_notify(worker->idle);
    return (struct tn_job *)links[0];
}

// xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift
// generators, scrambled" (2016).
static uint32_t next_random(struct tn_worker *worker)
{
    uint64_t x = worker->random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    worker->random = x;
    return (uint32_t)((x * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

static bool steal_from_peers(struct tn_worker *worker, struct find *find)
{
    struct tn_crew *crew = &worker->executor->crew;
    uint32_t count = tn_crew_count(crew);
    uint32_t start = next_random(worker) % count;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = (start + i) % count;
        if (index == worker->index) {
            continue;
        }
        find->job = tn_worker_steal_from(
            worker, tn_crew_worker(crew, index), &find->job_index);
        if (find->job != NULL) {
            find->victim_index = index;
            return true;
        }
    }
    return false;
}

static bool look_around(struct tn_worker *worker, struct find *find)
{
    find->job_index = -1;
    find->job = tn_worker_take_injected(worker);
    return find->job != NULL || steal_from_peers(worker, find);
}

static bool is_stopping(struct tn_worker *worker)
{
    return tn_load_acquire(&worker->executor->is_stopping);  // E1 executor.c
}

// Look again and again for a while, unless enough others do.
static bool look_for_a_while(struct tn_worker *worker, struct find *find)
{
    struct tenon_executor *executor = worker->executor;
    bool is_extra =
        tn_idle_searching_count(worker->idle) > executor->searcher_limit;
    uint64_t spin_ns = is_extra ? 0 : executor->idle_spin_ns;
    uint64_t begin_ns = spin_ns == 0 ? 0 : tn_clock_now_ns();

    do {
        if (look_around(worker, find)) {
            return true;
        }
        for (int i = 0; i < 16; i++) {
            tn_pause();
        }
    } while (spin_ns != 0 && !is_stopping(worker) &&
             tn_clock_now_ns() - begin_ns < spin_ns);
    return false;
}

// False: the executor stops.
static bool search(struct tn_worker *worker, struct find *find)
{
    tn_idle_search(worker->idle);
    while (!is_stopping(worker)) {
        if (look_for_a_while(worker, find)) {
            tn_idle_found(worker->idle, worker->index);
            return true;
        }
        if (!is_tidy(worker)) {
            // It may take a while: meanwhile nobody relies on our search.
            tn_idle_found(worker->idle, worker->index);
            settle(worker);
            tn_idle_search(worker->idle);
        }
        tn_idle_sleep(worker->idle, worker->index);  // looks once more
    }
    tn_idle_found(worker->idle, worker->index);
    return false;
}

static void run_found(struct tn_worker *worker, const struct find *find)
{
    if (find->job_index < 0) {
        worker->executor->run(worker, find->job);
    } else {
        tn_worker_run_stolen(
            worker, find->job, find->victim_index, find->job_index);
    }
}

static struct tn_job *own_job(struct tn_worker *worker)
{
    if (++worker->tick % INJECT_PERIOD == 0) {
        struct tn_job *job = tn_worker_take_injected(worker);
        if (job != NULL) {
            return job;
        }
    }
    return tn_job_of(tn_deque_pop(&worker->face.deque));
}

static bool is_surplus(struct tn_worker *worker)
{
    return tn_crew_is_crowded(&worker->executor->crew) && !is_stopping(worker);
}

static void name_thread(struct tn_worker *worker)
{
    char name[32];

    snprintf(
        name, sizeof(name), "%.9s-%u", worker->executor->name, worker->index);
    tn_thread_set_name(name);
}

void tn_worker_main(struct tn_worker *worker)
{
    struct find find;

    tn_worker_become(worker);
    tn_idle_arrive(worker->idle, worker->index);
    worker->parker = tn_parker_of_thread();
    name_thread(worker);
    for (;;) {
        struct tn_job *job = own_job(worker);
        if (job != NULL) {
            worker->executor->run(worker, job);
        } else if (is_surplus(worker)) {
            settle(worker);
            tn_idle_leave(worker->idle, worker->index);
            tn_crew_retire(worker);
            tn_idle_arrive(worker->idle, worker->index);
        } else if (search(worker, &find)) {
            run_found(worker, &find);
        } else {
            break;
        }
    }
    tn_worker_tidy(worker);
    tn_idle_leave(worker->idle, worker->index);
    tn_worker_become(NULL);
}
