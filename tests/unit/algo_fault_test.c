// SPDX-License-Identifier: MIT
//
// algo_fault_test — gathers, batches and the rest where the system refuses
// threads and memory: what could not be started is said, and nothing is lost.

#include "fault.h"
#include "gate.h"
#include "must.h"
#include "patient.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <tenon/tenon.h>

TestSuite(algo_fault, .timeout = 60);

#define CALLS 8

enum { CODE = 31 };

static tenon_executor *create_without_threads(uint64_t queue_limit)
{
    fault_allow_threads(0);
    return pool_create_with(
        TENON_EXECUTOR_OPTIONS(.worker_count = 2, .queue_limit = queue_limit));
}

static void end(tenon_executor *executor)
{
    fault_allow_threads(FAULT_NEVER);
    pool_destroy(executor);
}

static void prepare(tenon_call *calls, tenon_task_fn *fn, void *arg)
{
    for (int i = 0; i < CALLS; i++) {
        calls[i] = (tenon_call){.fn = fn, .arg = arg};
    }
}

// --- gather ---

Test(algo_fault, without_threads_calls_are_made_by_who_waits)
{
    tenon_executor *executor = create_without_threads(0);
    atomic_uint count = 0;
    tenon_call calls[CALLS];
    size_t winner = 99;
    const tenon_scope_options *options =
        TENON_SCOPE_OPTIONS(.executor = executor);

    prepare(calls, task_count, &count);
    cr_expect(zero(int, tenon_gather(calls, CALLS, options, NULL)));
    cr_expect(eq(u32, atomic_load(&count), CALLS));
    cr_expect(zero(int, tenon_race(calls, CALLS, options, &winner, NULL)));
    cr_expect(lt(sz, winner, CALLS));
    end(executor);
}

Test(algo_fault, call_that_could_not_be_queued_fails_the_gather)
{
    tenon_executor *executor = create_without_threads(1);
    atomic_uint count = 0;
    tenon_call calls[CALLS];
    tenon_report report;

    prepare(calls, task_count, &count);
    cr_expect(eq(
        int,
        tenon_gather(
            calls, CALLS, TENON_SCOPE_OPTIONS(.executor = executor), &report),
        TENON_ERRORS));
    cr_expect(eq(int, report.body_status, TENON_EAGAIN));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(zero(u32, atomic_load(&count)));
    for (int i = 0; i < CALLS; i++) {
        cr_expect(eq(int, (int)calls[i].outcome, (int)TENON_OUTCOME_DROPPED));
        cr_expect(eq(int, calls[i].status, TENON_CANCELLED));
        cr_expect(eq(ptr, (void *)calls[i].error, NULL));
    }
    tenon_report_free(&report);
    end(executor);
}

static void expect_short_of_memory(
    tenon_status status, const tenon_report *report)
{
    if (status == TENON_ERRORS) {
        cr_expect(eq(int, report->body_status, TENON_ENOMEM));
        cr_expect(zero(u64, report->failed_count));
    } else {
        cr_expect(status == TENON_OK || status == TENON_ENOMEM);
    }
}

Test(algo_fault, calls_without_memory_are_dropped_and_told)
{
    uint32_t refused_count = 0;

    for (uint32_t i = 0; i < 40; i++) {
        tenon_executor *executor = pool_create(2);
        atomic_uint count = 0;
        tenon_call calls[CALLS];
        tenon_report report = {.status = TENON_OK};
        prepare(calls, task_count, &count);
        fault_allow_memory(i);
        tenon_status status = tenon_gather_all(
            calls, CALLS, TENON_SCOPE_OPTIONS(.executor = executor), &report);
        fault_allow_memory(FAULT_NEVER);
        expect_short_of_memory(status, &report);
        refused_count += status != TENON_OK;
        unsigned ok_count = 0;
        for (int k = 0; k < CALLS && status != TENON_ENOMEM; k++) {
            ok_count += calls[k].outcome == TENON_OUTCOME_OK;
            cr_expect(
                calls[k].outcome == TENON_OUTCOME_OK ||
                calls[k].outcome == TENON_OUTCOME_DROPPED);
        }
        cr_expect(eq(u32, atomic_load(&count), ok_count));
        tenon_report_free(&report);
        pool_destroy(executor);
    }
    cr_expect(gt(u32, refused_count, 0));
    cr_expect(lt(u32, refused_count, 40));
}

// --- batches ---

static int fail_late(tenon_task *self, size_t first, size_t end, void *context)
{
    atomic_uint *count = context;

    (void)self;
    (void)first;
    (void)end;
    return atomic_fetch_add(count, 1) + 1 < 100 ? TENON_OK : CODE;
}

// There is memory for many more than exist at a time, not for all of them.
Test(algo_fault, few_batches_exist_at_a_time_though_nobody_else_runs_them)
{
    tenon_executor *executor = create_without_threads(0);
    atomic_uint count = 0;
    tenon_report report = {.status = TENON_OK};

    fault_allow_memory(1000);
    tenon_status status = tenon_batches(
        SIZE_MAX, fail_late, &count,
        TENON_BATCH_OPTIONS(.executor = executor, .max_running = 2), &report);
    fault_allow_memory(FAULT_NEVER);
    cr_expect(eq(int, status, TENON_ERRORS));
    cr_expect(eq(u32, atomic_load(&count), 100));
    cr_expect(eq(int, report.primary->code, CODE));
    cr_expect(eq(u64, report.error_count, 1));
    tenon_report_free(&report);
    end(executor);
}

static int count_batch(
    tenon_task *self, size_t first, size_t end, void *context)
{
    (void)first;
    (void)end;
    return task_count(self, context);
}

Test(algo_fault, batch_without_memory_fails_the_rest)
{
    uint32_t refused_count = 0;

    for (uint32_t i = 0; i < 60; i++) {
        tenon_executor *executor = pool_create(2);
        atomic_uint count = 0;
        tenon_report report = {.status = TENON_OK};
        fault_allow_memory(i);
        tenon_status status = tenon_batches(
            10, count_batch, &count,
            TENON_BATCH_OPTIONS(.executor = executor, .max_running = 3),
            &report);
        fault_allow_memory(FAULT_NEVER);
        expect_short_of_memory(status, &report);
        refused_count += status != TENON_OK;
        cr_expect(eq(u64, atomic_load(&count), report.ok_count));
        cr_expect(eq(int, status == TENON_OK, report.ok_count == 10));
        tenon_report_free(&report);
        pool_destroy(executor);
    }
    cr_expect(gt(u32, refused_count, 0));
    cr_expect(lt(u32, refused_count, 60));
}

// --- retry ---

static int try_without_timer(tenon_task *self, void *arg)
{
    fault_allow_threads(0);
    int answer = patient_try(self, arg);
    fault_allow_threads(FAULT_NEVER);
    return answer;
}

Test(algo_fault, retry_without_a_timer_thread_gives_up)
{
    tenon_executor *executor = pool_create(1);
    struct patient patient = {.fail_count = 9};
    tenon_report report;

    cr_expect(
        eq(int, tenon_run(executor, try_without_timer, &patient, &report),
           TENON_ERRORS));
    cr_expect(eq(int, report.primary->code, PATIENT_CODE));
    cr_expect(
        eq(str, (char *)report.primary->text,
           "gave up after 1 attempt: TENON_EAGAIN"));
    cr_expect(ne(ptr, (void *)report.primary->children, NULL));
    tenon_report_free(&report);
    pool_destroy(executor);
}

// --- handshake ---

static void expect_not_started(tenon_executor *executor, uint64_t deadline_ns)
{
    tenon_scope scope;
    tenon_report report;
    tenon_handshake ready;
    atomic_uint destroyed_count = 0;

    must_open(&scope, executor);
    tenon_status status = tenon_start(
        &scope, &ready, task_count, &destroyed_count,
        TENON_TASK_OPTIONS(.destroy_arg = task_destroy_count), deadline_ns);
    fault_allow_threads(FAULT_NEVER);
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(int, status, TENON_EAGAIN));
    cr_expect(zero(u64, report.spawned_count));
    cr_expect(eq(u32, atomic_load(&destroyed_count), 1));
    tenon_report_free(&report);
}

Test(algo_fault, handshake_needs_a_thread)
{
    tenon_executor *executor = create_without_threads(0);

    expect_not_started(executor, TENON_NO_DEADLINE);
    end(executor);
}

Test(algo_fault, handshake_with_a_deadline_needs_a_timer_thread)
{
    tenon_executor *executor = pool_create(2);

    fault_allow_threads(0);
    expect_not_started(executor, tenon_now_ns() + TENON_SECONDS(3600));
    end(executor);
}

// --- grace ---

static void count_unobserved(const tenon_report *report, void *context)
{
    (void)report;
    atomic_fetch_add((atomic_uint *)context, 1);
}

Test(algo_fault, grace_without_a_timer_thread_is_none)
{
    tenon_executor *executor = pool_create(2);
    atomic_uint told_count = 0;
    tenon_stop stop;
    tenon_cause cause;

    tenon_set_unobserved_hook(count_unobserved, &told_count);
    cr_assert(zero(
        int, tenon_stop_init(
                 &stop, TENON_STOP_OPTIONS(
                                .executor = executor,
                                .grace_ns = TENON_SECONDS(3600)))));
    fault_allow_threads(0);
    cr_expect(tenon_token_cancel(&stop.please, 7, NULL));
    cr_expect(tenon_token_cancelled(&stop.hard));
    cr_assert(tenon_token_cause(&stop.hard, &cause));
    cr_expect(eq(int, cause.code, TENON_EAGAIN));
    cr_expect(eq(str, cause.text, "no timer for a grace period"));
    cr_expect(eq(u32, atomic_load(&told_count), 1));
    tenon_stop_fini(&stop);
    tenon_set_unobserved_hook(NULL, NULL);
    end(executor);
}

// --- signals ---

Test(algo_fault, watch_without_a_thread_is_refused_and_blocks_nothing)
{
    tenon_signals signals;
    tenon_token token;
    sigset_t before;
    sigset_t after;

    tenon_token_init(&token, NULL);
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    fault_allow_threads(0);
    cr_expect(eq(
        int,
        tenon_signals_watch(&signals, TENON_SIGNALS_OPTIONS(.token = &token)),
        TENON_EAGAIN));
    fault_allow_threads(FAULT_NEVER);
    tenon_signals_end(&signals);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    for (int number = 1; number <= SIGRTMAX; number++) {
        cr_expect(
            eq(int, sigismember(&after, number), sigismember(&before, number)));
    }
    tenon_token_fini(&token);
}
