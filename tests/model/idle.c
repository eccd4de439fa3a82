// SPDX-License-Identifier: MIT
//
// idle — laws of src/sched/idle: no wake-up is lost, the counts stay right.
//
// Who pushes owns a queue (queue.h); who forks also a deque, of which only the
// limit is used.
//
// Laws:
//   L1 when all sleep or run jobs without end, no item is left, and no wish to
//      stop is unheard
//   L2 then the state counts who sleeps, and nobody as searching
//   L3 who returns from tn_idle_sleep() is counted as searching, in every state
//      that it can read
//   L4 each item is taken once, with its contents
//   L5 after a stop all workers end, and the state counts none as asleep

#include "checker/model.h"
#include "checker/suite.h"

#include "queue.h"
#include "sched/idle.h"
#include "sync/deque.h"
#include "tenon/inline.h"

enum twist {
    PLAIN_JOBS,
    JOBS_PUSH,       // the first worker to take an item pushes one itself
    JOBS_FORK,       // long jobs; the first forks a job before it goes on
    PUSH_AND_LEAVE,  // the same, by a push, and leaves instead
    BORROWED,        // who produces arrives as a worker, and leaves
    FORK_BORROWED,   // the same, one of them, and forks
    LONG_BORROWED,   // the same, and jobs never end
    LONG_JOBS,       // a job never ends: who takes one is not seen again
    STOP,            // a last thread stops the workers
    STOP_SLEEPERS,   // the same, but each worker only sleeps once
};

struct plan {
    int worker_count;
    int producer_count;
    int push_count;  // of each producer
    enum twist twist;
};

static struct tn_idle idle;
static struct tenon_deque bell;  // of the worker that forks
static struct queue queues[MC_THREADS];
static _Atomic(bool) is_stopping;
static int pushed_total;
static int taken_total;
static int spawned_total;
static uint32_t searching_at_end;

static bool has_stop(const struct plan *plan)
{
    return plan->twist == STOP || plan->twist == STOP_SLEEPERS;
}

static bool do_jobs_push(const struct plan *plan)
{
    return plan->twist == JOBS_PUSH || plan->twist == JOBS_FORK ||
           plan->twist == PUSH_AND_LEAVE;
}

static bool are_jobs_long(const struct plan *plan)
{
    return plan->twist == LONG_JOBS || plan->twist == LONG_BORROWED ||
           plan->twist == JOBS_FORK;
}

static bool are_borrowed(const struct plan *plan)
{
    return plan->twist == BORROWED || plan->twist == FORK_BORROWED ||
           plan->twist == LONG_BORROWED;
}

static bool do_fork(const struct plan *plan)
{
    return plan->twist == JOBS_FORK || plan->twist == FORK_BORROWED;
}

// Queues that nobody ever pushes to are left out.
static int first_queue(const struct plan *plan)
{
    return do_jobs_push(plan) ? 0 : plan->worker_count;
}

static int queue_end(const struct plan *plan)
{
    return plan->worker_count + plan->producer_count;
}

static bool should_stop(const struct plan *plan)
{
    return has_stop(plan) && tn_load_acquire(&is_stopping);
}

static bool has_work(void *context)
{
    const struct plan *plan = context;

    if (should_stop(plan)) {
        return true;
    }
    for (int i = first_queue(plan); i < queue_end(plan); i++) {
        if (!queue_looks_empty(&queues[i])) {
            return true;
        }
    }
    return false;
}

static void call(void *context)
{
    const struct plan *plan = context;

    if (do_fork(plan)) {
        tn_deque_ring(&bell);
    }
}

static void setup(const void *arg)
{
    const struct plan *plan = arg;

    for (int i = 0; i < MC_THREADS; i++) {
        queue_reset(&queues[i]);
    }
    pushed_total = 0;
    taken_total = 0;
    spawned_total = 0;
    searching_at_end = 0;
    mc_check(tn_idle_init(
        &idle, (uint32_t)queue_end(plan), has_work, call,
        (void *)(uintptr_t)arg));
    mc_check(tn_deque_init(&bell, 2, true));
    tn_deque_watch(&bell, &idle.state);
}

static void push(int queue_index)
{
    queue_push(&queues[queue_index]);
    pushed_total++;
}

static void fork_to(int queue_index)
{
    push(queue_index);
    if (tenon_deque_must_look(&bell, 0)) {  // as tenon_fork()
        tn_idle_notify(&idle);
    }
}

static void push_from_job(const struct plan *plan, int queue_index)
{
    if (!do_fork(plan)) {
        push(queue_index);
        tn_idle_notify(&idle);
        return;
    }
    tn_deque_answer(&bell);  // as earlier forks have left it
    fork_to(queue_index);
}

static bool take(const struct plan *plan)
{
    for (int i = first_queue(plan); i < queue_end(plan); i++) {
        if (queue_take(&queues[i])) {  // L4
            taken_total++;
            return true;
        }
    }
    return false;
}

static void check_counted(void)
{
    uint64_t state = 0;

    for (int age = 0; mc_could_read(&idle.state, age, &state); age++) {
        mc_check((state & TN_IDLE_SEARCHING_MASK) != 0);  // L3
    }
}

static void search_and_run(const struct plan *plan, int index)
{
    tn_idle_arrive(&idle, (uint32_t)index);
    tn_idle_search(&idle);
    while (!should_stop(plan)) {
        if (!take(plan)) {
            tn_idle_sleep(&idle, (uint32_t)index);
            check_counted();
            continue;
        }
        tn_idle_found(&idle, (uint32_t)index);
        mc_note();
        if (do_jobs_push(plan) && spawned_total == 0) {
            spawned_total++;
            push_from_job(plan, index);
            if (plan->twist == PUSH_AND_LEAVE) {
                tn_idle_leave(&idle, (uint32_t)index);
                return;
            }
        }
        if (are_jobs_long(plan)) {
            return;
        }
        tn_idle_search(&idle);
    }
    tn_idle_found(&idle, (uint32_t)index);
}

static void worker(const void *arg)
{
    const struct plan *plan = arg;

    if (plan->twist != STOP_SLEEPERS) {
        search_and_run(plan, mc_thread_index());
        return;
    }
    // It hands nothing over, so the stopper itself must wake each.
    tn_idle_arrive(&idle, (uint32_t)mc_thread_index());
    tn_idle_search(&idle);
    tn_idle_sleep(&idle, (uint32_t)mc_thread_index());
    searching_at_end++;
}

static void producer(const void *arg)
{
    const struct plan *plan = arg;
    int index = mc_thread_index();

    if (!are_borrowed(plan)) {
        for (int i = 0; i < plan->push_count; i++) {
            push(index);
            tn_idle_notify_foreign(&idle);
        }
        return;
    }
    if (do_fork(plan)) {
        tn_deque_answer(&bell);  // as who was it before has left it
    }
    tn_idle_arrive(&idle, (uint32_t)index);
    for (int i = 0; i < plan->push_count; i++) {
        if (do_fork(plan)) {
            fork_to(index);
        } else {
            push(index);
            tn_idle_notify(&idle);
        }
    }
    tn_idle_leave(&idle, (uint32_t)index);
}

static void stopper(const void *arg)
{
    (void)arg;
    tn_store_release(&is_stopping, true);
    tn_fence_seqcst();  // as tn_executor_destroy()
    tn_idle_wake_all(&idle);
}

static bool stuck(const void *arg)
{
    const struct plan *plan = arg;
    int gone = are_jobs_long(plan)             ? taken_total
               : plan->twist == PUSH_AND_LEAVE ? spawned_total
                                               : 0;
    int asleep = plan->worker_count - gone;

    mc_check(!has_stop(plan));                                         // L1
    mc_check(taken_total == pushed_total);                             // L1
    mc_check(tn_load_relaxed(&idle.state) == (uint32_t)asleep << 16);  // L2
    return true;
}

static void check(const void *arg)
{
    const struct plan *plan = arg;

    if (has_stop(plan)) {
        mc_check(tn_load_relaxed(&idle.state) == searching_at_end);  // L5
    }
    mc_check(taken_total == pushed_total);  // L1
    tn_deque_fini(&bell);
    tn_idle_fini(&idle);
}

static struct mc_program program_of(const void *arg)
{
    static const struct mc_thread_spec workers[] = {
        {"worker 0", worker}, {"worker 1", worker}, {"worker 2", worker}};
    static const struct mc_thread_spec producers[] = {
        {"producer 0", producer}, {"producer 1", producer}};
    const struct plan *plan = arg;
    struct mc_program program = {
        .setup = setup, .check = check, .stuck = stuck};
    struct mc_thread_spec *thread = program.threads;

    for (int i = 0; i < plan->worker_count; i++) {
        *thread++ = workers[i];
    }
    for (int i = 0; i < plan->producer_count; i++) {
        *thread++ = producers[i];
    }
    if (has_stop(plan)) {
        *thread = (struct mc_thread_spec){"stopper", stopper};
    }
    return program;
}

static const struct plan one_one_one = {1, 1, 1, PLAIN_JOBS};
static const struct plan one_one_two = {1, 1, 2, PLAIN_JOBS};
static const struct plan two_one_one = {2, 1, 1, PLAIN_JOBS};
static const struct plan two_one_two = {2, 1, 2, PLAIN_JOBS};
static const struct plan two_two_one = {2, 2, 1, PLAIN_JOBS};
static const struct plan long_two = {2, 1, 2, LONG_JOBS};
static const struct plan long_one_each = {2, 2, 1, LONG_JOBS};
static const struct plan pushing = {2, 1, 1, JOBS_PUSH};
static const struct plan forking = {2, 1, 1, JOBS_FORK};
static const struct plan leaving = {2, 1, 1, PUSH_AND_LEAVE};
static const struct plan borrowed_one = {1, 1, 2, BORROWED};
static const struct plan borrowed_two = {2, 1, 1, BORROWED};
static const struct plan borrowed_fork = {2, 1, 1, FORK_BORROWED};
static const struct plan borrowed_long = {2, 2, 1, LONG_BORROWED};
static const struct plan stop = {2, 0, 0, STOP};
static const struct plan stop_sleepers = {2, 0, 0, STOP_SLEEPERS};
static const struct plan three_pushing = {3, 2, 2, JOBS_PUSH};
static const struct plan three_forking = {3, 2, 1, JOBS_FORK};
static const struct plan fork_and_found = {3, 1, 2, JOBS_FORK};

static const struct mc_scenario scenarios[] = {
    {"one_worker_one_push", &one_one_one, 3, -1, 1, MC_EXHAUSTIVE},
    {"one_worker_two_pushes", &one_one_two, 3, -1, 0, MC_EXHAUSTIVE},
    {"two_workers_one_push", &two_one_one, 2, -1, 0, MC_EXHAUSTIVE},
    {"two_workers_two_pushes", &two_one_two, 2, 1, 0, MC_EXHAUSTIVE},
    {"two_workers_two_producers", &two_two_one, 1, 1, 0, MC_EXHAUSTIVE},
    {"long_jobs_two_pushes", &long_two, 2, 1, 0, MC_EXHAUSTIVE},
    {"long_jobs_two_producers", &long_one_each, 1, 1, 0, MC_EXHAUSTIVE},
    {"worker_pushes_too", &pushing, 2, 0, 0, MC_EXHAUSTIVE},
    {"worker_forks", &forking, 2, 1, 0, MC_EXHAUSTIVE},
    {"worker_forks_while_another_finds", &fork_and_found, 1, 0, 0,
     MC_EXHAUSTIVE},
    {"worker_pushes_and_leaves", &leaving, 2, 1, 0, MC_EXHAUSTIVE},
    {"borrowed_worker_pushes_two", &borrowed_one, 2, -1, 0, MC_EXHAUSTIVE},
    {"borrowed_worker_pushes_one", &borrowed_two, 2, 1, 0, MC_EXHAUSTIVE},
    {"borrowed_worker_forks", &borrowed_fork, 2, 1, 0, MC_EXHAUSTIVE},
    {"long_jobs_two_borrowed", &borrowed_long, 1, 2, 0, MC_EXHAUSTIVE},
    {"stop_ends_all", &stop, 2, 1, 0, MC_EXHAUSTIVE},
    {"wake_all_wakes_every_sleeper", &stop_sleepers, 2, 1, 0, MC_EXHAUSTIVE},
    {"three_workers_random", &three_pushing, 0, 0, 0, MC_RANDOM},
    {"three_workers_pct", &three_pushing, 0, 0, 0, MC_PCT},
    {"three_long_jobs_pct", &three_forking, 0, 0, 0, MC_PCT},
    {.name = NULL},
};

int main(int argc, char **argv)
{
    static const char *const files[] = {
        "sched/idle", "tenon/inline.h:tenon_deque_must_look",
        "sync/deque.c:heed_call", "sync/deque.h:tn_deque_ring", NULL};
    static const struct mc_suite suite = {
        files, scenarios, program_of, NULL, .is_fenced = true};

    return mc_suite_main(&suite, argc, argv);
}
