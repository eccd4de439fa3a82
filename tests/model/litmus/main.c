// SPDX-License-Identifier: MIT
//
// main — runs every litmus test to completion and compares its outcomes.

#include "litmus/litmus.h"

#include "checker/tap.h"

#include <stdio.h>
#include <string.h>

#define OUTCOMES 10000

_Atomic(int) x, y, z;
_Atomic(uint32_t) word;
int r[LITMUS_REGISTERS];
int plain;

static bool was_seen[OUTCOMES];

static void setup(const void *arg)
{
    (void)arg;
    memset(r, 0, sizeof(r));
    plain = 0;
}

static void check(const void *arg)
{
    const struct litmus *litmus = arg;
    int outcome = 0;

    if (litmus->last != NULL) {
        litmus->last(arg);
    }
    for (int i = 0; i < litmus->register_count; i++) {
        outcome = outcome * 10 + r[i];
    }
    was_seen[outcome] = true;
}

static void print_outcomes(char *text, size_t size_bytes, int digits)
{
    size_t used = 0;

    text[0] = '\0';
    for (int i = 0; i < OUTCOMES; i++) {
        if (was_seen[i] && used < size_bytes - 8) {
            used += (size_t)snprintf(
                text + used, size_bytes - used, "%s%0*d", used == 0 ? "" : " ",
                digits, i);
        }
    }
}

static bool is_expected(
    const struct litmus *litmus, const struct mc_result *result,
    const char *outcomes)
{
    if (litmus->expected_failure != NULL) {
        return result->has_failed &&
               strstr(result->message, litmus->expected_failure) != NULL;
    }
    return !result->has_failed && result->is_complete &&
           result->cut_count == 0 && strcmp(outcomes, litmus->expected) == 0;
}

static void run(const struct litmus *litmus, enum mc_fences fences)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    static struct mc_result result;
    struct mc_program program = {
        .name = litmus->name, .arg = litmus, .setup = setup, .check = check};
    struct mc_search search =
        mc_search_within(MC_UNBOUNDED, MC_UNBOUNDED, litmus->spurious_bound);
    char outcomes[256];

    for (int i = 0; litmus->bodies[i] != NULL; i++) {
        program.threads[i].name = names[i];
        program.threads[i].body = litmus->bodies[i];
    }
    search.fences = fences;
    search.step_limit = 100;
    memset(was_seen, 0, sizeof(was_seen));
    mc_search_run(&program, &search, &result);
    print_outcomes(outcomes, sizeof(outcomes), litmus->register_count);
    bool is_ok = mc_tap_result(
        is_expected(litmus, &result, outcomes), "%s (%s): %ld executions, %s",
        litmus->name, mc_search_fences_name(fences), result.run_count,
        result.has_failed ? result.message : outcomes);
    if (!is_ok) {
        mc_tap_note(
            "expected: %s", litmus->expected_failure != NULL
                                ? litmus->expected_failure
                                : litmus->expected);
    }
}

static void run_all(const struct litmus *litmus)
{
    for (; litmus->name != NULL; litmus++) {
        unsigned set = litmus->fences == 0 ? 1 : litmus->fences;

        for (int i = 0; i < 3; i++) {
            if (set & 1u << i) {
                run(litmus, (enum mc_fences)i);
            }
        }
    }
}

int main(void)
{
    run_all(litmus_ordering);
    run_all(litmus_fences);
    run_all(litmus_updates);
    run_all(litmus_sleep);
    run_all(litmus_races);
    run_all(litmus_locks);
    return mc_tap_finish();
}
