// SPDX-License-Identifier: MIT
//
// map_test — every element has its result, in its place, or it is said that one
// has not.

#include "must.h"
#include "pool.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#include <tenon/tenon.h>

TestSuite(map, .timeout = 60);

enum { COUNT_MAX = 3000, BAD = 1234, CODE = 31 };

struct result {
    uint64_t square;
    uint64_t call_count;
    char padding[8];
};

static uint32_t numbers[COUNT_MAX];
static struct result results[COUNT_MAX];

static int square(tenon_task *self, const void *from, void *to, void *context)
{
    uint64_t number = *(const uint32_t *)from;
    struct result *result = to;

    (void)self;
    result->square = number * number + *(const uint64_t *)context;
    result->call_count++;
    return number == BAD ? CODE : TENON_OK;
}

static tenon_status map_numbers(
    tenon_executor *executor, uint32_t first, size_t count, size_t chunk_size,
    tenon_report *report)
{
    uint64_t addend = 7;

    for (uint32_t i = 0; i < COUNT_MAX; i++) {
        numbers[i] = first + i;
    }
    memset(results, 0, sizeof(results));
    return tenon_parallel_map(
        &(tenon_mapping){
            .fn = square,
            .context = &addend,
            .count = count,
            .from = numbers,
            .from_size = sizeof(numbers[0]),
            .to = results,
            .to_size = sizeof(results[0])},
        TENON_PARALLEL_OPTIONS(.executor = executor, .chunk_size = chunk_size),
        report);
}

static void map_all(tenon_executor *executor)
{
    static const size_t counts[] = {0, 1, 2, 17, COUNT_MAX};

    for (size_t k = 0; k < 5; k++) {
        cr_expect(
            eq(int, map_numbers(executor, 5000, counts[k], k * 3, NULL),
               TENON_OK));
        for (size_t i = 0; i < COUNT_MAX; i++) {
            uint64_t number = 5000 + i;
            bool is_in = i < counts[k];

            cr_assert(
                eq(u64, results[i].square, is_in ? number * number + 7 : 0));
            cr_assert(eq(u64, results[i].call_count, is_in));
        }
    }
}

Test(map, each_element_has_its_result)
{
    pool_each(map_all);
}

static void fail_one(tenon_executor *executor)
{
    tenon_report report;

    cr_expect(eq(
        int, map_numbers(executor, 0, COUNT_MAX, 10, &report), TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, CODE));
    tenon_report_free(&report);
    cr_expect(eq(u64, results[BAD].call_count, 1));
    // The rest of its chunk is not begun.
    cr_expect(eq(u64, results[BAD + 1].call_count, 0));
}

Test(map, failure_ends_it)
{
    pool_each(fail_one);
}

static int count_up(tenon_task *self, const void *from, void *to, void *context)
{
    uint32_t *number = to;

    (void)self;
    (void)context;
    *number += from == NULL ? 1 : *(const uint32_t *)from;
    return TENON_OK;
}

static void map_in_place(tenon_executor *executor)
{
    const tenon_parallel_options *options =
        TENON_PARALLEL_OPTIONS(.executor = executor);
    tenon_mapping mapping = {
        .fn = count_up,
        .count = COUNT_MAX,
        .to = numbers,
        .to_size = sizeof(numbers[0])};
    static const uint32_t three = 3;

    memset(numbers, 0, sizeof(numbers));
    cr_expect(eq(int, tenon_parallel_map(&mapping, options, NULL), TENON_OK));
    cr_expect(eq(u32, numbers[COUNT_MAX - 1], 1), "from nothing");
    mapping.from = &three;
    cr_expect(eq(int, tenon_parallel_map(&mapping, options, NULL), TENON_OK));
    cr_expect(eq(u32, numbers[COUNT_MAX - 1], 4), "from one for all");
    mapping.from = numbers;
    mapping.from_size = sizeof(numbers[0]);
    cr_expect(eq(int, tenon_parallel_map(&mapping, options, NULL), TENON_OK));
    for (size_t i = 0; i < COUNT_MAX; i++) {
        cr_assert(eq(u32, numbers[i], 8));
    }
}

Test(map, elements_may_be_changed_in_place)
{
    pool_each(map_in_place);
}

Test(map, nonsense_is_refused)
{
    const tenon_mapping good = {
        .fn = count_up,
        .count = 1,
        .from = numbers,
        .from_size = sizeof(numbers[0]),
        .to = numbers,
        .to_size = sizeof(numbers[0])};
    tenon_mapping bad[6] = {good, good, good, good, good, good};

    bad[0].fn = NULL;
    bad[1].to = NULL;
    bad[2].to_size = 0;
    bad[3].from = NULL;
    bad[4].count = SIZE_MAX / 2;
    bad[5].from_size = SIZE_MAX / 2 + 1;
    cr_expect(eq(int, tenon_parallel_map(NULL, NULL, NULL), TENON_EINVAL));
    for (int i = 0; i < 6; i++) {
        cr_expect(
            eq(int, tenon_parallel_map(&bad[i], NULL, NULL), TENON_EINVAL));
    }
    cr_expect(
        eq(int,
           tenon_parallel_map(
               &good, &(tenon_parallel_options){.struct_size = 1}, NULL),
           TENON_EINVAL));
}

Test(map, nothing_needs_no_array)
{
    tenon_executor *executor = pool_create(1);
    const tenon_mapping nothing = {
        .fn = count_up, .from_size = 1, .to_size = 1};

    cr_expect(zero(
        int,
        tenon_parallel_map(
            &nothing, TENON_PARALLEL_OPTIONS(.executor = executor), NULL)));
    pool_destroy(executor);
}
