// SPDX-License-Identifier: MIT
//
// deadline — thousands of scopes with short timeouts, beside and in each other.
//
// A field is a thousand scopes of one foreign thread, open at once and joined
// in any order. A chain is scopes in tasks in scopes, with deadlines that are
// earlier, equal or later further in; its last task ends only when cancelled,
// so the workers are busy when the deadlines come.
//
// Laws: no deadline fires early, all fire; the outermost of equal ones does
// first, so that an inner scope is never said to have timed out when an outer
// deadline had come; the status follows from cause and counters.

#include "courier.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_SIZE 1000
#define CHAIN_MAX 5
#define CHAINS 50  // of a round
#define CHAIN_THREADS 2

#define LAW_EARLY "no deadline fires early"
#define LAW_OUTERMOST "of deadlines that have come the outermost fires first"
#define LAW_ORIGIN "what an inner scope sees is an outer deadline"
#define LAW_STOPPED "a task that waits for its cancel ends by a deadline"

struct plot {
    tenon_scope scope;
    struct report_tally tally;
    uint64_t deadline_ns;
    bool is_patient;  // its task ends only when cancelled
};

// One scope of a chain; the task that owns the next one runs in it.
struct link {
    struct link *outer;
    struct stress_random random;
    uint32_t left;  // links further in
    uint64_t deadline_ns;
    struct report_tally tally;
};

struct farmer {
    pthread_t thread;
    tenon_executor *executor;
    struct stress_random random;
};

static struct plot field[FIELD_SIZE];
static _Atomic(uint64_t) scope_count;
static _Atomic(uint64_t) fired_count;
static _Atomic(uint64_t) latest_ns;  // after its time
static _Atomic(uint64_t) round_number;

// --- Laws about one report ---

static void note_lateness(uint64_t late_ns)
{
    uint64_t before_ns = atomic_load(&latest_ns);

    while (late_ns > before_ns &&
           !atomic_compare_exchange_weak(&latest_ns, &before_ns, late_ns)) {
    }
}

static void check_cause(const tenon_cause *cause, uint64_t deadline_ns)
{
    STRESS_COUNT(scope_count);
    if (cause->source != TENON_CAUSE_DEADLINE) {
        return;
    }
    STRESS_COUNT(fired_count);
    if (cause->time_ns < deadline_ns) {
        stress_broke(
            LAW_EARLY, "by %llu ns",
            (unsigned long long)(deadline_ns - cause->time_ns));
    } else {
        note_lateness(cause->time_ns - deadline_ns);
    }
}

// --- The field ---

static int work_plot(tenon_task *self, void *arg)
{
    struct plot *plot = arg;
    int status = TENON_OK;

    while (plot->is_patient && !tenon_cancelled(self)) {
    }
    if (tenon_cancelled(self)) {
        status = TENON_CANCELLED;
    }
    report_count_end(&plot->tally, status, false);
    return status;
}

static void open_plot(
    struct plot *plot, tenon_executor *executor, struct stress_random *random)
{
    uint64_t now_ns = tenon_now_ns();

    memset(plot, 0, sizeof(*plot));
    plot->tally.max_errors = 16;
    plot->is_patient = stress_chance(random, 4);
    plot->deadline_ns = now_ns + stress_below(random, 3000000);
    if (stress_chance(random, 16)) {
        plot->deadline_ns = now_ns - stress_below(random, 1000);  // past
    }
    if (!plot->is_patient && stress_chance(random, 4)) {
        plot->deadline_ns = now_ns + TENON_SECONDS(60);
    }
    tenon_status status = tenon_scope_open(
        &plot->scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .deadline_ns = plot->deadline_ns));
    if (status != TENON_OK) {
        stress_die("no scope: %s", tenon_status_name(status));
    }
    report_count_spawn(
        &plot->tally, tenon_spawn(&plot->scope, work_plot, plot));
}

static void join_plot(struct plot *plot)
{
    tenon_report report = {0};
    tenon_status status = tenon_scope_join(&plot->scope, TENON_OK, &report);

    report_check(&plot->tally, &report, status);
    check_cause(&report.cause, plot->deadline_ns);
    stress_expect(!plot->is_patient || status == TENON_TIMEOUT, LAW_STOPPED);
    tenon_report_free(&report);
    stress_step();
}

static void work_field(tenon_executor *executor, struct stress_random *random)
{
    for (uint32_t i = 0; i < FIELD_SIZE; i++) {
        open_plot(&field[i], executor, random);
    }
    uint32_t start = stress_below(random, FIELD_SIZE);
    for (uint32_t i = 0; i < FIELD_SIZE; i++) {
        join_plot(&field[(start + i * 7) % FIELD_SIZE]);
    }
}

// --- Chains ---

// Earlier than, equal to, or later than the deadline of the scope around it.
static uint64_t inner_deadline(struct link *link)
{
    uint64_t outer_ns = link->outer == NULL ? tenon_now_ns() + 200000
                                            : link->outer->deadline_ns;

    switch (stress_below(&link->random, 4)) {
    case 0:
        return outer_ns - stress_below(&link->random, 100000);
    case 1:
        return outer_ns + stress_below(&link->random, 100000);
    default:
        return outer_ns;
    }
}

static bool has_earlier_outer(const struct link *link)
{
    for (const struct link *outer = link->outer; outer != NULL;
         outer = outer->outer) {
        if (outer->deadline_ns <= link->deadline_ns) {
            return true;
        }
    }
    return false;
}

static void check_link(
    const struct link *link, const tenon_report *report, tenon_status status)
{
    const tenon_cause *cause = &report->cause;

    report_check(&link->tally, report, status);
    check_cause(cause, link->deadline_ns);
    if (cause->source == TENON_CAUSE_DEADLINE && has_earlier_outer(link)) {
        stress_broke(LAW_OUTERMOST, "the inner one did");
    }
    if (cause->source == TENON_CAUSE_PARENT &&
        cause->origin != TENON_CAUSE_DEADLINE) {
        stress_broke(LAW_ORIGIN, "it is source %d", (int)cause->origin);
    }
}

static int run_link(tenon_task *self, void *arg);

static void use_link(struct link *link, tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report = {0};

    link->deadline_ns = inner_deadline(link);
    if (stress_chance(&link->random, 8)) {
        // Opened after its time, and maybe before the timer has noticed.
        while (tenon_now_ns() < link->deadline_ns) {
        }
    }
    tenon_status status = tenon_scope_open(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .deadline_ns = link->deadline_ns));
    if (status != TENON_OK) {
        stress_die("no scope: %s", tenon_status_name(status));
    }
    report_count_spawn(&link->tally, tenon_spawn(&scope, run_link, link));
    status = tenon_scope_join(&scope, TENON_OK, &report);
    check_link(link, &report, status);
    tenon_report_free(&report);
}

static int run_link(tenon_task *self, void *arg)
{
    struct link *outer = arg;

    if (outer->left == 0) {
        while (!tenon_cancelled(self)) {
        }
        report_count_end(&outer->tally, TENON_CANCELLED, false);
        return TENON_CANCELLED;
    }
    struct link link = {
        .outer = outer,
        .random = outer->random,
        .left = outer->left - 1,
        .tally.max_errors = 16,
    };
    use_link(&link, NULL);
    int status = tenon_cancelled(self) ? TENON_CANCELLED : TENON_OK;
    report_count_end(&outer->tally, status, false);
    return status;
}

static void *farmer_main(void *arg)
{
    struct farmer *farmer = arg;

    for (uint32_t i = 0; i < CHAINS; i++) {
        struct link link = {
            .random = {stress_random_next(&farmer->random)},
            .left = stress_below(&farmer->random, CHAIN_MAX),
            .tally.max_errors = 16,
        };
        use_link(&link, farmer->executor);
        stress_step();
    }
    return NULL;
}

// --- A round ---

static void play_round(tenon_executor *executor, struct stress_random *random)
{
    struct farmer farmers[CHAIN_THREADS];

    round_number++;
    for (uint32_t i = 0; i < CHAIN_THREADS; i++) {
        farmers[i].executor = executor;
        farmers[i].random = stress_random_make(round_number * 10 + i);
        farmers[i].thread = stress_thread_start(farmer_main, &farmers[i]);
    }
    work_field(executor, random);
    for (uint32_t i = 0; i < CHAIN_THREADS; i++) {
        stress_thread_join(farmers[i].thread);
    }
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv, "deadline");
    report_laws();
    stress_law(LAW_EARLY);
    stress_law(LAW_OUTERMOST);
    stress_law(LAW_ORIGIN);
    struct stress_random random = stress_random_make(0);
    tenon_executor *executor = courier_executor(stress_worker_count(2), 0);
    while (stress_goes_on()) {
        play_round(executor, &random);
    }
    courier_executor_end(executor);
    printf(
        "# the latest fired %llu us after its time\n",
        (unsigned long long)STRESS_READ(latest_ns) / 1000);
    stress_need("deadlines that fired", fired_count, scope_count, 100);
    return stress_end();
}
