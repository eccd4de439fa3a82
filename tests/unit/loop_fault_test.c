// SPDX-License-Identifier: MIT
//
// loop_fault_test — loops, reductions, scans and sorts where the system refuses
// memory: they do all, or say so and touch no result.

#include "fault.h"
#include "pool.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(loop_fault, .timeout = 60);

enum { ITEM_COUNT = 3000, ALLOWED_MAX = 60, UNTOUCHED = 17 };

// Sums that do not lie in a frame.
struct sum {
    uint64_t value;
    uint64_t padding[40];
};

struct data {
    uint64_t items[ITEM_COUNT];
    uint64_t totals[ITEM_COUNT];
};

static int fold(
    tenon_task *self, size_t first, size_t end, void *result, void *context)
{
    const struct data *data = context;
    struct sum *sum = result;

    (void)self;
    for (size_t i = first; i < end; i++) {
        sum->value += data->items[i];
    }
    return TENON_OK;
}

static int write_totals(
    tenon_task *self, size_t first, size_t end, void *result, void *context)
{
    struct data *data = context;
    struct sum *sum = result;

    (void)self;
    for (size_t i = first; i < end; i++) {
        sum->value += data->items[i];
        data->totals[i] = sum->value;
    }
    return TENON_OK;
}

static void add(void *left, const void *right, void *context)
{
    (void)context;
    ((struct sum *)left)->value += ((const struct sum *)right)->value;
}

static const struct sum nothing = {.value = 0};

static const tenon_reduction summation = {
    .fold = fold,
    .combine = add,
    .identity = &nothing,
    .size = sizeof(nothing),
};

static int compare(const void *left, const void *right, void *context)
{
    uint64_t one = *(const uint64_t *)left;
    uint64_t other = *(const uint64_t *)right;

    (void)context;
    return (one > other) - (one < other);
}

static uint64_t sum_of(const uint64_t *items)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < ITEM_COUNT; i++) {
        sum += items[i];
    }
    return sum;
}

static tenon_status run_reduce(
    struct data *data, const tenon_parallel_options *options,
    tenon_report *report)
{
    struct sum sum = {.value = UNTOUCHED};
    tenon_status status = tenon_parallel_reduce(
        0, ITEM_COUNT, &summation, &sum, data, options, report);

    cr_expect(eq(
        u64, sum.value, status == TENON_OK ? sum_of(data->items) : UNTOUCHED));
    return status;
}

static tenon_status run_scan(
    struct data *data, const tenon_parallel_options *options,
    tenon_report *report)
{
    tenon_status status = tenon_parallel_scan(
        0, ITEM_COUNT, &summation, write_totals, data, options, report);
    uint64_t total = 0;

    for (size_t i = 0; i < ITEM_COUNT && status == TENON_OK; i++) {
        total += data->items[i];
        cr_assert(eq(u64, data->totals[i], total));
    }
    return status;
}

static tenon_status run_sort(
    struct data *data, const tenon_parallel_options *options,
    tenon_report *report)
{
    uint64_t before = sum_of(data->items);
    tenon_status status = tenon_parallel_sort(
        data->items, ITEM_COUNT, sizeof(data->items[0]), compare, NULL, options,
        report);

    cr_expect(eq(u64, sum_of(data->items), before));
    for (size_t i = 1; i < ITEM_COUNT && status == TENON_OK; i++) {
        cr_assert(le(u64, data->items[i - 1], data->items[i]));
    }
    return status;
}

typedef tenon_status run_fn(
    struct data *data, const tenon_parallel_options *options,
    tenon_report *report);

static void expect_short_of_memory(
    tenon_status status, const tenon_report *report)
{
    if (status == TENON_ERRORS && report->primary != NULL) {
        cr_expect(eq(int, report->primary->code, TENON_ENOMEM));
    } else if (status == TENON_ERRORS) {
        cr_expect(eq(int, report->body_status, TENON_ENOMEM));
    } else {
        cr_expect(eq(int, status, TENON_ENOMEM));
    }
}

// So that the first `i` allocations succeed, for each i until all do.
static void run_with_little_memory(run_fn *run, bool is_reproducible)
{
    static struct data data;
    uint32_t refused_count = 0;
    tenon_status status = TENON_OK;

    for (uint32_t i = 0; i < ALLOWED_MAX; i++) {
        tenon_executor *executor = pool_create(2);
        tenon_report report = {.status = TENON_OK};
        for (size_t k = 0; k < ITEM_COUNT; k++) {
            data.items[k] = k * UINT64_C(2654435761) % 1009;
        }
        fault_allow_memory(i);
        status =
            run(&data,
                TENON_PARALLEL_OPTIONS(
                        .executor = executor, .chunk_size = 300,
                        .is_reproducible = is_reproducible),
                &report);
        fault_allow_memory(FAULT_NEVER);
        if (status != TENON_OK) {
            refused_count++;
            expect_short_of_memory(status, &report);
        }
        tenon_report_free(&report);
        pool_destroy(executor);
    }
    cr_expect(gt(u32, refused_count, 0));
    cr_expect(eq(int, status, TENON_OK));
}

Test(loop_fault, reduction_with_little_memory_makes_fewer_parts_or_says_so)
{
    run_with_little_memory(run_reduce, false);
}

Test(loop_fault, reproducible_reduction_never_makes_other_parts)
{
    run_with_little_memory(run_reduce, true);
}

Test(loop_fault, scan_without_memory_says_so)
{
    run_with_little_memory(run_scan, false);
}

Test(loop_fault, sort_without_memory_leaves_every_element)
{
    run_with_little_memory(run_sort, false);
}
