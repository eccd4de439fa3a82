// SPDX-License-Identifier: MIT
//
// parallel_stop_test — TENON_OK means that every item was done, whatever a body
// returns or stops.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sched.h>
#include <string.h>
#include <tenon/tenon.h>

TestSuite(parallel_stop, .timeout = 60);

enum { ITEM_COUNT = 1000, STOPPING = 500 };

struct loop {
    tenon_task_fn *stop;  // called for the item STOPPING
    atomic_uint done_count;
};

static int do_items(tenon_task *self, size_t first, size_t end, void *context)
{
    struct loop *loop = context;

    for (size_t i = first; i < end; i++) {
        int status = i == STOPPING ? loop->stop(self, NULL) : TENON_OK;
        if (status != TENON_OK) {
            return status;
        }
        atomic_fetch_add(&loop->done_count, 1);
    }
    return TENON_OK;
}

static int fold_items(
    tenon_task *self, size_t first, size_t end, void *result, void *context)
{
    *(size_t *)result += end - first;
    return do_items(self, first, end, context);
}

static void add_counts(void *left, const void *right, void *context)
{
    (void)context;
    *(size_t *)left += *(const size_t *)right;
}

static const size_t none = 0;

static const tenon_reduction counting = {
    .fold = fold_items,
    .combine = add_counts,
    .identity = &none,
    .size = sizeof(none),
};

// What all of them must come to; they differ in how they divide the items.
static void stop_each(
    tenon_executor *executor, tenon_task_fn *stop, tenon_status status,
    uint64_t error_count)
{
    const tenon_parallel_options *options =
        TENON_PARALLEL_OPTIONS(.executor = executor, .chunk_size = 10);
    const tenon_parallel_options *fixed = TENON_PARALLEL_OPTIONS(
            .executor = executor, .chunk_size = 10,
            .chunks = TENON_CHUNKS_STATIC);

    for (int kind = 0; kind < 5; kind++) {
        struct loop loop = {.stop = stop};
        tenon_report report = {.status = TENON_OK};
        size_t result = 17;
        tenon_status got = TENON_OK;

        switch (kind) {
        case 0:
            got = tenon_parallel_for(
                0, ITEM_COUNT, do_items, &loop, options, &report);
            break;
        case 1:
            got = tenon_parallel_for(
                0, ITEM_COUNT, do_items, &loop, fixed, &report);
            break;
        case 2:
            got = tenon_parallel_reduce(
                0, ITEM_COUNT, &counting, &result, &loop, options, &report);
            break;
        case 3:
            got = tenon_parallel_reduce(
                0, ITEM_COUNT, &counting, &result, &loop, fixed, &report);
            break;
        default:
            got = tenon_parallel_scan(
                0, ITEM_COUNT, &counting, fold_items, &loop, options, &report);
        }
        cr_expect(eq(int, got, status), "kind %d", kind);
        cr_expect(eq(int, report.status, status), "kind %d", kind);
        cr_expect(eq(u64, report.error_count, error_count), "kind %d", kind);
        cr_expect(eq(sz, result, 17), "untouched");
        if (kind < 4) {
            cr_expect(lt(uint, atomic_load(&loop.done_count), ITEM_COUNT));
        }
        tenon_report_free(&report);
    }
}

static int say_cancelled(tenon_task *self, void *arg)
{
    (void)self;
    (void)arg;
    return TENON_CANCELLED;
}

static void stop_without_cancel(tenon_executor *executor)
{
    stop_each(executor, say_cancelled, TENON_CANCELLED, 0);
}

Test(parallel_stop, body_that_says_cancelled_ends_the_loop)
{
    pool_each(stop_without_cancel);
}

static int cancel_scope(tenon_task *self, void *arg)
{
    (void)arg;
    tenon_scope_cancel(tenon_task_scope(self), 1, "enough");
    return TENON_CANCELLED;
}

static void stop_by_scope(tenon_executor *executor)
{
    stop_each(executor, cancel_scope, TENON_CANCELLED, 0);
}

Test(parallel_stop, body_that_cancels_the_scope_ends_the_loop_as_cancelled)
{
    pool_each(stop_by_scope);
}

static int ask_again(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_again(self, 0);
}

Test(parallel_stop, body_that_asks_to_be_called_again_has_failed)
{
    tenon_executor *executor = pool_create(1);

    stop_each(executor, ask_again, TENON_ERRORS, 1);
    pool_destroy(executor);
}

// --- which error is told first ---

struct pair {
    struct gate gate;  // both have begun
    int codes[2];
};

static int fail_one_after_the_other(
    tenon_task *self, size_t first, size_t end, void *context)
{
    struct pair *pair = context;

    (void)end;
    gate_open(&pair->gate);
    bool is_in_order = gate_wait_for(&pair->gate, 2) &&
                       (first == 0 || task_await_cancel(self));
    return is_in_order ? pair->codes[first] : 1;
}

// A loop of two chunks that both fail, and the first one is told first, with
// this code.
static void fail_both(
    tenon_executor *executor, tenon_range_fn *fn, void *context, int code,
    tenon_report *report)
{
    tenon_range failed = {2, 2};

    cr_assert(eq(
        int,
        tenon_parallel_for(
            0, 2, fn, context,
            TENON_PARALLEL_OPTIONS(
                    .executor = executor, .chunk_size = 1, .failed = &failed),
            report),
        TENON_ERRORS));
    cr_assert(ne(ptr, (void *)report->primary, NULL));
    cr_expect(eq(int, report->primary->code, code));
    cr_expect(not(report->primary->after_cancel));
    cr_expect(eq(int, (int)report->cause.source, (int)TENON_CAUSE_FAILURE));
    cr_expect(eq(int, report->cause.code, code));
    cr_expect(eq(sz, failed.first, 0));
    cr_expect(eq(sz, failed.end, 1));
}

static void fail_by_two_codes(tenon_executor *executor)
{
    struct pair pair = {.codes = {41, 42}};
    tenon_report report = {0};

    fail_both(executor, fail_one_after_the_other, &pair, 41, &report);
    cr_expect(eq(u64, report.error_count, 2));
    cr_assert(ne(ptr, (void *)report.errors->next, NULL));
    cr_expect(eq(int, report.errors->next->code, 42));
    cr_expect(report.errors->next->after_cancel);
    tenon_report_free(&report);
}

Test(parallel_stop, first_error_is_recorded_before_it_cancels_the_others)
{
    pool_each_parallel(fail_by_two_codes);
}

static void fail_by_one_code(tenon_executor *executor)
{
    struct pair pair = {.codes = {41, 41}};
    tenon_report report = {0};

    fail_both(executor, fail_one_after_the_other, &pair, 41, &report);
    cr_expect(eq(u64, report.error_count, 2));
    tenon_report_free(&report);
}

Test(parallel_stop, chunks_that_fail_alike_are_two_errors)
{
    pool_each_parallel(fail_by_one_code);
}

// --- two that fail at the same time ---

// The first chunk leaves a scope open. That is told after its body has returned
// and before its error is recorded.
struct race {
    struct gate begun;
    struct gate first_failed;
    struct gate second_fails;
    tenon_scope left_open;
};

enum { HEAD_START = 1000 };

// Gives the second one time to overtake, if it would.
static void hold_up_the_first(const tenon_finding *finding, void *context)
{
    struct race *race = context;

    (void)finding;
    gate_open(&race->first_failed);
    bool has_company = gate_wait(&race->second_fails);
    for (int i = 0; has_company && i < HEAD_START; i++) {
        sched_yield();
    }
}

static int fail_overtaken(
    tenon_task *self, size_t first, size_t end, void *context)
{
    struct race *race = context;

    (void)self;
    (void)end;
    gate_open(&race->begun);
    if (!gate_wait_for(&race->begun, 2)) {
        return 1;
    }
    if (first == 0) {
        return tenon_scope_open(&race->left_open, NULL) == TENON_OK ? 41 : 2;
    }
    bool is_second = gate_wait(&race->first_failed);
    gate_open(&race->second_fails);
    return is_second ? 42 : 3;
}

Test(parallel_stop, cause_primary_error_and_failed_are_of_one_chunk)
{
    tenon_executor *executor = pool_create_with(
        TENON_EXECUTOR_OPTIONS(.worker_count = 2, .debug = true));
    struct race race = {0};
    tenon_report report = {0};

    tenon_set_finding_hook(hold_up_the_first, &race);
    fail_both(executor, fail_overtaken, &race, TENON_ESTRUCT, &report);
    tenon_set_finding_hook(NULL, NULL);
    cr_expect(eq(u64, report.error_count, 2));
    tenon_report_free(&report);
    pool_destroy(executor);
}

static int leave_open_at_7(
    tenon_task *self, size_t first, size_t end, void *context)
{
    (void)self;
    (void)end;
    return first == 7 ? (int)tenon_scope_open(context, NULL) : TENON_OK;
}

static void leave_open(tenon_executor *executor)
{
    static tenon_scope left_open;
    tenon_range failed = {0, 0};
    tenon_report report = {0};

    cr_assert(eq(
        int,
        tenon_parallel_for(
            0, 10, leave_open_at_7, &left_open,
            TENON_PARALLEL_OPTIONS(
                    .executor = executor, .chunk_size = 1, .failed = &failed),
            &report),
        TENON_ERRORS));
    cr_expect(eq(int, report.primary->code, TENON_ESTRUCT));
    cr_expect(eq(sz, failed.first, 7));
    cr_expect(eq(sz, failed.end, 8));
    tenon_report_free(&report);
}

Test(parallel_stop, chunk_that_only_left_a_scope_open_has_failed)
{
    pool_each_parallel(leave_open);
}

// The second one leaves a scope open that nobody cancels: its polls tell of
// that one.
static int fail_behind_a_shield(
    tenon_task *self, size_t first, size_t end, void *context)
{
    static tenon_scope shielded;  // in no frame that is left
    int code = fail_one_after_the_other(self, first, end, context);

    if (first != 0 &&
        tenon_scope_open(&shielded, TENON_SCOPE_OPTIONS(.is_shielded = true)) !=
            TENON_OK) {
        return 2;
    }
    return code;
}

static void fail_shielded(tenon_executor *executor)
{
    struct pair pair = {.codes = {41, 42}};
    tenon_report report = {0};

    fail_both(executor, fail_behind_a_shield, &pair, 41, &report);
    tenon_report_free(&report);
}

Test(parallel_stop, second_failure_does_not_wait_behind_a_shield)
{
    pool_each_parallel(fail_shielded);
}
