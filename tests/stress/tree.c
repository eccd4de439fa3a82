// SPDX-License-Identifier: MIT
//
// tree — random trees of tasks in one scope, spawned at any depth by tasks and
// by foreign threads with references.
//
// The owner is by turns a foreign thread and a task. Every spawn is one item.
//
// Laws: every item runs once, then is destroyed once if it has a destructor;
// what a spawner wrote the task sees, what a task wrote the joiner sees; the
// report counts the items; a member cannot join.

#include "courier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS 3000
#define COURIER_COUNT 2

#define LAW_RUN "each task runs exactly once"
#define LAW_DESTROYED "each argument is destroyed exactly once, at the end"
#define LAW_SEEN "a task sees what its spawner wrote"
#define LAW_RESULT "the joiner sees what the tasks wrote"
#define LAW_ADMITTED "a live scope takes every task"
#define LAW_COUNTS "the report counts what was spawned"
#define LAW_MEMBER "a member cannot join its scope"

struct item {
    tenon_handle handle;
    uint64_t question;  // plain: spawner to task
    uint64_t answer;    // plain: task to joiner
    const void *spawner;
    _Atomic(uint32_t) run_count;
    _Atomic(uint32_t) destroyed_count;
    bool is_kept;
    bool has_destructor;
};

static struct item items[ITEMS];
static _Atomic(uint32_t) next_item;
static tenon_scope *scope;
static _Atomic(uint64_t) round_number;
static _Atomic(uint64_t) elsewhere_count;  // ran on another thread than spawned
static _Atomic(uint64_t) courier_count;    // spawned by couriers
static uint64_t total_count;

static uint64_t question_of(const struct item *item)
{
    return round_number << 32 | (uint64_t)(item - items);
}

static void destroy(void *arg)
{
    struct item *item = arg;

    if (STRESS_READ(item->run_count) != 1 || item->answer == 0) {
        stress_broke(LAW_DESTROYED, "item %zd has not run", item - items);
    }
    STRESS_COUNT(item->destroyed_count);
}

static int run_item(tenon_task *self, void *arg);

static struct item *make_item(struct stress_random *random)
{
    uint32_t index = STRESS_COUNT(next_item);

    if (index >= ITEMS) {
        return NULL;
    }
    struct item *item = &items[index];
    item->question = question_of(item);
    item->spawner = stress_thread();
    item->is_kept = stress_chance(random, 3);
    item->has_destructor = stress_chance(random, 3);
    return item;
}

// One more item, by the owner, a task, or a courier. False: enough of them.
static bool grow(tenon_scope_ref *ref, struct stress_random *random)
{
    struct item *item = make_item(random);
    tenon_task_options options = {.struct_size = sizeof(options)};
    tenon_status status = TENON_OK;

    if (item == NULL) {
        return false;
    }
    options.name = stress_chance(random, 2) ? "item" : NULL;
    options.destroy_arg = item->has_destructor ? destroy : NULL;
    if (ref != NULL) {
        item->is_kept = false;
        status = tenon_ref_spawn(ref, run_item, item, &options);
    } else if (item->is_kept) {
        status =
            tenon_spawn_task(scope, &item->handle, run_item, item, &options);
    } else {
        status = tenon_spawn_with(scope, run_item, item, &options);
    }
    if (status != TENON_OK) {
        stress_broke(LAW_ADMITTED, "%s", tenon_status_name(status));
    }
    return true;
}

static void grow_some(struct stress_random *random, uint32_t bound)
{
    uint32_t count = stress_below(random, bound);

    while (count > 0 && grow(NULL, random)) {
        stress_perturb(random);
        count--;
    }
}

static void deliver(
    tenon_scope_ref *ref, void *unused, struct stress_random *random)
{
    (void)unused;
    for (uint32_t count = stress_below(random, 8); count > 0; count--) {
        if (grow(ref, random)) {
            STRESS_COUNT(courier_count);
        }
        stress_perturb(random);
    }
}

static void try_to_join(void)
{
    tenon_status status = tenon_scope_join(scope, TENON_OK, NULL);

    if (status != TENON_EDEADLK) {
        stress_broke(LAW_MEMBER, "%s", tenon_status_name(status));
    }
}

static int run_item(tenon_task *self, void *arg)
{
    struct item *item = arg;
    struct stress_random random = stress_random_make(question_of(item));

    if (STRESS_COUNT(item->run_count) != 0 || tenon_current() != self) {
        stress_broke(LAW_RUN, "item %zd", item - items);
    }
    if (item->question != question_of(item)) {
        stress_broke(LAW_SEEN, "item %zd", item - items);
    }
    if (item->spawner != stress_thread()) {
        STRESS_COUNT(elsewhere_count);
    }
    stress_perturb(&random);
    grow_some(&random, 5);
    if (stress_chance(&random, 20)) {
        courier_send(scope, NULL);
    }
    if (stress_chance(&random, 50)) {
        try_to_join();
    }
    item->answer = ~item->question;
    return TENON_OK;
}

// --- A round ---

static bool is_item_right(struct item *item)
{
    tenon_outcome outcome = TENON_OUTCOME_NONE;
    int status = -1;

    if (item->run_count != 1 || item->answer != ~item->question ||
        item->destroyed_count != (item->has_destructor ? 1 : 0)) {
        return false;
    }
    return !item->is_kept ||
           (tenon_handle_outcome(&item->handle, &outcome, &status) ==
                TENON_OK &&
            outcome == TENON_OUTCOME_OK && status == TENON_OK);
}

static void judge(const tenon_report *report)
{
    uint32_t count = next_item < ITEMS ? next_item : ITEMS;
    uint64_t wrong_count = 0;

    for (uint32_t i = 0; i < count; i++) {
        wrong_count += !is_item_right(&items[i]);
    }
    stress_expect_equal(LAW_RESULT, wrong_count, 0);
    stress_expect_equal(LAW_COUNTS, report->spawned_count, count);
    stress_expect_equal(LAW_COUNTS, report->ok_count, count);
    stress_expect_equal(
        LAW_COUNTS,
        report->failed_count + report->cancelled_count + report->dropped_count +
            report->rejected_count + report->error_count,
        0);
    total_count += count;
}

static void own_scope(tenon_executor *executor)
{
    struct stress_random random = stress_random_make(~round_number);
    tenon_scope storage;
    tenon_report report = {0};

    scope = &storage;
    if (tenon_scope_open(scope, TENON_SCOPE_OPTIONS(.executor = executor)) !=
        TENON_OK) {
        stress_die("no scope");
    }
    grow_some(&random, 10);
    courier_send(scope, NULL);
    grow_some(&random, 100);
    tenon_status status = tenon_scope_join(scope, TENON_OK, &report);
    if (status != TENON_OK) {
        stress_broke(LAW_COUNTS, "%s", tenon_status_name(status));
    }
    judge(&report);
    tenon_report_free(&report);
}

static int own_scope_in_task(tenon_task *self, void *unused)
{
    (void)self;
    (void)unused;
    own_scope(NULL);
    return TENON_OK;
}

static void play_round(tenon_executor *executor)
{
    memset(items, 0, sizeof(items));
    atomic_store(&next_item, 0);
    if (++round_number % 2 == 0) {
        own_scope(executor);
        return;
    }
    tenon_status status = tenon_run(executor, own_scope_in_task, NULL, NULL);
    stress_expect(status == TENON_OK, "the root scope joins well");
}

static void dump(void)
{
    fprintf(
        stderr, "#   round %llu: %u items\n", (unsigned long long)round_number,
        STRESS_READ(next_item));
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv, "tree");
    stress_on_hang(dump);
    stress_law(LAW_RUN);
    stress_law(LAW_DESTROYED);
    stress_law(LAW_SEEN);
    stress_law(LAW_ADMITTED);
    stress_law(LAW_MEMBER);
    tenon_executor *executor = courier_executor(stress_worker_count(3), 0);
    courier_start(COURIER_COUNT, deliver);
    while (stress_goes_on()) {
        play_round(executor);
    }
    courier_stop();
    courier_executor_end(executor);
    stress_need("tasks run elsewhere", elsewhere_count, total_count, 20);
    stress_need("tasks of foreign threads", courier_count, total_count, 5);
    return stress_end();
}
