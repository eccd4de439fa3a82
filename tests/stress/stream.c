// SPDX-License-Identifier: MIT
//
// stream — tasks with handles that end in every way, while several consumers
// take them as they end, and a limiter bounds them.
//
// Tasks succeed, fail, poll until they are cancelled, have deadlines of a few
// microseconds; members and main cancel them by their handles; sometimes the
// whole scope is cancelled. They wait for the units of a limiter that is
// resized all the time.
//
// Laws: every task that was spawned is given to one consumer; its argument is
// destroyed once and its done callback called once, before; the limit holds;
// the report counts what the handles say.

#include "support.h"

#include <string.h>
#include <tenon/tenon.h>

#define LAW_GIVEN "every task is given to one consumer"
#define LAW_DESTROYED "every argument is destroyed once, after its callback"
#define LAW_LIMIT "no more run than there are units"
#define LAW_UNITS "all units are back at the end"
#define LAW_COUNTS "the report counts what the handles say"
#define LAW_END "a consumer comes to the end, or is cancelled"

enum { ITEM_COUNT = 64, CONSUMER_COUNT = 3, UNIT_MAX = 4 };

struct item {
    tenon_handle handle;
    uint64_t stream;
    _Atomic(uint32_t) given_count;
    _Atomic(uint32_t) done_count;
    _Atomic(uint32_t) destroyed_count;
    bool was_spawned;
};

static struct item items[ITEM_COUNT];
static tenon_scope scope;
static tenon_limiter limiter;
static _Atomic(int32_t) running_count;
static uint64_t round_number;
static uint64_t outcome_counts[TENON_OUTCOME_DROPPED + 1];
static _Atomic(uint64_t) given_by_tasks_count;
static uint64_t given_by_main_count;

static int run_item(tenon_task *self, void *arg)
{
    struct item *item = arg;
    struct stress_random random = stress_random_make(item->stream);
    int status = TENON_OK;

    if (atomic_fetch_add(&running_count, 1) >= UNIT_MAX) {
        stress_broke(LAW_LIMIT, "more than %d", UNIT_MAX);
    }
    if (stress_chance(&random, 4)) {
        // One that was spawned before.
        uint32_t count = (uint32_t)(item - items) + 1;
        tenon_handle_cancel(
            &items[stress_below(&random, count)].handle, 1, "neighbour");
    }
    if (stress_chance(&random, 3)) {
        uint64_t end_ns = stress_now_ns() + stress_below(&random, 20000);
        while (!tenon_cancelled(self) && stress_now_ns() < end_ns) {
        }
        status = tenon_cancelled(self) ? TENON_CANCELLED : TENON_OK;
    } else if (stress_chance(&random, 5)) {
        status = 3;
    }
    atomic_fetch_sub(&running_count, 1);
    return status;
}

static void note_done(const tenon_completion *completion, void *context)
{
    struct item *item = context;

    if (completion->handle != &item->handle ||
        atomic_load(&item->destroyed_count) != 0) {
        stress_broke(LAW_DESTROYED, "before its callback");
    }
    STRESS_COUNT(item->done_count);
}

static void destroy_item(void *arg)
{
    struct item *item = arg;

    STRESS_COUNT(item->destroyed_count);
}

static void take(tenon_handle *handle)
{
    STRESS_COUNT(((struct item *)handle)->given_count);
    if (tenon_handle_outcome(handle, NULL, NULL) != TENON_OK) {
        stress_broke(LAW_GIVEN, "given before its end");
    }
}

static int consume(tenon_task *self, void *arg)
{
    tenon_handle *next = NULL;
    tenon_status status = TENON_OK;

    (void)self;
    (void)arg;
    while ((status = tenon_scope_next(&scope, &next)) == TENON_OK) {
        take(next);
        STRESS_COUNT(given_by_tasks_count);
    }
    if (status != TENON_END && status != TENON_CANCELLED) {
        stress_broke(LAW_END, "%s", tenon_status_name(status));
    }
    return TENON_OK;
}

static void spawn_item(struct item *item, struct stress_random *random)
{
    item->stream = stress_random_next(random);
    item->was_spawned =
        tenon_spawn_task(
            &scope, &item->handle, run_item, item,
            TENON_TASK_OPTIONS(
                    .timeout_ns = stress_chance(random, 4)
                                      ? 1 + stress_below(random, 30000)
                                      : 0,
                    .unit_count = 1, .limiter = &limiter,
                    .destroy_arg = destroy_item, .on_done = note_done,
                    .on_done_context = item)) == TENON_OK;
    stress_perturb(random);
}

static void judge(const tenon_report *report)
{
    uint64_t counts[TENON_OUTCOME_DROPPED + 1] = {0};

    for (int i = 0; i < ITEM_COUNT; i++) {
        struct item *item = &items[i];
        tenon_outcome outcome = TENON_OUTCOME_NONE;
        uint32_t wanted = item->was_spawned ? 1 : 0;
        stress_expect_equal(LAW_GIVEN, item->given_count, wanted);
        stress_expect_equal(LAW_DESTROYED, item->done_count, wanted);
        stress_expect_equal(LAW_DESTROYED, item->destroyed_count, 1);
        (void)!tenon_handle_outcome(&item->handle, &outcome, NULL);
        counts[outcome]++;
    }
    stress_expect_equal(
        LAW_COUNTS, report->failed_count, counts[TENON_OUTCOME_FAILED]);
    stress_expect_equal(
        LAW_COUNTS, report->error_count, counts[TENON_OUTCOME_FAILED]);
    stress_expect_equal(
        LAW_COUNTS, report->cancelled_count, counts[TENON_OUTCOME_CANCELLED]);
    for (int i = 0; i <= TENON_OUTCOME_DROPPED; i++) {
        outcome_counts[i] += counts[i];
    }
}

static void play_round(tenon_executor *executor, struct stress_random *random)
{
    tenon_report report = {0};
    tenon_handle *next = NULL;
    uint64_t used_count = 0;
    uint64_t waiting_count = 0;

    round_number++;
    memset(items, 0, sizeof(items));
    tenon_limiter_init(&limiter, stress_below(random, UNIT_MAX + 1));
    if (tenon_scope_open(
            &scope, TENON_SCOPE_OPTIONS(
                            .executor = executor,
                            .policy = TENON_POLICY_COLLECT_ALL)) != TENON_OK) {
        stress_die("no scope");
    }
    for (int i = 0; i < ITEM_COUNT; i++) {
        if (i < CONSUMER_COUNT) {
            (void)!tenon_spawn(&scope, consume, NULL);
        }
        spawn_item(&items[i], random);
        if (stress_chance(random, 4)) {
            tenon_handle_cancel(
                &items[stress_below(random, (uint32_t)i + 1)].handle, 2,
                "main");
        }
        if (stress_chance(random, 4)) {
            tenon_limiter_resize(&limiter, stress_below(random, UNIT_MAX + 1));
        }
        if (stress_chance(random, 4 * ITEM_COUNT)) {
            tenon_scope_cancel(&scope, 3, "all");
        }
    }
    tenon_limiter_resize(&limiter, UNIT_MAX);
    // What the consumers left, because they were cancelled, main takes.
    tenon_status status = tenon_scope_wait_until(&scope, TENON_NO_DEADLINE);
    while (status == TENON_OK || status == TENON_CANCELLED) {
        tenon_status given = tenon_scope_next(&scope, &next);
        if (given == TENON_OK) {
            take(next);
            given_by_main_count++;
        } else if (given == TENON_END) {
            break;
        }
    }
    (void)!tenon_scope_join(&scope, TENON_OK, &report);
    tenon_limiter_look(&limiter, &used_count, &waiting_count);
    stress_expect_equal(LAW_UNITS, used_count + waiting_count, 0);
    tenon_limiter_fini(&limiter);
    judge(&report);
    tenon_report_free(&report);
    stress_step();
}

int main(int argc, char **argv)
{
    tenon_executor *executor = NULL;

    stress_begin(argc, argv, "stream");
    stress_law(LAW_LIMIT);
    stress_law(LAW_END);
    struct stress_random random = stress_random_make(1);
    if (tenon_executor_create(
            &executor,
            TENON_EXECUTOR_OPTIONS(.worker_count = stress_worker_count(4))) !=
        TENON_OK) {
        stress_die("no executor");
    }
    while (stress_goes_on()) {
        play_round(executor, &random);
    }
    stress_expect(tenon_executor_destroy(executor) == TENON_OK, LAW_END);
    uint64_t all = round_number * ITEM_COUNT;
    stress_need("given to tasks", STRESS_READ(given_by_tasks_count), all, 50);
    stress_need("failed", outcome_counts[TENON_OUTCOME_FAILED], all, 20);
    stress_need("cancelled", outcome_counts[TENON_OUTCOME_CANCELLED], all, 1);
    stress_need("dropped", outcome_counts[TENON_OUTCOME_DROPPED], all, 20);
    return stress_end();
}
