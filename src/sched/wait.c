// SPDX-License-Identifier: MIT
//
// wait — what a worker does while the job that it runs waits for others.
//
// Only descendants of the waiting job run on its stack: so a lock that it
// holds cannot deadlock, its stack is bounded by the program's own nesting, and
// its latency is its own. In this order:
//   1. its own deque down to the mark at which it began; what does not descend
//      from it (a job spawned into a scope further out) is handed on;
//   2. jobs of those who stole from above the mark, as far as they are above
//      the mark where the theft began, and of those who stole from them
//      (leapfrogging: Wagner and Calder, "Leapfrogging", PPoPP 1993);
//   3. a few microseconds of looking;
//   4. park, and a spare worker takes the core (crew.c).
// Who has stolen what is known from two words per worker that are only hints:
// every job taken by them is checked against the waiter before it runs.
//
// A wait that may be over while descendants of the waiting job still run stands
// aside instead: it would be late, or never over, if what ran on its stack
// waited for what comes after the wait. Only where no spare is to be had it
// helps, so that somebody does.
//
// Nobody parks for ever while it waits: descendants may be queued where only
// the waiter would look for them. All other workers may be blocked on a lock
// that the waiter holds, or wait themselves with no spare left. So a parked
// waiter looks everywhere now and then, less often the longer it lasts. The
// deepest waiter of all always has a descendant that runs or is queued
// somewhere: somebody gets on.

#include "base/clock.h"
#include "sched/executor.h"
#include "sched/worker.h"
#include "sync/parker.h"

#define RETRY_MIN_NS UINT64_C(1000000)
#define RETRY_MAX_NS UINT64_C(8000000)
#define HELPER_MAX 64
#define TAKE_MAX 64

struct helper {
    uint32_t index;
    uint32_t mark;
};

static bool is_above(int64_t index, uint32_t mark)
{
    return (int32_t)((uint32_t)index - mark) >= 0;
}

// Give a job that is not ours to whoever is free.
static void hand_on(struct tn_worker *worker, struct tn_job *job)
{
    tn_executor_inject(worker->executor, job);
}

// False: nothing is there to run, or the wait is over. A part of the loop of
// tn_worker_wait(): a call would cost a tenth of an empty task.
static inline __attribute__((always_inline)) bool run_own(
    struct tn_worker *worker, uint32_t mark, struct tn_wait *wait)
{
    // Bottom is never below: a task that has used 2^31 places waits as well.
    if ((uint32_t)tn_deque_bottom(&worker->face.deque) == mark) {
        return false;
    }
    void *item = tn_deque_pop(&worker->face.deque);
    if (item == NULL) {
        return false;
    }
    struct tn_job *job = tn_job_of(item);
    enum tn_kinship kinship = wait->kinship(wait, job);
    if (tn_unlikely(kinship != TN_KIN_AWAITED) && wait->is_done(wait)) {
        tn_worker_requeue(worker, item);
        return false;
    }
    if (tn_likely(kinship != TN_KIN_NONE)) {
        worker->executor->run(worker, job);
    } else {
        hand_on(worker, job);
    }
    return true;
}

static bool is_listed(
    const struct helper *helpers, size_t count, uint32_t index)
{
    for (size_t i = 0; i < count; i++) {
        if (helpers[i].index == index) {
            return true;
        }
    }
    return false;
}

// Take one job back from `victim`, above `mark`. True: a job was taken.
static bool take_back(
    struct tn_worker *worker, struct tn_worker *victim, uint32_t mark,
    struct tn_wait *wait)
{
    int64_t index = 0;

    if (!is_above(tn_deque_top_hint(&victim->face.deque), mark)) {
        return false;
    }
    struct tn_job *job = tn_worker_steal_from(worker, victim, &index);
    if (job == NULL) {
        return false;
    }
    if (wait->kinship(wait, job) != TN_KIN_NONE) {
        tn_worker_run_stolen(worker, job, victim->index, index);
    } else {
        hand_on(worker, job);
    }
    return true;
}

// Breadth first over those who work for us: they stole from us above the mark,
// or from one who did, above the mark of that theft.
static bool leapfrog(
    struct tn_worker *worker, uint32_t mark, struct tn_wait *wait)
{
    struct tn_crew *crew = &worker->executor->crew;
    uint32_t worker_count = tn_crew_count(crew);
    struct helper helpers[HELPER_MAX] = {{worker->index, mark}};
    size_t count = 1;

    for (size_t i = 0; i < count; i++) {
        for (uint32_t v = 0; v < worker_count; v++) {
            struct tn_worker *thief = tn_crew_worker(crew, v);
            // relaxed: a hint.
            uint64_t from = tn_load_relaxed(&thief->stolen_from);
            if (from >> 32 != helpers[i].index ||
                !is_above((int64_t)(uint32_t)from, helpers[i].mark) ||
                count == HELPER_MAX || is_listed(helpers, count, v)) {
                continue;
            }
            // relaxed: a hint.
            uint32_t thief_mark = tn_load_relaxed(&thief->stolen_mark);
            if (take_back(worker, thief, thief_mark, wait)) {
                return true;
            }
            helpers[count++] = (struct helper){v, thief_mark};
        }
    }
    return false;
}

// Between two looks.
static void rest(void)
{
    for (int i = 0; i < 16; i++) {
        tn_pause();
    }
}

// True: something was run, or the wait is over.
static bool spin(struct tn_worker *worker, uint32_t mark, struct tn_wait *wait)
{
    uint64_t end_ns = tn_clock_now_ns() + worker->executor->wait_spin_ns;

    do {
        if (wait->is_done(wait) || leapfrog(worker, mark, wait)) {
            return true;
        }
        rest();
    } while (tn_clock_now_ns() < end_ns);
    return false;
}

// Our own among the injected jobs go to our deque, the others back; either in
// the order of arrival, for who takes them.
static bool take_injected(
    struct tn_worker *worker, struct tn_wait *wait,
    struct tenon_executor *executor)
{
    struct tn_link *links[TAKE_MAX];
    size_t count = tn_inject_take(&executor->inject, links, TAKE_MAX);
    bool found = false;

    for (size_t i = count; i > 0; i--) {
        struct tn_job *job = (struct tn_job *)links[i - 1];
        if (wait->kinship(wait, job) != TN_KIN_NONE &&
            tn_worker_push(worker, job)) {
            links[i - 1] = NULL;
            found = true;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (links[i] != NULL) {
            tn_executor_inject(executor, (struct tn_job *)links[i]);
        }
    }
    if (count > 0) {
        // Others may have looked between our taking and our pushing.
        tn_fence_seqcst();  // E1 of idle.c; we may be another executor's
        tn_idle_notify(&executor->idle);
    }
    return found;
}

static bool take_from_deques(
    struct tn_worker *worker, struct tn_wait *wait,
    struct tenon_executor *executor)
{
    uint32_t worker_count = tn_crew_count(&executor->crew);
    int64_t index = 0;

    for (uint32_t v = 0; v < worker_count; v++) {
        struct tn_worker *victim = tn_crew_worker(&executor->crew, v);
        struct tn_job *job = victim == worker
                                 ? NULL
                                 : tn_worker_steal_from(worker, victim, &index);
        if (job == NULL) {
            continue;
        }
        if (wait->kinship(wait, job) != TN_KIN_NONE) {
            executor->run(worker, job);
            return true;
        }
        tn_executor_inject(executor, job);
    }
    return false;
}

// Look for descendants in every queue; also in those of another executor whose
// scope is waited for, if nobody is at work there.
static bool look_everywhere(struct tn_worker *worker, struct tn_wait *wait)
{
    struct tenon_executor *own = worker->executor;
    struct tenon_executor *other = wait->executor;

    return take_injected(worker, wait, own) ||
           take_from_deques(worker, wait, own) ||
           (other != own && tn_crew_is_deserted(&other->crew) &&
            (take_injected(worker, wait, other) ||
             take_from_deques(worker, wait, other)));
}

static void park_until(
    struct tn_wait *wait, uint32_t parker, uint64_t deadline_ns)
{
    if (!wait->announce(wait, parker)) {
        return;
    }
    while (!wait->is_done(wait)) {
        tn_parker_park_until(parker, deadline_ns);
        if (deadline_ns != TN_FOREVER && tn_clock_now_ns() >= deadline_ns) {
            wait->retract(wait);
            return;
        }
    }
}

// Returns when there is something to run, or the wait is over.
static void park(struct tn_worker *worker, uint32_t mark, struct tn_wait *wait)
{
    uint64_t retry_ns = RETRY_MIN_NS;

    tn_slab_flush(&worker->returns);
    tn_crew_leave(worker);
    while (!wait->is_done(wait) && !leapfrog(worker, mark, wait) &&
           !look_everywhere(worker, wait)) {
        park_until(wait, worker->parker, tn_clock_now_ns() + retry_ns);
        retry_ns = retry_ns < RETRY_MAX_NS ? retry_ns * 2 : RETRY_MAX_NS;
    }
    tn_crew_return(worker);
}

void tn_worker_wait(
    struct tn_worker *worker, uint32_t mark, struct tn_wait *wait)
{
    for (;;) {
        while (run_own(worker, mark, wait)) {
        }
        if (wait->is_done(wait)) {
            return;
        }
        if (!spin(worker, mark, wait)) {
            park(worker, mark, wait);
        }
    }
}

// Are there enough others to run what is waited for?
static bool is_replaced(struct tn_worker *worker, struct tn_wait *wait)
{
    struct tenon_executor *other = wait->executor;

    return tn_crew_refill(worker) &&
           (other == worker->executor || !tn_crew_is_deserted(&other->crew));
}

static __attribute__((noinline)) bool run_one(
    struct tn_worker *worker, uint32_t mark, struct tn_wait *wait)
{
    return run_own(worker, mark, wait) || leapfrog(worker, mark, wait) ||
           look_everywhere(worker, wait);
}

void tn_worker_stand_aside(
    struct tn_worker *worker, uint32_t mark, struct tn_wait *wait)
{
    uint64_t retry_ns = RETRY_MIN_NS;

    tn_slab_flush(&worker->returns);
    tn_crew_leave(worker);
    while (!wait->is_done(wait)) {
        if (!is_replaced(worker, wait)) {
            tn_crew_return(worker);
            bool has_run = run_one(worker, mark, wait);
            tn_crew_leave(worker);
            if (has_run) {
                continue;
            }
        }
        park_until(wait, worker->parker, tn_clock_now_ns() + retry_ns);
        retry_ns = retry_ns < RETRY_MAX_NS ? retry_ns * 2 : RETRY_MAX_NS;
    }
    tn_crew_return(worker);
}

void tn_worker_block(struct tn_worker *worker, struct tn_wait *wait)
{
    tn_slab_flush(&worker->returns);
    tn_crew_leave(worker);
    while (!wait->is_done(wait)) {
        bool is_sure = worker->parker != TN_PARKER_NONE;
        park_until(
            wait, worker->parker,
            is_sure ? TN_FOREVER : tn_clock_now_ns() + RETRY_MIN_NS);
    }
    tn_crew_return(worker);
}

// No thread could be started: the waiting thread is the worker meanwhile. Jobs
// that an earlier one left in the deque are looked at as well.
static void wait_as_worker(struct tn_worker *worker, struct tn_wait *wait)
{
    struct tn_worker *before = tn_worker_self();
    uint32_t mark = (uint32_t)tn_deque_top_hint(&worker->face.deque);

    tn_worker_become(worker);
    tn_idle_arrive(worker->idle, worker->index);
    worker->parker = tn_parker_of_thread();
    tn_worker_wait(worker, mark, wait);
    tn_worker_tidy(worker);
    tn_idle_leave(worker->idle, worker->index);
    tn_worker_become(before);
}

// Look for a while, if others can get on meanwhile: to park and be woken takes
// longer than a short task.
static void watch(struct tenon_executor *executor, struct tn_wait *wait)
{
    if (executor->wait_spin_ns == 0 || executor->cpu_count == 1 ||
        !tn_crew_has_threads(&executor->crew)) {
        return;
    }
    uint64_t end_ns = tn_clock_now_ns() + executor->wait_spin_ns;
    while (!wait->is_done(wait) && tn_clock_now_ns() < end_ns) {
        rest();
    }
}

void tn_thread_wait(struct tenon_executor *executor, struct tn_wait *wait)
{
    uint32_t parker = tn_parker_of_thread();
    struct tn_crew *crew = &executor->crew;

    watch(executor, wait);
    while (!wait->is_done(wait)) {
        struct tn_worker *worker = tn_crew_borrow(crew);
        if (worker != NULL) {
            wait_as_worker(worker, wait);
            tn_crew_give_back(worker);
        } else {
            bool is_sure =
                parker != TN_PARKER_NONE && tn_crew_has_threads(crew);
            park_until(
                wait, parker,
                is_sure ? TN_FOREVER : tn_clock_now_ns() + RETRY_MIN_NS);
        }
    }
}
