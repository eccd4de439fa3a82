// SPDX-License-Identifier: MIT
//
// handle — the end of a task against all that may stop it.
//
// Tasks end by themselves at about the time when somebody asks them to stop:
// the owner, other tasks and couriers by their handle, a deadline of their own,
// sometimes the whole scope. A courier waits for a task's last statement, and
// cancels between that and its end.
//
// Laws: a task has one outcome, the same for its callback, its handle and the
// counters; it fits what the task saw and did; of all who cancel one task one
// wins at most; who was not asked sees no cancel; every argument is destroyed
// once, after the callback.

#include "courier.h"
#include "report.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#define LAW_ONCE "a task runs once at most"
#define LAW_OUTCOME "a task has one outcome, told alike by all"
#define LAW_LEGAL "the outcome fits what the task saw and did"
#define LAW_WINNER "one cancel of a task wins at most"
#define LAW_FALSE "a cancel is refused only by an end or by another stop"
#define LAW_POLL "after a cancel has returned, a poll is true"
#define LAW_ALONE "who was not asked to stop does not see a cancel"
#define LAW_EARLY "no deadline of a task fires early"
#define LAW_DESTROYED "every argument is destroyed once, after its callback"
#define LAW_CAUSE "the scope's cause is explicit if a cancel of it won"

enum { ITEM_COUNT = 48, COURIER_COUNT = 2, VISIT_COUNT = 40 };

// What a task does about being asked to stop.
enum habit {
    DEAF,      // it does not look, and succeeds
    OBEDIENT,  // it stops if it sees it in time
    CLAIMING,  // it says that it was cancelled, without a look
    FAILING,   // it fails, whatever it sees
    HABIT_COUNT
};

struct item {
    tenon_handle handle;
    struct stress_random random;  // of who has the task: spawner, then worker
    enum habit habit;
    uint64_t deadline_ns;  // 0: none
    bool was_admitted;
    _Atomic(uint32_t) asked_count;  // cancels that have begun
    _Atomic(uint32_t) won_count;    // cancels that returned true
    _Atomic(bool) was_told;         // a cancel has returned
    _Atomic(bool) is_ending;        // its function has nothing more to do
    _Atomic(uint32_t) run_count;
    _Atomic(uint32_t) done_count;
    _Atomic(uint32_t) destroyed_count;

    // The task's own account.
    bool must_be_set;  // its token, when it returned: it was seen, or told
    int returned;

    // As the callback was told.
    tenon_outcome outcome;
    int status;
};

static struct item items[ITEM_COUNT];
static _Atomic(uint32_t) ready_count;  // items whose handles may be used
static tenon_scope scope;
static bool can_scope_stop;  // by a deadline or a failure
static _Atomic(uint32_t) scope_asked_count;
static _Atomic(uint32_t) scope_won_count;
static _Atomic(bool) was_scope_told;
static struct report_tally tally;
static uint64_t round_number;

static uint64_t totals[TENON_OUTCOME_DROPPED + 1];
static uint64_t asked_total;
static uint64_t deadline_total;
static uint64_t completed_though_asked_total;
static uint64_t completed_before_deadline_total;
static uint64_t timed_out_total;
static _Atomic(uint64_t) late_count;      // cancels of a task at its end
static _Atomic(uint64_t) late_won_count;  // of them, those that set its token

// --- Cancelling ---

static void cancel_scope(void)
{
    STRESS_COUNT(scope_asked_count);
    if (tenon_scope_cancel(&scope, 1, "all")) {
        STRESS_COUNT(scope_won_count);
    }
    atomic_store(&was_scope_told, true);
}

static bool may_scope_stop(void)
{
    return can_scope_stop || atomic_load(&scope_asked_count) > 0;
}

static bool has_begun(const struct item *item)
{
    return atomic_load(&item->run_count) > 0;
}

static bool is_ending(const struct item *item)
{
    return atomic_load(&item->is_ending);
}

static void cancel_item(struct item *item)
{
    bool is_late = is_ending(item);

    atomic_fetch_add(&item->asked_count, 1);
    bool has_won = tenon_handle_cancel(&item->handle, 2, "you");
    if (has_won) {
        STRESS_COUNT(item->won_count);
    } else if (
        item->was_admitted && item->deadline_ns == 0 && !may_scope_stop() &&
        atomic_load(&item->asked_count) == 1 && !is_ending(item)) {
        stress_broke(LAW_FALSE, "of item %zd", item - items);
    }
    atomic_store(&item->was_told, true);
    if (is_late) {
        atomic_fetch_add(&late_count, 1);
        atomic_fetch_add(&late_won_count, has_won ? 1 : 0);
    }
}

static struct item *any_item(struct stress_random *random)
{
    uint32_t count = atomic_load(&ready_count);

    return count == 0 ? NULL : &items[stress_below(random, count)];
}

static void cancel_any(struct stress_random *random)
{
    struct item *item = any_item(random);

    if (item != NULL) {
        cancel_item(item);
    }
}

static void wait_for(
    const struct item *item, bool (*has_come)(const struct item *item))
{
    uint64_t until_ns = stress_now_ns() + 20000;

    while (!has_come(item) && stress_now_ns() < until_ns) {
        sched_yield();
    }
}

static void cancel_in_time(struct item *item, struct stress_random *random)
{
    switch (stress_below(random, 3)) {
    case 0:
        wait_for(item, has_begun);
        break;
    case 1:
        wait_for(item, is_ending);
        stress_spin_ns(stress_below(random, 400));
        break;
    default:
        break;
    }
    cancel_item(item);
}

static void deliver(
    tenon_scope_ref *ref, void *unused, struct stress_random *random)
{
    (void)ref;
    (void)unused;
    for (int i = 0; i < VISIT_COUNT; i++) {
        struct item *item = any_item(random);
        if (item == NULL) {
            sched_yield();
            continue;
        }
        cancel_in_time(item, random);
    }
    if (stress_chance(random, 30)) {
        cancel_scope();
    }
}

// --- A task ---

static bool poll(tenon_task *self, struct item *item)
{
    bool must_see =
        atomic_load(&item->was_told) || atomic_load(&was_scope_told);
    bool is_cancelled = tenon_cancelled(self);

    if (must_see && !is_cancelled) {
        stress_broke(LAW_POLL, "it was false");
    }
    if (is_cancelled && atomic_load(&item->asked_count) == 0 &&
        item->deadline_ns == 0 && !may_scope_stop()) {
        stress_broke(LAW_ALONE, "item %zd did", item - items);
    }
    item->must_be_set |= is_cancelled;
    return is_cancelled;
}

static int work(tenon_task *self, struct item *item)
{
    uint64_t until_ns = stress_now_ns() + stress_below(&item->random, 8000);

    while (stress_now_ns() < until_ns) {
        if (item->habit == OBEDIENT && poll(self, item)) {
            return TENON_CANCELLED;
        }
    }
    switch (item->habit) {
    case CLAIMING:
        return TENON_CANCELLED;
    case FAILING:
        (void)poll(self, item);
        return 3;
    default:
        return TENON_OK;
    }
}

static int run_item(tenon_task *self, void *arg)
{
    struct item *item = arg;

    if (STRESS_COUNT(item->run_count) > 0) {
        stress_broke(LAW_ONCE, "item %zd did again", item - items);
    }
    if (stress_chance(&item->random, 6)) {
        cancel_any(&item->random);
    }
    item->returned = work(self, item);
    if (item->habit != DEAF && atomic_load(&item->was_told)) {
        item->must_be_set = true;
    }
    atomic_store(&item->is_ending, true);
    stress_perturb(&item->random);
    return item->returned;
}

// The task has not ended for the others: its token may still be set.
static void note_done(const tenon_completion *completion, void *context)
{
    struct item *item = context;

    if (completion->handle != &item->handle || completion->arg != item ||
        STRESS_READ(item->destroyed_count) > 0) {
        stress_broke(LAW_DESTROYED, "before its callback");
    }
    item->outcome = completion->outcome;
    item->status = completion->status;
    if (item->status == TENON_TIMEOUT && tenon_now_ns() < item->deadline_ns) {
        stress_broke(LAW_EARLY, "item %zd", item - items);
    }
    STRESS_COUNT(item->done_count);
    stress_perturb(&item->random);
}

static void destroy(void *arg)
{
    struct item *item = arg;

    STRESS_COUNT(item->destroyed_count);
    stress_perturb(&item->random);
}

// --- The verdict ---

static bool is_of(
    const struct item *item, tenon_outcome outcome, tenon_status status)
{
    return item->outcome == outcome && item->status == status;
}

// Stopped by its own deadline: then no cancel of it has won.
static bool is_timeout(const struct item *item)
{
    return is_of(item, TENON_OUTCOME_FAILED, TENON_TIMEOUT) &&
           item->deadline_ns != 0 && item->won_count == 0;
}

static bool is_legal(const struct item *item, bool was_scope_set)
{
    bool was_stopped = item->won_count > 0 || was_scope_set;

    if (item->run_count == 0) {
        return is_timeout(item) ||
               (is_of(item, TENON_OUTCOME_DROPPED, TENON_CANCELLED) &&
                was_stopped);
    }
    if (item->returned == TENON_OK) {
        return is_of(item, TENON_OUTCOME_OK, TENON_OK);
    }
    if (item->returned != TENON_CANCELLED) {
        return is_of(item, TENON_OUTCOME_FAILED, item->returned);
    }
    if (is_of(item, TENON_OUTCOME_CANCELLED, TENON_CANCELLED)) {
        return was_stopped;
    }
    return is_timeout(item) ||
           (is_of(item, TENON_OUTCOME_FAILED, TENON_CANCELLED) &&
            !item->must_be_set);
}

static void count_outcome(const struct item *item)
{
    bool is_own = item->run_count > 0 && item->status == item->returned &&
                  item->status != TENON_CANCELLED;

    tally.ok_count += item->outcome == TENON_OUTCOME_OK;
    tally.failed_count += item->outcome == TENON_OUTCOME_FAILED;
    tally.cancelled_count += item->outcome == TENON_OUTCOME_CANCELLED;
    tally.stopped_alone_count +=
        item->won_count > 0 && (item->outcome == TENON_OUTCOME_CANCELLED ||
                                item->outcome == TENON_OUTCOME_DROPPED);
    totals[item->outcome]++;
    asked_total += item->asked_count > 0;
    completed_though_asked_total += item->asked_count > 0 && is_own;
    deadline_total += item->deadline_ns != 0;
    completed_before_deadline_total += item->deadline_ns != 0 && is_own;
    timed_out_total += item->status == TENON_TIMEOUT;
}

static void judge_item(const struct item *item, bool was_scope_set)
{
    tenon_outcome outcome = TENON_OUTCOME_NONE;
    int status = TENON_OK;
    tenon_status found = tenon_handle_outcome(&item->handle, &outcome, &status);

    stress_expect_equal(LAW_DESTROYED, item->destroyed_count, 1);
    stress_expect_equal(LAW_OUTCOME, item->done_count, item->was_admitted);
    stress_expect(item->won_count <= 1, LAW_WINNER);
    if (!item->was_admitted) {
        stress_expect(
            found == TENON_ENOTREADY && item->run_count == 0, LAW_OUTCOME);
        return;
    }
    stress_expect(
        found == TENON_OK && outcome == item->outcome && status == item->status,
        LAW_OUTCOME);
    if (!stress_expect(is_legal(item, was_scope_set), LAW_LEGAL)) {
        printf(
            "# outcome %d, status %d; habit %d, run %u, returned %d, set %d, "
            "won %u, has deadline %d\n",
            (int)item->outcome, item->status, (int)item->habit, item->run_count,
            item->returned, item->must_be_set, item->won_count,
            item->deadline_ns != 0);
    }
    count_outcome(item);
}

// --- A round ---

static void open_scope(tenon_executor *executor, struct stress_random *random)
{
    bool has_deadline = stress_chance(random, 8);

    tally = (struct report_tally){
        .policy = stress_chance(random, 8) ? TENON_POLICY_FAIL_FAST
                                           : TENON_POLICY_COLLECT_ALL,
        .max_errors = 16,
    };
    can_scope_stop = has_deadline || tally.policy == TENON_POLICY_FAIL_FAST;
    tenon_status status = tenon_scope_open(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = tally.policy,
                .timeout_ns =
                    has_deadline ? 1 + stress_below(random, 300000) : 0));
    if (status != TENON_OK) {
        stress_die("no scope: %s", tenon_status_name(status));
    }
}

static void spawn_item(struct item *item, struct stress_random *random)
{
    item->random.state = stress_random_next(random);
    item->habit = (enum habit)stress_below(random, HABIT_COUNT);
    item->deadline_ns = stress_chance(random, 4)
                            ? tenon_now_ns() + stress_below(random, 60000)
                            : 0;
    tenon_status status = tenon_spawn_task(
        &scope, &item->handle, run_item, item,
        TENON_TASK_OPTIONS(
                .deadline_ns = item->deadline_ns, .destroy_arg = destroy,
                .on_done = note_done, .on_done_context = item));
    report_count_spawn(&tally, status);
    item->was_admitted = status == TENON_OK;
    atomic_fetch_add(&ready_count, 1);
}

static void reset(void)
{
    round_number++;
    memset(items, 0, sizeof(items));
    atomic_store(&ready_count, 0);
    atomic_store(&scope_asked_count, 0);
    atomic_store(&scope_won_count, 0);
    atomic_store(&was_scope_told, false);
}

static void play_round(tenon_executor *executor, struct stress_random *random)
{
    tenon_report report = {0};

    reset();
    open_scope(executor, random);
    for (int i = 0; i < COURIER_COUNT; i++) {
        courier_send(&scope, NULL);
    }
    for (int i = 0; i < ITEM_COUNT; i++) {
        spawn_item(&items[i], random);
        if (stress_chance(random, 4)) {
            cancel_any(random);
        }
        if (stress_chance(random, 10 * ITEM_COUNT)) {
            cancel_scope();
        }
        stress_perturb(random);
    }
    tenon_status status = tenon_scope_join(&scope, TENON_OK, &report);
    for (int i = 0; i < ITEM_COUNT; i++) {
        judge_item(&items[i], report.cancel_requested);
    }
    report_check(&tally, &report, status);
    stress_expect_equal(
        LAW_CAUSE, report.cause.source == TENON_CAUSE_EXPLICIT,
        scope_won_count);
    tenon_report_free(&report);
}

static void dump(void)
{
    fprintf(
        stderr, "#   round %llu: %u of %d items spawned\n",
        (unsigned long long)round_number, STRESS_READ(ready_count), ITEM_COUNT);
    for (int i = 0; i < ITEM_COUNT; i++) {
        fprintf(
            stderr, "#   item %d: run %u, ending %d, done %u, asked %u\n", i,
            STRESS_READ(items[i].run_count), STRESS_READ(items[i].is_ending),
            STRESS_READ(items[i].done_count),
            STRESS_READ(items[i].asked_count));
    }
}

static void name_laws(void)
{
    report_laws();
    stress_law(LAW_ONCE);
    stress_law(LAW_FALSE);
    stress_law(LAW_POLL);
    stress_law(LAW_ALONE);
    stress_law(LAW_EARLY);
}

static void need_overlap(void)
{
    uint64_t late = STRESS_READ(late_count);
    uint64_t late_won = STRESS_READ(late_won_count);

    stress_need(
        "completed though asked to stop", completed_though_asked_total,
        asked_total, 50);
    stress_need(
        "cancelled as they ran", totals[TENON_OUTCOME_CANCELLED], asked_total,
        2);
    stress_need(
        "dropped before they ran", totals[TENON_OUTCOME_DROPPED], asked_total,
        20);
    stress_need("timed out", timed_out_total, deadline_total, 20);
    stress_need(
        "completed before their deadline", completed_before_deadline_total,
        deadline_total, 20);
    stress_need("cancelled between return and end", late_won, late, 1);
    stress_need("ended before a late cancel", late - late_won, late, 10);
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv, "handle");
    stress_on_hang(dump);
    name_laws();
    struct stress_random random = stress_random_make(0);
    tenon_executor *executor = courier_executor(stress_worker_count(3), 0);
    courier_start(COURIER_COUNT, deliver);
    while (stress_goes_on()) {
        play_round(executor, &random);
    }
    courier_stop();
    courier_executor_end(executor);
    need_overlap();
    return stress_end();
}
