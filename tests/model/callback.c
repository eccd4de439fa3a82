// SPDX-License-Identifier: MIT
//
// callback — laws of src/scope/callback: called once by a cancel, or taken out.
//
// The callbacks are of a token below another one, and either is cancelled. A
// callback is freed when it has been taken out, or with its token.
//
// Laws:
//   L1 a callback is called at most once, and only if its token is set
//   L2 it has been called when both its registration and a cancel have
//   returned,
//      unless it was taken out or its token ended
//   L3 who takes it out hears whether it was called, and it is not running
//   then,
//      except further up on the same stack
//   L4 after that, or after the end of its token, nobody touches the callback;
//      after the end nobody touches the token
//   L5 who is called knows what was done before the registration and before one
//      of the cancels

#include "checker/heap.h"
#include "checker/model.h"
#include "checker/suite.h"

#include "scope/callback.h"

#include "scope/token.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define CALLBACKS 2
#define SCRIPTS 3

// Steps, each with a digit. Of a callback: r register it, t take it out. Of a
// token, 0 or 1 below it: c cancel it, e end it.
struct plan {
    const char *before;  // steps taken before the threads begin
    const char *scripts[SCRIPTS];
    bool takes_itself_out;  // the callback, while it runs
};

static tenon_token outer;
static tenon_token *inner;
static tenon_callback *callbacks[CALLBACKS];

// What was done before a callback was registered, and before each thread's
// cancel.
static int contexts[CALLBACKS];
static int payloads[SCRIPTS];

// The driver's books.
static const struct plan *current;
static bool is_registered[CALLBACKS];  // the call has returned
static bool is_out[CALLBACKS];
static bool is_running[CALLBACKS];
static int run_counts[CALLBACKS];
static bool has_begun[SCRIPTS];  // a cancel
static bool has_cancelled;       // one has returned
static bool has_ended;           // the token

static tenon_token *token_at(int digit)
{
    return digit == 0 ? &outer : inner;
}

static void check_cancel_known(void)
{
    bool is_known = false;

    for (int i = 0; i < SCRIPTS; i++) {
        is_known |= has_begun[i] && mc_knows_write(&payloads[i]);
    }
    mc_check(is_known);  // L1, L5
}

static void take_out(int number)
{
    bool was_in_time = tenon_callback_unregister(callbacks[number]);

    mc_check(was_in_time == (run_counts[number] == 0));  // L3
    is_out[number] = true;
    mc_note();
}

static int run(void *context, const tenon_cause *cause)
{
    int number = (int)((int *)context - contexts);

    mc_check(cause->source != TENON_CAUSE_NONE);      // L1
    mc_check(mc_plain_read(&contexts[number]) == 1);  // L5
    check_cancel_known();
    run_counts[number]++;
    mc_check(run_counts[number] == 1);  // L1
    is_running[number] = true;
    if (current->takes_itself_out) {
        take_out(number);
        free(callbacks[number]);  // L4
    }
    is_running[number] = false;
    mc_note();
    return 0;
}

static void put_in(int number)
{
    callbacks[number] = malloc(sizeof(*callbacks[number]));
    mc_plain_write(&contexts[number], 1);
    tenon_callback_register(callbacks[number], inner, run, &contexts[number]);
    is_registered[number] = true;
    mc_note();
}

static void cancel(int digit)
{
    int self = mc_thread_index();

    mc_plain_write(&payloads[self], 1);
    has_begun[self] = true;
    mc_note();
    (tenon_token_cancel)(token_at(digit), 1, NULL);
    has_cancelled = true;
}

static void end(void)
{
    tenon_token_fini(inner);
    for (int i = 0; i < CALLBACKS; i++) {
        mc_check(!is_running[i]);  // L4
        if (is_registered[i] && !is_out[i]) {
            free(callbacks[i]);  // L4
        }
    }
    free(inner);  // L4
    has_ended = true;
}

static void take_steps(const char *script)
{
    for (; script != NULL && *script != '\0'; script += 2) {
        int digit = script[1] - '0';

        switch (script[0]) {
        case 'r':
            put_in(digit);
            break;
        case 't':
            take_out(digit);
            mc_check(!is_running[digit]);  // L3
            free(callbacks[digit]);        // L4
            break;
        case 'c':
            cancel(digit);
            break;
        default:
            mc_check(script[0] == 'e');
            end();
            break;
        }
    }
}

static void run_script(const void *arg)
{
    const struct plan *plan = arg;

    take_steps(plan->scripts[mc_thread_index()]);
}

static void setup(const void *arg)
{
    current = arg;
    memset(is_registered, 0, sizeof(is_registered));
    memset(is_out, 0, sizeof(is_out));
    memset(is_running, 0, sizeof(is_running));
    memset(run_counts, 0, sizeof(run_counts));
    memset(has_begun, 0, sizeof(has_begun));
    has_cancelled = false;
    has_ended = false;
    inner = mc_heap_alloc(sizeof(*inner), alignof(tenon_token), true);
    tenon_token_init(&outer, NULL);
    tenon_token_init(inner, &outer);
    take_steps(current->before);
}

static void check(const void *arg)
{
    (void)arg;
    for (int i = 0; i < CALLBACKS; i++) {
        bool is_due = is_registered[i] && !is_out[i] && !has_ended;
        mc_check(!is_due || !has_cancelled || run_counts[i] == 1);  // L2
    }
    if (!has_ended) {
        end();
    }
    mc_check(tn_load_relaxed(&outer.is_listening) == 0);
    tenon_token_fini(&outer);
}

static struct mc_program program_of(const void *arg)
{
    static const char *const names[] = {"one", "two", "three"};
    const struct plan *plan = arg;
    struct mc_program program = {.setup = setup, .check = check};

    for (int i = 0; i < SCRIPTS && plan->scripts[i] != NULL; i++) {
        program.threads[i] = (struct mc_thread_spec){names[i], run_script};
    }
    return program;
}

__thread struct tn_worker *tn_worker_here;
bool tn_has_forked;

static const struct plan registered = {.scripts = {"r0", "c1"}};
static const struct plan registered_below = {.scripts = {"r0", "c0"}};
static const struct plan taken_out = {.before = "r0", .scripts = {"t0", "c0"}};
static const struct plan in_and_out = {.scripts = {"r0t0r1", "c0"}};
static const struct plan ended = {.before = "r0", .scripts = {"e1", "c0"}};
static const struct plan ended_with_two = {
    .before = "r0r1", .scripts = {"e1", "c0"}};
static const struct plan two_cancels = {
    .before = "r0r1", .scripts = {"t0", "c0", "c1"}};
static const struct plan out_by_itself = {
    .before = "r0r1", .scripts = {"c0", "c1"}, .takes_itself_out = true};
static const struct plan second_waits = {
    .before = "r0r1", .scripts = {"t1", "t0", "c0"}};

static const struct mc_scenario scenarios[] = {
    {"registered_under_a_cancel", &registered, 3, -1, 0, MC_EXHAUSTIVE},
    {"registered_below_a_cancel", &registered_below, 3, -1, 0, MC_EXHAUSTIVE},
    {"taken_out_under_a_cancel", &taken_out, 3, -1, 1, MC_EXHAUSTIVE},
    {"in_and_out_under_a_cancel", &in_and_out, 3, 2, 0, MC_EXHAUSTIVE},
    {"token_ends_under_a_cancel", &ended, 3, -1, 0, MC_EXHAUSTIVE},
    {"token_of_two_ends", &ended_with_two, 3, 2, 0, MC_EXHAUSTIVE},
    {"two_cancels", &two_cancels, 2, 1, 0, MC_EXHAUSTIVE},
    {"out_by_itself", &out_by_itself, 2, 1, 0, MC_EXHAUSTIVE},
    {"two_taken_out", &second_waits, 2, 1, 0, MC_EXHAUSTIVE},
    {.name = NULL},
};

int main(int argc, char **argv)
{
    static const char *const files[] = {"scope/callback", NULL};
    static const struct mc_suite suite = {
        files, scenarios, program_of, NULL, .is_fenced = false};

    return mc_suite_main(&suite, argc, argv);
}
