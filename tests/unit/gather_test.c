// SPDX-License-Identifier: MIT
//
// gather_test — several calls at the same time, each with what it came to, in
// the order of the calls.

#include "calls.h"
#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <tenon/tenon.h>

TestSuite(gather, .timeout = 60);

#define MANY 50

// --- what they come to ---

struct square {
    int number;
    int result;
};

static int compute_square(tenon_task *self, void *arg)
{
    struct square *square = arg;

    (void)self;
    square->result = square->number * square->number;
    return TENON_OK;
}

static void prepare_squares(
    tenon_call *calls, struct square *squares, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        squares[i] = (struct square){.number = (int)i + 3};
        calls[i] = (tenon_call){.fn = compute_square, .arg = &squares[i]};
    }
}

static void compute_all(tenon_executor *executor)
{
    for (int i = 0; i < 200; i++) {
        tenon_call calls[MANY];
        struct square squares[MANY];
        tenon_report report;
        prepare_squares(calls, squares, MANY);
        cr_assert(zero(
            int, tenon_gather(
                     calls, MANY, TENON_SCOPE_OPTIONS(.executor = executor),
                     &report)));
        cr_assert(eq(u64, report.ok_count, MANY));
        cr_assert(eq(u64, report.spawned_count, MANY));
        for (int k = 0; k < MANY; k++) {
            cr_assert(eq(int, squares[k].result, (k + 3) * (k + 3)));
            calls_expect(&calls[k], TENON_OUTCOME_OK, TENON_OK);
        }
        tenon_report_free(&report);
    }
}

Test(gather, each_result_lies_where_its_argument_says)
{
    pool_each(compute_all);
}

// Each waits for the one behind it, so that the last call is the first to end.
struct link {
    struct gate ended;
    struct gate *behind;  // of the last one: NULL
    int status;
};

static int wait_for_behind(tenon_task *self, void *arg)
{
    struct link *link = arg;
    bool in_time = true;

    if (link->behind != NULL) {
        tenon_blocking_begin(self);
        in_time = gate_wait(link->behind);
        tenon_blocking_end(self);
    }
    gate_open(&link->ended);
    return in_time ? link->status : TASK_IN_VAIN;
}

static void end_in_reverse(tenon_executor *executor)
{
    tenon_call calls[5];
    struct link links[5];
    tenon_report report;

    for (int i = 0; i < 5; i++) {
        links[i] = (struct link){
            .behind = i == 4 ? NULL : &links[i + 1].ended,
            .status = i % 2 == 0 ? TENON_OK : 30 + i,
        };
        calls[i] = (tenon_call){.fn = wait_for_behind, .arg = &links[i]};
    }
    cr_expect(
        eq(int,
           tenon_gather_all(
               calls, 5, TENON_SCOPE_OPTIONS(.executor = executor), &report),
           TENON_ERRORS));
    for (int i = 0; i < 5; i++) {
        calls_expect(
            &calls[i], i % 2 == 0 ? TENON_OUTCOME_OK : TENON_OUTCOME_FAILED,
            links[i].status);
    }
    tenon_report_free(&report);
}

Test(gather, outcomes_are_in_the_order_of_the_calls_whoever_ends_first)
{
    pool_each(end_in_reverse);
}

static void gather_nothing(tenon_executor *executor)
{
    tenon_report report;
    const tenon_scope_options *options =
        TENON_SCOPE_OPTIONS(.executor = executor);

    cr_expect(zero(int, tenon_gather(NULL, 0, options, &report)));
    cr_expect(zero(u64, report.spawned_count));
    tenon_report_free(&report);
    cr_expect(zero(int, tenon_gather_all(NULL, 0, options, &report)));
    cr_expect(zero(u64, report.error_count));
    tenon_report_free(&report);
}

Test(gather, no_calls_are_no_failure)
{
    pool_each(gather_nothing);
}

Test(gather, without_options_it_is_in_the_default_executor)
{
    tenon_executor *executor = NULL;
    tenon_call calls[3];
    struct square squares[3];

    prepare_squares(calls, squares, 3);
    cr_expect(zero(int, tenon_gather(calls, 3, NULL, NULL)));
    cr_expect(eq(int, squares[2].result, 25));
    cr_assert(zero(int, tenon_executor_default(&executor)));
    pool_destroy(executor);
}

// --- where ---

struct branch {
    int depth;
    atomic_uint *leaf_count;
    size_t error_count;  // outcomes that are not what they have to be
};

// A gather of three gathers of three ..., with one failure at each end.
static int branch_out(tenon_task *self, void *arg)
{
    struct branch *branch = arg;
    struct branch below[3];
    tenon_call calls[3];

    (void)self;
    if (branch->depth == 0) {
        atomic_fetch_add(branch->leaf_count, 1);
        return TENON_OK;
    }
    for (int i = 0; i < 3; i++) {
        below[i] = (struct branch){branch->depth - 1, branch->leaf_count, 0};
        calls[i] = (tenon_call){.fn = branch_out, .arg = &below[i]};
    }
    tenon_status status = tenon_gather(calls, 3, NULL, NULL);
    for (int i = 0; i < 3; i++) {
        branch->error_count += below[i].error_count;
        branch->error_count += calls[i].outcome != TENON_OUTCOME_OK;
    }
    return status;
}

static void nest(tenon_executor *executor)
{
    for (int i = 0; i < 20; i++) {
        atomic_uint leaf_count = 0;
        struct branch branch = {4, &leaf_count, 0};
        must_run(executor, branch_out, &branch, TENON_OK);
        cr_assert(eq(u32, atomic_load(&leaf_count), 81));
        cr_assert(zero(sz, branch.error_count));
    }
}

Test(gather, nests_in_tasks)
{
    pool_each(nest);
}

struct stranger {
    pthread_t thread;
    tenon_executor *executor;
    atomic_uint count;
    unsigned failed_count;
};

static void *gather_often(void *arg)
{
    struct stranger *stranger = arg;
    tenon_call calls[4];

    for (int i = 0; i < 4; i++) {
        calls[i] = (tenon_call){.fn = task_count, .arg = &stranger->count};
    }
    for (int i = 0; i < 200; i++) {
        tenon_status status = tenon_gather(
            calls, 4, TENON_SCOPE_OPTIONS(.executor = stranger->executor),
            NULL);
        stranger->failed_count += status != TENON_OK;
    }
    return NULL;
}

static void gather_on_threads(tenon_executor *executor)
{
    struct stranger strangers[4];

    for (int i = 0; i < 4; i++) {
        strangers[i] = (struct stranger){.executor = executor};
        cr_assert(zero(
            int, pthread_create(
                     &strangers[i].thread, NULL, gather_often, &strangers[i])));
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(strangers[i].thread, NULL);
        cr_expect(zero(u32, strangers[i].failed_count));
        cr_expect(eq(u32, atomic_load(&strangers[i].count), 800));
    }
}

Test(gather, foreign_threads_gather_at_the_same_time)
{
    pool_each(gather_on_threads);
}

// --- nonsense ---

static const tenon_error old_error = {.code = 77};

// As from an earlier gather.
static void fill_in(tenon_call *calls, size_t call_count)
{
    for (size_t i = 0; calls != NULL && i < call_count; i++) {
        calls[i].outcome = TENON_OUTCOME_FAILED;
        calls[i].status = 77;
        calls[i].error = &old_error;
    }
}

static void expect_untouched(const tenon_call *calls, size_t call_count)
{
    for (size_t i = 0; calls != NULL && i < call_count; i++) {
        calls_expect(&calls[i], TENON_OUTCOME_DROPPED, TENON_CANCELLED);
    }
}

static void expect_refused(
    tenon_call *calls, size_t call_count, const tenon_scope_options *options)
{
    size_t winner = 99;
    tenon_report report = {.status = 88};

    fill_in(calls, call_count);
    cr_expect(eq(
        int, tenon_gather(calls, call_count, options, &report), TENON_EINVAL));
    expect_untouched(calls, call_count);
    fill_in(calls, call_count);
    cr_expect(
        eq(int, tenon_gather_all(calls, call_count, options, &report),
           TENON_EINVAL));
    expect_untouched(calls, call_count);
    fill_in(calls, call_count);
    cr_expect(
        eq(int, tenon_race(calls, call_count, options, &winner, &report),
           TENON_EINVAL));
    expect_untouched(calls, call_count);
    cr_expect(eq(sz, winner, 99));
    cr_expect(eq(int, report.status, 88));
}

static bool always(const tenon_completion *completion, void *context)
{
    (void)completion;
    (void)context;
    return true;
}

static void refuse(tenon_executor *executor)
{
    atomic_uint count = 0;
    tenon_call calls[] = {
        {.fn = task_count, .arg = &count},
        {.fn = NULL, .arg = &count},
    };
    tenon_scope_options unknown = {.struct_size = 1, .executor = executor};

    expect_refused(calls, 2, TENON_SCOPE_OPTIONS(.executor = executor));
    expect_refused(NULL, 1, TENON_SCOPE_OPTIONS(.executor = executor));
    expect_refused(
        calls, 1,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    expect_refused(
        calls, 1,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_UNTIL,
                .on_complete = always));
    expect_refused(
        calls, 1,
        TENON_SCOPE_OPTIONS(.executor = executor, .on_complete = always));
    expect_refused(calls, 1, &unknown);
    cr_expect(zero(u32, atomic_load(&count)));
}

Test(gather, nonsense_is_refused_and_nothing_is_called)
{
    pool_each(refuse);
}
