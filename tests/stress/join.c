// SPDX-License-Identifier: MIT
//
// join — the last to finish against the joiner, whose stack moves on at once.
//
// Scopes and tasks live in short frames, and in slots of memory that are used
// again. After a join everything is overwritten; nobody may touch it any more.
// Under AddressSanitizer with detect_stack_use_after_return reads are seen too.
// The last one out may be a task that succeeds, gives back a reference, fails,
// is dropped or destroys its argument, beside a deadline that is about to fire.
//
// Laws: what was joined is never written again; every task has ended by then,
// and run unless it was stopped; a report counts them.

#include "courier.h"

#include <stdlib.h>
#include <string.h>

#define FOREIGN_COUNT 2
#define TASK_MAX 3
#define SLOT_COUNT 16
#define POISON 0xa5
#define LOOPS 500  // of each joiner in a round

#define LAW_GONE "what was joined is never written again"
#define LAW_RAN "all tasks have run when the join returns"
#define LAW_ENDED "all arguments are destroyed when the join returns"
#define LAW_COUNTS "a report counts the tasks"

struct count {
    _Atomic(uint32_t) ran_count;
    _Atomic(uint32_t) failed_count;
    _Atomic(uint32_t) ended_count;
    const void *enders[TASK_MAX];  // threads, in the order of the ends
    const void *joiner;
};

// Everything that a joiner puts where it will be overwritten.
struct frame {
    tenon_scope scope;
    tenon_task tasks[TASK_MAX];  // forked
    tenon_handle handles[TASK_MAX];
    uint32_t handle_count;
    struct count count;
    tenon_scope_ref ref;
};

struct joiner {
    pthread_t thread;
    tenon_executor *executor;
    struct stress_random random;
    struct frame *slots;  // SLOT_COUNT
    tenon_task *self;     // NULL: a foreign thread
};

static _Atomic(uint64_t) task_count;
static _Atomic(uint64_t) elsewhere_count;
static _Atomic(uint64_t) scope_count;
static _Atomic(uint64_t) last_elsewhere_count;  // the last out of a scope
static _Atomic(uint64_t) stopped_scope_count;
static _Atomic(uint64_t) stopped_count;  // tasks that failed or never ran
static _Atomic(uint64_t) next_stream;

static void note_end(struct count *count)
{
    uint32_t index = STRESS_COUNT(count->ended_count);

    if (index < TASK_MAX) {
        count->enders[index] = stress_thread();
    }
}

static void count_run(struct count *count)
{
    if (count->joiner != stress_thread()) {
        STRESS_COUNT(elsewhere_count);
    }
    STRESS_COUNT(count->ran_count);
}

static int run_small(tenon_task *self, void *arg)
{
    struct count *count = arg;

    (void)self;
    count_run(count);
    note_end(count);
    return TENON_OK;
}

// Every third fails, and cancels the others.
static int run_failing(tenon_task *self, void *arg)
{
    struct count *count = arg;

    (void)self;
    count_run(count);
    if (STRESS_READ(count->ran_count) % 3 != 0) {
        return TENON_OK;
    }
    STRESS_COUNT(count->failed_count);
    return 1;
}

static void destroy(void *arg)
{
    note_end(arg);
}

// Gives back a reference as its last act: often the last one out.
static int run_releasing(tenon_task *self, void *arg)
{
    struct frame *frame = arg;
    int status = run_small(self, &frame->count);

    tenon_scope_release(&frame->ref);
    return status;
}

// --- The poison ---

static void poison(struct frame *frame)
{
    memset(frame, POISON, sizeof(*frame));
}

static void check_poison(const struct frame *frame)
{
    const unsigned char *bytes = (const unsigned char *)frame;

    for (size_t i = 0; i < sizeof(*frame); i++) {
        if (bytes[i] != POISON) {
            stress_broke(LAW_GONE, "byte %zu is %02x", i, bytes[i]);
            return;
        }
    }
}

// --- One scope, in whatever memory ---

static uint32_t spawn_into(struct joiner *joiner, struct frame *frame)
{
    struct stress_random *random = &joiner->random;
    uint32_t count = 1 + stress_below(random, TASK_MAX);
    tenon_status status = TENON_OK;

    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 && stress_chance(random, 3) &&
            tenon_scope_acquire(&frame->scope, &frame->ref) == TENON_OK) {
            status = tenon_spawn(&frame->scope, run_releasing, frame);
        } else if (stress_chance(random, 2)) {
            status = tenon_spawn(&frame->scope, run_small, &frame->count);
        } else {
            status = tenon_spawn_task(
                &frame->scope, &frame->handles[i], run_small, &frame->count,
                NULL);
        }
        if (status != TENON_OK) {
            stress_die("no task: %s", tenon_status_name(status));
        }
        stress_perturb(random);
    }
    return count;
}

// With a handle in the frame, or in memory that goes with the task.
static tenon_status spawn_failing(struct joiner *joiner, struct frame *frame)
{
    struct stress_random *random = &joiner->random;
    uint64_t timeout_ns =
        stress_chance(random, 2) ? 1 + stress_below(random, 20000) : 0;
    const tenon_task_options *options =
        TENON_TASK_OPTIONS(.timeout_ns = timeout_ns, .destroy_arg = destroy);
    struct count *count = &frame->count;

    if (stress_chance(random, 3)) {
        return tenon_spawn_with(&frame->scope, run_failing, count, options);
    }
    return tenon_spawn_task(
        &frame->scope, &frame->handles[frame->handle_count++], run_failing,
        count, options);
}

// Tasks that may be stopped at any time: how many the scope was asked to take.
static uint32_t spawn_stopped_into(struct joiner *joiner, struct frame *frame)
{
    struct stress_random *random = &joiner->random;
    uint32_t count = 1 + stress_below(random, TASK_MAX);

    for (uint32_t i = 0; i < count; i++) {
        tenon_status status = spawn_failing(joiner, frame);
        if (status != TENON_OK && status != TENON_CANCELLED) {
            stress_die("no task: %s", tenon_status_name(status));
        }
        stress_perturb(random);
    }
    if (frame->handle_count > 0 && stress_chance(random, 4)) {
        tenon_handle_cancel(&frame->handles[0], 1, "left");
    }
    if (stress_chance(random, 3)) {
        tenon_scope_cancel(&frame->scope, 1, "left");
    }
    return count;
}

static void open_scope(
    struct joiner *joiner, struct frame *frame, uint64_t timeout_ns)
{
    memset(frame, 0, sizeof(*frame));
    frame->count.joiner = stress_thread();
    tenon_status status = tenon_scope_open(
        &frame->scope,
        TENON_SCOPE_OPTIONS(
                .executor = joiner->executor, .timeout_ns = timeout_ns));
    if (status != TENON_OK) {
        stress_die("no scope: %s", tenon_status_name(status));
    }
}

static void leave(struct frame *frame, uint32_t count)
{
    const struct count *ends = &frame->count;

    if (ends->ended_count != count) {
        stress_broke(LAW_ENDED, "%u of %u", ends->ended_count, count);
    } else if (ends->enders[count - 1] != ends->joiner) {
        STRESS_COUNT(last_elsewhere_count);
    }
    STRESS_COUNT(scope_count);
    poison(frame);
}

static void use_calmly(struct joiner *joiner, struct frame *frame)
{
    tenon_report report = {0};

    // Too late to stop anything, but armed and disarmed.
    open_scope(
        joiner, frame,
        stress_chance(&joiner->random, 4) ? TENON_SECONDS(600) : 0);
    uint32_t count = spawn_into(joiner, frame);
    tenon_status status = tenon_scope_join(&frame->scope, TENON_OK, &report);
    if (frame->count.ran_count != count || status != TENON_OK) {
        stress_broke(LAW_RAN, "%u of %u", frame->count.ran_count, count);
    }
    if (report.ok_count != count || report.spawned_count != count) {
        stress_broke(LAW_COUNTS, "not %u", count);
    }
    tenon_report_free(&report);
    atomic_fetch_add(&task_count, count);
    leave(frame, count);
}

static void use_stopped(struct joiner *joiner, struct frame *frame)
{
    tenon_report report = {0};

    open_scope(
        joiner, frame,
        stress_chance(&joiner->random, 2)
            ? 1 + stress_below(&joiner->random, 30000)
            : 0);
    uint32_t count = spawn_stopped_into(joiner, frame);
    (void)!tenon_scope_join(&frame->scope, TENON_OK, &report);
    uint32_t ran_count = frame->count.ran_count;
    if (report.spawned_count + report.rejected_count != count ||
        report.ok_count != ran_count - frame->count.failed_count ||
        report.failed_count < frame->count.failed_count) {
        stress_broke(LAW_COUNTS, "not %u, of which %u ran", count, ran_count);
    }
    atomic_fetch_add(&stopped_count, report.dropped_count);
    atomic_fetch_add(&stopped_count, report.failed_count);
    STRESS_COUNT(stopped_scope_count);
    tenon_report_free(&report);
    atomic_fetch_add(&task_count, count);
    leave(frame, count);
}

static void use(struct joiner *joiner, struct frame *frame)
{
    if (stress_chance(&joiner->random, 3)) {
        use_stopped(joiner, frame);
    } else {
        use_calmly(joiner, frame);
    }
}

static __attribute__((noinline)) void use_stack(
    struct joiner *joiner, uint32_t depth)
{
    struct frame frame;

    if (depth > 0) {
        use_stack(joiner, depth - 1);
    }
    use(joiner, &frame);
}

// Lies where those frames were, as far as a compiler can be made to.
static __attribute__((noinline)) void watch_stack(struct joiner *joiner)
{
    struct frame frames[4];

    for (size_t i = 0; i < 4; i++) {
        poison(&frames[i]);
    }
    stress_spin_ns(stress_below(&joiner->random, 3000));
    for (size_t i = 0; i < 4; i++) {
        check_poison(&frames[i]);
    }
}

static void use_slot(struct joiner *joiner)
{
    struct frame *frame =
        &joiner->slots[stress_below(&joiner->random, SLOT_COUNT)];

    check_poison(frame);
    use(joiner, frame);
}

// --- Forks: the child's end against its parent's frame ---

static int fork_some(tenon_task *self, void *arg)
{
    struct joiner *joiner = arg;
    struct frame frame = {.count.joiner = stress_thread()};
    uint32_t count = 1 + stress_below(&joiner->random, TASK_MAX);

    for (uint32_t i = 0; i < count; i++) {
        tenon_fork(self, &frame.tasks[i], run_small, &frame.count);
        stress_perturb(&joiner->random);
    }
    for (uint32_t i = count; i > 0; i--) {
        tenon_status status = tenon_join(self, &frame.tasks[i - 1]);
        if (status != TENON_OK || frame.count.ran_count < count + 1 - i) {
            stress_broke(LAW_RAN, "a forked task has not");
        }
        memset(&frame.tasks[i - 1], POISON, sizeof(tenon_task));
    }
    poison(&frame);
    atomic_fetch_add(&task_count, count);
    return TENON_OK;
}

// --- Joiners ---

static void play(struct joiner *joiner)
{
    joiner->slots = stress_alloc(SLOT_COUNT, sizeof(struct frame));
    for (size_t i = 0; i < SLOT_COUNT; i++) {
        poison(&joiner->slots[i]);
    }
    for (uint32_t i = 0; i < LOOPS; i++) {
        use_stack(joiner, stress_below(&joiner->random, 3));
        watch_stack(joiner);
        use_slot(joiner);
        if (joiner->self != NULL) {
            fork_some(joiner->self, joiner);
            watch_stack(joiner);
        }
        stress_perturb(&joiner->random);
    }
    for (size_t i = 0; i < SLOT_COUNT; i++) {
        check_poison(&joiner->slots[i]);
    }
    free(joiner->slots);
    stress_step();
}

static void *foreign_main(void *joiner)
{
    play(joiner);
    return NULL;
}

static int join_in_task(tenon_task *self, void *executor)
{
    struct joiner joiner = {
        .executor = executor,
        .random = stress_random_make(STRESS_COUNT(next_stream)),
        .self = self,
    };

    play(&joiner);
    return TENON_OK;
}

static void play_round(tenon_executor *executor)
{
    struct joiner foreigners[FOREIGN_COUNT] = {0};
    tenon_scope scope;

    for (uint32_t i = 0; i < FOREIGN_COUNT; i++) {
        foreigners[i].executor = executor;
        foreigners[i].random = stress_random_make(STRESS_COUNT(next_stream));
        foreigners[i].thread =
            stress_thread_start(foreign_main, &foreigners[i]);
    }
    if (tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.executor = executor)) !=
            TENON_OK ||
        tenon_spawn(&scope, join_in_task, executor) != TENON_OK ||
        tenon_spawn(&scope, join_in_task, executor) != TENON_OK) {
        stress_die("no root scope");
    }
    tenon_status status = tenon_scope_join(&scope, TENON_OK, NULL);
    stress_expect(status == TENON_OK, "the root scope joins well");
    for (uint32_t i = 0; i < FOREIGN_COUNT; i++) {
        stress_thread_join(foreigners[i].thread);
    }
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv, "join");
    stress_law(LAW_GONE);
    stress_law(LAW_RAN);
    stress_law(LAW_ENDED);
    stress_law(LAW_COUNTS);
    tenon_executor *executor = courier_executor(stress_worker_count(3), 0);
    while (stress_goes_on()) {
        play_round(executor);
    }
    courier_executor_end(executor);
    stress_need("tasks run elsewhere", elsewhere_count, task_count, 100);
    stress_need("last out elsewhere", last_elsewhere_count, scope_count, 100);
    stress_need(
        "tasks stopped or failed", stopped_count, stopped_scope_count, 100);
    return stress_end();
}
