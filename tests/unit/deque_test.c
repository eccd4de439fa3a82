// SPDX-License-Identifier: MIT
//
// deque_test — newest first for the owner, oldest first for thieves, each item
// once.
//
// The whole file is run twice: with the fences that the system offers and with
// the portable ones (TENON_FENCE=portable).

#include "base/clock.h"
#include "base/fence.h"
#include "gate.h"
#include "sync/deque.h"
#include "sync/idle_state.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdlib.h>

static struct tenon_deque deque;
static int items[100000];

static void make_deque(size_t capacity)
{
    tn_fence_setup();
    cr_assert(tn_deque_init(&deque, capacity, true));
}

static void end_deque(void)
{
    cr_assert(tn_deque_is_valid(&deque));
    tn_deque_fini(&deque);
}

static void push_items(int first, int end)
{
    for (int i = first; i < end; i++) {
        cr_assert(tn_deque_push(&deque, &items[i]));
    }
}

// The number of the item that pop takes, or -1.
static int pop(void)
{
    int *item = tn_deque_pop(&deque);

    return item == NULL ? -1 : (int)(item - items);
}

// The number of the item that steal takes, or -1.
static int steal(void)
{
    void *item = NULL;
    int64_t index = 0;

    return tn_deque_steal(&deque, 1, &item, &index) == TN_STEAL_TAKEN
               ? (int)((int *)item - items)
               : -1;
}

TestSuite(deque, .timeout = 60);

Test(deque, new_one_is_empty)
{
    make_deque(4);
    cr_expect(tn_deque_looks_empty(&deque));
    cr_expect(eq(int, pop(), -1));
    cr_expect(eq(int, steal(), -1));
    end_deque();
}

Test(deque, pop_returns_newest_item)
{
    make_deque(8);
    push_items(0, 3);
    cr_expect(eq(int, pop(), 2));
    cr_expect(eq(int, pop(), 1));
    cr_expect(eq(int, pop(), 0));
    cr_expect(eq(int, pop(), -1));
    end_deque();
}

Test(deque, steal_returns_oldest_item)
{
    make_deque(8);
    push_items(0, 3);
    cr_expect(eq(int, steal(), 0));
    cr_expect(eq(int, steal(), 1));
    cr_expect(eq(int, steal(), 2));
    cr_expect(eq(int, steal(), -1));
    end_deque();
}

Test(deque, take_oldest_takes_many_in_order_and_leaves_the_newest)
{
    void *batch[10] = {NULL};

    make_deque(4);
    push_items(0, 10);
    cr_expect(eq(sz, tn_deque_take_oldest(&deque, batch, 4), 4));
    for (int i = 0; i < 4; i++) {
        cr_expect(eq(ptr, batch[i], &items[i]));
    }
    cr_expect(eq(ptr, batch[4], NULL));
    cr_expect(eq(int, steal(), 4));
    cr_expect(eq(int, pop(), 9));
    cr_expect(eq(sz, tn_deque_take_oldest(&deque, batch, 10), 4));
    cr_expect(eq(ptr, batch[3], &items[8]));
    cr_expect(eq(sz, tn_deque_take_oldest(&deque, batch, 10), 0));
    push_items(10, 12);
    cr_expect(eq(int, pop(), 11));
    end_deque();
}

Test(deque, steal_tells_the_index_of_what_it_took)
{
    void *item = NULL;
    int64_t index = -1;

    make_deque(8);
    push_items(0, 3);
    cr_assert(eq(int, pop(), 2));
    for (int64_t i = 0; i < 2; i++) {
        cr_assert(
            eq(int, (int)tn_deque_steal(&deque, 1, &item, &index),
               (int)TN_STEAL_TAKEN));
        cr_expect(eq(i64, index, i));
    }
    end_deque();
}

Test(deque, steal_from_empty_leaves_outputs_untouched)
{
    void *item = items;
    int64_t index = 77;

    make_deque(4);
    cr_assert(
        eq(int, (int)tn_deque_steal(&deque, 1, &item, &index),
           (int)TN_STEAL_EMPTY));
    cr_expect(eq(ptr, item, items));
    cr_expect(eq(i64, index, 77));
    end_deque();
}

Test(deque, last_item_goes_to_one_side_only)
{
    make_deque(4);
    push_items(0, 1);
    cr_expect(eq(int, pop(), 0));
    cr_expect(eq(int, steal(), -1));
    push_items(1, 2);
    cr_expect(eq(int, steal(), 1));
    cr_expect(eq(int, pop(), -1));
    end_deque();
}

Test(deque, works_on_after_popping_at_empty)
{
    make_deque(4);
    for (int i = 0; i < 20; i++) {
        cr_assert(eq(int, pop(), -1));
    }
    push_items(5, 7);
    cr_expect(eq(int, pop(), 6));
    cr_expect(eq(int, steal(), 5));
    end_deque();
}

Test(deque, bottom_is_the_index_of_the_next_push)
{
    make_deque(4);
    cr_expect(eq(i64, tn_deque_bottom(&deque), 0));
    push_items(0, 3);
    cr_expect(eq(i64, tn_deque_bottom(&deque), 3));
    cr_assert(eq(int, pop(), 2));
    cr_expect(eq(i64, tn_deque_bottom(&deque), 2));
    cr_assert(eq(int, steal(), 0));
    cr_expect(eq(i64, tn_deque_bottom(&deque), 2));
    cr_expect(eq(i64, tn_deque_top_hint(&deque), 1));
    cr_assert(eq(int, pop(), 1));
    end_deque();
}

Test(deque, growth_keeps_every_item_in_order)
{
    make_deque(4);
    push_items(0, 1000);
    for (int i = 0; i < 500; i++) {
        cr_assert(eq(int, steal(), i));
    }
    for (int i = 999; i >= 500; i--) {
        cr_assert(eq(int, pop(), i));
    }
    cr_expect(eq(int, pop(), -1));
    end_deque();
}

Test(deque, growth_keeps_items_that_have_moved)
{
    make_deque(8);
    push_items(0, 6);
    for (int i = 0; i < 5; i++) {
        cr_assert(eq(int, steal(), i));
    }
    push_items(6, 40);
    for (int i = 5; i < 40; i++) {
        cr_assert(eq(int, steal(), i));
    }
    end_deque();
}

Test(deque, grows_only_when_full)
{
    make_deque(8);
    struct tenon_ring *ring = tn_load_relaxed(&deque.ring);
    // The last place is for one that does not ask.
    for (int i = 0; i + 7 < 7000; i += 7) {
        push_items(i, i + 7);
        cr_assert(eq(int, steal(), i));
        for (int j = 6; j > 0; j--) {
            cr_assert(eq(int, pop(), i + j));
        }
    }
    cr_expect(eq(ptr, tn_load_relaxed(&deque.ring), ring));
    end_deque();
}

static bool is_answered(void)
{
    return atomic_load(&deque.answered) == atomic_load(&deque.asked) &&
           (atomic_load(&deque.quick_limit) > 0) == deque.is_inline;
}

// The owner does nothing meanwhile: the thief goes on with the fence, and what
// it has asked stays until the owner does something.
Test(deque, thief_that_gets_no_answer_steals_all_the_same)
{
    make_deque(8);
    push_items(0, 3);
    cr_expect(eq(int, steal(), 0));
    cr_expect(eq(uint, atomic_load(&deque.answered), 0));
    cr_expect(eq(uint, atomic_load(&deque.asked), deque.is_asymmetric ? 1 : 0));
    end_deque();
}

Test(deque, push_answers_who_has_asked)
{
    make_deque(8);
    push_items(0, 3);
    cr_expect(eq(int, steal(), 0));
    cr_expect(not(is_answered() && deque.is_asymmetric));
    push_items(3, 4);
    cr_expect(is_answered());
    end_deque();
}

Test(deque, pop_answers_who_has_asked)
{
    make_deque(8);
    push_items(0, 3);
    cr_expect(eq(int, steal(), 0));
    cr_expect(eq(int, pop(), 2));
    cr_expect(is_answered());
    end_deque();
}

// As fork does it: a push that asks nobody, then one look.
static void fork_item(int number)
{
    int64_t bottom = tn_deque_bottom(&deque);

    tenon_deque_add(&deque, bottom, &items[number]);
    if (tenon_deque_must_look(&deque, bottom)) {
        cr_assert(tn_deque_make_room(&deque));
    }
}

Test(deque, there_is_always_room_for_one_that_does_not_ask)
{
    make_deque(2);
    for (int i = 0; i < 300; i++) {
        fork_item(2 * i);
        push_items(2 * i + 1, 2 * i + 2);
    }
    for (int i = 0; i < 300; i++) {
        cr_assert(eq(int, steal(), i));
        cr_assert(eq(int, pop(), 599 - i));
    }
    end_deque();
}

// The ring's window slides: no new one is needed, and nothing is out of place.
Test(deque, items_that_are_never_many_stay_in_one_ring)
{
    make_deque(8);
    struct tenon_ring *ring = tn_load_relaxed(&deque.ring);
    push_items(0, 5);
    for (int i = 5; i < 5000; i++) {
        fork_item(i);
        cr_assert(eq(int, steal(), i - 5));
        cr_assert(tn_deque_is_valid(&deque));
    }
    cr_expect(eq(ptr, tn_load_relaxed(&deque.ring), ring));
    cr_expect(eq(int, pop(), 4999));
    cr_expect(eq(int, steal(), 4995));
    end_deque();
}

// In what its owner looks at after a push.
static bool is_called(void)
{
    return tenon_deque_must_look(&deque, 0) || !deque.is_inline;
}

Test(deque, call_of_a_sleeper_stays_until_nobody_has_to_be_woken)
{
    _Atomic(uint32_t) state;

    atomic_init(&state, TN_IDLE_SLEEPING_ONE);
    make_deque(8);
    tn_deque_watch(&deque, &state);
    cr_expect(is_called());
    tn_deque_answer(&deque);
    cr_expect(is_called());
    atomic_store(&state, TN_IDLE_SLEEPING_ONE + TN_IDLE_SEARCHING_ONE);
    tn_deque_answer(&deque);
    cr_expect(not(tenon_deque_must_look(&deque, 0) && deque.is_inline));
    tn_deque_ring(&deque);
    cr_expect(is_called());
    atomic_store(&state, 0);
    push_items(0, 1);
    cr_expect(not(tenon_deque_must_look(&deque, 0) && deque.is_inline));
    end_deque();
}

// It was, if the thread was not held up in between.
static bool is_longer_for_more(void *context)
{
    uint64_t more_end_ns = tn_fence_patience_ns(10);
    uint64_t one_end_ns = tn_fence_patience_ns(1);

    (void)context;
    return more_end_ns > one_end_ns;
}

// More of it the more threads a fence would interrupt.
Test(deque, thief_waits_as_long_as_a_fence_costs_all_who_run)
{
    tn_fence_setup();
    uint64_t begin_ns = tn_clock_now_ns();
    uint64_t one_end_ns = tn_fence_patience_ns(1);

    cr_expect(gt(u64, one_end_ns, begin_ns));
    cr_expect(ge(u64, tn_fence_patience_ns(0), one_end_ns));
    cr_expect(gate_poll(is_longer_for_more, NULL));
}

// What is ready must not wait for that, on however many cores.
Test(deque, thief_waits_for_20_us_at_most)
{
    tn_fence_setup();
    uint64_t end_ns = tn_fence_patience_ns(UINT32_MAX);

    cr_expect(le(u64, end_ns, tn_clock_now_ns() + 20000));
}

Test(deque, trim_of_an_empty_one_keeps_it_usable)
{
    make_deque(4);
    push_items(0, 100000);
    for (int i = 0; i < 100000; i++) {
        cr_assert(eq(int, pop(), 99999 - i));
    }
    tn_deque_trim(&deque);
    push_items(0, 50000);
    for (int i = 0; i < 25000; i++) {
        cr_assert(eq(int, steal(), i));
        cr_assert(eq(int, pop(), 49999 - i));
    }
    end_deque();
}

Test(deque, trim_gives_memory_back)
{
    make_deque(4);
    push_items(0, 100000);
    while (pop() >= 0) {
    }
    struct tenon_ring *ring = tn_load_relaxed(&deque.ring);
    cr_assert(ne(ptr, tn_load_relaxed(&ring->slots[50000]), NULL));
    tn_deque_trim(&deque);
    cr_expect(eq(ptr, tn_load_relaxed(&ring->slots[50000]), NULL));
    end_deque();
}

Test(deque, fini_accepts_zeroed_memory)
{
    struct tenon_deque zeroed = {.limit = 0};

    tn_deque_fini(&zeroed);
}

struct race {
    atomic_uint taken[100000];
    atomic_bool is_over;
    struct gate ready;
    atomic_uint stolen_count;
};

static void take(struct race *race, const int *item)
{
    atomic_fetch_add(&race->taken[item - items], 1);
}

static void *thief_main(void *arg)
{
    struct race *race = arg;
    void *item = NULL;
    int64_t index = 0;

    gate_open(&race->ready);
    while (!atomic_load(&race->is_over)) {
        if (tn_deque_steal(&deque, 1, &item, &index) == TN_STEAL_TAKEN) {
            take(race, item);
            atomic_fetch_add(&race->stolen_count, 1);
        }
    }
    return NULL;
}

static void take_some(struct race *race)
{
    void *batch[16];
    size_t count = tn_deque_take_oldest(&deque, batch, 16);

    for (size_t i = 0; i < count; i++) {
        take(race, batch[i]);
    }
}

// Push all, three for each pop, then pop what is left; now and then a batch.
static void own(struct race *race)
{
    int *item = NULL;

    for (int i = 0; i < 100000; i++) {
        tn_deque_push(&deque, &items[i]);
        if (i % 3 == 2 && (item = tn_deque_pop(&deque)) != NULL) {
            take(race, item);
        }
        if (i % 100 == 99) {
            take_some(race);
        }
    }
    while ((item = tn_deque_pop(&deque)) != NULL) {
        take(race, item);
    }
}

// Owner pushes and pops while two thieves steal: every item is taken once.
Test(deque, concurrent_steal_takes_each_item_once)
{
    struct race *race = calloc(1, sizeof(*race));
    pthread_t thieves[2];
    unsigned wrong_count = 0;

    make_deque(4);
    for (int i = 0; i < 2; i++) {
        pthread_create(&thieves[i], NULL, thief_main, race);
    }
    bool is_ready = gate_wait_for(&race->ready, 2);
    own(race);
    atomic_store(&race->is_over, true);
    for (int i = 0; i < 2; i++) {
        pthread_join(thieves[i], NULL);
    }
    for (int i = 0; i < 100000; i++) {
        wrong_count += atomic_load(&race->taken[i]) != 1;
    }
    cr_expect(is_ready);
    cr_expect(eq(uint, wrong_count, 0));
    cr_expect(gt(uint, atomic_load(&race->stolen_count), 0));
    free(race);
    end_deque();
}
