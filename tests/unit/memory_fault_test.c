// SPDX-License-Identifier: MIT
//
// memory_fault_test — without memory a call says so and nothing was started;
// an error loses its words, never itself.

#include "fault.h"
#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

#define DESTROYED TENON_TASK_OPTIONS(.destroy_arg = task_destroy_count)

TestSuite(memory_fault, .timeout = 60);

static void end(tenon_executor *executor)
{
    fault_allow_memory(FAULT_NEVER);
    pool_destroy(executor);
}

// --- executors ---

// Each allocation fails once; with enough of them it succeeds.
Test(memory_fault, create_says_so_or_degrades)
{
    bool was_complete = false;

    for (uint32_t i = 0; i < 50 && !was_complete; i++) {
        tenon_executor *executor = NULL;
        uint32_t before = fault_count();
        fault_allow_memory(i);
        tenon_status status = tenon_executor_create(
            &executor, TENON_EXECUTOR_OPTIONS(.worker_count = 2));
        was_complete = fault_count() == before;
        fault_allow_memory(FAULT_NEVER);
        if (status == TENON_OK) {
            must_run(executor, task_ok, NULL, TENON_OK);
            pool_destroy(executor);
        } else {
            cr_assert(eq(int, status, TENON_ENOMEM));
            cr_assert(eq(ptr, executor, NULL));
            cr_assert(not(was_complete));
        }
    }
    cr_expect(was_complete);
}

// --- spawns ---

Test(memory_fault, spawn_is_refused_and_its_argument_destroyed)
{
    tenon_executor *executor = pool_create(1);
    atomic_uint count = 0;
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    fault_allow_memory(0);
    cr_expect(
        eq(int, tenon_spawn_with(&scope, task_count, &count, DESTROYED),
           TENON_ENOMEM));
    cr_expect(eq(uint, atomic_load(&count), 1));
    must_join(&scope, &report, TENON_OK);
    cr_expect(eq(u64, report.spawned_count, 0));
    cr_expect(eq(u64, report.rejected_count, 0));
    tenon_report_free(&report);
    end(executor);
}

Test(memory_fault, spawn_with_a_handle_needs_none)
{
    tenon_executor *executor = pool_create(1);
    atomic_uint count = 0;
    tenon_scope scope;
    tenon_handle handle;

    must_open(&scope, executor);
    fault_allow_memory(0);
    cr_expect(
        eq(int, tenon_spawn_task(&scope, &handle, task_count, &count, NULL),
           TENON_OK));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 1));
    cr_expect(eq(int, tenon_handle_outcome(&handle, NULL, NULL), TENON_OK));
    end(executor);
}

static void expect_refusal(const tenon_task_options *options)
{
    tenon_executor *executor = pool_create(1);
    atomic_uint count = 0;
    tenon_scope scope;

    must_open(&scope, executor);
    fault_allow_memory(0);
    cr_expect(
        eq(int, tenon_spawn_with(&scope, task_count, &count, options),
           TENON_ENOMEM));
    cr_expect(eq(uint, atomic_load(&count), 1));  // destroyed
    must_join(&scope, NULL, TENON_OK);
    end(executor);
}

Test(memory_fault, destructor_without_a_handle_needs_some)
{
    expect_refusal(DESTROYED);
}

Test(memory_fault, deadline_without_a_handle_needs_some)
{
    expect_refusal(TENON_TASK_OPTIONS(
            .destroy_arg = task_destroy_count, .timeout_ns = TENON_SECONDS(9)));
}

struct glut {
    atomic_uint destroyed_count;
    int started_count;
    int refused_count;
    int wrong_count;
};

static int ignore(tenon_task *self, void *arg)
{
    (void)self;
    (void)arg;
    return TENON_OK;
}

// The worker's queue is full and cannot grow.
static int spawn_too_many(tenon_task *self, void *arg)
{
    struct glut *glut = arg;
    tenon_status status = tenon_spawn(tenon_task_scope(self), ignore, NULL);

    fault_allow_memory(0);  // a piece has been taken: there are more
    glut->started_count += status == TENON_OK;
    for (int i = 0; i < 1000; i++) {
        status = tenon_spawn_with(
            tenon_task_scope(self), ignore, &glut->destroyed_count, DESTROYED);
        glut->started_count += status == TENON_OK;
        glut->refused_count += status == TENON_ENOMEM;
        glut->wrong_count += status != TENON_OK && status != TENON_ENOMEM;
    }
    return TENON_OK;
}

Test(memory_fault, spawn_into_a_full_queue_is_refused_and_not_counted)
{
    tenon_executor *executor = pool_create(1);
    struct glut glut = {.started_count = 0};
    tenon_report report;

    cr_assert(
        eq(int, tenon_run(executor, spawn_too_many, &glut, &report), TENON_OK));
    cr_expect(eq(int, glut.wrong_count, 0));
    cr_expect(gt(int, glut.refused_count, 0));
    cr_expect(eq(int, glut.started_count + glut.refused_count, 1001));
    cr_expect(eq(uint, atomic_load(&glut.destroyed_count), 1000));
    cr_expect(eq(u64, report.spawned_count, (uint64_t)glut.started_count + 1));
    cr_expect(eq(u64, report.ok_count, report.spawned_count));
    tenon_report_free(&report);
    end(executor);
}

enum { CHILD_COUNT = 1000 };

struct forks {
    tenon_task children[CHILD_COUNT];
    int64_t places[CHILD_COUNT];
    int codes[CHILD_COUNT];
    int wrong_count;
    int back_count;
};

static int fork_too_many(tenon_task *self, void *arg)
{
    struct forks *forks = arg;

    fault_allow_memory(0);
    for (int i = 0; i < CHILD_COUNT; i++) {
        forks->codes[i] = i % 2;  // every second one fails
        forks->places[i] = tenon_fork(
            self, &forks->children[i], task_return, &forks->codes[i]);
    }
    for (int i = CHILD_COUNT - 1; i >= 0; i--) {
        tenon_task *child = &forks->children[i];
        bool is_back =
            i % 4 == 0 && tenon_unfork(self, child, forks->places[i]);

        if (is_back) {
            forks->back_count++;
        } else {
            forks->wrong_count += tenon_join(self, child) != forks->codes[i];
        }
    }
    return TENON_OK;
}

static atomic_uint forked_count;
static atomic_uint run_count;
static atomic_uint idle_count;  // times at which the thieves did not
static struct gate is_held;
static struct gate may_go;

// The thief stays in this child until the queue is full again behind it.
enum { HELD = 255 };

static bool have_all_run(void *context)
{
    (void)context;
    if (atomic_load(&forked_count) > HELD + 1) {
        gate_open(&may_go);
    }
    bool is_one_held = gate_is_open(&is_held) && !gate_is_open(&may_go);
    return atomic_load(&run_count) + is_one_held == atomic_load(&forked_count);
}

// The system takes its time, and thieves take all that is queued.
static void let_thieves_work(void)
{
    atomic_fetch_add(&idle_count, !gate_poll(have_all_run, NULL));
}

static int count_run(tenon_task *self, void *arg)
{
    (void)self;
    if (arg != NULL) {
        gate_open(&is_held);
        (void)gate_wait(&may_go);
    }
    atomic_fetch_add(&run_count, 1);
    return TENON_OK;
}

static int fork_while_all_is_stolen(tenon_task *self, void *arg)
{
    struct forks *forks = arg;

    fault_allow_memory(0);
    fault_on_memory(let_thieves_work);
    for (int i = 0; i < CHILD_COUNT; i++) {
        atomic_fetch_add(&forked_count, 1);
        tenon_fork(
            self, &forks->children[i], count_run, i == HELD ? forks : NULL);
        if (i == HELD) {
            forks->wrong_count += !gate_wait(&is_held);
        }
    }
    fault_on_memory(NULL);
    for (int i = CHILD_COUNT - 1; i >= 0; i--) {
        forks->wrong_count += tenon_join(self, &forks->children[i]) != TENON_OK;
    }
    return TENON_OK;
}

// Room for the next fork is found where thieves have left it.
Test(memory_fault, fork_goes_on_where_all_was_stolen_meanwhile)
{
    static struct forks forks;
    tenon_executor *executor = pool_create(2);

    must_run(executor, fork_while_all_is_stolen, &forks, TENON_OK);
    cr_expect(zero(int, forks.wrong_count));
    cr_expect(eq(uint, atomic_load(&run_count), CHILD_COUNT));
    cr_expect(eq(uint, atomic_load(&idle_count), 0));
    cr_expect(gt(u32, fault_count(), 0));
    end(executor);
}

Test(memory_fault, fork_runs_its_child_at_once)
{
    static struct forks forks;
    tenon_executor *executor = pool_create(2);
    tenon_scope scope;
    tenon_report report;

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    must_spawn(&scope, fork_too_many, &forks);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(int, forks.wrong_count, 0));
    cr_expect(eq(u64, report.error_count, CHILD_COUNT / 2));
    // Those for which there was room.
    cr_expect(gt(int, forks.back_count, 0));
    cr_expect(lt(int, forks.back_count, CHILD_COUNT / 4));
    tenon_report_free(&report);
    end(executor);
}

// --- errors and causes ---

static int fail_in_words(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_fail(self, 44, "words");
}

Test(memory_fault, error_loses_its_words_and_stays)
{
    tenon_executor *executor = pool_create(1);
    struct task_step step = {.status = 44};
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    must_spawn(&scope, task_step, &step);
    cr_assert(gate_wait(&step.started));
    fault_allow_memory(0);
    gate_open(&step.may_end);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.error_count, 1));
    cr_assert(ne(ptr, (void *)report.primary, NULL));
    cr_expect(eq(int, report.primary->code, 44));
    cr_expect(eq(str, (char *)report.primary->text, ""));
    cr_expect(eq(u64, report.primary->sequence, 1));
    cr_expect(eq(int, (int)report.cause.source, (int)TENON_CAUSE_FAILURE));
    cr_expect(eq(int, report.cause.code, 44));
    tenon_report_free(&report);
    end(executor);
}

static int fail_without_memory(tenon_task *self, void *arg)
{
    fault_allow_memory(0);
    return fail_in_words(self, arg);
}

// Spawned by a task, so that spawning needs no more memory.
static int spawn_failing(tenon_task *self, void *arg)
{
    int count = *(int *)arg;

    for (int i = 0; i < count; i++) {
        if (tenon_spawn(tenon_task_scope(self), fail_without_memory, NULL)) {
            return 1;
        }
    }
    return TENON_OK;
}

static void fail_often(tenon_executor *executor, int count)
{
    tenon_scope scope;
    tenon_report report;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .max_errors = 1000,
                        .policy = TENON_POLICY_COLLECT_ALL));
    must_spawn(&scope, spawn_failing, &count);
    must_join(&scope, &report, TENON_ERRORS);
    fault_allow_memory(FAULT_NEVER);
    cr_expect(eq(u64, report.error_count, (uint64_t)count));
    cr_expect(eq(u64, report.failed_count, (uint64_t)count));
    cr_expect(ge(sz, report.kept_count, 1));
    uint64_t kept_count = 0;
    for (const tenon_error *error = report.errors; error != NULL;
         error = error->next) {
        kept_count++;
        cr_expect(eq(int, error->code, 44));
    }
    cr_expect(eq(u64, kept_count, report.kept_count));
    tenon_report_free(&report);
}

Test(memory_fault, errors_are_counted_when_even_the_reserve_is_used_up)
{
    tenon_executor *executor = pool_create(1);

    fail_often(executor, 200);
    fail_often(executor, 200);  // the reserve was given back
    end(executor);
}

static int run_failing(tenon_task *self, void *arg)
{
    (void)self;
    (void)arg;
    return tenon_run(NULL, fail_without_memory, NULL, NULL);
}

Test(memory_fault, error_of_a_nested_scope_still_fails_its_task)
{
    tenon_executor *executor = pool_create(1);
    tenon_report report;

    for (int i = 0; i < 40; i++) {  // more often than the reserve is large
        cr_assert(
            eq(int, tenon_run(executor, run_failing, NULL, &report),
               TENON_ERRORS));
        fault_allow_memory(FAULT_NEVER);
        cr_assert(eq(int, report.primary->code, TENON_ERRORS));
        tenon_report_free(&report);
    }
    end(executor);
}

Test(memory_fault, cancel_loses_its_words_and_works)
{
    tenon_token token;
    tenon_token child;
    tenon_cause cause;

    tenon_token_init(&token, NULL);
    tenon_token_init(&child, &token);
    fault_allow_memory(0);
    cr_expect(tenon_token_cancel(&token, -77, "words"));
    cr_expect(not(tenon_token_cancel(&token, 1, "words")));
    cr_expect(tenon_token_cancelled(&child));
    cr_assert(tenon_token_cause(&child, &cause));
    cr_expect(eq(int, (int)cause.source, (int)TENON_CAUSE_PARENT));
    cr_expect(eq(int, (int)cause.origin, (int)TENON_CAUSE_EXPLICIT));
    cr_expect(eq(int, cause.code, -77));
    cr_expect(eq(str, cause.text, ""));
    fault_allow_memory(FAULT_NEVER);
    tenon_token_fini(&child);
    tenon_token_fini(&token);
}

Test(memory_fault, body_fails_without_words)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_report report;

    must_open(&scope, executor);
    fault_allow_memory(0);
    cr_expect(eq(int, tenon_scope_fail(&scope, 9, "words"), 9));
    cr_assert(eq(int, tenon_scope_join(&scope, 9, &report), TENON_ERRORS));
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, 9));
    tenon_report_free(&report);
    end(executor);
}

static int fail_named(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_fail(self, 3, "a text");
}

static bool is_odd(const tenon_error *error, void *context)
{
    (void)context;
    return error->sequence % 2 == 1;
}

Test(memory_fault, split_does_nothing_without_enough_memory)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_report report;
    tenon_report odd = {.failed_count = 77};
    tenon_report even = {.failed_count = 77};
    unsigned refused_count = 0;

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    for (int i = 0; i < 4; i++) {
        must_spawn(&scope, fail_named, NULL);
    }
    must_join(&scope, &report, TENON_ERRORS);
    for (uint32_t allowed = 0;; allowed++) {
        fault_allow_memory(allowed);
        tenon_status status =
            tenon_report_split(&report, is_odd, NULL, &odd, &even);
        fault_allow_memory(FAULT_NEVER);
        if (status == TENON_OK) {
            break;
        }
        cr_assert(eq(int, status, TENON_ENOMEM));
        cr_assert(eq(u64, odd.failed_count, 77));
        cr_assert(eq(u64, even.failed_count, 77));
        refused_count++;
    }
    // The array; two pieces for each of four errors.
    cr_expect(eq(uint, refused_count, 9));
    cr_expect(eq(u64, odd.error_count, 2));
    cr_expect(eq(u64, even.error_count, 2));
    tenon_report_free(&odd);
    tenon_report_free(&even);
    tenon_report_free(&report);
    end(executor);
}
