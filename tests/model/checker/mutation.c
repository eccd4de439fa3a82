// SPDX-License-Identifier: MIT
//
// mutation — searches every scenario until one catches the mutant.
//
// A mutant that survives means that the order is redundant, that no scenario
// needs it, or that the checker can not see why it is needed. Each is worth
// knowing, so each is a failed test.

#include "checker/mutation.h"

#include "checker/site.h"
#include "checker/tap.h"

#include <string.h>

#define SHIPPED_RUNS 2000
#define REDUNDANT_RUNS 500
#define REDUNDANT_MAX 32

struct hunt {
    long run_count;
    const struct mc_scenario *scenario;  // that caught it, or NULL
    struct mc_search search;
    struct mc_result result;
};

static bool search_once(
    struct hunt *hunt, const struct mc_suite *suite,
    const struct mc_scenario *scenario, struct mc_search search)
{
    struct mc_program program = mc_suite_program(suite, scenario);

    mc_search_run(&program, &search, &hunt->result);
    hunt->run_count += hunt->result.run_count;
    if (hunt->result.has_failed) {
        hunt->scenario = scenario;
        hunt->search = search;
    }
    return hunt->result.has_failed;
}

static bool search_each(
    struct hunt *hunt, const struct mc_suite *suite, struct mc_search how)
{
    const struct mc_scenario *scenario = suite->scenarios;

    for (; scenario->name != NULL; scenario++) {
        struct mc_search search = mc_suite_search(scenario);

        search.strategy = how.strategy;
        search.fences = how.fences;
        search.run_limit = how.run_limit;
        if (scenario->strategy == MC_EXHAUSTIVE &&
            search_once(hunt, suite, scenario, search)) {
            return true;
        }
    }
    return false;
}

// First what is quick to find what is easy to find.
static bool search_all(
    struct hunt *hunt, const struct mc_suite *suite, enum mc_fences fences)
{
    const struct mc_search steps[] = {
        {.strategy = MC_RANDOM, .fences = fences, .run_limit = 2000},
        {.strategy = MC_PCT, .fences = fences, .run_limit = 4000},
        {.strategy = MC_EXHAUSTIVE, .fences = fences},
        {.strategy = MC_RANDOM, .fences = fences, .run_limit = 30000},
        {.strategy = MC_PCT, .fences = fences, .run_limit = 30000},
    };

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (search_each(hunt, suite, steps[i])) {
            return true;
        }
    }
    return false;
}

// A run that was too large, or that can not be repeated, proves nothing.
static bool is_excuse(const char *message)
{
    return strstr(message, "for the checker") != NULL ||
           strstr(message, "the same path") != NULL;
}

static void hunt_one(
    const struct mc_suite *suite, const char *name, enum mc_fences fences)
{
    static struct hunt hunt;

    memset(&hunt, 0, sizeof(hunt));
    if (search_all(&hunt, suite, fences)) {
        mc_tap_result(
            !is_excuse(hunt.result.message),
            "%s (%s): caught by %s, %s, execution %ld (%ld in all): %s", name,
            mc_search_fences_name(fences), hunt.scenario->name,
            mc_search_strategy_name(hunt.search.strategy),
            hunt.result.run_count, hunt.run_count, hunt.result.message);
        return;
    }
    mc_tap_result(
        false, "%s (%s): SURVIVED %ld executions", name,
        mc_search_fences_name(fences), hunt.run_count);
}

// Its place in the list of orders that are known to be redundant, or -1.
static int find_redundant(
    const struct mc_suite *suite, const struct mc_mutant *mutant)
{
    const char *const *list = suite->redundant;

    for (int i = 0; list != NULL && list[i] != NULL; i++) {
        if (strcmp(list[i], mutant->place) == 0) {
            return i;
        }
    }
    return -1;
}

// It must do no harm, or it should not be on the list.
static void expect_no_harm(
    const struct mc_suite *suite, const struct mc_mutant *mutant)
{
    static struct hunt hunt;
    struct mc_search how = {
        .strategy = MC_RANDOM,
        .fences = MC_FENCES_PAIRED,
        .run_limit = REDUNDANT_RUNS,
    };

    memset(&hunt, 0, sizeof(hunt));
    mc_site_apply(mutant);
    bool is_caught = search_each(&hunt, suite, how);
    mc_site_restore(mutant);
    mc_tap_result(
        !is_caught, "%s: redundant, %ld executions%s%s", mutant->name,
        hunt.run_count, is_caught ? " fail: " : "", hunt.result.message);
}

static void check_list(const struct mc_suite *suite, const bool *was_found)
{
    const char *const *list = suite->redundant;

    for (int i = 0; list != NULL && list[i] != NULL; i++) {
        if (!was_found[i]) {
            mc_tap_result(false, "%s: is redundant, but not there", list[i]);
        }
    }
}

static void mutate(const struct mc_suite *suite, const struct mc_mutant *mutant)
{
    bool is_light = mutant->site->op == MC_OP_FENCE_LIGHT;
    bool is_heavy = mutant->site->op == MC_OP_FENCE_HEAVY;

    mc_site_apply(mutant);
    hunt_one(suite, mutant->name, MC_FENCES_PAIRED);
    // The portable form has fences of its own to lose; a heavy one that
    // becomes the thread's own is what it already is there.
    if (is_light || (is_heavy && mutant->order == MC_NO_FENCE)) {
        hunt_one(suite, mutant->name, MC_FENCES_PORTABLE);
    }
    mc_site_restore(mutant);
}

// Also reaches every site that any scenario can reach.
static void check_shipped(const struct mc_suite *suite)
{
    static struct hunt hunt;
    const struct mc_scenario *scenario = suite->scenarios;

    memset(&hunt, 0, sizeof(hunt));
    for (; scenario->name != NULL; scenario++) {
        struct mc_search search = mc_suite_search(scenario);

        search.strategy = MC_RANDOM;
        search.fences = MC_FENCES_PAIRED;
        search.run_limit = SHIPPED_RUNS;
        if (search_once(&hunt, suite, scenario, search)) {
            break;
        }
    }
    mc_tap_result(
        hunt.scenario == NULL, "shipped orders: %ld executions%s%s",
        hunt.run_count, hunt.scenario == NULL ? "" : " fail: ",
        hunt.scenario == NULL ? "" : hunt.result.message);
}

void mc_mutation_run(const struct mc_suite *suite)
{
    int count = mc_site_count(suite->files);
    bool was_found[REDUNDANT_MAX] = {false};

    mc_tap_result(count > 0, "%d places with an atomic or a fence", count);
    check_shipped(suite);
    for (int i = 0; i < count; i++) {
        struct mc_mutant mutants[4];
        int mutant_count =
            mc_site_mutants(mc_site_at(suite->files, i), mutants);

        for (int k = 0; k < mutant_count; k++) {
            int place = find_redundant(suite, &mutants[k]);
            if (place < 0) {
                mutate(suite, &mutants[k]);
            } else {
                was_found[place] = true;
                expect_no_harm(suite, &mutants[k]);
            }
        }
    }
    check_list(suite, was_found);
    for (int i = 0; i < count; i++) {
        const struct mc_site *site = mc_site_at(suite->files, i);

        if (!mc_site_was_reached(site)) {
            mc_tap_result(
                false, "%s:%d %s(%s): reached by no scenario",
                mc_file_name(site->file), site->line, site->name, site->object);
        }
    }
}

void mc_mutation_expect(const struct mc_suite *suite, const char *name)
{
    hunt_one(suite, name, MC_FENCES_PAIRED);
}
