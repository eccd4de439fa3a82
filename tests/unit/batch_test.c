// SPDX-License-Identifier: MIT
//
// batch_test — every item is in exactly one batch, few batches exist at a time,
// and what stops them stops them at the next border.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(batch, .timeout = 60);

#define ITEMS_MAX 1000

// What the batches have seen, and what they do.
struct ledger {
    size_t batch_size;
    size_t item_count;
    atomic_uint item_counts[ITEMS_MAX];
    atomic_uint batch_count;
    atomic_uint wrong_count;  // borders that are not where they have to be
    _Atomic(size_t) last_first;
    atomic_uint running_count;
    atomic_uint most_running_count;
    struct gate started;
    uint32_t together_count;  // so many have to run at the same time
    size_t failing_first;     // the batch that begins here fails with CODE,
    bool fails_always;        // or each
};

enum { CODE = 31 };

static void check_borders(struct ledger *ledger, size_t first, size_t end)
{
    size_t left = ledger->item_count - first;
    size_t size = left < ledger->batch_size ? left : ledger->batch_size;

    if (first % ledger->batch_size != 0 || end != first + size) {
        atomic_fetch_add(&ledger->wrong_count, 1);
    }
}

static void note_running(struct ledger *ledger)
{
    unsigned now = atomic_fetch_add(&ledger->running_count, 1) + 1;
    unsigned most = atomic_load(&ledger->most_running_count);

    while (now > most && !atomic_compare_exchange_weak(
                             &ledger->most_running_count, &most, now)) {
    }
}

static int note_batch(tenon_task *self, size_t first, size_t end, void *context)
{
    struct ledger *ledger = context;
    int status = TENON_OK;

    note_running(ledger);
    check_borders(ledger, first, end);
    atomic_fetch_add(&ledger->batch_count, 1);
    for (size_t i = first; i < end && i < ITEMS_MAX; i++) {
        atomic_fetch_add(&ledger->item_counts[i], 1);
    }
    gate_open(&ledger->started);
    if (ledger->together_count > 0) {
        tenon_blocking_begin(self);
        status = gate_wait_for(&ledger->started, ledger->together_count)
                     ? TENON_OK
                     : TASK_IN_VAIN;
        tenon_blocking_end(self);
    }
    atomic_store(&ledger->last_first, first);
    atomic_fetch_sub(&ledger->running_count, 1);
    bool fails =
        ledger->fails_always || (ledger->failing_first == first && first > 0);
    return fails ? CODE : status;
}

// Seen once each, from the first on, and none of the others.
static void expect_items(struct ledger *ledger, size_t count)
{
    size_t wrong_count = 0;

    for (size_t i = 0; i < ITEMS_MAX; i++) {
        wrong_count += atomic_load(&ledger->item_counts[i]) != (i < count);
    }
    cr_expect(zero(sz, wrong_count));
    cr_expect(zero(u32, atomic_load(&ledger->wrong_count)));
}

// --- items ---

static void do_all(tenon_executor *executor)
{
    static const size_t sizes[] = {1, 7, 100, ITEMS_MAX, 5 * ITEMS_MAX};
    static const size_t counts[] = {1, 2, 99, ITEMS_MAX};

    for (size_t i = 0; i < 20; i++) {
        struct ledger ledger = {
            .batch_size = sizes[i % 5],
            .item_count = counts[i / 5],
        };
        tenon_report report;
        size_t batch_count =
            (ledger.item_count + ledger.batch_size - 1) / ledger.batch_size;
        cr_expect(zero(
            int,
            tenon_batches(
                ledger.item_count, note_batch, &ledger,
                TENON_BATCH_OPTIONS(
                        .executor = executor, .batch_size = ledger.batch_size),
                &report)));
        expect_items(&ledger, ledger.item_count);
        cr_expect(eq(sz, atomic_load(&ledger.batch_count), batch_count));
        cr_expect(eq(u64, report.spawned_count, batch_count));
        cr_expect(eq(u64, report.ok_count, batch_count));
        tenon_report_free(&report);
    }
}

Test(batch, every_item_is_in_exactly_one)
{
    pool_each(do_all);
}

static void do_nothing(tenon_executor *executor)
{
    struct ledger ledger = {.batch_size = 1};
    tenon_report report;

    for (int keeps_going = 0; keeps_going <= 1; keeps_going++) {
        cr_expect(zero(
            int,
            tenon_batches(
                0, note_batch, &ledger,
                TENON_BATCH_OPTIONS(
                        .executor = executor, .keeps_going = keeps_going != 0),
                &report)));
        cr_expect(zero(u64, report.spawned_count));
        tenon_report_free(&report);
    }
    cr_expect(zero(u32, atomic_load(&ledger.batch_count)));
}

Test(batch, no_items_are_no_batch)
{
    pool_each(do_nothing);
}

Test(batch, without_options_it_is_one_item_each_in_the_default_executor)
{
    struct ledger ledger = {.batch_size = 1, .item_count = 20};
    tenon_executor *executor = NULL;

    cr_expect(zero(int, tenon_batches(20, note_batch, &ledger, NULL, NULL)));
    expect_items(&ledger, 20);
    cr_expect(eq(u32, atomic_load(&ledger.batch_count), 20));
    cr_assert(zero(int, tenon_executor_default(&executor)));
    cr_expect(
        le(u32, atomic_load(&ledger.most_running_count),
           pool_info(executor).worker_count));
    pool_destroy(executor);
}

struct extremes {
    size_t firsts[2];
    size_t ends[2];
    atomic_uint count;
    int status;
};

static int note_extremes(
    tenon_task *self, size_t first, size_t end, void *context)
{
    struct extremes *extremes = context;
    unsigned index = atomic_fetch_add(&extremes->count, 1);

    (void)self;
    if (index < 2) {
        extremes->firsts[index] = first;
        extremes->ends[index] = end;
    }
    return extremes->status;
}

static void do_very_many(tenon_executor *executor)
{
    struct extremes two = {.status = TENON_OK};
    struct extremes first = {.status = CODE};
    struct extremes whole = {.status = TENON_OK};
    size_t half = SIZE_MAX / 2 + 1;

    cr_expect(zero(
        int,
        tenon_batches(
            SIZE_MAX, note_extremes, &two,
            TENON_BATCH_OPTIONS(
                    .executor = executor, .batch_size = half, .max_running = 1),
            NULL)));
    cr_expect(eq(u32, atomic_load(&two.count), 2));
    cr_expect(zero(sz, two.firsts[0]));
    cr_expect(eq(sz, two.ends[0], half));
    cr_expect(eq(sz, two.firsts[1], half));
    cr_expect(eq(sz, two.ends[1], SIZE_MAX));
    cr_expect(eq(
        int,
        tenon_batches(
            SIZE_MAX, note_extremes, &first,
            TENON_BATCH_OPTIONS(.executor = executor, .max_running = 1), NULL),
        TENON_ERRORS));
    cr_expect(eq(u32, atomic_load(&first.count), 1));
    cr_expect(zero(
        int,
        tenon_batches(
            10, note_extremes, &whole,
            TENON_BATCH_OPTIONS(.executor = executor, .batch_size = SIZE_MAX),
            NULL)));
    cr_expect(eq(u32, atomic_load(&whole.count), 1));
    cr_expect(eq(sz, whole.ends[0], 10));
}

Test(batch, counts_may_be_as_large_as_a_number_can_say)
{
    pool_each(do_very_many);
}

// --- how many at a time ---

static void limit(tenon_executor *executor)
{
    for (uint32_t max = 1; max <= 5; max++) {
        struct ledger ledger = {
            .batch_size = 3,
            .item_count = 300,
            .together_count = max,
        };
        cr_expect(zero(
            int, tenon_batches(
                     300, note_batch, &ledger,
                     TENON_BATCH_OPTIONS(
                             .executor = executor, .batch_size = 3,
                             .max_running = max),
                     NULL)));
        expect_items(&ledger, 300);
        cr_expect(eq(u32, atomic_load(&ledger.most_running_count), max));
    }
}

Test(batch, so_many_run_at_a_time_and_no_more)
{
    pool_each(limit);
}

static void limit_by_workers(tenon_executor *executor)
{
    uint32_t worker_count = pool_info(executor).worker_count;
    struct ledger ledger = {
        .batch_size = 1,
        .item_count = 100,
        .together_count = worker_count,
    };

    cr_expect(zero(
        int, tenon_batches(
                 100, note_batch, &ledger,
                 TENON_BATCH_OPTIONS(.executor = executor), NULL)));
    cr_expect(eq(u32, atomic_load(&ledger.most_running_count), worker_count));
}

Test(batch, as_many_run_as_there_are_workers_unless_said)
{
    pool_each(limit_by_workers);
}

// --- failures ---

static void fail_third(tenon_executor *executor)
{
    struct ledger ledger = {
        .batch_size = 10,
        .item_count = 100,
        .failing_first = 20,
    };
    tenon_report report;

    cr_expect(
        eq(int,
           tenon_batches(
               100, note_batch, &ledger,
               TENON_BATCH_OPTIONS(
                       .executor = executor, .batch_size = 10, .max_running = 1,
                       .name = "rows"),
               &report),
           TENON_ERRORS));
    expect_items(&ledger, 30);
    cr_expect(eq(u32, atomic_load(&ledger.batch_count), 3));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, CODE));
    cr_expect(eq(u64, report.primary->task_id, 21));
    cr_expect(eq(str, (char *)report.primary->task_name, "rows"));
    cr_expect(eq(str, (char *)report.primary->scope_name, "rows"));
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_FAILURE));
    tenon_report_free(&report);
}

Test(batch, first_failure_stops_at_the_next_border)
{
    pool_each(fail_third);
}

static void fail_at_any_time(tenon_executor *executor)
{
    for (int i = 0; i < 200; i++) {
        struct ledger ledger = {
            .batch_size = 1,
            .item_count = ITEMS_MAX,
            .failing_first = (size_t)(i % 7) + 1,
        };
        tenon_report report;
        cr_assert(
            eq(int,
               tenon_batches(
                   ITEMS_MAX, note_batch, &ledger,
                   TENON_BATCH_OPTIONS(.executor = executor, .max_running = 3),
                   &report),
               TENON_ERRORS));
        unsigned batch_count = atomic_load(&ledger.batch_count);
        cr_assert(eq(u64, report.failed_count, 1));
        cr_assert(eq(u64, report.ok_count + 1, batch_count));
        cr_assert(ge(sz, batch_count + 2, ledger.failing_first));
        tenon_report_free(&report);
    }
}

Test(batch, what_has_run_and_what_has_not_is_told_exactly)
{
    pool_each(fail_at_any_time);
}

static void keep_going(tenon_executor *executor)
{
    struct ledger ledger = {
        .batch_size = 10,
        .item_count = 300,
        .fails_always = true,
    };
    tenon_report report;

    cr_expect(
        eq(int,
           tenon_batches(
               300, note_batch, &ledger,
               TENON_BATCH_OPTIONS(
                       .executor = executor, .batch_size = 10,
                       .keeps_going = true),
               &report),
           TENON_ERRORS));
    expect_items(&ledger, 300);
    cr_expect(eq(u64, report.failed_count, 30));
    cr_expect(eq(u64, report.error_count, 30));
    cr_expect(not(report.cancel_requested));
    for (const tenon_error *error = report.errors; error != NULL;
         error = error->next) {
        cr_expect(eq(u64, error->task_id % 10, 1));
    }
    tenon_report_free(&report);
}

Test(batch, that_keeps_going_does_all_in_spite_of_failures)
{
    pool_each(keep_going);
}

// --- stopped ---

struct stopped {
    struct gate started;
    atomic_uint count;
    uint64_t timeout_ns;
    tenon_status status;
};

static int sleep_in_batch(
    tenon_task *self, size_t first, size_t end, void *context)
{
    struct stopped *stopped = context;

    (void)first;
    (void)end;
    atomic_fetch_add(&stopped->count, 1);
    return task_announce_and_sleep(self, &stopped->started);
}

static int sleep_in_batches(tenon_task *self, void *arg)
{
    struct stopped *stopped = arg;

    (void)self;
    stopped->status = tenon_batches(
        SIZE_MAX, sleep_in_batch, stopped,
        TENON_BATCH_OPTIONS(
                .max_running = 2, .timeout_ns = stopped->timeout_ns),
        NULL);
    return stopped->status;
}

static void stop(tenon_executor *executor, struct test_clock *clock)
{
    struct stopped late = {.timeout_ns = TENON_SECONDS(1)};
    struct stopped cancelled = {.timeout_ns = 0};
    tenon_scope scope;

    must_open(&scope, executor);
    must_spawn(&scope, sleep_in_batches, &late);
    cr_assert(gate_wait_for(&late.started, 2));
    pool_move_clock(executor, clock, TENON_SECONDS(1));
    must_join(&scope, NULL, TENON_ERRORS);
    cr_expect(eq(int, late.status, TENON_TIMEOUT));
    cr_expect(eq(u32, atomic_load(&late.count), 2));
    must_open(&scope, executor);
    must_spawn(&scope, sleep_in_batches, &cancelled);
    cr_assert(gate_wait_for(&cancelled.started, 2));
    tenon_scope_cancel(&scope, 0, NULL);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(int, cancelled.status, TENON_CANCELLED));
    cr_expect(eq(u32, atomic_load(&cancelled.count), 2));
}

Test(batch, deadline_or_cancel_ends_the_wait_for_the_next)
{
    pool_each_clock(stop);
}

static void begin_cancelled(tenon_executor *executor)
{
    struct ledger ledger = {.batch_size = 1, .item_count = 10};
    tenon_token token;

    tenon_token_init(&token, NULL);
    tenon_token_cancel(&token, 0, NULL);
    cr_expect(eq(
        int,
        tenon_batches(
            10, note_batch, &ledger,
            TENON_BATCH_OPTIONS(.executor = executor, .parent = &token), NULL),
        TENON_CANCELLED));
    cr_expect(zero(u32, atomic_load(&ledger.batch_count)));
    tenon_token_fini(&token);
}

Test(batch, below_a_cancel_none_is_begun)
{
    pool_each(begin_cancelled);
}

// --- where ---

static int run_batches(tenon_task *self, void *arg)
{
    struct ledger *ledger = arg;

    (void)self;
    return tenon_batches(
        ledger->item_count, note_batch, ledger,
        TENON_BATCH_OPTIONS(.batch_size = ledger->batch_size, .max_running = 2),
        NULL);
}

static int run_batches_in_batch(
    tenon_task *self, size_t first, size_t end, void *context)
{
    struct ledger ledger = {.batch_size = 3, .item_count = 30};

    (void)first;
    (void)end;
    int status = run_batches(self, &ledger);
    atomic_fetch_add((atomic_uint *)context, atomic_load(&ledger.batch_count));
    return status;
}

static void nest(tenon_executor *executor)
{
    struct ledger ledger = {.batch_size = 7, .item_count = 500};
    atomic_uint batch_count = 0;

    must_run(executor, run_batches, &ledger, TENON_OK);
    expect_items(&ledger, 500);
    cr_expect(zero(
        int, tenon_batches(
                 20, run_batches_in_batch, &batch_count,
                 TENON_BATCH_OPTIONS(.executor = executor), NULL)));
    cr_expect(eq(u32, atomic_load(&batch_count), 200));
}

Test(batch, nests_in_tasks_and_in_batches)
{
    pool_each(nest);
}

Test(batch, nests_in_a_task_where_there_is_one_thread_only)
{
    tenon_executor *executor = pool_create_with(TENON_EXECUTOR_OPTIONS(
            .worker_count = 1, .spare_count = TENON_NO_SPARES));
    nest(executor);
    pool_destroy(executor);
}

// --- nonsense ---

static void refuse(tenon_executor *executor)
{
    struct ledger ledger = {.batch_size = 1};
    tenon_batch_options unknown = {.struct_size = 1, .executor = executor};
    tenon_report report = {.status = 88};

    cr_expect(
        eq(int,
           tenon_batches(
               5, NULL, &ledger, TENON_BATCH_OPTIONS(.executor = executor),
               &report),
           TENON_EINVAL));
    cr_expect(
        eq(int, tenon_batches(5, note_batch, &ledger, &unknown, &report),
           TENON_EINVAL));
    cr_expect(eq(int, report.status, 88));
    cr_expect(zero(u32, atomic_load(&ledger.batch_count)));
}

Test(batch, nonsense_is_refused_and_nothing_is_called)
{
    pool_each(refuse);
}
