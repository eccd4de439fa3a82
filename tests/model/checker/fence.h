// SPDX-License-Identifier: MIT
//
// fence — fences, and the one view that they all share.

#ifndef MC_FENCE_H
#define MC_FENCE_H

#include "checker/memory.h"
#include "checker/op.h"

// [engine] Forget what fences have shared.
void mc_fence_reset(void);

// [thread] A seq_cst load may not read a store older than this.
int mc_fence_oldest(const struct mc_location *location);

// [thread] A seq_cst store to `location` was the newest.
void mc_fence_note_store(const struct mc_location *location);

#endif
