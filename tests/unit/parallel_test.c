// SPDX-License-Identifier: MIT
//
// parallel_test — a parallel loop does each item once, in chunks as asked for,
// and ends at the next border when something stops it.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#include <tenon/tenon.h>

TestSuite(parallel, .timeout = 60);

enum { ITEMS_MAX = 10007, CODE = 31 };

struct visits {
    size_t first;
    size_t item_count;
    size_t chunk_size_max;  // 0: any
    size_t failing;         // ITEMS_MAX: none
    atomic_uchar counts[ITEMS_MAX];
    atomic_uint call_count;
    atomic_uint wrong_count;
};

static void visits_reset(struct visits *visits, size_t count)
{
    memset(visits, 0, sizeof(*visits));
    visits->item_count = count;
    visits->failing = ITEMS_MAX;
}

static int visit(tenon_task *self, size_t first, size_t end, void *context)
{
    struct visits *visits = context;
    bool is_wrong =
        first < visits->first || first >= end ||
        end > visits->first + visits->item_count || self != tenon_current() ||
        (visits->chunk_size_max != 0 && end - first > visits->chunk_size_max);

    atomic_fetch_add(&visits->call_count, 1);
    if (is_wrong) {
        atomic_fetch_add(&visits->wrong_count, 1);
        return TENON_OK;
    }
    for (size_t i = first - visits->first; i < end - visits->first; i++) {
        atomic_fetch_add(&visits->counts[i], 1);
        if (i == visits->failing) {
            return tenon_fail(self, CODE, "item %zu", i);
        }
    }
    return TENON_OK;
}

static size_t count_visited(const struct visits *visits, unsigned char times)
{
    size_t count = 0;

    for (size_t i = 0; i < visits->item_count; i++) {
        count += atomic_load(&visits->counts[i]) == times;
    }
    return count;
}

static void expect_all_once(struct visits *visits)
{
    cr_expect(eq(sz, count_visited(visits, 1), visits->item_count));
    cr_expect(zero(uint, atomic_load(&visits->wrong_count)));
}

static void loop_over(
    tenon_executor *executor, size_t first, size_t count, tenon_chunks chunks,
    size_t chunk_size)
{
    static struct visits visits;

    visits_reset(&visits, count);
    visits.first = first;
    visits.chunk_size_max = chunk_size;
    cr_expect(
        eq(int,
           tenon_parallel_for(
               first, first + count, visit, &visits,
               TENON_PARALLEL_OPTIONS(
                       .executor = executor, .chunks = chunks,
                       .chunk_size = chunk_size),
               NULL),
           TENON_OK));
    expect_all_once(&visits);
}

static void loop_over_all(tenon_executor *executor)
{
    static const size_t counts[] = {0, 1, 2, 3, 16, 17, 1000, ITEMS_MAX};
    static const size_t chunk_sizes[] = {0, 1, 2, 7, 1000, SIZE_MAX};

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        for (size_t j = 0; j < sizeof(chunk_sizes) / sizeof(size_t); j++) {
            loop_over(
                executor, 5, counts[i], TENON_CHUNKS_ADAPTIVE, chunk_sizes[j]);
            loop_over(
                executor, SIZE_MAX - counts[i], counts[i], TENON_CHUNKS_STATIC,
                chunk_sizes[j]);
        }
    }
}

Test(parallel, loop_does_each_item_once_whatever_the_chunks)
{
    pool_each(loop_over_all);
}

static void divide_evenly(tenon_executor *executor)
{
    static struct visits visits;
    uint32_t worker_count = pool_info(executor).worker_count;

    visits_reset(&visits, 1000);
    visits.chunk_size_max = (1000 - 1) / worker_count + 1;
    cr_expect(
        eq(int,
           tenon_parallel_for(
               0, 1000, visit, &visits,
               TENON_PARALLEL_OPTIONS(
                       .executor = executor, .chunks = TENON_CHUNKS_STATIC),
               NULL),
           TENON_OK));
    expect_all_once(&visits);
    cr_expect(eq(uint, atomic_load(&visits.call_count), worker_count));
}

Test(parallel, static_chunks_are_one_for_each_worker)
{
    pool_each(divide_evenly);
}

struct meeting {
    struct gate arrived;
    uint32_t size;
    atomic_uint late_count;
};

static int meet(tenon_task *self, size_t first, size_t end, void *context)
{
    struct meeting *meeting = context;

    (void)self;
    (void)first;
    (void)end;
    gate_open(&meeting->arrived);
    if (!gate_wait_for(&meeting->arrived, meeting->size)) {
        atomic_fetch_add(&meeting->late_count, 1);
    }
    return TENON_OK;
}

static void meet_in(
    tenon_executor *executor, tenon_chunks chunks, uint32_t size)
{
    struct meeting meeting = {.size = size};

    cr_expect(
        eq(int,
           tenon_parallel_for(
               0, pool_info(executor).worker_count, meet, &meeting,
               TENON_PARALLEL_OPTIONS(
                       .executor = executor, .chunk_size = 1, .chunks = chunks),
               NULL),
           TENON_OK));
    cr_expect(zero(uint, atomic_load(&meeting.late_count)));
}

static void meet_all(tenon_executor *executor)
{
    uint32_t worker_count = pool_info(executor).worker_count;

    meet_in(executor, TENON_CHUNKS_STATIC, worker_count);
    // The next half is offered at a border of a chunk.
    meet_in(executor, TENON_CHUNKS_ADAPTIVE, worker_count == 1 ? 1 : 2);
}

Test(parallel, loop_runs_on_several_workers_at_the_same_time)
{
    pool_each(meet_all);
}

static void fail_at(tenon_executor *executor)
{
    static struct visits visits;
    tenon_range failed = {1, 0};
    tenon_report report;

    for (int chunks = TENON_CHUNKS_ADAPTIVE; chunks <= TENON_CHUNKS_STATIC;
         chunks++) {
        visits_reset(&visits, ITEMS_MAX);
        visits.failing = 4711;
        cr_expect(
            eq(int,
               tenon_parallel_for(
                   0, ITEMS_MAX, visit, &visits,
                   TENON_PARALLEL_OPTIONS(
                           .executor = executor, .chunk_size = 10,
                           .chunks = (tenon_chunks)chunks, .failed = &failed,
                           .name = "loop"),
                   &report),
               TENON_ERRORS));
        cr_expect(eq(u64, report.error_count, 1));
        cr_expect(eq(int, report.primary->code, CODE));
        cr_expect(eq(str, (char *)report.primary->text, "item 4711"));
        cr_expect(eq(str, (char *)report.primary->scope_name, "loop"));
        cr_expect(le(sz, failed.first, 4711));
        cr_expect(gt(sz, failed.end, 4711));
        cr_expect(le(sz, failed.end - failed.first, 10));
        cr_expect(zero(uint, atomic_load(&visits.wrong_count)));
        cr_expect(
            eq(sz, count_visited(&visits, 0) + count_visited(&visits, 1),
               ITEMS_MAX));
        tenon_report_free(&report);
    }
}

Test(parallel, failure_is_in_the_report_and_its_chunk_is_told)
{
    pool_each(fail_at);
}

Test(parallel, failure_ends_the_loop_at_the_next_border)
{
    static struct visits visits;
    tenon_executor *executor = pool_create(1);
    tenon_range failed = {0, 0};

    visits_reset(&visits, 1000);
    visits.failing = 123;
    cr_expect(eq(
        int,
        tenon_parallel_for(
            0, 1000, visit, &visits,
            TENON_PARALLEL_OPTIONS(
                    .executor = executor, .chunk_size = 10, .failed = &failed),
            NULL),
        TENON_ERRORS));
    pool_destroy(executor);
    cr_expect(eq(uint, atomic_load(&visits.call_count), 13));
    cr_expect(eq(sz, failed.first, 120));
    cr_expect(eq(sz, failed.end, 130));
}

struct stopping {
    tenon_token *token;
    atomic_uint call_count;
};

static int stop_at_first(
    tenon_task *self, size_t first, size_t end, void *context)
{
    struct stopping *stopping = context;

    (void)self;
    (void)first;
    (void)end;
    atomic_fetch_add(&stopping->call_count, 1);
    tenon_token_cancel(stopping->token, 1, "enough");
    return TENON_OK;
}

static void stop_loop(tenon_executor *executor)
{
    tenon_token token;
    tenon_range failed = {1, 0};
    uint32_t worker_count = pool_info(executor).worker_count;

    tenon_token_init(&token, NULL);
    struct stopping stopping = {.token = &token};
    cr_expect(
        eq(int,
           tenon_parallel_for(
               0, 1000000, stop_at_first, &stopping,
               TENON_PARALLEL_OPTIONS(
                       .executor = executor, .chunk_size = 1, .parent = &token,
                       .failed = &failed),
               NULL),
           TENON_CANCELLED));
    tenon_token_fini(&token);
    cr_expect(le(uint, atomic_load(&stopping.call_count), worker_count));
    cr_expect(eq(sz, failed.first, 1), "no chunk has failed");
}

Test(parallel, cancel_ends_the_loop_at_the_next_border)
{
    pool_each(stop_loop);
}

static int loop_inside(
    tenon_task *self, size_t first, size_t end, void *context)
{
    struct visits *visits = context;
    int status = TENON_OK;

    (void)self;
    for (size_t i = first; i < end && status == TENON_OK; i++) {
        status = tenon_parallel_for(
            i * 100, (i + 1) * 100, visit, visits,
            TENON_PARALLEL_OPTIONS(.chunk_size = 9), NULL);
    }
    return status;
}

static void nest_loops(tenon_executor *executor)
{
    static struct visits visits;

    visits_reset(&visits, 10000);
    cr_expect(
        eq(int,
           tenon_parallel_for(
               0, 100, loop_inside, &visits,
               TENON_PARALLEL_OPTIONS(.executor = executor), NULL),
           TENON_OK));
    expect_all_once(&visits);
}

Test(parallel, loops_nest)
{
    pool_each(nest_loops);
}

Test(parallel, nonsense_is_refused)
{
    static struct visits visits;
    tenon_parallel_options unsized = {.struct_size = 1};

    visits_reset(&visits, 1);
    cr_expect(eq(
        int, tenon_parallel_for(0, 1, NULL, NULL, NULL, NULL), TENON_EINVAL));
    cr_expect(
        eq(int, tenon_parallel_for(2, 1, visit, &visits, NULL, NULL),
           TENON_EINVAL));
    cr_expect(
        eq(int, tenon_parallel_for(0, 1, visit, &visits, &unsized, NULL),
           TENON_EINVAL));
    cr_expect(
        eq(int,
           tenon_parallel_for(
               0, 1, visit, &visits,
               TENON_PARALLEL_OPTIONS(.chunks = (tenon_chunks)2), NULL),
           TENON_EINVAL));
    cr_expect(zero(uint, atomic_load(&visits.call_count)));
}

// --- in two dimensions ---

enum { ROWS = 70, COLUMNS = 130 };

struct area {
    tenon_grid grid;
    atomic_uchar counts[ROWS][COLUMNS];
    atomic_uint wrong_count;
};

static bool is_block(tenon_range range, size_t size, size_t count)
{
    size_t left = count - range.first;

    return range.first % size == 0 &&
           range.end == range.first + (left < size ? left : size);
}

static int visit_block(
    tenon_task *self, tenon_range rows, tenon_range columns, void *context)
{
    struct area *area = context;

    (void)self;
    if (!is_block(rows, area->grid.block_row_count, ROWS) ||
        !is_block(columns, area->grid.block_column_count, COLUMNS)) {
        atomic_fetch_add(&area->wrong_count, 1);
        return TENON_OK;
    }
    for (size_t row = rows.first; row < rows.end; row++) {
        for (size_t column = columns.first; column < columns.end; column++) {
            atomic_fetch_add(&area->counts[row][column], 1);
        }
    }
    return TENON_OK;
}

static void visit_area(tenon_executor *executor)
{
    static const size_t sides[] = {1, 7, 64, 1000};
    static struct area area;

    for (size_t i = 0; i < 4; i++) {
        memset(&area, 0, sizeof(area));
        area.grid = (tenon_grid){ROWS, COLUMNS, sides[i], sides[3 - i]};
        cr_expect(
            eq(int,
               tenon_parallel_for_2d(
                   &area.grid, visit_block, &area,
                   TENON_PARALLEL_OPTIONS(.executor = executor), NULL),
               TENON_OK));
        cr_expect(zero(uint, atomic_load(&area.wrong_count)));
        size_t once_count = 0;
        for (size_t j = 0; j < (size_t)ROWS * COLUMNS; j++) {
            once_count += atomic_load(&(&area.counts[0][0])[j]) == 1;
        }
        cr_expect(eq(sz, once_count, ROWS * COLUMNS));
    }
}

Test(parallel, blocks_cover_a_grid_once)
{
    pool_each(visit_area);
}

static int count_default(
    tenon_task *self, tenon_range rows, tenon_range columns, void *context)
{
    atomic_uint *counts = context;

    (void)self;
    if (rows.end - rows.first == 64 && columns.end - columns.first == 64) {
        atomic_fetch_add(&counts[0], 1);
    }
    atomic_fetch_add(&counts[1], 1);
    return TENON_OK;
}

Test(parallel, blocks_are_64_items_wide_and_high_unless_said)
{
    atomic_uint counts[2] = {0, 0};
    tenon_executor *executor = pool_create(2);
    tenon_parallel_options options = {
        .struct_size = sizeof(options), .executor = executor};

    cr_expect(
        eq(int,
           tenon_parallel_for_2d(
               &(tenon_grid){.row_count = 129, .column_count = 64},
               count_default, counts, &options, NULL),
           TENON_OK));
    cr_expect(eq(uint, atomic_load(&counts[0]), 2));
    cr_expect(eq(uint, atomic_load(&counts[1]), 3));
    cr_expect(
        eq(int,
           tenon_parallel_for_2d(
               &(tenon_grid){.row_count = 0, .column_count = 64}, count_default,
               counts, &options, NULL),
           TENON_OK));
    cr_expect(
        eq(int,
           tenon_parallel_for_2d(
               &(tenon_grid){SIZE_MAX, SIZE_MAX, 1, 1}, count_default, counts,
               &options, NULL),
           TENON_EINVAL));
    cr_expect(
        eq(int, tenon_parallel_for_2d(NULL, count_default, counts, NULL, NULL),
           TENON_EINVAL));
    cr_expect(eq(uint, atomic_load(&counts[1]), 3));
    pool_destroy(executor);
}

// --- what there is to take ---

static bool is_empty(void *context)
{
    return tenon_queue_is_empty(context);
}

static int look_at_queue(tenon_task *self, void *arg)
{
    tenon_task child;
    bool is_alone = *(uint32_t *)arg == 1;
    bool was_empty = tenon_queue_is_empty(self);

    tenon_fork(self, &child, task_ok, NULL);
    // On one worker nobody takes it.
    bool is_right =
        is_alone ? !tenon_queue_is_empty(self) : gate_poll(is_empty, self);
    tenon_status status = tenon_join(self, &child);
    return was_empty && is_right && tenon_queue_is_empty(self) ? status : 1;
}

static void look_at_queues(tenon_executor *executor)
{
    uint32_t worker_count = pool_info(executor).worker_count;

    must_run(executor, look_at_queue, &worker_count, TENON_OK);
}

Test(parallel, queue_is_empty_until_a_fork_and_when_that_was_taken)
{
    pool_each(look_at_queues);
}
