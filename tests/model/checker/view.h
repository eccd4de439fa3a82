// SPDX-License-Identifier: MIT
//
// view — what a thread knows: a clock per thread, the newest store per place.
//
// Source: the view machines of Kang, Hur, Lahav, Vafeiadis and Dreyer, "A
// Promising Semantics for Relaxed-Memory Concurrency" (POPL 2017); the clocks
// are those of Flanagan and Freund, "FastTrack" (PLDI 2009).
//
// Shape: lanes [0, MC_THREADS) are vector clocks, for races on plain memory.
// Each other lane belongs to one atomic location and holds the index, in its
// modification order, of the oldest store that may still be read.

#ifndef MC_VIEW_H
#define MC_VIEW_H

#include <stdint.h>

#define MC_THREADS 8
#define MC_LOCATIONS 88
#define MC_LANES (MC_THREADS + MC_LOCATIONS)

struct mc_view {
    int16_t lanes[MC_LANES];
};

static inline int16_t mc_view_newer(int16_t a, int16_t b)
{
    return a > b ? a : b;
}

// [engine] Add to `into` all that `from` knows.
static inline void mc_view_join(
    struct mc_view *restrict into, const struct mc_view *restrict from)
{
    for (int i = 0; i < MC_LANES; i++) {
        into->lanes[i] = mc_view_newer(into->lanes[i], from->lanes[i]);
    }
}

// [engine] The same without the clocks: order between atomics that creates no
// happens-before, which is what a pair of seq_cst fences gives.
static inline void mc_view_join_locations(
    struct mc_view *restrict into, const struct mc_view *restrict from)
{
    for (int i = MC_THREADS; i < MC_LANES; i++) {
        into->lanes[i] = mc_view_newer(into->lanes[i], from->lanes[i]);
    }
}

#endif
