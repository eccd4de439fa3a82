// SPDX-License-Identifier: MIT
//
// deque tenon — the library's internal deque alone, by its internal header.
//
// Sizes: `pushpop`, the owner pushes an item and pops it, again and again;
// `steal`, a thief steals from an owner that pushes and pops meanwhile, and so
// answers it; `steal-quiet`, from one that computes and never looks. An
// operation is one pair, or one item stolen. Items are numbers: what was pushed
// must add up to what was popped and stolen.
//
// Ordering:
//   E1 end  thief: store-release has_ended -> owner: load-acquire has_ended
//           (nothing but the order of events; the thread's join is the order)

#include "common/tenon.h"
#include "sync/deque.h"

#include <pthread.h>
#include <string.h>

#define PAIR_COUNT UINT64_C(50000000)
#define STEAL_COUNT UINT64_C(50000)
#define CAPACITY 256
#define LENGTH 64  // that the owner keeps, so that there is something to steal

struct match {
    struct bench *bench;
    struct tenon_deque deque;

    // The owner's.
    uint64_t pushed_count;
    uint64_t popped_sum;

    // The thief's.
    _Alignas(TN_CACHE_LINE) uint64_t stolen_sum;
    bool has_ended;
};

// The next item. False: no memory.
static inline bool push(struct match *match)
{
    match->pushed_count++;
    return tn_deque_push(&match->deque, (void *)(uintptr_t)match->pushed_count);
}

static inline void pop(struct match *match)
{
    match->popped_sum += (uintptr_t)tn_deque_pop(&match->deque);
}

// As push() and pop(), but counts in registers.
static void push_and_pop(struct match *match)
{
    bool ok = true;
    uint64_t sum = 0;

    bench_begin(match->bench);
    for (uintptr_t i = 1; i <= PAIR_COUNT; i++) {
        ok &= tn_deque_push(&match->deque, (void *)i);
        sum += (uintptr_t)tn_deque_pop(&match->deque);
    }
    bench_end(match->bench);
    bench_require(match->bench, ok, "no memory for the deque");
    match->pushed_count = PAIR_COUNT;
    match->popped_sum = sum;
}

static void *thief_main(void *arg)
{
    struct match *match = arg;
    uint64_t stolen_count = 0;

    bench_begin(match->bench);
    while (stolen_count < STEAL_COUNT) {
        void *item = NULL;
        int64_t index = 0;

        if (tn_deque_steal(&match->deque, 1, &item, &index) == TN_STEAL_TAKEN) {
            match->stolen_sum += (uintptr_t)item;
            stolen_count++;
        }
    }
    bench_end(match->bench);
    __atomic_store_n(&match->has_ended, true, __ATOMIC_RELEASE);  // E1
    return NULL;
}

static bool has_ended(struct match *match)
{
    return __atomic_load_n(&match->has_ended, __ATOMIC_ACQUIRE);  // E1
}

static int64_t length(struct match *match)
{
    return tn_deque_bottom(&match->deque) - tn_deque_top_hint(&match->deque);
}

static void fill(struct match *match, int64_t count)
{
    bool ok = true;

    while (length(match) < count && ok) {
        ok = push(match);
    }
    bench_require(match->bench, ok, "no memory for the deque");
}

// As an owner at work does; what was stolen is made up for.
static void work(struct match *match)
{
    while (!has_ended(match)) {
        fill(match, LENGTH);
        pop(match);
    }
}

// As one that is in a long task: it looks at its deque no more.
static void compute(struct match *match)
{
    while (!has_ended(match)) {
        bench_opaque(0);
    }
}

static void steal(struct match *match, bool is_quiet)
{
    pthread_t thief;

    fill(match, is_quiet ? STEAL_COUNT : LENGTH);
    int error = pthread_create(&thief, NULL, thief_main, match);
    bench_require(match->bench, error == 0, "cannot start a thread");
    if (is_quiet) {
        compute(match);
    } else {
        work(match);
    }
    pthread_join(thief, NULL);
}

static void run_round(struct bench *bench)
{
    struct match match = {.bench = bench};
    bool ok = tn_deque_init(&match.deque, CAPACITY, true);
    bench_require(bench, ok, "no memory for the deque");

    if (strcmp(bench->size, "pushpop") == 0) {
        push_and_pop(&match);
    } else {
        steal(&match, strcmp(bench->size, "steal-quiet") == 0);
    }
    while (!tn_deque_looks_empty(&match.deque)) {
        pop(&match);
    }
    bench_check(
        bench, "the sum of the items", match.popped_sum + match.stolen_sum,
        match.pushed_count * (match.pushed_count + 1) / 2);
    tn_deque_fini(&match.deque);
}

int main(int argc, char **argv)
{
    struct bench bench;

    bench_init(&bench, "deque", "tenon");
    bench.size = "pushpop";
    bench_parse(&bench, argc, argv);
    bool is_pushpop = strcmp(bench.size, "pushpop") == 0;
    if (!is_pushpop && strcmp(bench.size, "steal") != 0 &&
        strcmp(bench.size, "steal-quiet") != 0) {
        bench_usage(&bench, "the size is none of those that there are");
    }
    bench.version = BENCH_TENON_VERSION;
    bench.operation_count = is_pushpop ? PAIR_COUNT : STEAL_COUNT;
    tn_fence_setup();
    while (bench_again(&bench)) {
        run_round(&bench);
    }
    return bench_report(&bench);
}
