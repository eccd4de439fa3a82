// SPDX-License-Identifier: MIT
//
// mutation — weakens the shipped code in one place and expects to see it fail.

#ifndef MC_MUTATION_H
#define MC_MUTATION_H

#include "checker/suite.h"

// [engine] One result per weakened order, fence and unreached site.
void mc_mutation_run(const struct mc_suite *suite);

// [engine] One result: the code as compiled, said to be the mutant `name`,
// fails in some scenario.
void mc_mutation_expect(const struct mc_suite *suite, const char *name);

#endif
