// SPDX-License-Identifier: MIT
//
// reduce_test — a reduction combines its parts in the order of the range, and
// can be made to combine the same parts each time.

#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

TestSuite(reduce, .timeout = 60);

enum { ITEM_COUNT = 10007, CODE = 31 };

// --- in order: a map x -> a x + b does not commute with another ---

struct map {
    uint64_t a;
    uint64_t b;
    char padding[200];  // more than lies in a frame; all of it is copied
};

static struct map map_of(size_t item)
{
    struct map map = {.a = 2 * item + 3, .b = item * item + 7};

    memset(map.padding, (int)(item % 100), sizeof(map.padding));
    return map;
}

static void append_map(void *left, const void *right, void *context)
{
    struct map *first = left;
    const struct map *second = right;

    (void)context;
    first->a *= second->a;
    first->b = first->b * second->a + second->b;
    for (size_t i = 0; i < sizeof(first->padding); i++) {
        first->padding[i] = (char)(first->padding[i] ^ second->padding[i]);
    }
}

static int fold_maps(
    tenon_task *self, size_t first, size_t end, void *result, void *context)
{
    (void)self;
    for (size_t i = first; i < end; i++) {
        struct map map = map_of(i);
        append_map(result, &map, context);
    }
    return TENON_OK;
}

static const struct map no_map = {.a = 1};

static const tenon_reduction composition = {
    .fold = fold_maps,
    .combine = append_map,
    .identity = &no_map,
    .size = sizeof(no_map),
};

static void compose(
    tenon_executor *executor, size_t count, const tenon_parallel_options *given)
{
    tenon_parallel_options options = *given;
    struct map expected = no_map;
    struct map result = {.a = 99};

    options.executor = executor;
    cr_assert(
        eq(int, fold_maps(NULL, 3, 3 + count, &expected, NULL), TENON_OK));
    cr_expect(
        eq(int,
           tenon_parallel_reduce(
               3, 3 + count, &composition, &result, NULL, &options, NULL),
           TENON_OK));
    cr_expect(zero(int, memcmp(&result, &expected, sizeof(result))));
}

static void compose_all(tenon_executor *executor)
{
    static const size_t counts[] = {0, 1, 2, 300, 1009};
    static const size_t chunk_sizes[] = {0, 1, 7, ITEM_COUNT};

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        for (size_t j = 0; j < sizeof(chunk_sizes) / sizeof(size_t); j++) {
            tenon_parallel_options options = {
                .struct_size = sizeof(options), .chunk_size = chunk_sizes[j]};
            compose(executor, counts[i], &options);
            options.chunks = TENON_CHUNKS_STATIC;
            compose(executor, counts[i], &options);
            options.is_reproducible = true;
            compose(executor, counts[i], &options);
        }
    }
}

Test(reduce, parts_are_combined_in_the_order_of_the_range)
{
    pool_each(compose_all);
}

// --- reproducible: sums that depend on where the range is divided ---

static double item_of(size_t i)
{
    return (i % 2 == 0 ? 1e16 : 1.0) / (double)(i + 1);
}

static int add_items(
    tenon_task *self, size_t first, size_t end, void *result, void *context)
{
    double *sum = result;

    (void)self;
    (void)context;
    for (size_t i = first; i < end; i++) {
        *sum += item_of(i);
    }
    return TENON_OK;
}

static void add(void *left, const void *right, void *context)
{
    (void)context;
    *(double *)left += *(const double *)right;
}

static const double nothing = 0;

static const tenon_reduction sum_of_items = {
    .fold = add_items,
    .combine = add,
    .identity = &nothing,
    .size = sizeof(nothing),
};

// The same parts, by the book: halves at multiples of the size of a part.
static double sum_by_parts(size_t first, size_t end, size_t part_size)
{
    size_t part_count = (end - first + part_size - 1) / part_size;
    double sum = 0;

    if (part_count <= 1) {
        add_items(NULL, first, end, &sum, NULL);
        return sum;
    }
    size_t middle = first + part_count / 2 * part_size;
    return sum_by_parts(first, middle, part_size) +
           sum_by_parts(middle, end, part_size);
}

static void expect_sum(
    tenon_executor *executor, size_t chunk_size, double expected)
{
    double sum = -1;

    cr_expect(
        eq(int,
           tenon_parallel_reduce(
               0, ITEM_COUNT, &sum_of_items, &sum, NULL,
               TENON_PARALLEL_OPTIONS(
                       .executor = executor, .is_reproducible = true,
                       .chunk_size = chunk_size),
               NULL),
           TENON_OK));
    cr_expect(zero(int, memcmp(&sum, &expected, sizeof(sum))));
}

static void sum_again(tenon_executor *executor)
{
    double by_forties = sum_by_parts(0, ITEM_COUNT, 40);
    double by_sevens = sum_by_parts(0, ITEM_COUNT, 7);

    cr_assert(ne(dbl, by_forties, by_sevens), "else it would not show");
    for (int i = 0; i < 20; i++) {
        // 1/256 of the range, rounded up.
        expect_sum(executor, 0, by_forties);
        expect_sum(executor, 7, by_sevens);
    }
}

Test(reduce, sum_is_the_same_to_the_last_bit_if_it_is_to_be_reproducible)
{
    pool_each(sum_again);
}

// --- what goes wrong ---

static int fail_in_the_middle(
    tenon_task *self, size_t first, size_t end, void *result, void *context)
{
    if (first <= ITEM_COUNT / 2 && ITEM_COUNT / 2 < end) {
        return tenon_fail(self, CODE, "in the middle");
    }
    return add_items(self, first, end, result, context);
}

static void fail_to_sum(tenon_executor *executor)
{
    tenon_reduction reduction = sum_of_items;
    tenon_range failed = {0, 0};
    tenon_report report;
    double sum = 17;

    reduction.fold = fail_in_the_middle;
    cr_expect(eq(
        int,
        tenon_parallel_reduce(
            0, ITEM_COUNT, &reduction, &sum, NULL,
            TENON_PARALLEL_OPTIONS(
                    .executor = executor, .failed = &failed, .chunk_size = 10),
            &report),
        TENON_ERRORS));
    cr_expect(eq(dbl, sum, 17), "untouched");
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, CODE));
    cr_expect(le(sz, failed.first, ITEM_COUNT / 2));
    cr_expect(gt(sz, failed.end, ITEM_COUNT / 2));
    tenon_report_free(&report);
}

Test(reduce, failure_leaves_the_result_untouched)
{
    pool_each(fail_to_sum);
}

static tenon_status reduce_nothing(const tenon_reduction *reduction, void *sum)
{
    return tenon_parallel_reduce(0, 1, reduction, sum, NULL, NULL, NULL);
}

Test(reduce, nonsense_is_refused)
{
    tenon_reduction without_fold = sum_of_items;
    tenon_reduction without_combine = sum_of_items;
    tenon_reduction without_identity = sum_of_items;
    tenon_reduction without_size = sum_of_items;
    double sum = 17;

    without_fold.fold = NULL;
    without_combine.combine = NULL;
    without_identity.identity = NULL;
    without_size.size = 0;
    cr_expect(eq(int, reduce_nothing(NULL, &sum), TENON_EINVAL));
    cr_expect(eq(int, reduce_nothing(&without_fold, &sum), TENON_EINVAL));
    cr_expect(eq(int, reduce_nothing(&without_combine, &sum), TENON_EINVAL));
    cr_expect(eq(int, reduce_nothing(&without_identity, &sum), TENON_EINVAL));
    cr_expect(eq(int, reduce_nothing(&without_size, &sum), TENON_EINVAL));
    cr_expect(eq(int, reduce_nothing(&sum_of_items, NULL), TENON_EINVAL));
    cr_expect(eq(
        int, tenon_parallel_reduce(2, 1, &sum_of_items, &sum, NULL, NULL, NULL),
        TENON_EINVAL));
    cr_expect(eq(dbl, sum, 17));
}
