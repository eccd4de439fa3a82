// SPDX-License-Identifier: MIT
//
// heap_test — the first one comes out first, whatever went in and out before.

#include "sync/heap.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdint.h>

#define NUMBER_COUNT 500

struct number {
    struct tn_heap_node node;
    int value;
    bool is_inside;
};

static struct tn_heap heap;
static struct number numbers[NUMBER_COUNT];
static uint64_t seed;

static const struct number *number_of(const struct tn_heap_node *node)
{
    return (const struct number *)node;
}

static bool is_before(
    const struct tn_heap_node *a, const struct tn_heap_node *b)
{
    return number_of(a)->value < number_of(b)->value;
}

static void make_heap(void)
{
    seed = 42;
    tn_heap_init(&heap, is_before);
}

static uint32_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

static void insert(int i, int value)
{
    numbers[i].value = value;
    numbers[i].is_inside = true;
    tn_heap_insert(&heap, &numbers[i].node);
}

static void remove_number(struct number *number)
{
    number->is_inside = false;
    tn_heap_remove(&heap, &number->node);
}

// The value of the first one, which is removed; -1: none.
static int take_first(void)
{
    struct tn_heap_node *first = tn_heap_first(&heap);

    if (first == NULL) {
        return -1;
    }
    remove_number((struct number *)first);
    return number_of(first)->value;
}

static int least_inside(void)
{
    int least = INT32_MAX;

    for (int i = 0; i < NUMBER_COUNT; i++) {
        if (numbers[i].is_inside && numbers[i].value < least) {
            least = numbers[i].value;
        }
    }
    return least;
}

TestSuite(heap, .init = make_heap, .timeout = 20);

Test(heap, new_one_is_empty)
{
    cr_expect(eq(ptr, tn_heap_first(&heap), NULL));
}

Test(heap, first_does_not_remove)
{
    insert(0, 5);
    cr_expect(eq(ptr, tn_heap_first(&heap), &numbers[0].node));
    cr_expect(eq(ptr, tn_heap_first(&heap), &numbers[0].node));
}

Test(heap, comes_out_in_order_when_put_in_upwards)
{
    for (int i = 0; i < NUMBER_COUNT; i++) {
        insert(i, i);
    }
    for (int i = 0; i < NUMBER_COUNT; i++) {
        cr_assert(eq(int, take_first(), i));
    }
    cr_expect(eq(int, take_first(), -1));
}

Test(heap, comes_out_in_order_when_put_in_downwards)
{
    for (int i = 0; i < NUMBER_COUNT; i++) {
        insert(i, NUMBER_COUNT - i);
    }
    for (int i = 1; i <= NUMBER_COUNT; i++) {
        cr_assert(eq(int, take_first(), i));
    }
}

Test(heap, keeps_every_one_of_equal_ones)
{
    for (int i = 0; i < 10; i++) {
        insert(i, 3);
    }
    for (int i = 0; i < 10; i++) {
        cr_assert(eq(int, take_first(), 3));
    }
    cr_expect(eq(int, take_first(), -1));
}

Test(heap, remove_of_the_only_one_leaves_it_empty)
{
    insert(0, 1);
    remove_number(&numbers[0]);
    cr_expect(eq(ptr, tn_heap_first(&heap), NULL));
}

Test(heap, removed_one_never_comes_out)
{
    for (int i = 0; i < 9; i++) {
        insert(i, (i * 5) % 9);
    }
    take_first();  // gives the rest a shape: parents, children, siblings
    for (int i = 0; i < 9; i++) {
        if (numbers[i].is_inside && numbers[i].value % 2 == 0) {
            remove_number(&numbers[i]);
        }
    }
    cr_expect(eq(int, take_first(), 1));
    cr_expect(eq(int, take_first(), 3));
    cr_expect(eq(int, take_first(), 5));
    cr_expect(eq(int, take_first(), 7));
    cr_expect(eq(int, take_first(), -1));
}

Test(heap, removed_one_may_go_in_again)
{
    insert(0, 1);
    insert(1, 2);
    remove_number(&numbers[0]);
    insert(0, 3);
    cr_expect(eq(int, take_first(), 2));
    cr_expect(eq(int, take_first(), 3));
}

// The first one is always the least of those inside, through 20,000 random
// insertions and removals.
Test(heap, first_is_least_through_any_history)
{
    for (int round = 0; round < 20000; round++) {
        struct number *number = &numbers[next_random() % NUMBER_COUNT];
        if (number->is_inside) {
            remove_number(number);
        } else {
            insert((int)(number - numbers), (int)(next_random() % 1000));
        }
        struct tn_heap_node *first = tn_heap_first(&heap);
        int value = first == NULL ? INT32_MAX : number_of(first)->value;
        cr_assert(eq(int, value, least_inside()));
    }
}
