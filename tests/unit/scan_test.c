// SPDX-License-Identifier: MIT
//
// scan_test — what comes before an item is all that comes before it, in order.

#include "must.h"
#include "pool.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#include <tenon/tenon.h>

TestSuite(scan, .timeout = 60);

enum { ITEMS_MAX = 10007, CODE = 31 };

// Maps x -> a x + b, which do not commute, are composed.
struct map {
    uint32_t a;
    uint32_t b;
};

struct data {
    bool is_exclusive;
    size_t first;
    size_t failing;  // ITEMS_MAX: none
    struct map totals[ITEMS_MAX];
    atomic_uchar write_counts[ITEMS_MAX];
};

static struct map map_of(size_t item)
{
    return (struct map){
        .a = (uint32_t)(2 * item + 3), .b = (uint32_t)(item * item + 7)};
}

static void append(void *left, const void *right, void *context)
{
    struct map *before = left;
    const struct map *after = right;

    (void)context;
    before->b = before->b * after->a + after->b;
    before->a *= after->a;
}

static int fold(
    tenon_task *self, size_t first, size_t end, void *result, void *context)
{
    (void)self;
    for (size_t i = first; i < end; i++) {
        struct map map = map_of(i);
        append(result, &map, context);
    }
    return TENON_OK;
}

static int write_totals(
    tenon_task *self, size_t first, size_t end, void *result, void *context)
{
    struct data *data = context;

    for (size_t i = first; i < end; i++) {
        size_t item = i - data->first;

        if (item == data->failing) {
            return tenon_fail(self, CODE, "item %zu", item);
        }
        if (data->is_exclusive) {
            memcpy(&data->totals[item], result, sizeof(struct map));
        }
        fold(self, i, i + 1, result, NULL);
        if (!data->is_exclusive) {
            memcpy(&data->totals[item], result, sizeof(struct map));
        }
        atomic_fetch_add(&data->write_counts[item], 1);
    }
    return TENON_OK;
}

static const struct map no_map = {.a = 1};

static const tenon_reduction composition = {
    .fold = fold,
    .combine = append,
    .identity = &no_map,
    .size = sizeof(no_map),
};

static size_t count_wrong(const struct data *data, size_t count)
{
    struct map total = no_map;
    size_t wrong_count = 0;

    for (size_t i = 0; i < count; i++) {
        struct map before = total;

        fold(NULL, data->first + i, data->first + i + 1, &total, NULL);
        const struct map *expected = data->is_exclusive ? &before : &total;
        wrong_count +=
            memcmp(&data->totals[i], expected, sizeof(*expected)) != 0 ||
            atomic_load(&data->write_counts[i]) != 1;
    }
    return wrong_count;
}

static void scan_one(
    tenon_executor *executor, size_t count, size_t chunk_size,
    bool is_exclusive)
{
    static struct data data;

    memset(&data, 0, sizeof(data));
    data.first = 11;
    data.is_exclusive = is_exclusive;
    data.failing = ITEMS_MAX;
    cr_expect(
        eq(int,
           tenon_parallel_scan(
               11, 11 + count, &composition, write_totals, &data,
               TENON_PARALLEL_OPTIONS(
                       .executor = executor, .chunk_size = chunk_size),
               NULL),
           TENON_OK));
    cr_expect(
        zero(sz, count_wrong(&data, count)), "%zu items by %zu", count,
        chunk_size);
}

static void scan_all(tenon_executor *executor)
{
    static const size_t counts[] = {0, 1, 2, 3, 16, 17, 18, 1000, ITEMS_MAX};
    static const size_t chunk_sizes[] = {0, 1, 7, ITEMS_MAX};

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        for (size_t j = 0; j < sizeof(chunk_sizes) / sizeof(size_t); j++) {
            scan_one(executor, counts[i], chunk_sizes[j], false);
            scan_one(executor, counts[i], chunk_sizes[j], true);
        }
    }
}

Test(scan, totals_are_right_inclusive_and_exclusive)
{
    pool_each(scan_all);
}

static void fail_to_scan(tenon_executor *executor)
{
    static struct data data;

    for (size_t failing = 0; failing < ITEMS_MAX; failing += 2999) {
        tenon_range failed = {1, 0};
        tenon_report report;

        memset(&data, 0, sizeof(data));
        data.failing = failing;
        cr_expect(
            eq(int,
               tenon_parallel_scan(
                   0, ITEMS_MAX, &composition, write_totals, &data,
                   TENON_PARALLEL_OPTIONS(
                           .executor = executor, .chunk_size = 10,
                           .failed = &failed),
                   &report),
               TENON_ERRORS));
        cr_expect(eq(u64, report.error_count, 1));
        cr_expect(eq(int, report.primary->code, CODE));
        cr_expect(le(sz, failed.first, failing));
        cr_expect(gt(sz, failed.end, failing));
        cr_expect(le(sz, failed.end - failed.first, 10));
        tenon_report_free(&report);
    }
}

Test(scan, failure_is_in_the_report_and_its_chunk_is_told)
{
    pool_each(fail_to_scan);
}

// --- stopped ---

#define MANY_ITEMS SIZE_MAX

static int fold_nothing(
    tenon_task *self, size_t first, size_t end, void *result, void *context)
{
    (void)self;
    (void)first;
    (void)end;
    (void)result;
    (void)context;
    return TENON_OK;
}

static int cancel_at_once(
    tenon_task *self, size_t first, size_t end, void *result, void *context)
{
    atomic_size_t *applied_count = context;

    (void)result;
    atomic_fetch_add(applied_count, end - first);
    tenon_scope_cancel(tenon_task_scope(self), 0, NULL);
    return TENON_OK;
}

// Whatever the chunks are: no part is one, however many items it has.
static void stop_within_a_part(tenon_executor *executor)
{
    tenon_reduction nothing = composition;
    atomic_size_t applied_count = 0;

    nothing.fold = fold_nothing;
    cr_expect(
        eq(int,
           tenon_parallel_scan(
               0, MANY_ITEMS, &nothing, cancel_at_once, &applied_count,
               TENON_PARALLEL_OPTIONS(.executor = executor), NULL),
           TENON_CANCELLED));
    cr_expect(lt(sz, atomic_load(&applied_count), MANY_ITEMS / 1000));
}

Test(scan, cancel_stops_it_within_a_part)
{
    pool_each(stop_within_a_part);
}

static tenon_status scan_nothing(
    const tenon_reduction *reduction, tenon_fold_fn *apply)
{
    static struct data data;

    return tenon_parallel_scan(0, 1, reduction, apply, &data, NULL, NULL);
}

Test(scan, nonsense_is_refused)
{
    tenon_reduction without_fold = composition;
    tenon_reduction without_combine = composition;
    tenon_reduction without_identity = composition;
    tenon_reduction without_size = composition;
    tenon_reduction too_large = composition;

    without_fold.fold = NULL;
    without_combine.combine = NULL;
    without_identity.identity = NULL;
    without_size.size = 0;
    too_large.size = SIZE_MAX;
    cr_expect(eq(int, scan_nothing(NULL, write_totals), TENON_EINVAL));
    cr_expect(eq(int, scan_nothing(&without_fold, write_totals), TENON_EINVAL));
    cr_expect(
        eq(int, scan_nothing(&without_combine, write_totals), TENON_EINVAL));
    cr_expect(
        eq(int, scan_nothing(&without_identity, write_totals), TENON_EINVAL));
    cr_expect(eq(int, scan_nothing(&without_size, write_totals), TENON_EINVAL));
    cr_expect(eq(int, scan_nothing(&composition, NULL), TENON_EINVAL));
    cr_expect(eq(int, scan_nothing(&too_large, write_totals), TENON_ENOMEM));
    cr_expect(eq(
        int,
        tenon_parallel_scan(2, 1, &composition, write_totals, NULL, NULL, NULL),
        TENON_EINVAL));
}
