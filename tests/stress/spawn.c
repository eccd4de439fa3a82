// SPDX-License-Identifier: MIT
//
// spawn — a cancel against spawns: of the owner, of members, of references.
//
// In each round the owner, some of its tasks and couriers spawn into one scope
// until they are refused. Meanwhile somebody cancels it: one of them, a task
// that has just begun, a token above, a deadline, a failure. The owner is by
// turns a foreign thread and a task.
//
// Laws: nobody is refused before a cancel has begun; nobody is admitted after
// one has returned, or after he heard of a refusal; what was refused never runs
// and is destroyed before the spawn returns; what was admitted runs or is
// dropped, and is destroyed once.

#include "courier.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAW_EARLY "nobody is refused before a cancel has begun"
#define LAW_LATE "nobody is admitted after a cancel has returned"
#define LAW_MONOTONE "who has heard of a refusal is refused"
#define LAW_REFUSED "what was refused does not run, and is destroyed at once"
#define LAW_DESTROYED "what was admitted is destroyed exactly once"
#define LAW_RUN "an admitted task runs once, or is dropped"
#define LAW_ALWAYS "a task that must start is not dropped"
#define LAW_POLL "after a cancel has returned, a poll is true"
#define LAW_CAUSE "the cause is of who has cancelled"

enum { BURST_MAX = 300, MEMBER_COUNT = 2, REFERENCE_COUNT = 2 };

enum kind { OWNER, MEMBER, REFERENCE, KIND_COUNT };

// Who cancels in a round.
enum way {
    BY_OWNER,
    BY_MEMBER,     // after some spawns of its own
    BY_REFERENCE,  // likewise
    BY_TASK,       // as the first thing that it does
    BY_FAILURE,    // of such a task
    BY_TOKEN,      // above, by a thread that has no other business
    BY_DEADLINE,
    WAY_COUNT
};

enum form { PLAIN, WITH, HANDLED, TRIED, FORM_COUNT };

struct argument {
    tenon_handle handle;
    enum form form;
    bool must_start;
    bool cancels;  // BY_TASK, BY_FAILURE
    bool was_admitted;
    _Atomic(uint32_t) run_count;
    _Atomic(uint32_t) destroyed_count;
};

struct spawner {
    enum kind kind;
    struct stress_random random;
    uint32_t used_count;
    uint32_t admitted_count;
    uint32_t cancel_index;  // cancels after so many, or a task of it does
    struct argument arguments[BURST_MAX];
};

// --- The round ---

static struct spawner spawners[1 + MEMBER_COUNT + REFERENCE_COUNT];
static tenon_scope *scope;
static tenon_token token;
static enum way way;
static uint32_t max_running;
static uint64_t deadline_ns;
static struct report_tally tally;
static _Atomic(bool) has_begun;     // a cancel, or a failure
static _Atomic(bool) has_returned;  // a cancel
static _Atomic(bool) was_refused;   // somebody
static _Atomic(uint32_t) won_count;
static _Atomic(uint64_t) round_number;

static uint64_t burst_counts[KIND_COUNT];
static uint64_t cut_counts[KIND_COUNT];
static uint64_t way_counts[WAY_COUNT];
static uint64_t dropped_total;
static uint64_t ran_total;
static _Atomic(uint64_t) admitted_meanwhile_count;  // while a cancel ran
static _Atomic(uint64_t) refused_meanwhile_count;

// --- Cancelling ---

static void cancel(void)
{
    atomic_store(&has_begun, true);
    bool has_won = way == BY_TOKEN
                       ? tenon_token_cancel(&token, (int)way + 1, "from above")
                       : tenon_scope_cancel(scope, (int)way + 1, "from here");
    if (has_won) {
        STRESS_COUNT(won_count);
    }
    atomic_store(&has_returned, true);
}

static bool may_be_cancelled(void)
{
    return atomic_load(&has_begun) ||
           (way == BY_DEADLINE && tenon_now_ns() >= deadline_ns);
}

// --- Tasks ---

static int run_argument(tenon_task *self, void *arg)
{
    struct argument *argument = arg;
    int status = TENON_OK;

    if (STRESS_COUNT(argument->run_count) > 0) {
        stress_broke(LAW_RUN, "it ran again");
    }
    if (argument->cancels && way == BY_FAILURE) {
        atomic_store(&has_begun, true);
        status = 5;
    } else if (argument->cancels) {
        cancel();
    }
    bool must_see = atomic_load(&has_returned);
    bool is_cancelled = tenon_cancelled(self);
    if (must_see && !is_cancelled) {
        stress_broke(LAW_POLL, "it was false");
    }
    if (is_cancelled && status == TENON_OK) {
        status = TENON_CANCELLED;
    }
    report_count_end(&tally, status, false);
    return status;
}

static void destroy(void *arg)
{
    struct argument *argument = arg;

    STRESS_COUNT(argument->destroyed_count);
}

// --- Spawners ---

static struct argument *next_argument(struct spawner *spawner)
{
    struct argument *argument = &spawner->arguments[spawner->used_count];
    bool tasks_cancel = way == BY_TASK || way == BY_FAILURE;

    memset(argument, 0, sizeof(*argument));
    argument->cancels =
        tasks_cancel && spawner->used_count == spawner->cancel_index;
    argument->must_start = stress_chance(&spawner->random, 8);
    argument->form = (enum form)stress_below(&spawner->random, FORM_COUNT);
    if (argument->form == TRIED && max_running > 0) {
        argument->form = HANDLED;  // it must not be refused for that
    }
    spawner->used_count++;
    return argument;
}

static tenon_status spawn(struct argument *argument, tenon_scope_ref *ref)
{
    const tenon_task_options *options = TENON_TASK_OPTIONS(
            .destroy_arg = destroy, .start_always = argument->must_start);

    if (ref != NULL) {
        argument->form = WITH;
        return tenon_ref_spawn(ref, run_argument, argument, options);
    }
    switch (argument->form) {
    case PLAIN:
        argument->must_start = false;
        argument->destroyed_count = 1;  // nobody will
        return tenon_spawn(scope, run_argument, argument);
    case HANDLED:
        return tenon_spawn_task(
            scope, &argument->handle, run_argument, argument, options);
    case TRIED:
        return tenon_try_spawn(scope, NULL, run_argument, argument, options);
    default:
        return tenon_spawn_with(scope, run_argument, argument, options);
    }
}

static void check_refusal(const struct argument *argument)
{
    if (!may_be_cancelled() || !tenon_scope_cancelled(scope)) {
        stress_broke(LAW_EARLY, "way %d", (int)way);
    }
    if (STRESS_READ(argument->destroyed_count) != 1) {
        stress_broke(LAW_REFUSED, "it still lives");
    }
}

// False: refused.
static bool spawn_one(struct spawner *spawner, tenon_scope_ref *ref)
{
    struct argument *argument = next_argument(spawner);
    bool has_heard = atomic_load(&was_refused);
    bool was_cancelled = atomic_load(&has_returned);
    bool is_meanwhile =
        way != BY_FAILURE && atomic_load(&has_begun) && !was_cancelled;
    tenon_status status = spawn(argument, ref);

    report_count_spawn(&tally, status);
    argument->was_admitted = status == TENON_OK;
    if (status != TENON_OK) {
        check_refusal(argument);
        atomic_store(&was_refused, true);
        atomic_fetch_add(&refused_meanwhile_count, is_meanwhile);
        return false;
    }
    atomic_fetch_add(&admitted_meanwhile_count, is_meanwhile);
    spawner->admitted_count++;
    if (was_cancelled) {
        stress_broke(LAW_LATE, "way %d", (int)way);
    }
    if (has_heard) {
        stress_broke(LAW_MONOTONE, "way %d", (int)way);
    }
    return true;
}

static bool cancels_itself(const struct spawner *spawner)
{
    return (way == BY_OWNER && spawner->kind == OWNER) ||
           (way == BY_MEMBER && spawner->kind == MEMBER) ||
           (way == BY_REFERENCE && spawner->kind == REFERENCE);
}

static void spawn_burst(struct spawner *spawner, tenon_scope_ref *ref)
{
    uint32_t refused_count = 0;

    while (refused_count < 3 && spawner->used_count < BURST_MAX) {
        refused_count += !spawn_one(spawner, ref);
        stress_perturb(&spawner->random);
        if (cancels_itself(spawner) &&
            spawner->used_count == spawner->cancel_index) {
            cancel();
        }
    }
}

static int run_member(tenon_task *self, void *arg)
{
    (void)self;
    spawn_burst(arg, NULL);
    report_count_end(&tally, TENON_OK, false);
    return TENON_OK;
}

static void deliver(
    tenon_scope_ref *ref, void *parcel, struct stress_random *random)
{
    if (parcel != NULL) {
        spawn_burst(parcel, ref);
        return;
    }
    stress_spin_ns(stress_below(random, 60000));
    cancel();
}

// --- The owner ---

static void open_scope(tenon_executor *executor, struct stress_random *random)
{
    max_running = stress_chance(random, 4) ? 1 + stress_below(random, 3) : 0;
    deadline_ns = tenon_now_ns() + stress_below(random, 100000);
    tally = (struct report_tally){
        .policy = way == BY_FAILURE ? TENON_POLICY_FAIL_FAST
                                    : TENON_POLICY_COLLECT_ALL,
        .max_errors = 4,
    };
    tenon_status status = tenon_scope_open(
        scope, TENON_SCOPE_OPTIONS(
                       .executor = executor, .policy = tally.policy,
                       .max_running = max_running,
                       .parent = way == BY_TOKEN ? &token : NULL,
                       .deadline_ns = way == BY_DEADLINE ? deadline_ns : 0));
    if (status != TENON_OK) {
        stress_die("no scope: %s", tenon_status_name(status));
    }
}

static enum kind kind_of(uint64_t index)
{
    if (index == 0) {
        return OWNER;
    }
    return index <= MEMBER_COUNT ? MEMBER : REFERENCE;
}

static void prepare(struct spawner *spawner, enum kind kind, uint64_t stream)
{
    spawner->kind = kind;
    spawner->random = stress_random_make(stream);
    spawner->used_count = 0;
    spawner->admitted_count = 0;
    spawner->cancel_index = 1 + stress_below(&spawner->random, 80);
}

static void start_others(void)
{
    for (int i = 1; i <= MEMBER_COUNT; i++) {
        report_count_spawn(
            &tally, tenon_spawn(scope, run_member, &spawners[i]));
    }
    if (way == BY_TOKEN) {
        courier_send(scope, NULL);
    }
    for (int i = 1; i <= REFERENCE_COUNT; i++) {
        courier_send(scope, &spawners[MEMBER_COUNT + i]);
    }
}

// --- The verdict ---

static bool is_handle_right(const struct argument *argument)
{
    tenon_outcome outcome = TENON_OUTCOME_NONE;
    tenon_status found =
        tenon_handle_outcome(&argument->handle, &outcome, NULL);

    if (!argument->was_admitted) {
        return found == TENON_ENOTREADY;
    }
    return found == TENON_OK &&
           (outcome == TENON_OUTCOME_DROPPED) == (argument->run_count == 0);
}

static void judge_argument(const struct argument *argument)
{
    if (!argument->was_admitted) {
        stress_expect(
            argument->run_count == 0 && argument->destroyed_count == 1,
            LAW_REFUSED);
    } else {
        stress_expect_equal(LAW_DESTROYED, argument->destroyed_count, 1);
        stress_expect(
            !argument->must_start || argument->run_count == 1, LAW_ALWAYS);
        ran_total += argument->run_count;
    }
    if (argument->form == HANDLED) {
        stress_expect(is_handle_right(argument), LAW_RUN);
    }
}

static void judge_spawner(const struct spawner *spawner)
{
    uint32_t count = spawner->used_count;

    for (uint32_t i = 0; i < count; i++) {
        judge_argument(&spawner->arguments[i]);
    }
    burst_counts[spawner->kind] += count > 0;
    cut_counts[spawner->kind] +=
        spawner->admitted_count > 0 && spawner->admitted_count < count;
}

static tenon_cause_source source_of_way(void)
{
    switch (way) {
    case BY_TOKEN:
        return TENON_CAUSE_PARENT;
    case BY_FAILURE:
        return TENON_CAUSE_FAILURE;
    case BY_DEADLINE:
        return TENON_CAUSE_DEADLINE;
    default:
        return TENON_CAUSE_EXPLICIT;
    }
}

static void judge(const tenon_report *report)
{
    const tenon_cause *cause = &report->cause;
    bool is_told = cause->source == TENON_CAUSE_EXPLICIT || way == BY_TOKEN;

    for (size_t i = 0; i < sizeof(spawners) / sizeof(spawners[0]); i++) {
        judge_spawner(&spawners[i]);
    }
    dropped_total += report->dropped_count;
    way_counts[way] += cause->source != TENON_CAUSE_NONE;
    // Of all that cancelled, one has won; without any there is no cause.
    stress_expect_equal(
        LAW_CAUSE, won_count, is_told && cause->source != TENON_CAUSE_NONE);
    stress_expect(
        cause->source == TENON_CAUSE_NONE ||
            (cause->source == source_of_way() &&
             (!is_told || cause->code == (int)way + 1)),
        LAW_CAUSE);
}

static void own_scope(tenon_executor *executor)
{
    struct stress_random random = stress_random_make(~round_number);
    tenon_scope storage;
    tenon_report report = {0};

    scope = &storage;
    open_scope(executor, &random);
    start_others();
    spawn_burst(&spawners[0], NULL);
    tenon_status status = tenon_scope_join(scope, TENON_OK, &report);
    report_check(&tally, &report, status);
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
    round_number++;
    way = (enum way)(round_number / 2 % WAY_COUNT);
    atomic_store(&has_begun, false);
    atomic_store(&has_returned, false);
    atomic_store(&was_refused, false);
    atomic_store(&won_count, 0);
    for (uint64_t i = 0; i < sizeof(spawners) / sizeof(spawners[0]); i++) {
        prepare(&spawners[i], kind_of(i), round_number * 10 + i);
    }
    tenon_token_init(&token, NULL);
    if (round_number % 2 == 0) {
        own_scope(executor);
    } else {
        tenon_status status =
            tenon_run(executor, own_scope_in_task, NULL, NULL);
        stress_expect(status == TENON_OK, "the root scope joins well");
    }
    tenon_token_fini(&token);
}

static void dump(void)
{
    fprintf(
        stderr, "#   round %llu, way %d: a cancel begun %d, returned %d\n",
        (unsigned long long)round_number, (int)way, STRESS_READ(has_begun),
        STRESS_READ(has_returned));
}

static void name_laws(void)
{
    report_laws();
    stress_law(LAW_EARLY);
    stress_law(LAW_LATE);
    stress_law(LAW_MONOTONE);
    stress_law(LAW_REFUSED);
    stress_law(LAW_POLL);
}

static void need_overlap(void)
{
    printf(
        "# while a cancel ran: %llu admitted, %llu refused\n",
        (unsigned long long)STRESS_READ(admitted_meanwhile_count),
        (unsigned long long)STRESS_READ(refused_meanwhile_count));
    for (int i = 0; i < WAY_COUNT; i++) {
        printf(
            "# way %d: %llu cancelled\n", i, (unsigned long long)way_counts[i]);
    }
    stress_need(
        "bursts of owners cut short", cut_counts[OWNER], burst_counts[OWNER],
        50);
    stress_need(
        "bursts of members cut short", cut_counts[MEMBER], burst_counts[MEMBER],
        50);
    stress_need(
        "bursts of references cut short", cut_counts[REFERENCE],
        burst_counts[REFERENCE], 50);
    stress_need(
        "admitted and dropped", dropped_total, ran_total + dropped_total, 5);
    stress_need("admitted and run", ran_total, ran_total + dropped_total, 5);
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv, "spawn");
    stress_on_hang(dump);
    name_laws();
    tenon_executor *executor = courier_executor(stress_worker_count(3), 0);
    // One more, to cancel the token.
    courier_start(REFERENCE_COUNT + 1, deliver);
    while (stress_goes_on()) {
        play_round(executor);
    }
    courier_stop();
    courier_executor_end(executor);
    need_overlap();
    return stress_end();
}
