// SPDX-License-Identifier: MIT
//
// sort_test — sorted, stable, for any size of element; and whatever stops it,
// no element is lost.

#include "must.h"
#include "pool.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

TestSuite(sort, .timeout = 60);

// The beginning of every element; what follows is a copy of its bytes.
struct element {
    uint16_t key;
    uint16_t number;  // in the order of the input
};

struct input {
    size_t count;
    size_t size;
    unsigned key_count;  // 0: ascending, 1: all equal
    unsigned char *bytes;
};

static uint32_t next_random(uint32_t *state)
{
    // Knuth and Lewis, in "Numerical Recipes".
    *state = *state * UINT32_C(1664525) + UINT32_C(1013904223);
    return *state >> 8;
}

static struct element element_at(const struct input *input, size_t i)
{
    struct element element;

    memcpy(&element, input->bytes + i * input->size, sizeof(element));
    return element;
}

static void make_input(struct input *input)
{
    uint32_t random = 7;

    input->bytes = calloc(input->count + 1, input->size);
    cr_assert(ne(ptr, input->bytes, NULL));
    for (size_t i = 0; i < input->count; i++) {
        unsigned char *bytes = input->bytes + i * input->size;
        struct element element = {
            .key = (uint16_t)(input->key_count == 0
                                  ? i
                                  : next_random(&random) % input->key_count),
            .number = (uint16_t)i};
        memcpy(bytes, &element, sizeof(element));
        for (size_t j = sizeof(element); j < input->size; j++) {
            bytes[j] = bytes[j - sizeof(element)];
        }
    }
}

static bool is_whole(const struct input *input, size_t i)
{
    const unsigned char *bytes = input->bytes + i * input->size;

    for (size_t j = sizeof(struct element); j < input->size; j++) {
        if (bytes[j] != bytes[j - sizeof(struct element)]) {
            return false;
        }
    }
    return true;
}

// Every element is there, and whole.
static void expect_all(const struct input *input)
{
    unsigned char *seen = calloc(input->count + 1, 1);
    size_t wrong_count = 0;

    cr_assert(ne(ptr, seen, NULL));
    for (size_t i = 0; i < input->count; i++) {
        struct element element = element_at(input, i);
        wrong_count += element.number >= input->count || !is_whole(input, i) ||
                       seen[element.number]++ != 0;
    }
    free(seen);
    cr_expect(zero(sz, wrong_count));
}

static void expect_sorted(const struct input *input)
{
    size_t wrong_count = 0;

    for (size_t i = 1; i < input->count; i++) {
        struct element left = element_at(input, i - 1);
        struct element right = element_at(input, i);
        wrong_count += left.key > right.key ||
                       (left.key == right.key && left.number > right.number);
    }
    cr_expect(
        zero(sz, wrong_count), "%zu elements of %zu bytes, %u keys",
        input->count, input->size, input->key_count);
    expect_all(input);
}

static int compare(const void *left, const void *right, void *context)
{
    uint16_t left_key;
    uint16_t right_key;

    (void)context;
    memcpy(&left_key, left, sizeof(left_key));
    memcpy(&right_key, right, sizeof(right_key));
    return (left_key > right_key) - (left_key < right_key);
}

static void sort_one(
    tenon_executor *executor, struct input input, size_t chunk_size)
{
    make_input(&input);
    cr_expect(
        eq(int,
           tenon_parallel_sort(
               input.bytes, input.count, input.size, compare, NULL,
               TENON_PARALLEL_OPTIONS(
                       .executor = executor, .chunk_size = chunk_size),
               NULL),
           TENON_OK));
    expect_sorted(&input);
    free(input.bytes);
}

static void sort_all(tenon_executor *executor)
{
    static const size_t counts[] = {0, 1, 2, 3, 4, 5, 8, 9, 65, 100, 1000};
    static const size_t sizes[] = {4, 8, 16, 6, 40};
    static const unsigned key_counts[] = {0, 1, 3, 60000};

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
            for (size_t k = 0; k < 4; k++) {
                struct input input = {
                    .count = counts[i],
                    .size = sizes[j],
                    .key_count = key_counts[k]};
                sort_one(executor, input, 1 + i + j);
                sort_one(executor, input, 0);
            }
        }
    }
    sort_one(
        executor, (struct input){.count = 20000, .size = 8, .key_count = 3}, 0);
}

Test(sort, is_sorted_and_stable_for_any_size_and_number)
{
    pool_each(sort_all);
}

// --- by an order that is none ---

// As of numbers that are not comparable, or of elements that change.
static int compare_anyhow(const void *left, const void *right, void *context)
{
    atomic_uint *state = context;

    (void)left;
    (void)right;
    return (int)(atomic_fetch_add(state, 1) * UINT32_C(2654435761) >> 30) - 1;
}

static int compare_as_less(const void *left, const void *right, void *context)
{
    (void)left;
    (void)right;
    (void)context;
    return -1;
}

static void sort_anyhow(tenon_executor *executor)
{
    static const size_t sizes[] = {4, 8, 16, 40};
    atomic_uint state = 0;

    for (size_t i = 0; i < 4; i++) {
        for (int j = 0; j < 2; j++) {
            struct input input = {
                .count = 3000, .size = sizes[i], .key_count = 60000};
            make_input(&input);
            cr_expect(
                eq(int,
                   tenon_parallel_sort(
                       input.bytes, input.count, input.size,
                       j == 0 ? compare_anyhow : compare_as_less, &state,
                       TENON_PARALLEL_OPTIONS(
                               .executor = executor, .chunk_size = 100),
                       NULL),
                   TENON_OK));
            expect_all(&input);
            free(input.bytes);
        }
    }
}

Test(sort, order_that_is_none_loses_no_element)
{
    pool_each(sort_anyhow);
}

// --- stopped ---

struct stopping {
    tenon_token token;
    atomic_long countdown;  // comparisons
};

static int compare_for_a_while(
    const void *left, const void *right, void *context)
{
    struct stopping *stopping = context;

    if (atomic_fetch_sub(&stopping->countdown, 1) == 1) {
        tenon_token_cancel(&stopping->token, 1, "enough");
    }
    return compare(left, right, NULL);
}

static void stop_after(tenon_executor *executor, long comparison_count)
{
    struct input input = {.count = 20000, .size = 8, .key_count = 60000};
    struct stopping stopping = {.countdown = comparison_count};

    make_input(&input);
    tenon_token_init(&stopping.token, NULL);
    tenon_status status = tenon_parallel_sort(
        input.bytes, input.count, input.size, compare_for_a_while, &stopping,
        TENON_PARALLEL_OPTIONS(
                .executor = executor, .chunk_size = 50,
                .parent = &stopping.token),
        NULL);
    tenon_token_fini(&stopping.token);
    cr_expect(eq(int, status, TENON_CANCELLED));
    expect_all(&input);
    free(input.bytes);
}

static void stop_anywhere(tenon_executor *executor)
{
    // It takes some 280,000.
    for (long count = 1; count < 250000; count += 29989) {
        stop_after(executor, count);
    }
}

Test(sort, cancel_loses_no_element)
{
    pool_each(stop_anywhere);
}

Test(sort, nonsense_is_refused)
{
    int numbers[2] = {2, 1};
    tenon_parallel_options unsized = {.struct_size = 1};

    cr_expect(
        eq(int, tenon_parallel_sort(NULL, 2, 4, compare, NULL, NULL, NULL),
           TENON_EINVAL));
    cr_expect(
        eq(int, tenon_parallel_sort(numbers, 2, 4, NULL, NULL, NULL, NULL),
           TENON_EINVAL));
    cr_expect(
        eq(int, tenon_parallel_sort(numbers, 2, 0, compare, NULL, NULL, NULL),
           TENON_EINVAL));
    cr_expect(
        eq(int,
           tenon_parallel_sort(
               numbers, SIZE_MAX / 2, 4, compare, NULL, NULL, NULL),
           TENON_EINVAL));
    cr_expect(
        eq(int,
           tenon_parallel_sort(
               numbers, SIZE_MAX / 4, 4, compare, NULL, NULL, NULL),
           TENON_EINVAL));
    cr_expect(eq(
        int, tenon_parallel_sort(numbers, 2, 4, compare, NULL, &unsized, NULL),
        TENON_EINVAL));
    cr_expect(eq(int, numbers[0], 2));
}

Test(sort, nothing_needs_no_array)
{
    tenon_executor *executor = pool_create(1);

    cr_expect(zero(
        int, tenon_parallel_sort(
                 NULL, 0, 4, compare, NULL,
                 TENON_PARALLEL_OPTIONS(.executor = executor), NULL)));
    pool_destroy(executor);
}
