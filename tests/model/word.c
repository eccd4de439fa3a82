// SPDX-License-Identifier: MIT
//
// word — laws of a scope's shared word: who counts out, who waits, who tells.
//
// The word is in src/scope/scope.c, join.c and notify.c. Tasks are threads here
// that count out of a scope which the owner has counted them into. The owner
// frees the scope when it has joined it.
//
// Laws:
//   L1 the join returns only when all have counted out
//   L2 it then returns: no wake-up is lost
//   L3 the owner knows what each did before it counted out
//   L4 nobody touches the scope after the step that lets the owner free it
//   L5 a scope that was to tell calls its function once, when all have counted
//      out; who is called knows what each did, and a join does not wait then
//   L6 a wait that is no join says that all have ended only if they have, that
//      it was cancelled only if it was, and returns in both cases; the scope
//      can be given more and joined afterwards

#include "checker/heap.h"
#include "checker/model.h"
#include "checker/suite.h"

#include "wait.h"

#include "base/futex.h"
#include "sched/executor.h"
#include "scope/deadline.h"
#include "scope/error.h"
#include "scope/open.h"
#include "scope/policy.h"
#include "scope/root.h"
#include "scope/scope.h"
#include "scope/value.h"
#include "tenon/notify.h"
#include "tenon/wait.h"

#include <stdalign.h>
#include <string.h>

#define MEMBERS 3

// Steps of the owner: e count one more in, x count one out, w wait, j join, n
// ask to be told, t join without waiting. Of members, who begin inside: e, x, c
// cancel. Of both: g give word, h hear it. To tell is to give word.
struct plan {
    const char *owner;
    const char *members[MEMBERS];
    int retract_count;
};

static struct tenon_executor executor;
static tenon_scope *scope;
static _Atomic(uint32_t) was_told;

// What each thread did before it counted out.
static int payloads[MEMBERS + 1];

// The driver's books.
static int live_count;
static int told_count;
static bool was_cancelled;

__thread struct tn_worker *tn_worker_here;
bool tn_has_forked;

// Whoever is in the scope when the threads begin: one for each count that a
// script takes out and does not put in.
static int count_of(const char *script)
{
    int count = 0;

    for (; script != NULL && *script != '\0'; script++) {
        count += *script == 'x' ? 1 : 0;
        count -= *script == 'e' ? 1 : 0;
    }
    return count;
}

static void enter(void)
{
    live_count++;
    mc_note();
    tn_scope_enter(scope);
}

static void setup(const void *arg)
{
    const struct plan *plan = arg;
    int count = count_of(plan->owner);

    live_count = 0;
    told_count = 0;
    was_cancelled = false;
    wait_reset(plan->retract_count);
    for (int i = 0; i < MEMBERS; i++) {
        count += count_of(plan->members[i]);
    }
    scope = mc_heap_alloc(sizeof(*scope), alignof(tenon_scope), true);
    mc_check(
        tenon_scope_open(scope, TENON_SCOPE_OPTIONS(.executor = &executor)) ==
        TENON_OK);
    for (int i = 0; i < count; i++) {
        enter();
    }
}

static void leave(void)
{
    int self = mc_thread_index();

    mc_plain_write(&payloads[self], payloads[self] + 1);
    live_count--;
    mc_note();
    tn_scope_exit(scope);
}

static void check_all_known(void)
{
    mc_check(live_count == 0);  // L1, L5, L6
    for (int i = 0; i < mc_thread_count_all(); i++) {
        mc_check(mc_knows_write(&payloads[i]));  // L3, L5
    }
}

static void cancel(void)
{
    was_cancelled = true;
    mc_note();
    tenon_scope_cancel(scope, 1, NULL);
}

static void give_word(void)
{
    tn_store_release(&was_told, 1);
    tn_futex_wake(&was_told, 1);
}

static void hear(void)
{
    while (tn_load_acquire(&was_told) == 0) {
        tn_futex_wait_until(&was_told, 0, TN_FOREVER);
    }
}

static void tell(void *context)
{
    mc_check(context == payloads);
    told_count++;
    mc_check(told_count == 1);  // L5
    check_all_known();
    give_word();
}

static void wait_for_all(void)
{
    tenon_status status = tenon_scope_wait_until(scope, TENON_NO_DEADLINE);

    if (status == TENON_OK) {
        check_all_known();  // L6
    } else {
        mc_check(status == TENON_CANCELLED);  // L6
        mc_check(was_cancelled);              // L6
    }
}

static void free_joined(void)
{
    check_all_known();
    mc_heap_free(scope);  // L4
}

static void take_step(char step)
{
    switch (step) {
    case 'e':
        enter();
        break;
    case 'x':
        leave();
        break;
    case 'c':
        cancel();
        break;
    case 'w':
        wait_for_all();
        break;
    case 'n':
        mc_check(tenon_scope_notify(scope, tell, payloads) == TENON_OK);
        break;
    case 'h':
        hear();
        break;
    case 'g':
        give_word();
        break;
    case 't':
        mc_check(tenon_scope_try_join(scope, TENON_OK, NULL) == TENON_OK);
        free_joined();
        break;
    default:
        mc_check(step == 'j');
        mc_check(tenon_scope_join(scope, TENON_OK, NULL) == TENON_OK);
        free_joined();
        break;
    }
}

static void owner(const void *arg)
{
    const struct plan *plan = arg;

    for (const char *step = plan->owner; *step != '\0'; step++) {
        take_step(*step);
    }
}

static void member(const void *arg)
{
    const struct plan *plan = arg;
    const char *step = plan->members[mc_thread_index() - 1];

    for (; *step != '\0'; step++) {
        take_step(*step);
    }
}

static void check(const void *arg)
{
    const struct plan *plan = arg;
    bool must_tell = strchr(plan->owner, 'n') != NULL;

    mc_check(told_count == (must_tell ? 1 : 0));  // L5
}

// What the sources ask of those around them.
bool tn_open_enter(tenon_executor *asked)
{
    return asked == &executor;
}

void tn_open_leave(tenon_executor *asked)
{
    mc_check(asked == &executor);
}

tenon_token *tn_open_token(tenon_executor *asked)
{
    (void)asked;
    return NULL;
}

bool tn_value_are_valid(const tenon_scope_options *options)
{
    (void)options;
    return true;
}

void tn_root_add(tenon_scope *added)
{
    (void)added;
}

void tn_root_remove(tenon_scope *removed)
{
    (void)removed;
}

bool tn_root_is_open(
    const tenon_scope *asked, tenon_executor *in, const char *end)
{
    (void)asked;
    (void)in;
    (void)end;
    return false;
}

bool tn_crew_has_threads(struct tn_crew *crew)
{
    (void)crew;
    return true;
}

void tn_executor_trim(tenon_executor *trimmed)
{
    (void)trimmed;
}

void tn_deadline_stop(tenon_token *token, struct tn_timer *timer)
{
    (void)token;
    (void)timer;
}

void tn_failure_clear(uintptr_t *failure)
{
    mc_check(*failure == TN_FAILURE_NONE);
}

bool tn_policy_is_valid(const tenon_scope_options *options)
{
    (void)options;
    return true;
}

bool tn_policy_settle(tenon_scope *settled, const tenon_report *report)
{
    (void)settled;
    (void)report;
    return false;
}

tenon_status tn_policy_verdict(tenon_scope *judged, const tenon_report *report)
{
    (void)judged;
    (void)report;
    return TENON_OK;
}

bool tn_timer_is_here(const struct tn_timer *timer)
{
    (void)timer;
    return false;
}

enum tn_timer_result tn_timer_set(
    struct tn_timer *timer, struct tn_timer_entry *entry,
    tn_timer_fire_fn *fire, uint64_t deadline_ns, uint32_t rank)
{
    (void)timer;
    (void)entry;
    (void)fire;
    (void)rank;
    mc_check(deadline_ns == TENON_NO_DEADLINE);
    return TN_TIMER_SET;
}

static struct mc_program program_of(const void *arg)
{
    static const char *const names[] = {"one", "two", "three"};
    const struct plan *plan = arg;
    struct mc_program program = {
        .setup = setup, .check = check, .threads = {{"owner", owner}}};

    for (int i = 0; i < MEMBERS && plan->members[i] != NULL; i++) {
        program.threads[i + 1] = (struct mc_thread_spec){names[i], member};
    }
    return program;
}

static const struct plan one = {.owner = "j", .members = {"x"}};
static const struct plan two = {.owner = "j", .members = {"x", "x"}};
static const struct plan three = {.owner = "xj", .members = {"x", "x", "x"}};
static const struct plan spawning = {.owner = "j", .members = {"exx", "x"}};
static const struct plan in_both_parts = {
    .owner = "eexj", .members = {"x", "x"}};
static const struct plan below_zero = {
    .owner = "hxxj", .members = {"eegx", "x"}};
static const struct plan timed = {
    .owner = "j", .members = {"x", "x"}, .retract_count = 2};
static const struct plan waits = {.owner = "wj", .members = {"x", "x"}};
static const struct plan waits_again = {
    .owner = "wexwj", .members = {"x", "x"}, .retract_count = 1};
static const struct plan cancelled = {.owner = "wgj", .members = {"chx"}};
static const struct plan tells = {.owner = "nj", .members = {"x", "x"}};
static const struct plan tells_itself = {.owner = "xnj", .members = {"x"}};
static const struct plan tells_late = {.owner = "nht", .members = {"exx", "x"}};
static const struct plan tells_and_counts = {
    .owner = "nxj", .members = {"x", "exx"}};
static const struct plan many = {
    .owner = "wexj", .members = {"eexxexx", "exx", "x"}, .retract_count = 2};
static const struct plan many_tell = {
    .owner = "exnxj", .members = {"eexxexx", "exx", "x"}, .retract_count = 2};

static const struct mc_scenario scenarios[] = {
    {"one_counts_out", &one, -1, -1, 1, MC_EXHAUSTIVE},
    {"two_count_out", &two, -1, -1, 0, MC_EXHAUSTIVE},
    {"three_count_out", &three, 3, 2, 0, MC_EXHAUSTIVE},
    {"members_count_in", &spawning, 3, 2, 0, MC_EXHAUSTIVE},
    {"owner_counts_too", &in_both_parts, 3, 2, 0, MC_EXHAUSTIVE},
    {"owner_part_below_zero", &below_zero, 3, 2, 0, MC_EXHAUSTIVE},
    {"wait_in_pieces", &timed, 3, 2, 0, MC_EXHAUSTIVE},
    {"wait_then_join", &waits, 3, 2, 0, MC_EXHAUSTIVE},
    {"waits_then_join", &waits_again, 2, 1, 0, MC_EXHAUSTIVE},
    {"wait_is_cancelled", &cancelled, 3, 1, 0, MC_EXHAUSTIVE},
    {"tell_under_a_join", &tells, 3, 2, 0, MC_EXHAUSTIVE},
    {"tell_in_the_call", &tells_itself, 3, -1, 0, MC_EXHAUSTIVE},
    {"tell_then_join", &tells_late, 3, 2, 0, MC_EXHAUSTIVE},
    {"tell_after_the_owner_counts", &tells_and_counts, 3, 2, 0, MC_EXHAUSTIVE},
    {"many_random", &many, 0, 0, 0, MC_RANDOM},
    {"many_pct", &many, 0, 0, 0, MC_PCT},
    {"many_tell_random", &many_tell, 0, 0, 0, MC_RANDOM},
    {"many_tell_pct", &many_tell, 0, 0, 0, MC_PCT},
    {.name = NULL},
};

int main(int argc, char **argv)
{
    static const char *const files[] = {
        "scope/scope.c:tn_scope_exit_shared",
        "scope/scope.h:tn_scope_enter",
        "scope/scope.h:tn_scope_is_local",
        "scope/join.c:is_empty",
        "scope/join.c:announce",
        "scope/join.c:retract",
        "scope/join.c:close",
        "scope/notify",
        NULL};
    static const struct mc_suite suite = {
        files, scenarios, program_of, NULL, .is_fenced = false};

    return mc_suite_main(&suite, argc, argv);
}
