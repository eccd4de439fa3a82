// SPDX-License-Identifier: MIT
//
// nested — scopes in tasks in scopes, forks in between, failures everywhere.
//
// Each scope has a tally, kept by its own members as they end. Failure codes
// are numbers of a table, so that an error tells what should hang below it.
//
// Laws: a report agrees with the tally of its scope, error by error; the kept
// errors are bounded, in order, with the right one as primary; errors of inner
// scopes joined without a report hang below the failure of their task.

#include "courier.h"
#include "report.h"

#define DEPTH_MAX 5
#define MEMBER_MAX 6
#define FAILURE_MAX 20000

#define LAW_CHILDREN "inner errors hang below the failure of their task"

// What a task of the table failed with, and gathered before.
static _Atomic(uint64_t) gathered_counts[FAILURE_MAX];
static _Atomic(uint32_t) next_failure;

static _Atomic(uint64_t) next_stream;
static _Atomic(uint64_t) member_count;
static _Atomic(uint64_t) elsewhere_count;  // run on another thread
static _Atomic(uint64_t) error_total;
static _Atomic(uint64_t) round_number;

// A spawned or forked task: lives in the frame that joins it.
struct member {
    tenon_task task;  // forked
    struct report_tally *tally;
    uint32_t depth;
    const void *starter;
};

// What a running member knows about its own failure.
struct self {
    tenon_task *task;
    struct stress_random random;
    struct report_tally *tally;  // of the scope that it is a member of
    uint32_t depth;
    uint64_t gathered_count;
    int passed_on;  // a forked child's code that it may return, or 0
};

static int run_member(tenon_task *task, void *arg);

static struct member make_member(struct self *self, struct report_tally *tally)
{
    return (struct member){
        .tally = tally,
        .depth = self->depth + 1,
        .starter = stress_thread(),
    };
}

// --- Failing ---

static int new_code(uint64_t gathered_count)
{
    uint32_t index = STRESS_COUNT(next_failure) % FAILURE_MAX;

    atomic_store(&gathered_counts[index], gathered_count);
    return (int)index + 1;
}

static int fail(struct self *self)
{
    int code = new_code(self->gathered_count);

    switch (stress_below(&self->random, 4)) {
    case 0:
        return tenon_fail(self->task, code, "failure %d", code);
    case 1:
        return tenon_fail_fatal(self->task, code, "fatal failure %d", code);
    default:
        return code;
    }
}

static int end_of(struct self *self)
{
    if (self->passed_on != 0 && self->gathered_count == 0 &&
        stress_chance(&self->random, 2)) {
        STRESS_COUNT(self->tally->passed_on_count);
        return self->passed_on;
    }
    if (stress_chance(&self->random, 6)) {
        return fail(self);
    }
    if (tenon_cancelled(self->task) && stress_chance(&self->random, 2)) {
        return TENON_CANCELLED;
    }
    return TENON_OK;
}

// --- Scopes ---

static void spawn_members(
    struct self *self, tenon_scope *scope, struct report_tally *tally,
    struct member *members, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        members[i] = make_member(self, tally);
        tenon_status status = tenon_spawn(scope, run_member, &members[i]);
        report_count_spawn(tally, status);
        stress_perturb(&self->random);
    }
}

static int body_of(struct self *self, tenon_scope *scope)
{
    if (stress_chance(&self->random, 12)) {
        return new_code(0);
    }
    if (tenon_scope_cancelled(scope) && stress_chance(&self->random, 2)) {
        return TENON_CANCELLED;
    }
    return TENON_OK;
}

static uint64_t gathered_by(const tenon_error *error)
{
    uint64_t count = error->children_dropped_count;

    for (const tenon_error *child = error->children; child != NULL;
         child = child->next) {
        count++;
    }
    return count;
}

static void check_children(const tenon_report *report)
{
    for (const tenon_error *error = report->errors; error != NULL;
         error = error->next) {
        if (error->code <= 0 || error->code > FAILURE_MAX) {
            stress_broke(LAW_CHILDREN, "code %d", error->code);
            continue;
        }
        uint64_t wanted = atomic_load(&gathered_counts[error->code - 1]);
        if (gathered_by(error) != wanted) {
            stress_broke(
                LAW_CHILDREN, "%llu, not %llu",
                (unsigned long long)gathered_by(error),
                (unsigned long long)wanted);
        }
    }
    atomic_fetch_add(&error_total, report->error_count);
}

static void open_scope(
    struct self *self, tenon_scope *scope, struct report_tally *tally)
{
    *tally = (struct report_tally){
        .policy = stress_chance(&self->random, 2) ? TENON_POLICY_COLLECT_ALL
                                                  : TENON_POLICY_FAIL_FAST,
        .max_errors = 1 + stress_below(&self->random, 4),
    };
    tenon_status status = tenon_scope_open(
        scope,
        TENON_SCOPE_OPTIONS(
                .policy = tally->policy, .max_errors = tally->max_errors));
    if (status != TENON_OK) {
        stress_die("no scope: %s", tenon_status_name(status));
    }
}

static void nest(struct self *self)
{
    struct member members[MEMBER_MAX];
    struct report_tally tally;
    tenon_scope scope;
    tenon_report report = {0};

    open_scope(self, &scope, &tally);
    spawn_members(
        self, &scope, &tally, members, stress_below(&self->random, MEMBER_MAX));
    if (stress_chance(&self->random, 10)) {
        tenon_scope_cancel(&scope, 1, "at random");
    }
    int body = body_of(self, &scope);
    tally.body_failed_count = body > 0;
    if (stress_chance(&self->random, 3)) {
        // Without a report the errors travel up. Their number is the tally's.
        tenon_status status = tenon_scope_join(&scope, body, NULL);
        report_check_status(&tally, status);
        self->gathered_count += report_error_count(&tally);
        return;
    }
    tenon_status status = tenon_scope_join(&scope, body, &report);
    report_check(&tally, &report, status);
    check_children(&report);
    tenon_report_free(&report);
}

// --- Forks ---

static void fork_two(struct self *self)
{
    struct member children[2];

    for (int i = 0; i < 2; i++) {
        children[i] = make_member(self, self->tally);
        children[i].depth |= UINT32_C(1) << 16;  // forked
        tenon_fork(self->task, &children[i].task, run_member, &children[i]);
        stress_perturb(&self->random);
    }
    if (stress_chance(&self->random, 3)) {
        nest(self);
    }
    for (int i = 1; i >= 0; i--) {
        tenon_status status = tenon_join(self->task, &children[i].task);
        if (status > 0) {
            self->passed_on = status;
        }
    }
}

static int run_member(tenon_task *task, void *arg)
{
    struct member *member = arg;
    bool is_forked = member->depth >> 16 != 0;
    struct self self = {
        .task = task,
        .random = stress_random_make(STRESS_COUNT(next_stream)),
        .tally = member->tally,
        .depth = member->depth & 0xffff,
    };

    STRESS_COUNT(member_count);
    if (member->starter != stress_thread()) {
        STRESS_COUNT(elsewhere_count);
    }
    stress_perturb(&self.random);
    for (uint32_t i = stress_below(&self.random, 3); i > 0; i--) {
        if (self.depth < DEPTH_MAX && stress_chance(&self.random, 2)) {
            nest(&self);
        } else if (self.depth < DEPTH_MAX) {
            fork_two(&self);
        }
    }
    int status = end_of(&self);
    report_count_end(self.tally, status, is_forked);
    return status;
}

// --- A round ---

// Owned by a foreign thread: main.
static void play_round(tenon_executor *executor)
{
    struct report_tally tally = {
        .policy = round_number % 2 == 0 ? TENON_POLICY_COLLECT_ALL
                                        : TENON_POLICY_FAIL_FAST,
        .max_errors = 3,
    };
    struct member members[20];
    struct self self = {.random = stress_random_make(~round_number)};
    tenon_scope scope;
    tenon_report report = {0};

    round_number++;
    atomic_store(&next_failure, 0);
    if (tenon_scope_open(
            &scope, TENON_SCOPE_OPTIONS(
                            .executor = executor, .policy = tally.policy,
                            .max_errors = tally.max_errors)) != TENON_OK) {
        stress_die("no scope");
    }
    spawn_members(&self, &scope, &tally, members, 20);
    tenon_status status = tenon_scope_join(&scope, TENON_OK, &report);
    report_check(&tally, &report, status);
    check_children(&report);
    tenon_report_free(&report);
    stress_step();
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv, "nested");
    report_laws();
    stress_law(LAW_CHILDREN);
    tenon_executor *executor = courier_executor(stress_worker_count(3), 0);
    while (stress_goes_on()) {
        play_round(executor);
    }
    courier_executor_end(executor);
    stress_need("members run elsewhere", elsewhere_count, member_count, 10);
    stress_need("errors", error_total, member_count, 10);
    return stress_end();
}
