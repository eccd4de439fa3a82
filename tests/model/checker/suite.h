// SPDX-License-Identifier: MIT
//
// suite — a list of scenarios, run as a test program that speaks TAP.

#ifndef MC_SUITE_H
#define MC_SUITE_H

#include "checker/model.h"
#include "checker/search.h"

// It is searched in all models of the fences that the suite needs. An exhaustive one is searched
// in the mutation run too, in the order of the list.
struct mc_scenario {
    const char *name;
    const void *plan;  // what the driver makes the program of
    int preemption_bound;
    int stale_bound;
    int spurious_bound;
    enum mc_strategy strategy;  // by lot: the bounds do not count
};

struct mc_suite {
    const char *const *files;             // what is mutated: site.h
    const struct mc_scenario *scenarios;  // ends at the first without a name
    struct mc_program (*program_of)(const void *plan);
    const char *const *redundant;  // or NULL: orders that are, see README.md
    bool is_fenced;  // it uses base/fence.h: the models of that differ
};

// [driver] The main() of a test program; `--help` prints what it takes.
int mc_suite_main(const struct mc_suite *suite, int argc, char **argv);

// [engine] The parts of a scenario.
struct mc_program mc_suite_program(
    const struct mc_suite *suite, const struct mc_scenario *scenario);
struct mc_search mc_suite_search(const struct mc_scenario *scenario);

#endif
