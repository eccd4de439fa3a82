// SPDX-License-Identifier: MIT
//
// read — which store a load reads, and what the reader learns from it.

#ifndef MC_READ_H
#define MC_READ_H

#include "checker/memory.h"

// [thread] Choose a store of `location` not older than `oldest`: its index.
int mc_read_choose(const struct mc_location *location, int oldest);

// [thread] The running thread reads store `index` with `order`.
void mc_read_learn(struct mc_location *location, int index, unsigned order);

#endif
