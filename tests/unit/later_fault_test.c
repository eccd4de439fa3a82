// SPDX-License-Identifier: MIT
//
// later_fault_test — a task that cannot be told when its time has come says so
// at once, and is not lost.

#include "fault.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"
#include "visit.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

TestSuite(later_fault, .timeout = 60);

#define DELAYED                                \
    TENON_TASK_OPTIONS(                        \
            .delay_ns = TENON_MILLISECONDS(5), \
            .destroy_arg = visit_note_destroyed)

static void expect_refused(tenon_executor *executor, tenon_status reason)
{
    tenon_scope scope;
    tenon_report report;
    tenon_handle handle;
    struct visit visit = {.count = 0};

    must_open(&scope, executor);
    tenon_status forgotten =
        tenon_spawn_with(&scope, visit_note, &visit, DELAYED);
    tenon_status handled =
        tenon_spawn_task(&scope, &handle, visit_note, &visit, DELAYED);
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(int, forgotten, reason));
    cr_expect(eq(int, handled, reason));
    cr_expect(
        eq(int, tenon_handle_outcome(&handle, NULL, NULL), TENON_ENOTREADY));
    cr_expect(eq(u32, atomic_load(&visit.count), 0));
    cr_expect(eq(u32, atomic_load(&visit.destroyed_count), 2));
    cr_expect(eq(u64, report.spawned_count, 0));
    tenon_report_free(&report);
}

Test(later_fault, begin_without_a_timer_thread_is_refused)
{
    tenon_executor *executor = pool_create(2);

    fault_allow_threads(0);
    expect_refused(executor, TENON_EAGAIN);
    fault_allow_threads(FAULT_NEVER);
    pool_destroy(executor);
}

Test(later_fault, begin_without_memory_is_refused)
{
    tenon_executor *executor = pool_create(2);

    fault_allow_memory(0);
    expect_refused(executor, TENON_ENOMEM);
    fault_allow_memory(FAULT_NEVER);
    pool_destroy(executor);
}

struct asker {
    int answer;
    void (*refuse)(uint32_t count);
};

static int ask(tenon_task *self, void *arg)
{
    struct asker *asker = arg;

    asker->refuse(0);
    asker->answer = tenon_again(self, TENON_MILLISECONDS(5));
    asker->refuse(FAULT_NEVER);
    return asker->answer;
}

static void expect_fails(void (*refuse)(uint32_t count), tenon_status reason)
{
    tenon_executor *executor = pool_create(1);
    tenon_report report;
    struct asker asker = {.refuse = refuse};

    cr_expect(eq(int, tenon_run(executor, ask, &asker, &report), TENON_ERRORS));
    cr_expect(eq(int, asker.answer, reason));
    cr_expect(eq(int, report.primary->code, reason));
    tenon_report_free(&report);
    pool_destroy(executor);
}

Test(later_fault, going_on_without_a_timer_thread_fails_the_task)
{
    expect_fails(fault_allow_threads, TENON_EAGAIN);
}

Test(later_fault, going_on_without_memory_fails_the_task)
{
    expect_fails(fault_allow_memory, TENON_ENOMEM);
}

static int go_on_once(tenon_task *self, void *arg)
{
    struct visit *visit = arg;

    visit_note(self, visit);
    return atomic_load(&visit->count) == 2
               ? TENON_OK
               : tenon_again(self, TENON_MILLISECONDS(1));
}

// The joiner runs everything; the timer's thread tells it when.
Test(later_fault, executor_without_workers_runs_late_tasks)
{
    struct visit late = {.count = 0};
    struct visit twice = {.count = 0};
    tenon_scope scope;

    fault_allow_threads(0);
    tenon_executor *executor = pool_create(2);
    fault_allow_threads(FAULT_NEVER);
    must_open(&scope, executor);
    must_spawn_with(&scope, visit_note, &late, DELAYED);
    must_spawn(&scope, go_on_once, &twice);
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(u32, atomic_load(&late.count), 1));
    cr_expect(eq(u32, atomic_load(&twice.count), 2));
    pool_destroy(executor);
}
