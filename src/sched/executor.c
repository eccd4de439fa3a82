// SPDX-License-Identifier: MIT
//
// executor — puts the parts together, and takes them apart in reverse.
//
// Memory:   everything a late waker or thief may touch lives until destroy.
// Ordering:
//   E1 stop  destroy: store-release is_stopping -> worker: load-acquire
//            (nothing but the wish to end)
//   E2 wake  destroy: store is_stopping, full fence, look at the sleepers
//            sleeper: E1 of idle.c (one of the two sees the other)

#include "sched/executor.h"

#include "base/clock.h"
#include "base/cpu.h"
#include "base/fence.h"
#include "sched/worker.h"

#include <stdio.h>
#include <stdlib.h>

bool tn_has_forked;

static pthread_once_t process_once = PTHREAD_ONCE_INIT;
static bool is_process_set_up;

// In the child of a fork: its one thread is no worker of anything. If a task
// runs on it, its end must be noticed, and its forks are none.
static void after_fork(void)
{
    struct tn_worker *worker = tn_worker_self();

    if (worker != NULL) {
        tn_deque_disown(&worker->face.deque);
        worker->face.current = NULL;
    }
    tn_has_forked = true;
    tn_worker_become(NULL);
}

static void setup_process(void)
{
    is_process_set_up = pthread_atfork(NULL, NULL, after_fork) == 0;
    tn_fence_setup();
}

bool tn_executor_setup(void)
{
    pthread_once(&process_once, setup_process);
    return is_process_set_up;
}

// Looks at every queue; called after a fence.
static bool has_work(void *context)
{
    struct tenon_executor *executor = context;
    uint32_t count = tn_crew_count(&executor->crew);

    if (tn_load_acquire(&executor->is_stopping) ||  // E1
        !tn_inject_looks_empty(&executor->inject)) {
        return true;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct tn_worker *worker = tn_crew_worker(&executor->crew, i);
        if (!tn_deque_looks_empty(&worker->face.deque)) {
            return true;
        }
    }
    return false;
}

// Those who push look up, wherever they push to.
static void call(void *context)
{
    struct tenon_executor *executor = context;
    uint32_t count = tn_crew_count(&executor->crew);

    for (uint32_t i = 0; i < count; i++) {
        tn_deque_ring(&tn_crew_worker(&executor->crew, i)->face.deque);
    }
}

static void init_fields(
    struct tenon_executor *executor, const struct tn_executor_config *config)
{
    *executor = (struct tenon_executor){
        .run = config->run,
        .idle_spin_ns = config->idle_spin_ns,
        .wait_spin_ns = config->wait_spin_ns,
        .stack_size_bytes = config->stack_size_bytes,
        .searcher_limit = (config->worker_count + 1) / 2,
        .cpu_count = tn_cpu_affinity_count(),
        .is_debugged = config->is_debugged,
    };
    snprintf(executor->name, sizeof(executor->name), "%s", config->name);
    tn_inject_init(&executor->inject, config->inject_limit);
    tn_foreign_init(&executor->foreign, executor);
    tn_timer_init(&executor->timer, executor->name, config->clock);
}

struct tenon_executor *tn_executor_create(
    const struct tn_executor_config *config)
{
    uint32_t capacity = config->worker_count + config->spare_count;

    if (!tn_executor_setup()) {
        return NULL;
    }
    struct tenon_executor *executor = aligned_alloc(
        alignof(struct tenon_executor), sizeof(struct tenon_executor));
    if (executor == NULL) {
        return NULL;
    }
    init_fields(executor, config);
    if (!tn_idle_init(&executor->idle, capacity, has_work, call, executor)) {
        goto free_executor;
    }
    if (!tn_crew_init(&executor->crew, config->worker_count, capacity)) {
        goto fini_idle;
    }
    tn_crew_start(&executor->crew, executor);
    if (tn_crew_count(&executor->crew) == 0) {
        goto fini_crew;  // not even memory for one worker
    }
    return executor;

fini_crew:
    tn_crew_fini(&executor->crew);
fini_idle:
    tn_idle_fini(&executor->idle);
free_executor:
    tn_timer_fini(&executor->timer);
    tn_foreign_fini(&executor->foreign);
    free(executor);
    return NULL;
}

void tn_executor_destroy(struct tenon_executor *executor)
{
    tn_store_release(&executor->is_stopping, true);  // E1
    tn_fence_seqcst();                               // E2
    tn_idle_wake_all(&executor->idle);
    tn_crew_stop(&executor->crew);
    tn_crew_fini(&executor->crew);
    tn_idle_fini(&executor->idle);
    tn_timer_fini(&executor->timer);
    tn_foreign_fini(&executor->foreign);
    free(executor);
}

void tn_executor_inject(struct tenon_executor *executor, struct tn_job *job)
{
    tn_inject_push(&executor->inject, &job->link);
    tn_idle_notify_foreign(&executor->idle);
}

bool tn_executor_try_inject(struct tenon_executor *executor, struct tn_job *job)
{
    if (!tn_inject_try_push(&executor->inject, &job->link)) {
        return false;
    }
    tn_idle_notify_foreign(&executor->idle);
    return true;
}

static struct tn_worker *own_worker(struct tenon_executor *executor)
{
    struct tn_worker *worker = tn_worker_self();

    return worker != NULL && worker->executor == executor ? worker : NULL;
}

uint64_t tn_executor_tally(struct tenon_executor *executor, uint32_t tally)
{
    uint32_t worker_count = tn_crew_count(&executor->crew);
    uint64_t count = tn_foreign_tally(&executor->foreign, tally);

    for (uint32_t i = 0; i < worker_count; i++) {
        // relaxed: a gauge.
        count +=
            tn_load_relaxed(&tn_crew_worker(&executor->crew, i)->tally[tally]);
    }
    return count;
}

void *tn_executor_take_piece(struct tenon_executor *executor)
{
    struct tn_worker *worker = own_worker(executor);

    if (worker != NULL) {
        return tn_slab_take(&worker->cache);
    }
    return tn_foreign_take_piece(&executor->foreign);
}

void tn_executor_give_piece(struct tenon_executor *executor, void *piece)
{
    struct tn_worker *worker = own_worker(executor);

    if (worker != NULL) {
        tn_slab_give(&worker->cache, &worker->returns, piece);
    } else {
        tn_foreign_give_piece(&executor->foreign, piece);
    }
}

void tn_executor_trim(struct tenon_executor *executor)
{
    tn_foreign_trim(&executor->foreign);
}
