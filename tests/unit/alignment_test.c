// SPDX-License-Identifier: MIT
//
// alignment_test — what is called back gets values as aligned as those of any
// vector unit want to be, wherever the library keeps them.

#include "pool.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <tenon/tenon.h>

TestSuite(alignment, .timeout = 60);

enum { ITEM_COUNT = 3000, ALIGNMENT = 64 };

struct small {
    alignas(ALIGNMENT) size_t sum;
};

struct large {
    alignas(ALIGNMENT) size_t sum;
    size_t rest[30];
};

static void note(const void *value, void *context)
{
    atomic_fetch_add((atomic_uint *)context, (uintptr_t)value % ALIGNMENT != 0);
}

static int fold(
    tenon_task *self, size_t first, size_t end, void *result, void *context)
{
    (void)self;
    note(result, context);
    *(size_t *)result += end - first;
    return TENON_OK;
}

static void combine(void *left, const void *right, void *context)
{
    note(left, context);
    note(right, context);
    *(size_t *)left += *(const size_t *)right;
}

static void reduce(
    tenon_executor *executor, const tenon_reduction *reduction, void *result)
{
    for (int is_reproducible = 0; is_reproducible < 2; is_reproducible++) {
        atomic_uint misaligned_count = 0;

        cr_assert(zero(
            int, tenon_parallel_reduce(
                     0, ITEM_COUNT, reduction, result, &misaligned_count,
                     TENON_PARALLEL_OPTIONS(
                             .executor = executor, .chunk_size = 1,
                             .is_reproducible = is_reproducible),
                     NULL)));
        cr_expect(eq(sz, *(size_t *)result, ITEM_COUNT));
        cr_expect(zero(uint, atomic_load(&misaligned_count)));
    }
}

static void scan(tenon_executor *executor, const tenon_reduction *reduction)
{
    atomic_uint misaligned_count = 0;

    cr_assert(zero(
        int, tenon_parallel_scan(
                 0, ITEM_COUNT, reduction, fold, &misaligned_count,
                 TENON_PARALLEL_OPTIONS(.executor = executor), NULL)));
    cr_expect(zero(uint, atomic_load(&misaligned_count)));
}

static void fold_aligned(tenon_executor *executor)
{
    static const struct small no_small = {0};
    static const struct large no_large = {0};
    tenon_reduction small = {fold, combine, &no_small, sizeof(no_small)};
    tenon_reduction large = {fold, combine, &no_large, sizeof(no_large)};
    struct small small_result;
    struct large large_result;

    reduce(executor, &small, &small_result);
    reduce(executor, &large, &large_result);
    scan(executor, &small);
    scan(executor, &large);
}

Test(alignment, results_of_folds_begin_on_64_bytes)
{
    pool_each(fold_aligned);
}

static int compare(const void *left, const void *right, void *context)
{
    const struct small *one = left;
    const struct small *other = right;

    note(left, context);
    note(right, context);
    return (one->sum > other->sum) - (one->sum < other->sum);
}

static void sort_aligned(tenon_executor *executor)
{
    static struct small elements[ITEM_COUNT];
    atomic_uint misaligned_count = 0;

    for (size_t i = 0; i < ITEM_COUNT; i++) {
        elements[i].sum = i * 7919 % ITEM_COUNT;
    }
    cr_assert(zero(
        int,
        tenon_parallel_sort(
            elements, ITEM_COUNT, sizeof(*elements), compare, &misaligned_count,
            TENON_PARALLEL_OPTIONS(.executor = executor, .chunk_size = 50),
            NULL)));
    cr_expect(eq(sz, elements[ITEM_COUNT - 1].sum, ITEM_COUNT - 1));
    cr_expect(zero(uint, atomic_load(&misaligned_count)));
}

Test(alignment, elements_to_be_sorted_stay_on_64_bytes)
{
    pool_each(sort_aligned);
}
