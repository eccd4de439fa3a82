// SPDX-License-Identifier: MIT
//
// race — finds conflicting plain accesses that no order separates.
//
// Source: happens-before by vector clocks, after Flanagan and Freund,
// "FastTrack" (PLDI 2009). Accesses come from the macros of model.h, and from
// shipped code compiled with -fsanitize=thread, whose hooks are in hooks.c.

#ifndef MC_RACE_H
#define MC_RACE_H

#include "checker/heap.h"
#include "checker/model.h"

// [engine] Forget every access.
void mc_race_reset(void);

// [thread] Who last wrote the plain byte at `address`, if that was seen; else
// the outputs stay as they are.
void mc_race_find_write(
    const volatile void *address, int *thread, int16_t *clock);

// [thread] Before memory is freed: fail the run unless the running thread knows
// of every plain access to `block`.
void mc_race_retire(const struct mc_block *block);

#endif
