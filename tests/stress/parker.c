// SPDX-License-Identifier: MIT
//
// parker — pairs of threads pass a ball, while others unpark whom they like.
//
// Laws: no wake-up is lost (or the watchdog speaks); the ball's contents come
// with it; living threads have parkers of their own, also where numbers of
// ended threads are used again.

#include "support.h"

#include "sync/parker.h"

#include <sched.h>
#include <stdio.h>

#define PAIR_MAX 8
#define PASSES 2000
#define VISITOR_COUNT 3

#define LAW_BALL "the ball comes with its contents"
#define LAW_OWN "living threads have parkers of their own"
#define LAW_COUNT "every pass arrives"

struct pair {
    _Atomic(uint32_t) turn;  // whose: 0 or 1
    uint64_t ball;           // plain: handed over by `turn`
    _Atomic(uint32_t) parkers[2];
    uint64_t parked_count[2];
};

struct side {
    struct pair *pair;
    uint32_t number;  // 0 or 1
    uint64_t stream;
    pthread_t thread;
};

static struct pair pairs[PAIR_MAX];
static struct side sides[2 * PAIR_MAX];
static uint32_t pair_count;
static _Atomic(uint64_t) round_number;
static bool is_quiet;  // this round nobody meddles: a lost wake-up stays lost
static _Atomic(bool) is_round_over;
static _Atomic(uint32_t) users[TN_PARKER_MAX + 1];  // living, of each number

static uint32_t check_in(void)
{
    uint32_t parker = tn_parker_of_thread();

    if (parker == TN_PARKER_NONE || STRESS_COUNT(users[parker]) != 0) {
        stress_broke(LAW_OWN, "parker %u", parker);
    }
    return parker;
}

static void check_out(uint32_t parker)
{
    atomic_fetch_sub(&users[parker], 1);
}

static void wait_for_turn(
    struct side *side, uint32_t parker, struct stress_random *random)
{
    struct pair *pair = side->pair;

    while (atomic_load_explicit(&pair->turn, memory_order_acquire) !=
           side->number) {
        bool has_deadline = !is_quiet && stress_chance(random, 4);
        uint64_t deadline_ns =
            has_deadline ? stress_now_ns() + stress_below(random, 50000)
                         : TN_FOREVER;
        pair->parked_count[side->number]++;
        tn_parker_park_until(parker, deadline_ns);
    }
}

static void pass(struct side *side, struct stress_random *random)
{
    struct pair *pair = side->pair;
    uint32_t other = 1 - side->number;
    uint32_t parker = 0;

    stress_perturb(random);
    atomic_store_explicit(&pair->turn, other, memory_order_release);
    stress_perturb(random);
    // Until the other one has checked in, it has not parked either.
    parker = atomic_load(&pair->parkers[other]);
    if (parker != TN_PARKER_NONE) {
        tn_parker_unpark(parker);
    }
}

static void *side_main(void *arg)
{
    struct side *side = arg;
    struct stress_random random = stress_random_make(side->stream);
    uint32_t parker = check_in();

    atomic_store(&side->pair->parkers[side->number], parker);
    for (uint64_t i = 0; i < PASSES; i++) {
        wait_for_turn(side, parker, &random);
        if (side->pair->ball != 2 * i + side->number) {
            stress_broke(LAW_BALL, "pass %llu", (unsigned long long)i);
        }
        side->pair->ball++;
        pass(side, &random);
    }
    check_out(parker);
    return NULL;
}

// Ends at once: its number is used again, and may be unparked meanwhile.
static void *visitor_main(void *unused)
{
    uint32_t parker = check_in();

    (void)unused;
    tn_parker_park_until(parker, stress_now_ns() + 1000);
    check_out(parker);
    return NULL;
}

static void *meddler_main(void *arg)
{
    struct stress_random random = stress_random_make(*(uint64_t *)arg);
    pthread_t visitors[VISITOR_COUNT];

    while (!atomic_load(&is_round_over)) {
        for (uint32_t i = 0; i < VISITOR_COUNT; i++) {
            visitors[i] = stress_thread_start(visitor_main, NULL);
        }
        for (uint32_t i = 0; i < 64; i++) {
            // Any number of the first chunk exists, used or not.
            tn_parker_unpark(1 + stress_below(&random, 63));
            stress_perturb(&random);
        }
        for (uint32_t i = 0; i < VISITOR_COUNT; i++) {
            stress_thread_join(visitors[i]);
        }
    }
    return NULL;
}

static void start_side(uint32_t index)
{
    struct side *side = &sides[index];

    side->pair = &pairs[index / 2];
    side->number = index % 2;
    side->stream = round_number * 100 + index;
    side->thread = stress_thread_start(side_main, side);
}

static void play_round(void)
{
    uint64_t stream = ++round_number * 100 + 99;

    is_quiet = round_number % 2 == 0;
    atomic_store(&is_round_over, is_quiet);
    for (uint32_t i = 0; i < pair_count; i++) {
        pairs[i].ball = 0;
        atomic_store(&pairs[i].turn, 0);
        atomic_store(&pairs[i].parkers[0], TN_PARKER_NONE);
        atomic_store(&pairs[i].parkers[1], TN_PARKER_NONE);
    }
    pthread_t meddler = stress_thread_start(meddler_main, &stream);
    for (uint32_t i = 0; i < 2 * pair_count; i++) {
        start_side(i);
    }
    for (uint32_t i = 0; i < 2 * pair_count; i++) {
        stress_thread_join(sides[i].thread);
    }
    atomic_store(&is_round_over, true);
    stress_thread_join(meddler);
    for (uint32_t i = 0; i < pair_count; i++) {
        stress_expect_equal(LAW_COUNT, pairs[i].ball, 2 * PASSES);
    }
}

static void dump(void)
{
    for (uint32_t i = 0; i < pair_count; i++) {
        fprintf(
            stderr, "#   pair %u: turn of %u, parkers %u and %u\n", i,
            atomic_load(&pairs[i].turn), atomic_load(&pairs[i].parkers[0]),
            atomic_load(&pairs[i].parkers[1]));
    }
}

int main(int argc, char **argv)
{
    uint64_t parked_count = 0;

    stress_begin(argc, argv, "parker");
    stress_on_hang(dump);
    stress_law(LAW_BALL);
    stress_law(LAW_OWN);
    pair_count = stress_worker_count(2);
    pair_count = pair_count > PAIR_MAX ? PAIR_MAX : pair_count;
    while (stress_goes_on()) {
        play_round();
    }
    for (uint32_t i = 0; i < pair_count; i++) {
        parked_count += pairs[i].parked_count[0] + pairs[i].parked_count[1];
    }
    stress_need(
        "turns that were parked for", parked_count,
        round_number * pair_count * 2 * PASSES, 50);
    return stress_end();
}
