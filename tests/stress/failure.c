// SPDX-License-Identifier: MIT
//
// failure — scopes in each other that fail at the same time.
//
// Three scopes: in each a task that fails, two that watch, and one that owns
// the next scope further in. Those that fail wait for each other first, so that
// their cancels meet: each scope's own, and what comes down from above.
//
// Laws: a scope's cause is a failure of its own or that of a scope further out,
// never one further in; who saw a cancel before it failed is not the cause, and
// its error says so; it is an error all the same; members saw the cause that
// the report tells; an owner whose scope was cancelled from outside polls true.

#include "courier.h"
#include "report.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#define LAW_OWN "a cause of its own is a failure of a member"
#define LAW_ABOVE "a cause from above is that of a scope further out"
#define LAW_INWARD "what happens further in cancels nobody further out"
#define LAW_SAW "who saw a cancel before it failed is not the cause"
#define LAW_AFTER "an error that came after the cancel says so"
#define LAW_ONE "members saw the cause that the report tells"
#define LAW_OWNER "an owner whose scope was cancelled from above polls true"

enum { LEVEL_COUNT = 3, WATCHER_COUNT = 2, PATIENCE_NS = 50000 };

// Ids of tasks, and codes of those that fail, beside the level's number.
enum { FAILER = 100, OWNER = 200 };

struct watcher {
    struct level *level;
    bool saw_cause;
    tenon_cause cause;
};

struct level {
    uint32_t number;
    struct level *outer;
    struct stress_random random;  // the owner's
    struct stress_random failer_random;
    bool fails;      // its failer does
    bool passes_on;  // its owner returns what the join said
    tenon_scope scope;
    struct report_tally tally;
    struct watcher watchers[WATCHER_COUNT];

    // The failer's own account.
    bool has_failed;
    bool saw_before;

    // The owner's.
    bool was_joined;
    tenon_report report;
    bool polled_true;
    int returned;  // to the scope further out
};

static const char *const names[LEVEL_COUNT] = {"outer", "middle", "inner"};

static struct level levels[LEVEL_COUNT];
static _Atomic(uint32_t) arrived_count;  // failers
static _Atomic(uint64_t) round_number;

static uint64_t both_count;       // a scope and one further out failed
static uint64_t inner_won_count;  // of them, by itself; its owner saw both
static uint64_t outer_won_count;  // of them, from above
static uint64_t collected_count;  // of them, collecting: from above at most
static uint64_t untouched_count;  // outer scopes around one that failed

// --- Members ---

// All that fail come together here, but not at any price.
static void meet(void)
{
    uint64_t until_ns = stress_now_ns() + PATIENCE_NS;

    STRESS_COUNT(arrived_count);
    while (STRESS_READ(arrived_count) < LEVEL_COUNT &&
           stress_now_ns() < until_ns) {
        sched_yield();
    }
}

static int run_failer(tenon_task *self, void *arg)
{
    struct level *level = arg;
    int status = TENON_OK;

    meet();
    stress_spin_ns(stress_below(&level->failer_random, 2000));
    level->saw_before = tenon_cancelled(self);
    if (level->fails) {
        level->has_failed = true;
        int code = FAILER + (int)level->number;
        status = tenon_fail(self, code, "level %u", level->number);
    }
    report_count_end(&level->tally, status, false);
    return status;
}

static int run_watcher(tenon_task *self, void *arg)
{
    struct watcher *watcher = arg;
    uint64_t until_ns = stress_now_ns() + PATIENCE_NS;
    int status = TENON_OK;

    while (!tenon_cancelled(self) && stress_now_ns() < until_ns) {
    }
    if (tenon_cancelled(self)) {
        watcher->saw_cause = tenon_task_cause(self, &watcher->cause);
        status = TENON_CANCELLED;
    }
    report_count_end(&watcher->level->tally, status, false);
    return status;
}

// --- A scope, from open to join ---

static int run_owner(tenon_task *self, void *arg);

static void spawn(
    struct level *level, tenon_task_fn *fn, void *arg, const char *name, int id)
{
    tenon_status status = tenon_spawn_with(
        &level->scope, fn, arg,
        TENON_TASK_OPTIONS(.name = name, .id = (uint64_t)id + level->number));

    report_count_spawn(&level->tally, status);
    stress_perturb(&level->random);
}

static void open_scope(struct level *level, tenon_executor *executor)
{
    level->tally = (struct report_tally){
        .policy = stress_chance(&level->random, 6) ? TENON_POLICY_COLLECT_ALL
                                                   : TENON_POLICY_FAIL_FAST,
        .max_errors = 16,
    };
    tenon_status status = tenon_scope_open(
        &level->scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .name = names[level->number],
                .policy = level->tally.policy));
    if (status != TENON_OK) {
        stress_die("no scope: %s", tenon_status_name(status));
    }
}

// What the join said.
static tenon_status use_level(struct level *level, tenon_executor *executor)
{
    struct level *inner = level->number + 1 < LEVEL_COUNT ? level + 1 : NULL;

    open_scope(level, executor);
    if (inner != NULL) {
        spawn(level, run_owner, inner, "owner", OWNER);
    }
    spawn(level, run_failer, level, "failer", FAILER);
    for (int i = 0; i < WATCHER_COUNT; i++) {
        spawn(level, run_watcher, &level->watchers[i], "watcher", 0);
    }
    tenon_status status =
        tenon_scope_join(&level->scope, TENON_OK, &level->report);
    report_check(&level->tally, &level->report, status);
    level->was_joined = true;
    return status;
}

static int run_owner(tenon_task *self, void *arg)
{
    struct level *level = arg;
    tenon_status status = use_level(level, NULL);

    level->polled_true = tenon_cancelled(self);
    if (level->report.cause.source == TENON_CAUSE_PARENT &&
        !level->polled_true) {
        stress_broke(LAW_OWNER, "level %u", level->number);
    }
    if (level->passes_on) {
        level->returned = status;
    } else if (level->polled_true) {
        level->returned = TENON_CANCELLED;
    }
    report_count_end(&level->outer->tally, level->returned, false);
    return level->returned;
}

// --- The verdict ---

static bool are_same(const tenon_cause *a, const tenon_cause *b)
{
    return a->origin == b->origin && a->code == b->code &&
           a->time_ns == b->time_ns && a->sequence == b->sequence &&
           a->task_id == b->task_id && strcmp(a->text, b->text) == 0 &&
           strcmp(a->task_name, b->task_name) == 0 &&
           strcmp(a->scope_name, b->scope_name) == 0;
}

static bool is_failer_right(const struct level *level, const tenon_cause *cause)
{
    char text[32];

    snprintf(text, sizeof(text), "level %u", level->number);
    return level->has_failed && cause->code == FAILER + (int)level->number &&
           strcmp(cause->task_name, "failer") == 0 &&
           strcmp(cause->text, text) == 0;
}

// The owner of the scope further in passed its errors on.
static bool is_owner_right(const struct level *level, const tenon_cause *cause)
{
    return cause->code == TENON_ERRORS && level->number + 1 < LEVEL_COUNT &&
           level[1].returned == TENON_ERRORS &&
           strcmp(cause->task_name, "owner") == 0;
}

static void judge_own(const struct level *level, const tenon_cause *cause)
{
    bool is_failer = is_failer_right(level, cause);

    stress_expect(
        level->tally.policy == TENON_POLICY_FAIL_FAST &&
            (is_failer || is_owner_right(level, cause)) &&
            strcmp(cause->scope_name, names[level->number]) == 0,
        LAW_OWN);
    stress_expect(!is_failer || !level->saw_before, LAW_SAW);
}

static void judge_above(const struct level *level, const tenon_cause *cause)
{
    bool is_found = false;

    for (const struct level *outer = level->outer; outer != NULL;
         outer = outer->outer) {
        is_found |= outer->report.cause.source == TENON_CAUSE_FAILURE &&
                    are_same(cause, &outer->report.cause);
    }
    stress_expect(is_found && cause->origin == TENON_CAUSE_FAILURE, LAW_ABOVE);
}

static bool has_failed_further_out(const struct level *level)
{
    for (level = level->outer; level != NULL; level = level->outer) {
        if (level->report.failed_count > 0) {
            return true;
        }
    }
    return false;
}

static void judge_cause(const struct level *level)
{
    const tenon_cause *cause = &level->report.cause;
    bool may_be_cancelled =
        level->report.failed_count > 0 || has_failed_further_out(level);

    stress_expect(
        may_be_cancelled || cause->source == TENON_CAUSE_NONE, LAW_INWARD);
    if (cause->source == TENON_CAUSE_FAILURE) {
        judge_own(level, cause);
    } else if (cause->source != TENON_CAUSE_NONE) {
        judge_above(level, cause);
    }
}

static void judge_error(const struct level *level)
{
    const tenon_error *error = level->report.errors;

    while (error != NULL && error->code != FAILER + (int)level->number) {
        error = error->next;
    }
    if (!level->has_failed) {
        stress_expect(error == NULL, LAW_AFTER);
        return;
    }
    bool is_cause = level->report.cause.source == TENON_CAUSE_FAILURE &&
                    error != NULL &&
                    error->sequence == level->report.cause.sequence;
    stress_expect(
        error != NULL && (!level->saw_before || error->after_cancel) &&
            (!is_cause || !error->after_cancel),
        LAW_AFTER);
}

static void judge_watchers(const struct level *level)
{
    for (int i = 0; i < WATCHER_COUNT; i++) {
        const struct watcher *watcher = &level->watchers[i];
        stress_expect(
            !watcher->saw_cause ||
                (watcher->cause.source == level->report.cause.source &&
                 are_same(&watcher->cause, &level->report.cause)),
            LAW_ONE);
    }
}

static void count_overlap(const struct level *level)
{
    bool is_own = level->report.cause.source == TENON_CAUSE_FAILURE;
    bool is_from_above = level->report.cause.source == TENON_CAUSE_PARENT;

    if (level->has_failed && has_failed_further_out(level)) {
        both_count++;
        inner_won_count += is_own && level->polled_true;
        outer_won_count += is_from_above;
    }
    collected_count += level->has_failed && is_from_above &&
                       level->tally.policy == TENON_POLICY_COLLECT_ALL;
    untouched_count += level->outer != NULL && level->report.failed_count > 0 &&
                       level->outer->report.cause.source == TENON_CAUSE_NONE;
}

static void judge(void)
{
    for (uint32_t i = 0; i < LEVEL_COUNT && levels[i].was_joined; i++) {
        judge_cause(&levels[i]);
        judge_error(&levels[i]);
        judge_watchers(&levels[i]);
        count_overlap(&levels[i]);
    }
    for (uint32_t i = 0; i < LEVEL_COUNT; i++) {
        tenon_report_free(&levels[i].report);
    }
}

// --- A round ---

static void prepare(struct stress_random *random)
{
    round_number++;
    memset(levels, 0, sizeof(levels));
    atomic_store(&arrived_count, 0);
    for (uint32_t i = 0; i < LEVEL_COUNT; i++) {
        struct level *level = &levels[i];
        level->number = i;
        level->outer = i == 0 ? NULL : level - 1;
        level->random.state = stress_random_next(random);
        level->failer_random.state = stress_random_next(random);
        level->fails = !stress_chance(random, 4);
        level->passes_on = stress_chance(random, 3);
        for (int j = 0; j < WATCHER_COUNT; j++) {
            level->watchers[j].level = level;
        }
    }
}

static void play_round(tenon_executor *executor, struct stress_random *random)
{
    prepare(random);
    (void)use_level(&levels[0], executor);
    judge();
}

static void dump(void)
{
    fprintf(
        stderr, "#   round %llu: %u have met\n",
        (unsigned long long)round_number, STRESS_READ(arrived_count));
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv, "failure");
    stress_on_hang(dump);
    report_laws();
    stress_law(LAW_OWNER);
    struct stress_random random = stress_random_make(0);
    tenon_executor *executor = courier_executor(stress_worker_count(4), 0);
    while (stress_goes_on()) {
        play_round(executor, &random);
    }
    courier_executor_end(executor);
    stress_need("inner scopes first", inner_won_count, both_count, 20);
    stress_need("outer scopes first", outer_won_count, both_count, 20);
    stress_need("collected below a cancel", collected_count, both_count, 2);
    stress_need(
        "outer scopes untouched", untouched_count, round_number * LEVEL_COUNT,
        5);
    return stress_end();
}
