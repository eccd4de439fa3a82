// SPDX-License-Identifier: MIT
//
// dump_test — what lives is shown as a tree, as text and as JSON, from any
// thread, as large as it is.

#include "catch.h"
#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

TestSuite(dump, .timeout = 60);

typedef tenon_status dump_fn(tenon_executor *executor, FILE *stream);

// What it writes; to be freed.
static char *dump(tenon_executor *executor, dump_fn *fn)
{
    char *text = NULL;
    size_t size_bytes = 0;
    FILE *stream = open_memstream(&text, &size_bytes);

    cr_assert(ne(ptr, stream, NULL));
    cr_expect(eq(int, fn(executor, stream), TENON_OK));
    cr_assert(zero(int, fclose(stream)));
    return text;
}

static void expect(tenon_executor *executor, dump_fn *fn, const char *wanted)
{
    char *text = dump(executor, fn);

    cr_expect(eq(str, text, (char *)wanted));
    free(text);
}

static tenon_executor *create(
    uint32_t worker_count, struct test_clock *clock, bool debug)
{
    return pool_create_with(TENON_EXECUTOR_OPTIONS(
            .worker_count = worker_count, .name = "pool", .debug = debug,
            .clock = {test_clock_now_ns, clock}));
}

// A task with a scope of its own, in which one task runs and one is yet to.
struct scene {
    struct task_step step;
    struct gate is_ready;
    tenon_limiter *limiter;
};

static int own(tenon_task *self, void *arg)
{
    struct scene *scene = arg;
    tenon_scope scope;

    (void)self;
    if (tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.name = "in\nner")) !=
        TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status body = tenon_spawn_with(
        &scope, task_ok, NULL,
        TENON_TASK_OPTIONS(.name = "late", .delay_ns = TENON_SECONDS(100)));
    if (body == TENON_OK) {
        body = tenon_spawn_with(
            &scope, task_step, &scene->step,
            TENON_TASK_OPTIONS(
                    .name = "busy", .id = 5, .limiter = scene->limiter));
    }
    if (body == TENON_OK) {
        body = tenon_spawn_with(
            &scope, task_ok, NULL,
            TENON_TASK_OPTIONS(.name = "next", .limiter = scene->limiter));
    }
    gate_open(&scene->is_ready);
    return tenon_scope_join(&scope, body, NULL);
}

static bool is_joining(void *executor)
{
    char *text = dump(executor, tenon_dump);
    bool found = strstr(text, "joining") != NULL;

    free(text);
    return found;
}

static const uint32_t worker_counts[] = {1, 2, 4, 16};

static void show(
    uint32_t worker_count, bool debug, const char *text, const char *json)
{
    struct test_clock clock = {0};
    tenon_limiter limiter;
    struct scene scene = {.step = {.status = TENON_OK}, .limiter = &limiter};
    tenon_executor *executor = create(worker_count, &clock, debug);
    char wanted[1536];
    tenon_scope scope;

    tenon_limiter_init(&limiter, 1);
    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .name = "outer"));
    must_spawn_with(&scope, own, &scene, TENON_TASK_OPTIONS(.name = "owner"));
    cr_assert(gate_wait(&scene.is_ready));
    cr_assert(gate_wait(&scene.step.started));
    if (debug) {
        cr_assert(gate_poll(is_joining, executor));
    }
    test_clock_move(&clock, TENON_MILLISECONDS(1250));
    snprintf(
        wanted, sizeof(wanted), text, worker_count,
        worker_count == 1 ? "" : "s");
    expect(executor, tenon_dump, wanted);
    snprintf(wanted, sizeof(wanted), json, worker_count);
    expect(executor, tenon_dump_json, wanted);
    gate_open(&scene.step.may_end);
    pool_move_clock(executor, &clock, TENON_SECONDS(100));
    must_join(&scope, NULL, TENON_OK);
    tenon_limiter_fini(&limiter);
    pool_destroy(executor);
}

Test(dump, shows_scopes_and_tasks_with_what_they_do_and_for_how_long)
{
    for (int i = 0; i < 4; i++) {
        show(
            worker_counts[i], true,
            "executor 'pool': %u worker%s, 1 root scope, 1 inner scope, "
            "4 tasks\n"
            "  scope 'outer': open for 1.250 s\n"
            "    task 'owner' #0: joining for 1.250 s\n"
            "      scope 'in\\nner': open for 1.250 s\n"
            "        task 'late' #0: delayed for 1.250 s\n"
            "        task 'busy' #5: running for 1.250 s\n"
            "        task 'next' #0: limited for 1.250 s\n",
            "{\"executor\": \"pool\", \"workers\": %u, \"root_scopes\": 1, "
            "\"inner_scopes\": 1, \"tasks\": 4, \"debug\": true, "
            "\"scopes\": [{\"name\": \"outer\", \"age_ns\": 1250000000, "
            "\"cancel\": null, \"tasks\": [{\"name\": \"owner\", \"id\": 0, "
            "\"state\": \"joining\", \"for_ns\": 1250000000, "
            "\"cancel\": null, \"scopes\": [{\"name\": \"in\\u000aner\", "
            "\"age_ns\": 1250000000, \"cancel\": null, \"tasks\": ["
            "{\"name\": \"late\", \"id\": 0, \"state\": \"delayed\", "
            "\"for_ns\": 1250000000, \"cancel\": null, \"scopes\": []}, "
            "{\"name\": \"busy\", \"id\": 5, \"state\": \"running\", "
            "\"for_ns\": 1250000000, \"cancel\": null, \"scopes\": []}, "
            "{\"name\": \"next\", \"id\": 0, \"state\": \"limited\", "
            "\"for_ns\": 1250000000, \"cancel\": null, \"scopes\": []}"
            "]}]}]}]}\n");
    }
}

Test(dump, shows_counts_only_without_debug_mode)
{
    for (int i = 0; i < 4; i++) {
        show(
            worker_counts[i], false,
            "executor 'pool': %u worker%s, 1 root scope, 1 inner scope, "
            "4 tasks\n",
            "{\"executor\": \"pool\", \"workers\": %u, \"root_scopes\": 1, "
            "\"inner_scopes\": 1, \"tasks\": 4, \"debug\": false, "
            "\"scopes\": []}\n");
    }
}

Test(dump, shows_why_a_scope_is_cancelled)
{
    struct test_clock clock = {0};
    tenon_executor *executor = create(2, &clock, true);
    tenon_scope scope;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .name = "outer"));
    tenon_scope_cancel(&scope, 3, "new \033 version");
    expect(
        executor, tenon_dump,
        "executor 'pool': 2 workers, 1 root scope, 0 inner scopes, 0 tasks\n"
        "  scope 'outer': open for 0.000 s, cancelled (explicit: new \\x1b "
        "version)\n");
    must_join(&scope, NULL, TENON_OK);
    expect(
        executor, tenon_dump,
        "executor 'pool': 2 workers, 0 root scopes, 0 inner scopes, 0 tasks\n");
    pool_destroy(executor);
}

// --- from inside, and deep ---

struct deep {
    int depth;
    tenon_executor *executor;
    size_t *size_bytes;
};

static int go_down(tenon_task *self, void *arg)
{
    struct deep *deep = arg;
    struct deep below = *deep;
    tenon_scope scope;

    (void)self;
    if (deep->depth == 0) {
        char *text = NULL;
        FILE *stream = open_memstream(&text, deep->size_bytes);
        tenon_status status = tenon_dump(NULL, stream);
        fclose(stream);
        free(text);
        return status;
    }
    if (tenon_scope_open(&scope, NULL) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    below.depth--;
    return tenon_scope_join(&scope, tenon_spawn(&scope, go_down, &below), NULL);
}

static size_t size_of_depth(tenon_executor *executor, int depth)
{
    size_t size_bytes = 0;
    struct deep deep = {depth, executor, &size_bytes};

    must_run(executor, go_down, &deep, TENON_OK);
    return size_bytes;
}

Test(dump, is_linear_in_the_depth_and_works_inside_a_task)
{
    struct test_clock clock = {0};
    tenon_executor *executor = create(1, &clock, true);

    size_t once = size_of_depth(executor, 500);
    size_t twice = size_of_depth(executor, 1000);
    cr_expect(gt(sz, once, 500 * 50));
    cr_expect(lt(sz, twice, once * 21 / 10));
    pool_destroy(executor);
}

// --- refused ---

static tenon_status refuse_write(dump_fn *fn, tenon_executor *executor)
{
    FILE *full = fopen("/dev/full", "w");

    cr_assert(ne(ptr, full, NULL));
    tenon_status status = fn(executor, full);
    fclose(full);
    return status;
}

Test(dump, says_when_there_is_nothing_to_show_or_nowhere_to_write)
{
    struct test_clock clock = {0};
    tenon_executor *executor = create(1, &clock, true);

    cr_expect(eq(int, tenon_dump(NULL, stderr), TENON_EINVAL));
    cr_expect(eq(int, tenon_dump_json(NULL, stderr), TENON_EINVAL));
    cr_expect(eq(int, tenon_dump(executor, NULL), TENON_EINVAL));
    cr_expect(eq(int, refuse_write(tenon_dump, executor), TENON_EAGAIN));
    cr_expect(eq(int, refuse_write(tenon_dump_json, executor), TENON_EAGAIN));
    pool_destroy(executor);
}

Test(dump, is_shown_when_an_executor_with_open_scopes_is_not_destroyed)
{
    struct test_clock clock = {0};
    tenon_executor *executor = create(2, &clock, true);
    char line[256] = "";
    struct catch catch;
    tenon_scope scope;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .name = "left"));
    catch_begin(&catch);
    tenon_status status = tenon_executor_destroy(executor);
    catch_end(&catch);
    cr_expect(eq(int, status, TENON_EBUSY));
    cr_expect(ne(ptr, fgets(line, sizeof(line), catch.caught), NULL));
    cr_expect(ne(ptr, fgets(line, sizeof(line), catch.caught), NULL));
    cr_expect(eq(str, line, "  scope 'left': open for 0.000 s\n"));
    fclose(catch.caught);
    must_join(&scope, NULL, TENON_OK);
    pool_destroy(executor);
}

// --- cancel latency ---

static void cancel_many(tenon_executor *executor)
{
    tenon_latency latency = {.struct_size = sizeof(latency)};
    uint64_t cancelled_count = 0;
    uint64_t sum = 0;

    for (int i = 0; i < 50; i++) {
        tenon_scope scope;
        tenon_report report;
        struct gate started = {0};
        must_open(&scope, executor);
        for (int k = 0; k < 4; k++) {
            must_spawn(&scope, task_announce_until_cancelled, &started);
        }
        cr_assert(gate_wait(&started));
        tenon_scope_cancel(&scope, 0, NULL);
        must_join(&scope, &report, TENON_OK);
        cancelled_count += report.cancelled_count;
        tenon_report_free(&report);
    }
    cr_expect(eq(int, tenon_latency_get(executor, &latency), TENON_OK));
    cr_expect(eq(u64, latency.count, cancelled_count));
    for (int i = 0; i < TENON_LATENCY_BUCKETS; i++) {
        sum += latency.counts[i];
    }
    cr_expect(eq(u64, sum, cancelled_count));
    cr_expect(gt(u64, latency.max_ns, 0));
    uint64_t median_ns = tenon_latency_quantile(&latency, 0.5);
    cr_expect(gt(u64, median_ns, 0));
    cr_expect(le(u64, median_ns, tenon_latency_quantile(&latency, 0.9)));
    cr_expect(eq(u64, tenon_latency_quantile(&latency, 1), latency.max_ns));
}

Test(dump, cancel_latency_counts_every_task_that_heeded_a_cancel)
{
    pool_each(cancel_many);
}

Test(dump, cancel_latency_is_empty_at_first_and_needs_its_size)
{
    tenon_executor *executor = pool_create(1);
    tenon_latency latency = {.struct_size = sizeof(latency)};

    cr_expect(zero(int, tenon_latency_get(executor, &latency)));
    cr_expect(eq(u64, latency.count, 0));
    cr_expect(eq(u64, tenon_latency_quantile(&latency, 0.5), 0));
    latency.struct_size = 0;
    cr_expect(eq(int, tenon_latency_get(executor, &latency), TENON_EINVAL));
    cr_expect(eq(int, tenon_latency_get(NULL, &latency), TENON_EINVAL));
    pool_destroy(executor);
}

// --- several executors, and their clocks ---

static int open_elsewhere(tenon_task *self, void *arg)
{
    tenon_executor *other = arg;
    tenon_scope scope;

    (void)self;
    if (tenon_scope_open(
            &scope, TENON_SCOPE_OPTIONS(.executor = other, .name = "there")) !=
        TENON_OK) {
        return TASK_IN_VAIN;
    }
    expect(
        other, tenon_dump,
        "executor 'pool': 1 worker, 1 root scope, 0 inner scopes, 0 tasks\n"
        "  scope 'there': open for 0.000 s\n");
    return tenon_scope_join(&scope, TENON_OK, NULL);
}

Test(dump, shows_a_scope_inside_a_task_of_another_executor_with_its_own)
{
    struct test_clock clock = {0};
    tenon_executor *executor = create(1, &clock, true);
    tenon_executor *other = create(1, &clock, true);

    must_run(executor, open_elsewhere, other, TENON_OK);
    pool_destroy(other);
    pool_destroy(executor);
}

// A clock that shows another executor: nothing of ours is locked when it is
// asked.
static _Atomic(tenon_executor *) shown_by_clock;

static uint64_t show_and_tell(void *context)
{
    static __thread bool is_asked;
    FILE *nowhere =
        is_asked || shown_by_clock == NULL ? NULL : fopen("/dev/null", "w");

    (void)context;
    if (nowhere != NULL) {
        is_asked = true;
        tenon_dump(shown_by_clock, nowhere);
        fclose(nowhere);
        is_asked = false;
    }
    return CLOCK_BEGIN_NS;
}

Test(dump, asks_the_clock_without_a_lock)
{
    struct test_clock clock = {0};
    tenon_scope scope;

    tenon_executor *executor = pool_create_with(TENON_EXECUTOR_OPTIONS(
            .worker_count = 1, .name = "a\nb", .debug = true,
            .clock = {show_and_tell, NULL}));
    shown_by_clock = create(1, &clock, true);
    must_open(&scope, executor);
    expect(
        executor, tenon_dump,
        "executor 'a\\nb': 1 worker, 1 root scope, 0 inner scopes, 0 tasks\n"
        "  scope '': open for 0.000 s\n");
    must_join(&scope, NULL, TENON_OK);
    tenon_executor *shown = shown_by_clock;
    shown_by_clock = NULL;
    pool_destroy(executor);
    pool_destroy(shown);
}
