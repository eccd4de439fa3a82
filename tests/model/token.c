// SPDX-License-Identifier: MIT
//
// token — laws of src/scope/token: set once, with one cause, seen by all below.
//
// Laws:
//   L1 of the cancels of a token one returns true; none only if it was set from
//      above, or sealed; none that begins when it was, or by who knows of it
//   L2 a set token has one cause for ever: that of a cancel of it or of what is
//      above it, complete
//   L3 once a cancel has returned, true or false, every poll of its token and
//      of what is below says so: of who called it, of who has heard of it, and
//      of who opens a token there later
//   L4 once a poll has said that a token is set, likewise
//   L5 a poll says so only if a cancel of it, or of what is above it, has begun
//   L6 who is told that a token is set knows what was done before one of the
//      cancels that can have set it; before its seal, if nobody else set it
//   L7 who knows that a token is set can read no epoch at which what is
//      remembered calls it clean (I2)
//   L8 who sees the word of a token knows what was done before the cancel that
//      set it, by nothing but that (E1): no poll relies on it, because it finds
//      the same in the epoch (E2, E3)
//   L9 who has moved the epoch knows what was done before the cancels that
//   moved
//      it earlier (E2): no poll relies on it, because it finds the same in the
//      word (E1)
//   L10 the records of all causes are freed, each once, after their last use

#include "checker/heap.h"
#include "checker/model.h"
#include "checker/suite.h"

#include "scope/token.h"

#include "base/clock.h"
#include "scope/callback.h"
#include "tenon/task.h"

#include <stdio.h>
#include <string.h>

#define TOKENS 4
#define LINKS 2
#define SCRIPTS 4

// Opened before the threads begin.
#define BEFORE (-1)

// Of a cancel or seal: 1 + thread * TOKENS + token.
#define NUMBERS (SCRIPTS * TOKENS + 1)

// Steps of a script, each with a token's digit: c cancel, m mark (a cancel
// without callbacks), p poll, t poll as a task in it, w ask why, l look at its
// word, o open it, s seal it. Without: ! tell what is known to be set, ? hear.
struct plan {
    const char *shape;  // each token's parent; -: none; L: links to 0 and 1;
                        // S: as a scope, parent 1 and a link to 0
    const char *scripts[SCRIPTS];
    int failing_count;  // records that find no memory
    bool is_cold;       // nothing is remembered as clean yet
};

static tenon_token tokens[TOKENS];
static tenon_token_link links[TOKENS][LINKS];
static tenon_task tasks[SCRIPTS][TOKENS];
static _Atomic(uint32_t) told;

// What a thread did before it called cancel, of a thread and a token.
static int payloads[NUMBERS];

// The driver's books. Sets of tokens and of numbers, as bits.
static uint32_t above[TOKENS];  // itself, too
static uint32_t below[TOKENS];  // likewise
static uint32_t known[SCRIPTS];
static int openers[TOKENS];
static uint32_t begun;
static uint32_t sealed;
static int winners[TOKENS];
static int causes[TOKENS];
static int moves[NUMBERS];  // where in its order each has left the epoch
static bool may_lack_memory;

static int token_count(const struct plan *plan)
{
    return (int)strlen(plan->shape);
}

static int number_of(int thread, int token)
{
    return 1 + thread * TOKENS + token;
}

static int token_of(int number)
{
    return (number - 1) % TOKENS;
}

static uint32_t bit(int index)
{
    return UINT32_C(1) << index;
}

// Has that cancel or seal begun to set `token`, or what is above it?
static bool has_begun(int number, int token)
{
    return (begun & bit(number)) != 0 &&
           (above[token] & bit(token_of(number))) != 0;
}

static void open(const struct plan *plan, int token)
{
    char parent = plan->shape[token];

    if (parent == 'L') {
        links[token][0].parent = &tokens[0];
        links[token][1].parent = &tokens[1];
        tenon_token_init_linked(&tokens[token], links[token], LINKS);
    } else if (parent == 'S') {
        links[token][0].parent = &tokens[0];
        tenon_token_init(&tokens[token], &tokens[1]);
        tn_token_link(&tokens[token], links[token], 1);
    } else {
        tenon_token_init(
            &tokens[token], parent == '-' ? NULL : &tokens[parent - '0']);
    }
}

static void draw_shape(const struct plan *plan)
{
    memset(below, 0, sizeof(below));
    for (int i = 0; i < token_count(plan); i++) {
        char parent = plan->shape[i];

        above[i] = bit(i);
        if (parent == 'L' || parent == 'S') {
            above[i] |= above[0] | above[1];
        } else if (parent != '-') {
            above[i] |= above[parent - '0'];
        }
        for (int k = 0; k <= i; k++) {
            below[k] |= (above[i] & bit(k)) != 0 ? bit(i) : 0;
        }
    }
}

// The thread whose script opens it.
static int opener_of(const struct plan *plan, int token)
{
    const char step[] = {'o', (char)('0' + token), '\0'};

    for (int i = 0; i < SCRIPTS && plan->scripts[i] != NULL; i++) {
        if (strstr(plan->scripts[i], step) != NULL) {
            return i;
        }
    }
    return BEFORE;
}

// As src/scope/task.c does for each task that it runs.
static void begin_tasks(int token)
{
    for (int i = 0; i < SCRIPTS; i++) {
        tasks[i][token].clean_epoch =
            tn_load_relaxed(&tokens[token].clean_epoch);
    }
}

static void setup(const void *arg)
{
    const struct plan *plan = arg;

    draw_shape(plan);
    memset(known, 0, sizeof(known));
    begun = 0;
    sealed = 0;
    memset(winners, 0, sizeof(winners));
    memset(causes, 0, sizeof(causes));
    memset(moves, 0, sizeof(moves));
    may_lack_memory = plan->failing_count > 0;
    memset(tasks, 0, sizeof(tasks));
    for (int i = 0; i < token_count(plan); i++) {
        openers[i] = opener_of(plan, i);
        if (openers[i] == BEFORE) {
            open(plan, i);
            mc_check(plan->is_cold || !tenon_token_cancelled(&tokens[i]));
            begin_tasks(i);
        }
    }
    mc_heap_fail_next(plan->failing_count);
}

// As src/scope/task.c.
bool tenon_cancelled_slow(tenon_task *self)
{
    int token = (int)(self - &tasks[0][0]) % TOKENS;
    uint64_t epoch = tn_cancel_epoch();

    if (tn_token_is_set(&tokens[token], epoch)) {
        return true;
    }
    self->clean_epoch = epoch;
    return false;
}

// No token has a callback here.
void tn_callback_run_listening(tenon_token *token)
{
    mc_fail("token %p listens", (void *)token);
}

void tn_callback_end_listening(tenon_token *token)
{
    mc_fail("token %p listens", (void *)token);
}

static void check_not_clean(int token)
{
    uint64_t clean = 0;
    uint64_t epoch = 0;

    for (int i = 0; mc_could_read(&tokens[token].clean_epoch, i, &clean); i++) {
        for (int k = 0; mc_could_read(&tenon_cancel_epoch.value, k, &epoch);
             k++) {
            mc_check(clean != epoch);  // L7
        }
    }
}

// The running thread has been told that `token` is set.
static void learn(const struct plan *plan, int token)
{
    int self = mc_thread_index();

    known[self] |= below[token];
    for (int i = 0; i < token_count(plan); i++) {
        bool is_here = openers[i] == BEFORE || openers[i] == self;
        if ((below[token] & bit(i)) != 0 && is_here) {
            check_not_clean(i);
        }
    }
}

static void announce_deed(int number)
{
    mc_plain_write(&payloads[number], number);
    begun |= bit(number);
    mc_note();
}

// Does no other script name the token, nor what is above or below it?
static bool is_private(const struct plan *plan, int token)
{
    int count = 0;

    for (int i = 0; i < SCRIPTS && plan->scripts[i] != NULL; i++) {
        count += strchr(plan->scripts[i], '0' + token) != NULL ? 1 : 0;
    }
    return count == 1 && above[token] == bit(token) &&
           below[token] == bit(token);
}

// The cancel of a private token has moved the epoch itself.
static void check_movers(const struct plan *plan, int number)
{
    if (!is_private(plan, token_of(number))) {
        return;
    }
    moves[number] = mc_store_index(&tenon_cancel_epoch.value);
    for (int i = 1; i < NUMBERS; i++) {
        bool is_earlier = moves[i] != 0 && moves[i] < moves[number];
        mc_check(!is_earlier || mc_knows_write(&payloads[i]));  // L9
    }
}

// As tenon_token_cancel(); but its fence hides what is missing elsewhere.
static bool mark(int token, int number)
{
    tenon_cause cause = {
        .source = TENON_CAUSE_EXPLICIT,
        .origin = TENON_CAUSE_EXPLICIT,
        .code = number,
        .time_ns = tn_clock_now_ns(),
    };

    snprintf(cause.text, sizeof(cause.text), "cancel %d", number);
    return tn_token_mark(&tokens[token], &cause);
}

static void cancel(const struct plan *plan, int token, bool has_callbacks)
{
    int number = number_of(mc_thread_index(), token);
    tenon_token *it = &tokens[token];
    bool is_late = ((sealed | known[mc_thread_index()]) & bit(token)) != 0;

    announce_deed(number);
    if (has_callbacks ? tenon_token_cancel(it, number, "cancel %d", number)
                      : mark(token, number)) {
        mc_check(winners[token] == 0);  // L1
        mc_check(!is_late);             // L1
        winners[token] = number;
        mc_note();
    }
    check_movers(plan, number);
    learn(plan, token);
}

static void seal(int token)
{
    announce_deed(number_of(mc_thread_index(), token));
    tn_token_seal(&tokens[token]);
    sealed |= bit(token);
    mc_note();
}

static void check_told(int token)
{
    bool is_any_begun = false;
    bool is_any_known = false;

    for (int i = 1; i < NUMBERS; i++) {
        if (has_begun(i, token)) {
            is_any_begun = true;
            is_any_known |= mc_knows_write(&payloads[i]);
        }
    }
    mc_check(is_any_begun);  // L5
    mc_check(is_any_known);  // L6
}

static void judge(const struct plan *plan, int token, bool is_set)
{
    bool is_known = (known[mc_thread_index()] & bit(token)) != 0;

    mc_check(is_set || !is_known);  // L3, L4
    if (is_set) {
        check_told(token);
        learn(plan, token);
    }
}

static bool is_complete(const tenon_cause *cause)
{
    char text[sizeof(cause->text)];

    snprintf(text, sizeof(text), "cancel %d", cause->code);
    return cause->time_ns != 0 && strcmp(cause->text, text) == 0;
}

static bool is_without_memory(const tenon_cause *cause)
{
    return may_lack_memory && cause->time_ns == 0 && cause->text[0] == '\0';
}

static void check_cause(int token, const tenon_cause *cause)
{
    int number = cause->code;

    mc_check(number > 0);
    mc_check(number < NUMBERS);
    mc_check(has_begun(number, token));
    bool is_own = token_of(number) == token;
    mc_check(
        cause->source == (is_own ? TENON_CAUSE_EXPLICIT : TENON_CAUSE_PARENT));
    mc_check(cause->origin == TENON_CAUSE_EXPLICIT);
    mc_check(is_complete(cause) || is_without_memory(cause));  // L2
    mc_check(causes[token] == 0 || causes[token] == number);   // L2
    causes[token] = number;
}

static void ask_why(const struct plan *plan, int token)
{
    tenon_cause cause;
    bool is_set = tenon_token_cause(&tokens[token], &cause);

    judge(plan, token, is_set);
    if (is_set) {
        check_cause(token, &cause);
        mc_check(mc_plain_read(&payloads[cause.code]) == cause.code);  // L6
    }
}

// The token whose cause a word shows.
static int origin_of(int token, uintptr_t word)
{
    for (int i = 0; i < TOKENS; i++) {
        if ((uintptr_t)&tokens[i] <= word && word < (uintptr_t)&tokens[i + 1]) {
            return i;
        }
    }
    return token;
}

static void look(int token)
{
    uintptr_t word = tn_load_acquire(&tokens[token].cause);
    bool is_known = word == 0;

    for (int i = 1; i < NUMBERS; i++) {
        is_known |= (begun & bit(i)) != 0 &&
                    token_of(i) == origin_of(token, word) &&
                    mc_knows_write(&payloads[i]);
    }
    mc_check(is_known);  // L8
}

static void take_step(const struct plan *plan, char step, int token)
{
    int self = mc_thread_index();

    switch (step) {
    case 'c':
    case 'm':
        cancel(plan, token, step == 'c');
        break;
    case 'p':
        judge(plan, token, tenon_token_cancelled(&tokens[token]));
        break;
    case 't':
        judge(plan, token, tenon_cancelled(&tasks[self][token]));
        break;
    case 'w':
        ask_why(plan, token);
        break;
    case 'l':
        look(token);
        break;
    case 'o':
        open(plan, token);
        break;
    default:
        mc_check(step == 's');
        seal(token);
        break;
    }
}

static void run_script(const void *arg)
{
    const struct plan *plan = arg;
    int self = mc_thread_index();

    for (const char *step = plan->scripts[self]; *step != '\0'; step++) {
        if (*step == '!') {
            tn_store_release(&told, known[self]);
        } else if (*step == '?') {
            known[self] |= tn_load_acquire(&told);
        } else {
            take_step(plan, step[0], step[1] - '0');
            step++;
        }
    }
}

static bool is_set_by_now(int token)
{
    for (int i = 1; i < NUMBERS; i++) {
        if (has_begun(i, token)) {
            return true;
        }
    }
    return false;
}

static void check_end_of(int token)
{
    tenon_cause cause = {.source = TENON_CAUSE_NONE};
    bool is_set = is_set_by_now(token);

    for (int i = 0; i < mc_thread_count_all(); i++) {
        mc_check(tenon_cancelled(&tasks[i][token]) == is_set);  // L3, L5
    }
    mc_check(tenon_token_cancelled(&tokens[token]) == is_set);  // L3, L5
    if (!is_set || (sealed & bit(token)) != 0) {
        return;
    }
    mc_check(tenon_token_cause(&tokens[token], &cause));
    check_cause(token, &cause);
    bool is_own = winners[token] != 0;
    mc_check(is_own == (cause.source == TENON_CAUSE_EXPLICIT));  // L1
    mc_check(!is_own || winners[token] == cause.code);           // L2
}

static void check(const void *arg)
{
    const struct plan *plan = arg;

    for (int i = token_count(plan) - 1; i >= 0; i--) {
        check_end_of(i);
    }
    for (int i = token_count(plan) - 1; i >= 0; i--) {
        tenon_token_fini(&tokens[i]);
    }
    mc_check(mc_heap_living() == 0);  // L10
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

static const struct plan two_cancels = {
    .shape = "-", .scripts = {"c0w0", "c0w0"}};
static const struct plan two_tokens = {.shape = "--", .scripts = {"m0", "m1"}};
static const struct plan polls = {.shape = "-0", .scripts = {"c0", "p1t1w1p0"}};
static const struct plan cold_polls = {
    .shape = "-0", .scripts = {"m0", "p1p1", "w1"}, .is_cold = true};
static const struct plan cold_looks = {
    .shape = "-0", .scripts = {"m0", "p1", "l1"}, .is_cold = true};
static const struct plan heard_cancel = {
    .shape = "-01", .scripts = {"m0!", "t2?t2p1"}};
static const struct plan heard_poll = {
    .shape = "-01", .scripts = {"m0", "p1!", "p2?p2w2"}};
static const struct plan heard_loser = {
    .shape = "-0", .scripts = {"c0", "c0!", "p1?p1w1"}};
static const struct plan chain = {.shape = "-0", .scripts = {"c0w1", "c1w1"}};
static const struct plan chain_polled = {
    .shape = "-01", .scripts = {"c0", "c1", "p2w2"}};
static const struct plan linked = {.shape = "--L", .scripts = {"c0w2", "c1w2"}};
static const struct plan linked_polled = {
    .shape = "--L2", .scripts = {"c0!", "c1", "p3?w3"}};
static const struct plan linked_twice = {
    .shape = "-0L", .scripts = {"m0", "m1", "p2", "l2"}, .is_cold = true};
static const struct plan opened = {
    .shape = "-0", .scripts = {"c0!", "?o1p1p1"}};
static const struct plan opened_as_scope = {
    .shape = "--S", .scripts = {"c0!", "?p1o2p2"}};
static const struct plan late = {.shape = "-0", .scripts = {"c0c1w1", "c0"}};
static const struct plan no_memory = {
    .shape = "-0", .scripts = {"c0", "c0w0", "w1"}, .failing_count = 1};
static const struct plan ended = {
    .shape = "-0", .scripts = {"s1", "c1p1", "c1"}};
static const struct plan ended_below = {
    .shape = "-0", .scripts = {"s1", "c0", "c1"}};
static const struct plan ended_polled = {
    .shape = "-", .scripts = {"s0", "p0"}, .is_cold = true};
static const struct plan many = {
    .shape = "--L2",
    .scripts = {"c0w3!c2", "?c3w3p2", "p3c1?t3w2", "t2?w3t3p0"}};

static const struct mc_scenario scenarios[] = {
    {"two_cancels", &two_cancels, 3, -1, 0, MC_EXHAUSTIVE},
    {"cancels_of_two_tokens", &two_tokens, 3, -1, 0, MC_EXHAUSTIVE},
    {"polls_under_a_cancel", &polls, 3, -1, 0, MC_EXHAUSTIVE},
    {"first_polls_under_a_cancel", &cold_polls, 2, -1, 0, MC_EXHAUSTIVE},
    {"first_looks_under_a_cancel", &cold_looks, 3, -1, 0, MC_EXHAUSTIVE},
    {"polls_after_hearing", &heard_cancel, 3, -1, 0, MC_EXHAUSTIVE},
    {"polls_after_anothers_poll", &heard_poll, 2, 2, 0, MC_EXHAUSTIVE},
    {"polls_after_a_lost_cancel", &heard_loser, 2, 2, 0, MC_EXHAUSTIVE},
    {"cancels_of_a_chain", &chain, 3, -1, 0, MC_EXHAUSTIVE},
    {"cancels_of_a_chain_polled", &chain_polled, 2, 2, 0, MC_EXHAUSTIVE},
    {"cancels_of_both_links", &linked, 3, -1, 0, MC_EXHAUSTIVE},
    {"polls_below_links", &linked_polled, 2, 1, 0, MC_EXHAUSTIVE},
    {"link_below_the_other_link", &linked_twice, 2, 1, 0, MC_EXHAUSTIVE},
    {"opened_under_a_cancel", &opened, 3, -1, 0, MC_EXHAUSTIVE},
    {"opened_as_a_scope", &opened_as_scope, 3, -1, 0, MC_EXHAUSTIVE},
    {"cancelled_below_by_who_knows", &late, 3, -1, 0, MC_EXHAUSTIVE},
    {"no_memory_for_a_cause", &no_memory, 2, 2, 0, MC_EXHAUSTIVE},
    {"sealed_under_cancels", &ended, 2, 2, 0, MC_EXHAUSTIVE},
    {"sealed_below_a_cancel", &ended_below, 2, 2, 0, MC_EXHAUSTIVE},
    {"sealed_under_a_poll", &ended_polled, 3, -1, 0, MC_EXHAUSTIVE},
    {"many_random", &many, 0, 0, 0, MC_RANDOM},
    {"many_pct", &many, 0, 0, 0, MC_PCT},
    {.name = NULL},
};

int main(int argc, char **argv)
{
    static const char *const files[] = {"scope/token", NULL};
    static const struct mc_suite suite = {
        files, scenarios, program_of, NULL, .is_fenced = false};

    return mc_suite_main(&suite, argc, argv);
}
