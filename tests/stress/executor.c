// SPDX-License-Identifier: MIT
//
// executor — executors made, used and destroyed from several threads at once.
//
// Clients make executors of their own, use each other's through tasks, and the
// process's default one, as do visitors: threads that live for one call.
//
// Laws: what a task computes is right; an executor with an open scope does not
// go, an idle one does, and a worker cannot destroy its own; all threads end.

#include "courier.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define CLIENT_COUNT 4
#define ROUND_LOOPS 10
#define FIB_DEPTH 12

#define LAW_RIGHT "a task computes what it should"
#define LAW_BUSY "an executor with an open scope stays"
#define LAW_OWN "a worker cannot destroy its own executor"
#define LAW_INFO "an executor knows what it is made of"
#define LAW_THREADS "all threads end"

struct client {
    pthread_t thread;
    struct stress_random random;
};

static struct client clients[CLIENT_COUNT];
static _Atomic(uint64_t) round_number;
static _Atomic(uint64_t) run_count;
static _Atomic(uint64_t) executor_count;
static _Atomic(uint64_t) inside_count;  // clients that have an executor
static _Atomic(uint64_t) overlap_count;

// --- What tasks do ---

struct fib {
    uint32_t n;
    uint64_t result;
};

static uint64_t fib_of(uint32_t n)
{
    uint64_t a = 0;
    uint64_t b = 1;

    for (; n > 0; n--) {
        uint64_t next = a + b;
        a = b;
        b = next;
    }
    return a;
}

static int run_fib(tenon_task *self, void *arg)
{
    struct fib *fib = arg;
    struct fib left = {.n = fib->n - 1};
    struct fib right = {.n = fib->n - 2};
    tenon_task child;

    if (fib->n < 2) {
        fib->result = fib->n;
        return TENON_OK;
    }
    int64_t place = tenon_fork(self, &child, run_fib, &left);
    int status = run_fib(self, &right);
    // Half of them by a join, the others as calls.
    bool is_ours = fib->n % 2 == 0 && tenon_unfork(self, &child, place);
    int left_status = is_ours ? run_fib(self, &left) : tenon_join(self, &child);
    if (left_status != TENON_OK || status != TENON_OK) {
        return 1;
    }
    fib->result = left.result + right.result;
    return TENON_OK;
}

static void check_fib(const struct fib *fib, tenon_status status)
{
    if (status != TENON_OK || fib->result != fib_of(fib->n)) {
        stress_broke(
            LAW_RIGHT, "%s, fib(%u) is not %llu", tenon_status_name(status),
            fib->n, (unsigned long long)fib->result);
    }
    STRESS_COUNT(run_count);
}

static void run_on(tenon_executor *executor, struct stress_random *random)
{
    struct fib fib = {.n = stress_below(random, FIB_DEPTH)};

    check_fib(&fib, tenon_run(executor, run_fib, &fib, NULL));
}

// A task of one executor has a scope in another.
struct bridge {
    tenon_executor *own;
    tenon_executor *other;
    uint64_t stream;
};

static int cross_bridge(tenon_task *self, void *arg)
{
    struct bridge *bridge = arg;
    struct stress_random random = stress_random_make(bridge->stream);

    (void)self;
    if (tenon_executor_destroy(bridge->own) != TENON_EDEADLK) {
        stress_broke(LAW_OWN, "it did");
    }
    for (uint32_t count = stress_below(&random, 3); count > 0; count--) {
        run_on(bridge->other, &random);
    }
    return TENON_OK;
}

// --- Executors of one's own ---

static tenon_executor *make_executor(struct stress_random *random)
{
    tenon_executor *executor = courier_executor(
        1 + stress_below(random, stress_worker_count(3)),
        stress_chance(random, 3) ? TENON_NO_SPARES : stress_below(random, 4));
    tenon_executor_info info = {.struct_size = sizeof(info)};

    if (tenon_executor_info_get(executor, &info) != TENON_OK ||
        info.worker_count != info.requested_count ||
        info.thread_count < info.worker_count || info.scope_count != 0) {
        stress_broke(LAW_INFO, "%u workers", info.worker_count);
    }
    STRESS_COUNT(executor_count);
    return executor;
}

static void try_to_destroy(tenon_executor *executor)
{
    tenon_scope scope;
    struct fib fib = {.n = 5};

    if (tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.executor = executor)) !=
        TENON_OK) {
        stress_die("no scope");
    }
    if (tenon_executor_destroy(executor) != TENON_EBUSY) {
        stress_broke(LAW_BUSY, "it went");
    }
    if (tenon_spawn(&scope, run_fib, &fib) != TENON_OK) {
        stress_broke(LAW_BUSY, "it takes no task");
    }
    check_fib(&fib, tenon_scope_join(&scope, TENON_OK, NULL));
}

static void use_own(struct stress_random *random)
{
    tenon_executor *executor = make_executor(random);
    tenon_executor *other = make_executor(random);
    struct bridge bridge = {executor, other, stress_random_next(random)};

    if (STRESS_COUNT(inside_count) > 0) {
        STRESS_COUNT(overlap_count);
    }
    for (uint32_t count = stress_below(random, 3); count > 0; count--) {
        run_on(executor, random);
        stress_perturb(random);
    }
    if (stress_chance(random, 2)) {
        try_to_destroy(executor);
    }
    if (tenon_run(executor, cross_bridge, &bridge, NULL) != TENON_OK) {
        stress_broke(LAW_RIGHT, "the bridge broke");
    }
    atomic_fetch_sub(&inside_count, 1);
    courier_executor_end(executor);
    courier_executor_end(other);
}

// --- The default executor, and visitors ---

static void *visitor_main(void *stream)
{
    struct stress_random random =
        stress_random_make((uint64_t)(uintptr_t)stream);

    run_on(NULL, &random);
    return NULL;
}

static void invite_visitors(struct stress_random *random)
{
    pthread_t visitors[3];

    for (size_t i = 0; i < 3; i++) {
        visitors[i] = stress_thread_start(
            visitor_main, (void *)(uintptr_t)stress_random_next(random));
    }
    run_on(NULL, random);
    for (size_t i = 0; i < 3; i++) {
        stress_thread_join(visitors[i]);
    }
}

static void *client_main(void *arg)
{
    struct client *client = arg;

    for (uint32_t i = 0; i < ROUND_LOOPS; i++) {
        if (stress_chance(&client->random, 2)) {
            use_own(&client->random);
        } else {
            invite_visitors(&client->random);
        }
        stress_step();
    }
    return NULL;
}

static void play_round(void)
{
    tenon_executor *executor = NULL;

    round_number++;
    for (uint32_t i = 0; i < CLIENT_COUNT; i++) {
        clients[i].random = stress_random_make(round_number * 10 + i);
        clients[i].thread = stress_thread_start(client_main, &clients[i]);
    }
    for (uint32_t i = 0; i < CLIENT_COUNT; i++) {
        stress_thread_join(clients[i].thread);
    }
    // The next round makes a new one.
    stress_expect(
        tenon_executor_default(&executor) == TENON_OK,
        "there is always a default executor");
    courier_executor_end(executor);
    stress_expect_equal(LAW_THREADS, inside_count, 0);
}

// A thread that was joined may still be listed for a moment.
static void wait_for_thread_count(uint32_t count)
{
    uint64_t until_ns = stress_now_ns() + TENON_SECONDS(5);

    while (stress_thread_count() > count && stress_now_ns() < until_ns) {
        sched_yield();
    }
    stress_expect_equal(LAW_THREADS, stress_thread_count(), count);
}

static void dump(void)
{
    fprintf(
        stderr, "#   round %llu: %llu runs, %llu executors\n",
        (unsigned long long)round_number,
        (unsigned long long)STRESS_READ(run_count),
        (unsigned long long)STRESS_READ(executor_count));
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv, "executor");
    stress_on_hang(dump);
    stress_law(LAW_RIGHT);
    stress_law(LAW_BUSY);
    stress_law(LAW_OWN);
    stress_law(LAW_INFO);
    uint32_t thread_count = stress_thread_count();
    while (stress_goes_on()) {
        play_round();
        wait_for_thread_count(thread_count);
    }
    stress_need("executors that met others", overlap_count, executor_count, 50);
    stress_need("runs", run_count, executor_count, 1000);
    return stress_end();
}
