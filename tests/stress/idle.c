// SPDX-License-Identifier: MIT
//
// idle — pushers against sleepers: whatever is pushed finds a worker awake.
//
// Every worker has a queue, here a number. Pushers add to it and notify, or
// look whether they are called, as the owner of a deque does; workers search,
// take, and sleep. A round is a burst from all pushers, of
// which all must be taken before the next: a lost wake-up hangs, and the
// watchdog speaks. In some rounds each pusher pushes one item, and all these
// jobs wait for each other: there a hand-over of the search must not be missed
// either. A pusher arrives for a burst as a worker does, or is a foreign thread.
//
// Laws: all that is pushed is taken; when nothing is left, all fall asleep and
// the counts say so.

#include "support.h"

#include "sched/idle.h"
#include "sync/deque.h"

#include <sched.h>
#include <stdio.h>

#define WORKER_MAX 32
#define PUSHER_COUNT 2
#define BURST_MAX 8

#define LAW_ALL "all that is pushed is taken"
#define LAW_ASLEEP "all fall asleep, and the counts say so"

struct worker {
    pthread_t thread;
    uint32_t index;
    struct stress_random random;
    _Atomic(int64_t) queue;
    struct tenon_deque bell;  // nothing is pushed to it
    uint64_t taken_count;
    uint64_t sleep_count;
};

struct pusher {
    pthread_t thread;
    uint32_t index;  // after those of the workers
    struct stress_random random;
    struct tenon_deque bell;
};

static struct tn_idle idle;
static struct worker workers[WORKER_MAX];
static _Atomic(uint32_t) worker_count;
static struct pusher pushers[PUSHER_COUNT];
static _Atomic(uint64_t) call_count;
static _Atomic(uint64_t) pushed_total;
static _Atomic(uint64_t) taken_total;
static _Atomic(bool) is_stopping;     // the workers
static _Atomic(bool) is_over;         // the pushers
static _Atomic(uint32_t) spin_looks;  // of a searcher before it sleeps
static bool is_meeting;               // this round's jobs wait for each other
static _Atomic(uint32_t) arrived_count;  // jobs of a meeting that have begun
static pthread_barrier_t gate;
static _Atomic(uint64_t) round_number;

static bool has_work(void *unused)
{
    (void)unused;
    if (STRESS_READ(is_stopping)) {
        return true;
    }
    for (uint32_t i = 0; i < worker_count; i++) {
        if (STRESS_READ(workers[i].queue) > 0) {
            return true;
        }
    }
    return false;
}

static void call(void *unused)
{
    (void)unused;
    STRESS_COUNT(call_count);
    for (uint32_t i = 0; i < worker_count; i++) {
        tn_deque_ring(&workers[i].bell);
    }
    for (uint32_t i = 0; i < PUSHER_COUNT; i++) {
        tn_deque_ring(&pushers[i].bell);
    }
}

static void push_to(uint32_t index)
{
    STRESS_COUNT(pushed_total);
    atomic_fetch_add_explicit(&workers[index].queue, 1, memory_order_release);
}

static void push_as_worker(
    uint32_t index, struct tenon_deque *bell, struct stress_random *random)
{
    bool is_owner = stress_chance(random, 2);

    push_to(index);
    if (!is_owner) {
        tn_idle_notify(&idle);
    } else if (tenon_deque_must_look(bell, 0)) {
        tn_idle_notify(&idle);
        tn_deque_answer(bell);
    }
}

static void make_bell(struct tenon_deque *bell)
{
    if (!tn_deque_init(bell, 16, true)) {
        stress_die("no memory");
    }
    tn_deque_watch(bell, &idle.state);
}

static bool take_from(uint32_t index)
{
    _Atomic(int64_t) *queue = &workers[index].queue;
    int64_t count = STRESS_READ(*queue);

    return count > 0 && atomic_compare_exchange_strong_explicit(
                            queue, &count, count - 1, memory_order_acquire,
                            memory_order_relaxed);
}

static bool take_one(struct worker *worker)
{
    uint32_t start = stress_below(&worker->random, worker_count);

    for (uint32_t i = 0; i < worker_count; i++) {
        if (take_from((start + i) % worker_count)) {
            return true;
        }
    }
    return false;
}

static bool look_for_a_while(struct worker *worker)
{
    uint32_t looks = STRESS_READ(spin_looks);

    for (uint32_t i = 0; i <= looks; i++) {
        if (take_one(worker)) {
            return true;
        }
        stress_perturb(&worker->random);
    }
    return false;
}

// False: it is time to stop.
static bool search(struct worker *worker)
{
    tn_idle_search(&idle);
    while (!STRESS_READ(is_stopping)) {
        if (look_for_a_while(worker)) {
            tn_idle_found(&idle, worker->index);
            return true;
        }
        worker->sleep_count++;
        tn_idle_sleep(&idle, worker->index);
    }
    tn_idle_found(&idle, worker->index);
    return false;
}

static void meet(void)
{
    STRESS_COUNT(arrived_count);
    while (STRESS_READ(arrived_count) < PUSHER_COUNT) {
        sched_yield();
    }
}

static void work(struct worker *worker)
{
    stress_perturb(&worker->random);
    if (is_meeting) {
        meet();
    } else if (stress_chance(&worker->random, 4)) {
        // Sometimes a job makes more of them.
        push_as_worker(worker->index, &worker->bell, &worker->random);
    }
    worker->taken_count++;
    atomic_fetch_add(&taken_total, 1);
}

static void *worker_main(void *arg)
{
    tn_idle_arrive(&idle, ((struct worker *)arg)->index);
    while (search(arg)) {
        do {
            work(arg);
        } while (take_from(((struct worker *)arg)->index));
    }
    return NULL;
}

static void push_burst(struct pusher *pusher)
{
    uint32_t count =
        is_meeting ? 1 : 1 + stress_below(&pusher->random, BURST_MAX);
    bool is_foreign = stress_chance(&pusher->random, 2);

    if (!is_foreign) {
        tn_idle_arrive(&idle, pusher->index);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = stress_below(&pusher->random, worker_count);
        if (is_foreign) {
            push_to(index);
            tn_idle_notify_foreign(&idle);
        } else {
            push_as_worker(index, &pusher->bell, &pusher->random);
        }
        stress_perturb(&pusher->random);
    }
    if (!is_foreign) {
        tn_idle_leave(&idle, pusher->index);
    }
}

static void *pusher_main(void *arg)
{
    for (;;) {
        pthread_barrier_wait(&gate);
        if (atomic_load(&is_over)) {
            return NULL;
        }
        push_burst(arg);
        pthread_barrier_wait(&gate);
    }
}

static bool is_all_asleep(void)
{
    return atomic_load(&idle.state) == worker_count * TN_IDLE_SLEEPING_ONE;
}

static void play_round(struct stress_random *random)
{
    round_number++;
    is_meeting = worker_count >= PUSHER_COUNT && stress_chance(random, 3);
    atomic_store(&arrived_count, 0);
    atomic_store(&spin_looks, stress_below(random, 4));
    pthread_barrier_wait(&gate);
    pthread_barrier_wait(&gate);
    while (atomic_load(&taken_total) != atomic_load(&pushed_total)) {
        sched_yield();
    }
    // Not always: the next burst shall also meet workers on their way to bed.
    if (stress_chance(random, 2)) {
        while (!is_all_asleep()) {
            sched_yield();
        }
        stress_expect(true, LAW_ASLEEP);
    }
    stress_expect_equal(
        LAW_ALL, atomic_load(&taken_total), atomic_load(&pushed_total));
}

static void dump(void)
{
    fprintf(
        stderr, "#   round %llu: taken %llu of %llu, state %08x\n",
        (unsigned long long)round_number,
        (unsigned long long)STRESS_READ(taken_total),
        (unsigned long long)STRESS_READ(pushed_total),
        atomic_load(&idle.state));
    for (uint32_t i = 0; i < worker_count; i++) {
        fprintf(
            stderr, "#   worker %u: queue %lld, word %u\n", i,
            (long long)STRESS_READ(workers[i].queue),
            atomic_load(&idle.sleepers[i].word));
    }
}

static void start(void)
{
    worker_count = stress_worker_count(3);
    worker_count = worker_count > WORKER_MAX ? WORKER_MAX : worker_count;
    tn_fence_setup();
    if (!tn_idle_init(
            &idle, worker_count + PUSHER_COUNT, has_work, call, NULL)) {
        stress_die("no memory");
    }
    pthread_barrier_init(&gate, NULL, PUSHER_COUNT + 1);
    for (uint32_t i = 0; i < worker_count; i++) {
        make_bell(&workers[i].bell);
    }
    for (uint32_t i = 0; i < PUSHER_COUNT; i++) {
        make_bell(&pushers[i].bell);
    }
    for (uint32_t i = 0; i < worker_count; i++) {
        workers[i].index = i;
        workers[i].random = stress_random_make(100 + i);
        workers[i].thread = stress_thread_start(worker_main, &workers[i]);
    }
    for (uint32_t i = 0; i < PUSHER_COUNT; i++) {
        pushers[i].index = worker_count + i;
        pushers[i].random = stress_random_make(200 + i);
        pushers[i].thread = stress_thread_start(pusher_main, &pushers[i]);
    }
}

static void stop(void)
{
    uint64_t sleep_count = 0;

    atomic_store(&is_over, true);
    pthread_barrier_wait(&gate);
    for (uint32_t i = 0; i < PUSHER_COUNT; i++) {
        stress_thread_join(pushers[i].thread);
    }
    atomic_store(&is_stopping, true);
    tn_fence_seqcst();
    tn_idle_wake_all(&idle);
    for (uint32_t i = 0; i < worker_count; i++) {
        stress_thread_join(workers[i].thread);
        sleep_count += workers[i].sleep_count;
    }
    for (uint32_t i = 0; i < worker_count; i++) {
        tn_deque_fini(&workers[i].bell);
    }
    for (uint32_t i = 0; i < PUSHER_COUNT; i++) {
        tn_deque_fini(&pushers[i].bell);
    }
    stress_expect_equal("the counts end at 0", atomic_load(&idle.state), 0);
    tn_idle_fini(&idle);
    pthread_barrier_destroy(&gate);
    stress_need(
        "items for which a worker had slept", sleep_count,
        atomic_load(&taken_total), 50);
    stress_need(
        "calls when the last one went to sleep", atomic_load(&call_count),
        atomic_load(&taken_total), 50);
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv, "idle");
    stress_on_hang(dump);
    struct stress_random random = stress_random_make(0);
    start();
    while (stress_goes_on()) {
        play_round(&random);
    }
    stop();
    return stress_end();
}
