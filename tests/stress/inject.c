// SPDX-License-Identifier: MIT
//
// inject — many threads push to one injection queue, many take from it.
//
// Laws: every item is taken exactly once, with the contents that its pusher
// wrote; one taker meets the items of one pusher in their order; a take keeps
// to its capacity; a queue that is empty looks so.

#include "support.h"

#include "sync/inject.h"

#include <sched.h>
#include <stdio.h>

#define PUSHER_COUNT 3
#define TAKER_MAX 16
#define ITEMS 8000  // of each pusher
#define TOTAL ((uint64_t)PUSHER_COUNT * ITEMS)
#define CAPACITY_MAX 40

#define LAW_ONCE "each item is taken exactly once"
#define LAW_ORDER "a taker meets each pusher's items in order"
#define LAW_CONTENTS "who takes an item sees what its pusher wrote"
#define LAW_CAPACITY "a take keeps to its capacity"

struct item {
    struct tn_link link;
    uint64_t contents;  // plain
    uint32_t pusher;
    uint32_t number;
    uint32_t taken_count;  // plain: one taker only
};

struct player {
    pthread_t thread;
    uint32_t index;
    struct stress_random random;
    uint64_t taken_count;
    uint64_t batch_count;  // takes of more than one
};

static struct tn_inject inject;
static struct item items[PUSHER_COUNT][ITEMS];
static struct player pushers[PUSHER_COUNT];
static struct player takers[TAKER_MAX];
static uint32_t taker_count;
static _Atomic(uint64_t) taken_total;
static _Atomic(bool) is_over;
static pthread_barrier_t gate;  // before and after each round
static _Atomic(uint64_t) round_number;

static uint64_t contents_of(uint32_t pusher, uint32_t number)
{
    return (round_number * PUSHER_COUNT + pusher) * ITEMS + number + 1;
}

static void push_all(struct player *player)
{
    for (uint32_t i = 0; i < ITEMS; i++) {
        struct item *item = &items[player->index][i];
        item->pusher = player->index;
        item->number = i;
        item->contents = contents_of(player->index, i);
        tn_inject_push(&inject, &item->link);
        stress_perturb(&player->random);
    }
}

static void take(struct item *item, int64_t *last_numbers)
{
    item->taken_count++;
    if (item->contents != contents_of(item->pusher, item->number)) {
        stress_broke(LAW_CONTENTS, "%u of %u", item->number, item->pusher);
    }
    if ((int64_t)item->number <= last_numbers[item->pusher]) {
        stress_broke(LAW_ORDER, "%u of %u", item->number, item->pusher);
    }
    last_numbers[item->pusher] = item->number;
}

static void take_some(struct player *player, int64_t *last_numbers)
{
    struct tn_link *links[CAPACITY_MAX + 1] = {NULL};
    uint32_t capacity = 1 + stress_below(&player->random, CAPACITY_MAX);
    size_t count = tn_inject_take(&inject, links, capacity);

    if (count > capacity || links[capacity] != NULL) {
        stress_broke(LAW_CAPACITY, "%zu for %u", count, capacity);
    }
    for (size_t i = 0; i < count; i++) {
        take((struct item *)links[i], last_numbers);
    }
    player->taken_count += count;
    player->batch_count += count > 1;
    atomic_fetch_add(&taken_total, count);
}

static void take_all(struct player *player)
{
    int64_t last_numbers[PUSHER_COUNT];

    for (uint32_t i = 0; i < PUSHER_COUNT; i++) {
        last_numbers[i] = -1;
    }
    while (STRESS_READ(taken_total) < TOTAL) {
        take_some(player, last_numbers);
        stress_perturb(&player->random);
        if (stress_chance(&player->random, 16)) {
            sched_yield();
        }
    }
}

static bool begin_round(void)
{
    pthread_barrier_wait(&gate);
    return !atomic_load(&is_over);
}

static void *pusher_main(void *arg)
{
    while (begin_round()) {
        push_all(arg);
        pthread_barrier_wait(&gate);
    }
    return NULL;
}

static void *taker_main(void *arg)
{
    while (begin_round()) {
        take_all(arg);
        pthread_barrier_wait(&gate);
    }
    return NULL;
}

static void judge(void)
{
    uint64_t wrong_count = 0;

    for (uint32_t p = 0; p < PUSHER_COUNT; p++) {
        for (uint32_t i = 0; i < ITEMS; i++) {
            wrong_count += items[p][i].taken_count != 1;
            items[p][i].taken_count = 0;
        }
    }
    stress_expect_equal(LAW_ONCE, wrong_count, 0);
    stress_expect(tn_inject_looks_empty(&inject), "an empty queue looks so");
}

static void play_round(void)
{
    tn_inject_init(&inject, 0);
    round_number++;
    atomic_store(&taken_total, 0);
    pthread_barrier_wait(&gate);
    pthread_barrier_wait(&gate);
    judge();
}

static void dump(void)
{
    fprintf(
        stderr, "#   %llu of %llu items taken in round %llu\n",
        (unsigned long long)STRESS_READ(taken_total), (unsigned long long)TOTAL,
        (unsigned long long)round_number);
}

static void start(void)
{
    taker_count = stress_worker_count(3);
    taker_count = taker_count > TAKER_MAX ? TAKER_MAX : taker_count;
    pthread_barrier_init(&gate, NULL, PUSHER_COUNT + taker_count + 1);
    for (uint32_t i = 0; i < PUSHER_COUNT; i++) {
        pushers[i].index = i;
        pushers[i].random = stress_random_make(100 + i);
        pushers[i].thread = stress_thread_start(pusher_main, &pushers[i]);
    }
    for (uint32_t i = 0; i < taker_count; i++) {
        takers[i].random = stress_random_make(200 + i);
        takers[i].thread = stress_thread_start(taker_main, &takers[i]);
    }
}

static void stop(void)
{
    uint64_t least = UINT64_MAX;
    uint64_t batch_count = 0;

    atomic_store(&is_over, true);
    pthread_barrier_wait(&gate);
    for (uint32_t i = 0; i < PUSHER_COUNT; i++) {
        stress_thread_join(pushers[i].thread);
    }
    for (uint32_t i = 0; i < taker_count; i++) {
        stress_thread_join(takers[i].thread);
        least = takers[i].taken_count < least ? takers[i].taken_count : least;
        batch_count += takers[i].batch_count;
    }
    pthread_barrier_destroy(&gate);
    stress_need("items of the laziest taker", least, round_number * TOTAL, 10);
    stress_need("batches", batch_count, round_number * TOTAL, 1);
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv, "inject");
    stress_on_hang(dump);
    stress_law(LAW_ORDER);
    stress_law(LAW_CONTENTS);
    stress_law(LAW_CAPACITY);
    start();
    while (stress_goes_on()) {
        play_round();
    }
    stop();
    return stress_end();
}
