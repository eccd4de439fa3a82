// SPDX-License-Identifier: MIT
//
// deque — an owner pushes, pops and grows in bursts while thieves steal.
//
// Laws: every item is taken exactly once, with the contents that its pusher
// wrote; pop returns the newest item that is left; a thief's indices only grow,
// and name the item's place.

#include "support.h"

#include "sync/deque.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define THIEF_MAX 15
#define ITEMS 10000
#define BURST_MAX 300
#define SCRATCH_WORDS ((size_t)1 << 22)  // 32 MiB: more than a cache holds

#define LAW_ONCE "each item is taken exactly once"
#define LAW_NEWEST "pop returns the newest item that is left"
#define LAW_CONTENTS "who takes an item sees what its pusher wrote"
#define LAW_INDEX "indices of steals grow, and name the item's place"

struct item {
    uint64_t contents;  // plain: written before the push, read by the taker
    int64_t index;
    uint32_t taken_count;  // plain: one taker only
};

struct thief {
    pthread_t thread;
    struct stress_random random;
    int64_t last_index;
    uint64_t stolen_count;
};

static struct tenon_deque deque;
static struct item items[ITEMS];
static _Atomic(uint64_t) taken_total;
static _Atomic(bool) is_over;
static pthread_barrier_t gate;  // before and after each round
static struct thief thieves[THIEF_MAX];
static uint32_t thief_count;
static _Atomic(uint64_t) round_number;
static uint32_t owner_pace;  // the owner dawdles once in so many operations
static bool is_duel;         // this round is about last items, at full speed
static uint64_t *scratch;    // SCRATCH_WORDS

// The owner's view of the deque: the items it has pushed and not seen go.
static struct item *model[ITEMS];
static size_t model_size;

static uint64_t contents_of(size_t number)
{
    return round_number * ITEMS + number + 1;
}

static void take(struct item *item)
{
    item->taken_count++;
    if (item->contents != contents_of((size_t)(item - items))) {
        stress_broke(LAW_CONTENTS, "item %zd", item - items);
    }
    STRESS_COUNT(taken_total);
}

// --- Thieves ---

static void steal_one(struct thief *thief)
{
    void *taken = NULL;
    int64_t index = -1;

    if (tn_deque_steal(&deque, 1, &taken, &index) != TN_STEAL_TAKEN) {
        return;
    }
    struct item *item = taken;
    if (index <= thief->last_index || index != item->index) {
        stress_broke(
            LAW_INDEX, "item of %lld at %lld, after %lld",
            (long long)item->index, (long long)index,
            (long long)thief->last_index);
    }
    thief->last_index = index;
    thief->stolen_count++;
    take(item);
}

static void steal_all(struct thief *thief)
{
    thief->last_index = -1;
    while (STRESS_READ(taken_total) < ITEMS) {
        steal_one(thief);
        if (is_duel) {
            continue;
        }
        stress_perturb(&thief->random);
        if (stress_chance(&thief->random, 64)) {
            sched_yield();
        }
    }
}

static void *thief_main(void *arg)
{
    for (;;) {
        pthread_barrier_wait(&gate);
        if (atomic_load(&is_over)) {
            return NULL;
        }
        steal_all(arg);
        pthread_barrier_wait(&gate);
    }
}

// --- The owner ---

static void dawdle(struct stress_random *random)
{
    if (stress_chance(random, owner_pace)) {
        stress_perturb(random);
    }
}

// Stores that miss the cache: what is stored next becomes visible late.
static void clog_stores(struct stress_random *random)
{
    for (int i = 0; i < 4; i++) {
        scratch[stress_below(random, SCRATCH_WORDS)]++;
    }
}

// As a fork does it: the push asks nobody, and makes room for the next one.
static bool push_as_fork(struct item *item)
{
    int64_t bottom = tn_deque_bottom(&deque);

    tenon_deque_add(&deque, bottom, item);
    return !tenon_deque_must_look(&deque, bottom) || tn_deque_make_room(&deque);
}

static void push_burst(struct stress_random *random, size_t *next)
{
    bool are_forks = stress_chance(random, 2);
    uint32_t bound = is_duel ? 3 : 1 + stress_below(random, BURST_MAX);
    uint32_t count = 1 + stress_below(random, bound);

    for (; count > 0 && *next < ITEMS; count--) {
        struct item *item = &items[*next];
        item->contents = contents_of(*next);
        item->index = tn_deque_bottom(&deque);
        if (are_forks ? !push_as_fork(item) : !tn_deque_push(&deque, item)) {
            stress_die("no memory to grow");
        }
        model[model_size++] = item;
        (*next)++;
        dawdle(random);
    }
}

static bool pop_one(struct stress_random *random)
{
    if (is_duel) {
        clog_stores(random);
    }
    struct item *item = tn_deque_pop(&deque);

    if (item == NULL) {
        model_size = 0;  // all others were stolen
        return false;
    }
    if (model_size == 0 || model[model_size - 1] != item) {
        stress_broke(LAW_NEWEST, "popped item %zd", item - items);
    } else {
        model_size--;
    }
    take(item);
    return true;
}

static void pop_burst(struct stress_random *random)
{
    uint32_t count = stress_below(random, BURST_MAX);

    while (count > 0 && pop_one(random)) {
        dawdle(random);
        count--;
    }
    if (stress_chance(random, 16) && tn_deque_looks_empty(&deque)) {
        tn_deque_trim(&deque);
    }
}

static void own(struct stress_random *random)
{
    size_t next = 0;

    model_size = 0;
    while (next < ITEMS) {
        push_burst(random, &next);
        pop_burst(random);
    }
    while (STRESS_READ(taken_total) < ITEMS) {
        pop_one(random);
        stress_perturb(random);
    }
}

static void judge(void)
{
    uint64_t wrong_count = 0;

    for (size_t i = 0; i < ITEMS; i++) {
        wrong_count += items[i].taken_count != 1;
        items[i].taken_count = 0;
    }
    stress_expect_equal(LAW_ONCE, wrong_count, 0);
    stress_expect(tn_deque_is_valid(&deque), "the deque is valid at rest");
    stress_expect(tn_deque_pop(&deque) == NULL, "nothing is left");
}

static void play_round(struct stress_random *random)
{
    if (!tn_deque_init(&deque, (size_t)2 << stress_below(random, 8), true)) {
        stress_die("no memory");
    }
    round_number++;
    is_duel = stress_chance(random, 3);
    owner_pace = is_duel ? 4096 : UINT32_C(2) << stress_below(random, 11);
    atomic_store(&taken_total, 0);
    pthread_barrier_wait(&gate);
    own(random);
    pthread_barrier_wait(&gate);
    judge();
    tn_deque_fini(&deque);
}

static void dump(void)
{
    fprintf(
        stderr, "#   %llu of %d items taken in round %llu\n",
        (unsigned long long)STRESS_READ(taken_total), ITEMS,
        (unsigned long long)round_number);
}

static void start_thieves(void)
{
    thief_count = stress_worker_count(3);
    thief_count = thief_count < 2 ? 1 : thief_count - 1;
    thief_count = thief_count > THIEF_MAX ? THIEF_MAX : thief_count;
    pthread_barrier_init(&gate, NULL, thief_count + 1);
    for (uint32_t i = 0; i < thief_count; i++) {
        thieves[i].random = stress_random_make(i + 1);
        thieves[i].thread = stress_thread_start(thief_main, &thieves[i]);
    }
}

static uint64_t stop_thieves(void)
{
    uint64_t stolen_count = 0;

    atomic_store(&is_over, true);
    pthread_barrier_wait(&gate);
    for (uint32_t i = 0; i < thief_count; i++) {
        stress_thread_join(thieves[i].thread);
        stolen_count += thieves[i].stolen_count;
    }
    pthread_barrier_destroy(&gate);
    return stolen_count;
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv, "deque");
    stress_on_hang(dump);
    stress_law(LAW_NEWEST);
    stress_law(LAW_CONTENTS);
    stress_law(LAW_INDEX);
    tn_fence_setup();
    struct stress_random random = stress_random_make(0);
    scratch = stress_alloc(SCRATCH_WORDS, sizeof(*scratch));
    start_thieves();
    while (stress_goes_on()) {
        play_round(&random);
    }
    stress_need("items stolen", stop_thieves(), round_number * ITEMS, 5);
    free(scratch);
    return stress_end();
}
