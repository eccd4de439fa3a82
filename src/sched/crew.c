// SPDX-License-Identifier: MIT
//
// crew — keeps the number of workers at work at the target.
//
// Everything here is rare: a lock guards it. A worker is published before its
// thread starts, so that no queue is ever out of sight of who looks for work.
//
// Roles:    the executor starts and stops; workers leave, return, retire.
// Progress: leave and return may start a thread; retire blocks.
// Invariants:
//   I1 active_count = workers with a thread that neither wait parked in a join
//      nor are retired; the borrowed worker does not count
//   I2 a retired worker's deque is empty
// Ordering:
//   E1 publish  add: store-release workers[i], worker_count -> count, worker:
//               load-acquire (the worker's queues)

#include "sched/crew.h"

#include "base/clock.h"
#include "sched/executor.h"
#include "sched/worker.h"
#include "sync/parker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#define POLL_NS UINT64_C(1000000)

bool tn_crew_init(struct tn_crew *crew, uint32_t target, uint32_t capacity)
{
    crew->workers = calloc(capacity, sizeof(*crew->workers));
    if (crew->workers == NULL) {
        return false;
    }
    pthread_mutex_init(&crew->lock, NULL);
    crew->target_count = target;
    crew->capacity = capacity;
    return true;
}

void tn_crew_fini(struct tn_crew *crew)
{
    uint32_t count = tn_crew_count(crew);

    for (uint32_t i = 0; i < count; i++) {
        tn_worker_destroy(tn_crew_worker(crew, i));
    }
    pthread_mutex_destroy(&crew->lock);
    free(crew->workers);
}

static void *thread_main(void *worker)
{
    tn_worker_main(worker);
    return NULL;
}

// Workers take no signals, but those that a fault of their own raises.
static void block_signals(sigset_t *old)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    sigset_t set;

    sigfillset(&set);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        sigdelset(&set, faults[i]);
    }
    pthread_sigmask(SIG_SETMASK, &set, old);
}

static int start_thread(struct tn_worker *worker, size_t stack_size_bytes)
{
    pthread_attr_t attr;
    sigset_t old;
    int error = pthread_attr_init(&attr);

    if (error != 0) {
        return error;
    }
    error = pthread_attr_setstacksize(&attr, stack_size_bytes);
    if (error == 0) {
        block_signals(&old);
        error = pthread_create(&worker->thread, &attr, thread_main, worker);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
    }
    pthread_attr_destroy(&attr);
    return error;
}

static struct tn_worker *add_worker_locked(
    struct tn_crew *crew, struct tenon_executor *executor)
{
    // relaxed: written under the lock only.
    uint32_t index = tn_load_relaxed(&crew->worker_count);

    struct tn_worker *worker = tn_worker_create(executor, index);
    if (worker != NULL) {
        tn_store_release(&crew->workers[index], worker);   // E1
        tn_store_release(&crew->worker_count, index + 1);  // E1
    }
    return worker;
}

static void add_active_locked(struct tn_crew *crew, uint32_t difference)
{
    // relaxed: written under the lock only; others take it as a hint.
    uint32_t count = tn_load_relaxed(&crew->active_count);
    // relaxed: likewise.
    tn_store_relaxed(&crew->active_count, count + difference);
}

static uint32_t active_locked(struct tn_crew *crew)
{
    // relaxed: written under the lock only.
    return tn_load_relaxed(&crew->active_count);
}

static struct tn_worker *pop_unstarted_locked(struct tn_crew *crew)
{
    struct tn_worker *worker = crew->unstarted;

    if (worker != NULL) {
        crew->unstarted = worker->next_retired;
    }
    return worker;
}

// Accepts NULL.
static void push_unstarted_locked(
    struct tn_crew *crew, struct tn_worker *worker)
{
    if (worker != NULL) {
        worker->next_retired = crew->unstarted;
        crew->unstarted = worker;
    }
}

static bool start_one_locked(
    struct tn_crew *crew, struct tenon_executor *executor)
{
    struct tn_worker *worker = pop_unstarted_locked(crew);
    int error = ENOMEM;

    // relaxed: written under the lock only.
    if (worker == NULL &&
        tn_load_relaxed(&crew->worker_count) == crew->capacity) {
        return false;  // as asked for
    }
    if (worker == NULL) {
        worker = add_worker_locked(crew, executor);
    }
    if (worker != NULL) {
        error = start_thread(worker, executor->stack_size_bytes);
    }
    if (error != 0) {
        crew->thread_error = crew->thread_error ? crew->thread_error : error;
        push_unstarted_locked(crew, worker);
        return false;
    }
    worker->has_thread = true;
    crew->thread_count++;
    add_active_locked(crew, 1);
    return true;
}

void tn_crew_start(struct tn_crew *crew, struct tenon_executor *executor)
{
    pthread_mutex_lock(&crew->lock);
    while (active_locked(crew) < crew->target_count &&
           start_one_locked(crew, executor)) {
    }
    crew->started_count = crew->thread_count;
    pthread_mutex_unlock(&crew->lock);
}

static void unretire_locked(struct tn_crew *crew)
{
    struct tn_worker *worker = crew->retired;

    crew->retired = worker->next_retired;
    worker->is_retired = false;
    add_active_locked(crew, 1);
    tn_parker_unpark(worker->parker);
}

void tn_crew_stop(struct tn_crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    crew->is_stopping = true;
    while (crew->retired != NULL) {
        unretire_locked(crew);
    }
    pthread_mutex_unlock(&crew->lock);

    uint32_t count = tn_crew_count(crew);
    for (uint32_t i = 0; i < count; i++) {
        struct tn_worker *worker = tn_crew_worker(crew, i);
        if (worker->has_thread) {
            pthread_join(worker->thread, NULL);
        }
    }
}

static void refill_locked(struct tn_crew *crew, struct tenon_executor *executor)
{
    if (active_locked(crew) >= crew->target_count) {
        return;
    }
    if (crew->retired != NULL) {
        unretire_locked(crew);
    } else {
        start_one_locked(crew, executor);
    }
}

void tn_crew_leave(struct tn_worker *worker)
{
    struct tn_crew *crew = &worker->executor->crew;

    pthread_mutex_lock(&crew->lock);
    if (worker->has_thread) {
        add_active_locked(crew, UINT32_MAX);
    }
    refill_locked(crew, worker->executor);
    pthread_mutex_unlock(&crew->lock);
}

bool tn_crew_refill(struct tn_worker *worker)
{
    struct tn_crew *crew = &worker->executor->crew;

    pthread_mutex_lock(&crew->lock);
    refill_locked(crew, worker->executor);
    bool is_full = active_locked(crew) >= crew->target_count;
    pthread_mutex_unlock(&crew->lock);
    return is_full;
}

void tn_crew_return(struct tn_worker *worker)
{
    struct tn_crew *crew = &worker->executor->crew;

    pthread_mutex_lock(&crew->lock);
    if (worker->has_thread) {
        add_active_locked(crew, 1);
    }
    pthread_mutex_unlock(&crew->lock);
}

bool tn_crew_is_crowded(struct tn_crew *crew)
{
    // relaxed: a hint; retire looks again under the lock.
    return tn_load_relaxed(&crew->active_count) > crew->target_count;
}

static bool is_retired(struct tn_crew *crew, struct tn_worker *worker)
{
    pthread_mutex_lock(&crew->lock);
    bool result = worker->is_retired;
    pthread_mutex_unlock(&crew->lock);
    return result;
}

void tn_crew_retire(struct tn_worker *worker)
{
    struct tn_crew *crew = &worker->executor->crew;

    pthread_mutex_lock(&crew->lock);
    bool retires =
        !crew->is_stopping && active_locked(crew) > crew->target_count;
    if (retires) {
        add_active_locked(crew, UINT32_MAX);
        worker->is_retired = true;
        worker->next_retired = crew->retired;
        crew->retired = worker;
    }
    pthread_mutex_unlock(&crew->lock);
    while (retires && is_retired(crew, worker)) {
        // Without a parker nobody can wake us: look now and then.
        uint64_t deadline_ns = worker->parker == TN_PARKER_NONE
                                   ? tn_clock_now_ns() + POLL_NS
                                   : TN_FOREVER;
        tn_parker_park_until(worker->parker, deadline_ns);
    }
}

struct tn_worker *tn_crew_borrow(struct tn_crew *crew)
{
    struct tn_worker *worker = NULL;

    pthread_mutex_lock(&crew->lock);
    if (crew->thread_count == 0) {
        worker = pop_unstarted_locked(crew);
    }
    pthread_mutex_unlock(&crew->lock);
    return worker;
}

void tn_crew_give_back(struct tn_worker *worker)
{
    struct tn_crew *crew = &worker->executor->crew;

    pthread_mutex_lock(&crew->lock);
    push_unstarted_locked(crew, worker);
    pthread_mutex_unlock(&crew->lock);
}

bool tn_crew_has_threads(struct tn_crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    bool result = crew->thread_count > 0;
    pthread_mutex_unlock(&crew->lock);
    return result;
}
