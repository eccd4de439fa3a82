// SPDX-License-Identifier: MIT
//
// cancel — every way to stop a scope at once, against spawns that never end.
//
// An outer scope of a foreign thread, inner scopes owned by its tasks, and in
// those tasks that spawn without end. Members, couriers, main, a rival thread,
// failures, deadlines, the outer scope and a free-standing token all try to be
// the cause. The outer scope has a deadline, so every round ends.
//
// Laws: whatever was spawned was counted once, its argument destroyed once; the
// cause is the one whose caller was told so; after a cancel has returned, polls
// are true and spawns are refused; the status follows from cause and counters.

#include "hydra.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INNER_COUNT 3
#define COURIER_COUNT 2

#define LAW_DESTROYED "every argument is destroyed exactly once"
#define LAW_WINNER "the cause is of the one whose cancel returned true"
#define LAW_ORIGIN "what comes from above shows its origin"

static struct hydra inners[INNER_COUNT];
static _Atomic(uint64_t) round_number;
static uint64_t mixed_count;  // scopes of which some ran, some were stopped
static uint64_t sources[TENON_CAUSE_SHUTDOWN + 1];
static uint64_t late_count;  // scopes with a failure that another cause beat

// --- A round ---

static void *rival_main(void *arg)
{
    struct stress_random random = stress_random_make(*(uint64_t *)arg);

    stress_spin_ns(stress_below(&random, 400000));
    if (stress_chance(&random, 2)) {
        hydra_cancel_token(HYDRA_BY_RIVAL);
    }
    return NULL;
}

static void prepare(struct stress_random *random)
{
    memset(inners, 0, sizeof(inners));
    hydra_reset(round_number << 24);
    tenon_token_init(&hydra_token, NULL);
    for (uint32_t i = 0; i < INNER_COUNT; i++) {
        struct hydra *inner = &inners[i];
        inner->stream = stress_random_next(random);
        inner->timeout_ns =
            stress_chance(random, 2) ? 1 + stress_below(random, 500000) : 0;
        inner->has_token = stress_chance(random, 2);
        inner->tally.policy = stress_chance(random, 2)
                                  ? TENON_POLICY_FAIL_FAST
                                  : TENON_POLICY_COLLECT_ALL;
        inner->tally.max_errors = 1 + stress_below(random, 5);
    }
}

static uint32_t sum_of_wins(struct hydra_wins *wins)
{
    uint32_t sum = 0;

    for (int who = 1; who < HYDRA_BY_COUNT; who++) {
        sum += wins->counts[who];
    }
    return sum;
}

static void check_winner(struct hydra_wins *wins, const tenon_cause *cause)
{
    bool is_explicit = cause->source == TENON_CAUSE_EXPLICIT;
    bool is_known = cause->code > 0 && cause->code < HYDRA_BY_COUNT;

    stress_expect_equal(LAW_WINNER, sum_of_wins(wins), is_explicit);
    stress_expect(
        !is_explicit || (is_known && wins->counts[cause->code] == 1 &&
                         strncmp(cause->text, "cancel by ", 10) == 0),
        LAW_WINNER);
}

static bool has_late_failure(const tenon_report *report)
{
    for (const tenon_error *error = report->errors; error != NULL;
         error = error->next) {
        if (error->after_cancel &&
            report->cause.source != TENON_CAUSE_FAILURE) {
            return true;
        }
    }
    return false;
}

static void judge_inner(struct hydra *inner, const tenon_cause *outer_cause)
{
    const tenon_report *report = &inner->report;
    const tenon_cause *cause = &report->cause;
    tenon_cause token_cause = {.source = TENON_CAUSE_NONE};

    report_check(&inner->tally, report, inner->status);
    stress_expect_equal(
        LAW_DESTROYED, inner->destroyed_count, inner->made_count);
    check_winner(&inner->wins, cause);
    if (cause->source == TENON_CAUSE_PARENT) {
        tenon_token_cause(&hydra_token, &token_cause);
        bool is_token = inner->has_token &&
                        cause->time_ns == token_cause.time_ns &&
                        cause->origin == token_cause.origin;
        bool is_outer = cause->time_ns == outer_cause->time_ns &&
                        cause->origin == outer_cause->origin;
        stress_expect(is_token || is_outer, LAW_ORIGIN);
    }
    sources[cause->source]++;
    late_count += has_late_failure(report);
    mixed_count += report->ok_count > 0 &&
                   report->cancelled_count + report->dropped_count > 0;
}

static void open_outer(tenon_executor *executor, struct stress_random *random)
{
    tenon_status status = tenon_scope_open(
        &hydra_outer,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .name = "outer",
                .timeout_ns = 300000 + stress_below(random, 700000),
                .policy = TENON_POLICY_COLLECT_ALL));

    if (status != TENON_OK) {
        stress_die("no outer scope: %s", tenon_status_name(status));
    }
}

static void play_round(tenon_executor *executor, struct stress_random *random)
{
    tenon_report report = {0};
    uint64_t rival_stream = ~++round_number;
    uint32_t started_count = 0;

    prepare(random);
    open_outer(executor, random);
    pthread_t rival = stress_thread_start(rival_main, &rival_stream);
    for (uint32_t i = 0; i < INNER_COUNT; i++) {
        tenon_status status = tenon_spawn(&hydra_outer, hydra_own, &inners[i]);
        started_count += status == TENON_OK;
        stress_perturb(random);
    }
    stress_spin_ns(stress_below(random, 400000));
    if (stress_chance(random, 3)) {
        hydra_cancel(&hydra_outer, &hydra_outer_wins, HYDRA_BY_MAIN);
    }
    tenon_status status = tenon_scope_join(&hydra_outer, TENON_OK, &report);
    stress_thread_join(rival);
    stress_expect_equal(
        "the outer scope counts its tasks", report.spawned_count,
        started_count);
    stress_expect(
        status == TENON_OK || status == TENON_TIMEOUT,
        "the outer scope joins well, or by its deadline");
    check_winner(&hydra_outer_wins, &report.cause);
    for (uint32_t i = 0; i < INNER_COUNT; i++) {
        // A dropped owner has left nothing behind.
        if (inners[i].made_count > 0) {
            judge_inner(&inners[i], &report.cause);
        }
        tenon_report_free(&inners[i].report);
    }
    tenon_report_free(&report);
    tenon_token_fini(&hydra_token);
}

static void dump(void)
{
    fprintf(
        stderr, "#   round %llu; a cancel has returned of outer %d, token %d\n",
        (unsigned long long)round_number, hydra_has_returned(&hydra_outer_wins),
        hydra_has_returned(&hydra_token_wins));
    for (uint32_t i = 0; i < INNER_COUNT; i++) {
        struct hydra *inner = &inners[i];
        fprintf(
            stderr, "#   inner %u: admitted %llu, destroyed %llu of %llu\n", i,
            (unsigned long long)STRESS_READ(inner->tally.admitted_count),
            (unsigned long long)STRESS_READ(inner->destroyed_count),
            (unsigned long long)STRESS_READ(inner->made_count));
    }
}

// Each of them has won against the others, and a failure has lost.
static void need_causes(void)
{
    uint64_t all = round_number * INNER_COUNT;

    stress_need("cancelled explicitly", sources[TENON_CAUSE_EXPLICIT], all, 10);
    stress_need("by a failure", sources[TENON_CAUSE_FAILURE], all, 10);
    stress_need("by a deadline", sources[TENON_CAUSE_DEADLINE], all, 10);
    stress_need("from above", sources[TENON_CAUSE_PARENT], all, 10);
    stress_need("failed after another cause", late_count, all, 5);
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv, "cancel");
    stress_on_hang(dump);
    report_laws();
    hydra_laws();
    struct stress_random random = stress_random_make(0);
    tenon_executor *executor = courier_executor(stress_worker_count(3), 0);
    courier_start(COURIER_COUNT, hydra_deliver);
    while (stress_goes_on()) {
        play_round(executor, &random);
    }
    courier_stop();
    courier_executor_end(executor);
    stress_need(
        "scopes stopped in the middle", mixed_count, round_number * INNER_COUNT,
        50);
    need_causes();
    return stress_end();
}
