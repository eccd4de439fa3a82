// SPDX-License-Identifier: MIT
//
// limiter — laws of src/scope/limiter: units, a line of tickets, and cancels.
//
// Tasks in line are run by threads that wait until they are queued. Callers
// that block park (src/scope/pause.c). Cancels take out of the line by
// callbacks.
//
// Laws:
//   L1 no more units are in use than there are
//   L2 nobody gets any before those who were in line when it came
//   L3 every task in line is queued once: with units, or because of a cancel
//   L4 nobody waits while its units are free and it is first: at the end all
//      have come and gone, and no unit is in use
//   L5 who blocks gets units, or hears of a cancel or of its deadline, if there
//      was one: one of these, and returns
//   L6 a ticket, and the scope of its task, may go as soon as the task has
//   ended

#include "checker/heap.h"
#include "checker/model.h"
#include "checker/suite.h"

#include "wait.h"

#include "base/futex.h"
#include "sched/executor.h"
#include "scope/limiter.h"
#include "scope/pause.h"
#include "scope/scope.h"
#include "scope/task.h"
#include "scope/token.h"

#include <pthread.h>
#include <stdalign.h>
#include <string.h>

#define TICKETS 3
#define SCRIPTS 4

// As src/scope/limiter.c.
#define WAITING 1

// Steps, each with a digit. Of a ticket: l line its task up, p the same but not
// to be dropped, u run it when it is queued, w block for it, c cancel its
// token. Of units: t try to take and give back, r give back what the plan has
// taken, z that many from now on. With 0: f the deadline passes.
struct plan {
    uint32_t limit;
    uint32_t taken;      // before the threads begin
    const char *units;   // of each ticket
    const char *before;  // steps taken before the threads begin
    const char *scripts[SCRIPTS];
    int retract_count;
    bool is_one_token;  // for all of them
    bool has_deadline;  // who blocks
};

static tenon_limiter limiter;
static struct tenon_executor executor;
static tenon_token tokens[TICKETS];
static tenon_task tasks[TICKETS];
static struct tn_ticket *tickets[TICKETS];
static _Atomic(uint32_t) is_queued[TICKETS];

// The timer.
static pthread_mutex_t timer_lock = PTHREAD_MUTEX_INITIALIZER;
static struct tn_timer_entry *armed;
static tn_timer_fire_fn *fire_armed;

// The driver's books.
static uint64_t limit;  // the most that there ever was
static uint64_t in_use;
static int queue_counts[TICKETS];
static uint32_t ahead[TICKETS];  // who was in line when it came, as bits
static uint32_t ended;           // whose tickets are gone
static uint32_t cancelled;       // tokens
static bool has_fired;

__thread struct tn_worker *tn_worker_here;
bool tn_has_forked;

static uint32_t bit(int index)
{
    return UINT32_C(1) << index;
}

static int token_of(const struct plan *plan, int ticket)
{
    return plan->is_one_token ? 0 : ticket;
}

// The last one out may free it, as if it were the owner that joins.
void tn_scope_exit_shared(tenon_scope *scope, int64_t count)
{
    int64_t old = tn_sub_release(&scope->word, count * TN_WORD_COUNT_ONE);

    if (tn_word_count(old) == count) {
        (void)tn_load_acquire(&scope->word);
        mc_heap_free(scope);
    }
}

void tn_task_queue(tenon_task *task)
{
    int ticket = (int)(task - tasks);
    tenon_scope *scope = task->scope;

    queue_counts[ticket]++;
    mc_check(queue_counts[ticket] == 1);  // L3
    tn_store_release(&is_queued[ticket], 1);
    tn_futex_wake(&is_queued[ticket], 1);
    // As it asks the executor for a worker.
    (void)tn_load_relaxed(&scope->word);  // L6
}

// As in src/scope/spawn.c.
void tn_task_queue_held(tenon_task *task)
{
    tenon_scope *scope = task->scope;

    tn_scope_enter(scope);
    tn_task_queue(task);
    tn_scope_exit(scope);
}

enum tn_timer_result tn_timer_set(
    struct tn_timer *timer, struct tn_timer_entry *entry,
    tn_timer_fire_fn *fire, uint64_t deadline_ns, uint32_t rank)
{
    (void)timer;
    (void)rank;
    if (deadline_ns == TENON_NO_DEADLINE) {
        return TN_TIMER_SET;
    }
    pthread_mutex_lock(&timer_lock);
    bool is_past = has_fired;
    armed = is_past ? NULL : entry;
    fire_armed = fire;
    pthread_mutex_unlock(&timer_lock);
    return is_past ? TN_TIMER_PAST : TN_TIMER_SET;
}

bool tn_timer_is_here(const struct tn_timer *timer)
{
    (void)timer;
    return false;
}

bool tn_timer_disarm(struct tn_timer *timer, struct tn_timer_entry *entry)
{
    (void)timer;
    pthread_mutex_lock(&timer_lock);
    bool was_armed = armed == entry;
    armed = NULL;
    pthread_mutex_unlock(&timer_lock);
    return was_armed;
}

static void fire_timer(void)
{
    pthread_mutex_lock(&timer_lock);
    has_fired = true;
    mc_note();
    if (armed != NULL) {
        fire_armed(armed);
        armed = NULL;
    }
    pthread_mutex_unlock(&timer_lock);
}

static bool is_in_line(int ticket)
{
    uint64_t state = 0;

    return tickets[ticket] != NULL && (ended & bit(ticket)) == 0 &&
           mc_could_read(&tickets[ticket]->state, 0, &state) &&
           state == WAITING;
}

static uint32_t line(void)
{
    uint32_t waiting = 0;

    for (int i = 0; i < TICKETS; i++) {
        waiting |= is_in_line(i) ? bit(i) : 0;
    }
    return waiting;
}

// Have units, for a moment.
static void use(uint64_t unit_count, uint32_t were_ahead)
{
    in_use += unit_count;
    mc_check(in_use <= limit);             // L1
    mc_check((line() & were_ahead) == 0);  // L2
    (void)tn_load_relaxed(&is_queued[0]);  // somebody else's turn
    in_use -= unit_count;
    mc_note();
}

static uint32_t units_of(const struct plan *plan, int ticket)
{
    return (uint32_t)(plan->units[ticket] - '0');
}

static struct tn_ticket *create_ticket(const struct plan *plan, int ticket)
{
    struct tn_ticket *made =
        tn_ticket_create(&limiter, units_of(plan, ticket), &tasks[ticket]);

    mc_check(made != NULL);
    (void)tn_load_relaxed(&made->state);
    ahead[ticket] = line();
    tickets[ticket] = made;
    mc_note();
    return made;
}

// The spawner is in the scope meanwhile.
static void line_up(const struct plan *plan, int ticket, bool is_patient)
{
    tenon_scope *scope = tasks[ticket].scope;
    tenon_token *token = &tokens[token_of(plan, ticket)];

    tn_scope_enter(scope);
    tn_ticket_line_up(create_ticket(plan, ticket), token, is_patient);
    tn_scope_exit(scope);
}

static void run_when_queued(const struct plan *plan, int ticket)
{
    tenon_scope *scope = tasks[ticket].scope;

    while (tn_load_acquire(&is_queued[ticket]) == 0) {
        tn_futex_wait_until(&is_queued[ticket], 0, TN_FOREVER);
    }
    // A task of a cancelled scope is dropped, whether it has units or not.
    if (!tenon_token_cancelled(&tokens[token_of(plan, ticket)])) {
        use(units_of(plan, ticket), ahead[ticket]);
    }
    ended |= bit(ticket);
    mc_note();
    tn_ticket_destroy(tickets[ticket]);
    tn_scope_exit(scope);
}

// As tenon_limiter_acquire_until(), and giving back what it has got.
static void block(const struct plan *plan, int ticket)
{
    int token = token_of(plan, ticket);
    struct tn_ticket *made = create_ticket(plan, ticket);
    tenon_status status = tn_ticket_wait(
        made, &executor, tasks[ticket].scope, &tokens[token],
        plan->has_deadline ? 1 : TENON_NO_DEADLINE);

    if (status == TENON_OK) {
        use(units_of(plan, ticket), ahead[ticket]);
    } else if (status == TENON_CANCELLED) {
        mc_check((cancelled & bit(token)) != 0);  // L5
    } else {
        mc_check(status == TENON_ENOTREADY);  // L5
        mc_check(has_fired);                  // L5
    }
    ended |= bit(ticket);
    mc_note();
    mc_heap_free(made);
    if (status == TENON_OK) {
        tenon_limiter_release(&limiter, units_of(plan, ticket));
    }
    tn_scope_exit(tasks[ticket].scope);
}

static void try(uint32_t unit_count)
{
    uint32_t were_ahead = line();

    mc_note();
    if (tenon_limiter_try_acquire(&limiter, unit_count) == TENON_OK) {
        use(unit_count, were_ahead);
        tenon_limiter_release(&limiter, unit_count);
    }
}

static void give_back(uint32_t unit_count)
{
    in_use -= unit_count;
    mc_note();
    tenon_limiter_release(&limiter, unit_count);
}

static void resize(uint32_t unit_count)
{
    limit = unit_count > limit ? unit_count : limit;
    mc_note();
    tenon_limiter_resize(&limiter, unit_count);
}

static void cancel(const struct plan *plan, int ticket)
{
    int token = token_of(plan, ticket);

    cancelled |= bit(token);
    mc_note();
    (tenon_token_cancel)(&tokens[token], 1, NULL);
}

static void take_step(const struct plan *plan, char step, int digit)
{
    switch (step) {
    case 'l':
    case 'p':
        line_up(plan, digit, step == 'p');
        break;
    case 'u':
        run_when_queued(plan, digit);
        break;
    case 'w':
        block(plan, digit);
        break;
    case 'c':
        cancel(plan, digit);
        break;
    case 't':
        try((uint32_t)digit);
        break;
    case 'r':
        give_back((uint32_t)digit);
        break;
    case 'z':
        resize((uint32_t)digit);
        break;
    default:
        mc_check(step == 'f');
        fire_timer();
        break;
    }
}

static void take_steps(const struct plan *plan, const char *script)
{
    for (; script != NULL && *script != '\0'; script += 2) {
        take_step(plan, script[0], script[1] - '0');
    }
}

static void run_script(const void *arg)
{
    const struct plan *plan = arg;

    take_steps(plan, plan->scripts[mc_thread_index()]);
}

static void setup_ticket(int ticket)
{
    tenon_scope *scope =
        mc_heap_alloc(sizeof(*scope), alignof(tenon_scope), true);

    tn_atomic_init(&scope->word, TN_WORD_COUNT_ONE);
    tasks[ticket] = (tenon_task){.scope = scope};
    tickets[ticket] = NULL;
    tenon_token_init(&tokens[ticket], NULL);
    queue_counts[ticket] = 0;
    ahead[ticket] = 0;
}

static void setup(const void *arg)
{
    const struct plan *plan = arg;

    limit = plan->limit;
    in_use = plan->taken;
    ended = 0;
    cancelled = 0;
    has_fired = false;
    armed = NULL;
    wait_reset(plan->retract_count);
    for (int i = 0; i < (int)strlen(plan->units); i++) {
        setup_ticket(i);
    }
    for (size_t i = strlen(plan->units); i < TICKETS; i++) {
        tickets[i] = NULL;
    }
    tenon_limiter_init(&limiter, plan->limit);
    if (plan->taken > 0) {
        mc_check(tenon_limiter_try_acquire(&limiter, plan->taken) == TENON_OK);
    }
    take_steps(plan, plan->before);
}

static void check(const void *arg)
{
    const struct plan *plan = arg;
    uint64_t used_count = 1;
    uint64_t waiting_count = 1;

    tenon_limiter_look(&limiter, &used_count, &waiting_count);
    mc_check(used_count == 0);     // L4
    mc_check(waiting_count == 0);  // L4
    tenon_limiter_fini(&limiter);
    for (int i = 0; i < (int)strlen(plan->units); i++) {
        tenon_token_fini(&tokens[i]);
    }
    mc_check(mc_heap_living() == 0);  // L6
}

static struct mc_program program_of(const void *arg)
{
    static const char *const names[] = {"one", "two", "three", "four"};
    const struct plan *plan = arg;
    struct mc_program program = {.setup = setup, .check = check};

    for (int i = 0; i < SCRIPTS && plan->scripts[i] != NULL; i++) {
        program.threads[i] = (struct mc_thread_spec){names[i], run_script};
    }
    return program;
}

static const struct plan one_task = {
    .limit = 1, .taken = 1, .units = "1", .scripts = {"l0", "u0", "r1"}};
static const struct plan patient_task = {
    .limit = 1, .taken = 1, .units = "1", .scripts = {"p0c0", "u0", "r1"}};
static const struct plan two_tasks = {
    .limit = 1, .units = "11", .scripts = {"l0", "l1", "u0", "u1"}};
static const struct plan cancel_or_grant = {
    .limit = 1,
    .taken = 1,
    .units = "1",
    .before = "l0",
    .scripts = {"c0", "u0", "r1"}};
static const struct plan cancel_or_enter = {
    .limit = 1, .taken = 1, .units = "1", .scripts = {"l0", "u0r1", "c0"}};
static const struct plan cancel_lets_on = {
    .limit = 2,
    .taken = 1,
    .units = "21",
    .before = "l0l1",
    .scripts = {"c0", "u0", "u1r1"}};
static const struct plan cancel_all = {
    .limit = 1,
    .taken = 1,
    .units = "11",
    .before = "l0l1",
    .scripts = {"c0", "u0", "u1r1"},
    .is_one_token = true};
static const struct plan no_barging = {
    .limit = 2,
    .taken = 2,
    .units = "21",
    .before = "l0",
    .scripts = {"r1r1", "t1", "l1u1", "u0"}};
static const struct plan resized = {
    .units = "12", .before = "l0l1", .scripts = {"z1z2", "u0", "u1"}};
static const struct plan blocked = {
    .limit = 1, .taken = 1, .units = "1", .scripts = {"w0", "r1"}};
static const struct plan blocked_in_pieces = {
    .limit = 1,
    .taken = 1,
    .units = "1",
    .scripts = {"w0", "r1"},
    .retract_count = 2};
static const struct plan two_blocked = {
    .limit = 1, .units = "11", .scripts = {"w0", "w1", "t1"}};
static const struct plan blocked_cancelled = {
    .limit = 1, .taken = 1, .units = "1", .scripts = {"w0r1", "c0"}};
static const struct plan blocked_late = {
    .limit = 1,
    .taken = 1,
    .units = "1",
    .scripts = {"w0r1", "f0"},
    .has_deadline = true};
static const struct plan blocked_either = {
    .limit = 1, .taken = 1, .units = "1", .scripts = {"w0", "c0", "r1"}};
static const struct plan blocked_before_task = {
    .limit = 2, .taken = 1, .units = "21", .scripts = {"w0", "l1u1r1", "c0"}};
static const struct plan two_at_once = {
    .limit = 2,
    .taken = 2,
    .units = "11",
    .before = "l0l1",
    .scripts = {"r2", "u1u0"}};
static const struct plan many = {
    .limit = 2,
    .taken = 2,
    .units = "211",
    .before = "l0",
    .scripts = {"l1w2", "u0r1", "c0t1u1", "r1c2z3"},
    .retract_count = 2};

static const struct mc_scenario scenarios[] = {
    {"task_in_line", &one_task, 3, 2, 0, MC_EXHAUSTIVE},
    {"patient_task_in_line", &patient_task, 2, 1, 0, MC_EXHAUSTIVE},
    {"two_tasks", &two_tasks, 2, 0, 0, MC_EXHAUSTIVE},
    {"cancel_against_grant", &cancel_or_grant, 2, 2, 0, MC_EXHAUSTIVE},
    {"cancel_against_entry", &cancel_or_enter, 2, 1, 0, MC_EXHAUSTIVE},
    {"cancel_lets_the_next_on", &cancel_lets_on, 2, 1, 0, MC_EXHAUSTIVE},
    {"cancel_of_all_against_grant", &cancel_all, 2, 1, 0, MC_EXHAUSTIVE},
    {"nobody_overtakes", &no_barging, 2, 0, 0, MC_EXHAUSTIVE},
    {"release_lets_two_on", &two_at_once, 3, 2, 0, MC_EXHAUSTIVE},
    {"resize_lets_on", &resized, 3, 1, 0, MC_EXHAUSTIVE},
    {"one_blocks", &blocked, 4, -1, 0, MC_EXHAUSTIVE},
    {"one_blocks_in_pieces", &blocked_in_pieces, 2, 2, 0, MC_EXHAUSTIVE},
    {"two_block", &two_blocked, 2, 1, 0, MC_EXHAUSTIVE},
    {"blocked_is_cancelled", &blocked_cancelled, 2, 2, 0, MC_EXHAUSTIVE},
    {"blocked_to_a_deadline", &blocked_late, 3, 2, 0, MC_EXHAUSTIVE},
    {"cancel_against_wake", &blocked_either, 2, 1, 0, MC_EXHAUSTIVE},
    {"blocked_leaves_for_a_task", &blocked_before_task, 2, 0, 0, MC_EXHAUSTIVE},
    {"many_random", &many, 0, 0, 0, MC_RANDOM},
    {"many_pct", &many, 0, 0, 0, MC_PCT},
    {.name = NULL},
};

int main(int argc, char **argv)
{
    static const char *const files[] = {"scope/limiter", "scope/pause", NULL};
    static const struct mc_suite suite = {
        files, scenarios, program_of, NULL, .is_fenced = false};

    return mc_suite_main(&suite, argc, argv);
}
