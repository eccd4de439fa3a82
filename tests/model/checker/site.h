// SPDX-License-Identifier: MIT
//
// site — every place in the source that performs an operation; its mutants.

#ifndef MC_SITE_H
#define MC_SITE_H

#include "checker/op.h"

#include <stdbool.h>

struct mc_mutant {
    const struct mc_site *site;
    bool is_failure;  // it weakens the order of a failed compare-and-swap
    uint8_t order;    // to this
    char name[160];
    char place[160];  // the same without the line, but with the function
};

// [driver] How many distinct sites there are in `files`, and the `index`th of
// them. `files` is a list of prefixes of "path:function", the path from the root
// of the sources; the first that fits decides; "!" before it means: not these.
int mc_site_count(const char *const *files);
const struct mc_site *mc_site_at(const char *const *files, int index);

// [driver] Was it reached by any execution so far?
bool mc_site_was_reached(const struct mc_site *site);

// [driver] Fill `mutants` with every way to weaken `site` by one step; returns
// how many, at most 4.
int mc_site_mutants(const struct mc_site *site, struct mc_mutant *mutants);

// [driver] Put the mutant in the place of the shipped order, and back.
void mc_site_apply(const struct mc_mutant *mutant);
void mc_site_restore(const struct mc_mutant *mutant);

#endif
