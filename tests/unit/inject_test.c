// SPDX-License-Identifier: MIT
//
// inject_test — from any thread to any taker, oldest first, each once.

#include "gate.h"
#include "sync/inject.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdlib.h>

struct parcel {
    struct tn_link link;
    int number;
};

static struct tn_inject inject;
static struct parcel parcels[1000];

static void make_inject(void)
{
    tn_inject_init(&inject, 0);
}

static void push(int first, int end)
{
    for (int i = first; i < end; i++) {
        parcels[i].number = i;
        tn_inject_push(&inject, &parcels[i].link);
    }
}

// Take up to `capacity` and expect the numbers from `first` up.
static void expect_taken(size_t capacity, size_t count, int first)
{
    struct tn_link *links[1000];

    cr_assert(eq(sz, tn_inject_take(&inject, links, capacity), count));
    for (size_t i = 0; i < count; i++) {
        int number = ((struct parcel *)links[i])->number;
        cr_assert(eq(int, number, first + (int)i));
    }
}

TestSuite(inject, .init = make_inject, .timeout = 60);

Test(inject, new_one_is_empty)
{
    cr_expect(tn_inject_looks_empty(&inject));
    expect_taken(10, 0, 0);
}

Test(inject, take_returns_oldest_first)
{
    push(0, 10);
    expect_taken(1000, 10, 0);
    expect_taken(1000, 0, 0);
}

Test(inject, take_stops_at_its_capacity_and_keeps_the_rest)
{
    push(0, 10);
    expect_taken(3, 3, 0);
    expect_taken(3, 3, 3);
    expect_taken(100, 4, 6);
}

Test(inject, what_came_later_is_taken_later)
{
    push(0, 4);
    expect_taken(2, 2, 0);
    push(4, 8);
    expect_taken(1, 1, 2);
    expect_taken(1, 1, 3);
    expect_taken(10, 4, 4);
}

Test(inject, what_is_pushed_at_a_time_is_taken_in_its_order)
{
    void *links[8];

    push(0, 2);
    for (int i = 0; i < 8; i++) {
        parcels[2 + i].number = 2 + i;
        links[i] = &parcels[2 + i].link;
    }
    tn_inject_push_all(&inject, links, 8);
    push(10, 11);
    expect_taken(1000, 11, 0);
    tn_inject_push_all(&inject, links, 1);
    expect_taken(1000, 1, 2);
}

Test(inject, looks_empty_only_when_nothing_is_left)
{
    push(0, 2);
    cr_expect(not(tn_inject_looks_empty(&inject)));
    expect_taken(1, 1, 0);
    cr_expect(not(tn_inject_looks_empty(&inject)));
    expect_taken(1, 1, 1);
    cr_expect(tn_inject_looks_empty(&inject));
}

Test(inject, link_may_be_queued_again)
{
    for (int round = 0; round < 100; round++) {
        push(0, 3);
        expect_taken(10, 3, 0);
    }
}

Test(inject, take_gives_up_while_another_one_takes)
{
    push(0, 1);
    tn_store_relaxed(&inject.is_locked, true);
    expect_taken(1, 0, 0);
    tn_store_relaxed(&inject.is_locked, false);
    expect_taken(1, 1, 0);
}

enum { PUSHER_COUNT = 3, TAKER_COUNT = 2, EACH_COUNT = 10000 };

struct race {
    struct parcel parcels[PUSHER_COUNT * EACH_COUNT];
    atomic_uint taken[PUSHER_COUNT * EACH_COUNT];
    atomic_uint pusher_count;
    atomic_uint taken_count;
};

static struct race race;

static void *pusher_main(void *arg)
{
    int first = (int)atomic_fetch_add(&race.pusher_count, 1) * EACH_COUNT;

    (void)arg;
    for (int i = first; i < first + EACH_COUNT; i++) {
        race.parcels[i].number = i;
        tn_inject_push(&inject, &race.parcels[i].link);
    }
    return NULL;
}

static bool take_some(void *arg)
{
    struct tn_link *links[7];
    size_t count = tn_inject_take(&inject, links, 7);

    (void)arg;
    for (size_t i = 0; i < count; i++) {
        atomic_fetch_add(&race.taken[((struct parcel *)links[i])->number], 1);
    }
    return atomic_fetch_add(&race.taken_count, (unsigned)count) + count ==
           PUSHER_COUNT * EACH_COUNT;
}

static void *taker_main(void *arg)
{
    gate_poll(take_some, NULL);
    return arg;
}

// Three push while two take: every parcel is taken once.
Test(inject, concurrent_take_takes_each_once)
{
    pthread_t threads[PUSHER_COUNT + TAKER_COUNT];
    unsigned wrong_count = 0;

    for (int i = 0; i < PUSHER_COUNT + TAKER_COUNT; i++) {
        pthread_create(
            &threads[i], NULL, i < PUSHER_COUNT ? pusher_main : taker_main,
            NULL);
    }
    for (int i = 0; i < PUSHER_COUNT + TAKER_COUNT; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < PUSHER_COUNT * EACH_COUNT; i++) {
        wrong_count += atomic_load(&race.taken[i]) != 1;
    }
    cr_expect(eq(uint, wrong_count, 0));
    cr_expect(
        eq(uint, atomic_load(&race.taken_count), PUSHER_COUNT * EACH_COUNT));
    cr_expect(tn_inject_looks_empty(&inject));
}
