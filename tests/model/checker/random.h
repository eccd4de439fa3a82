// SPDX-License-Identifier: MIT
//
// random — numbers by lot that a seed brings again: splitmix64.
//
// Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
// Generators" (OOPSLA 2014).

#ifndef MC_RANDOM_H
#define MC_RANDOM_H

#include <stdint.h>

static inline uint64_t mc_random_next(uint64_t *state)
{
    uint64_t bits = *state += UINT64_C(0x9e3779b97f4a7c15);

    bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
    return bits ^ (bits >> 31);
}

// A number in [0, count).
static inline int mc_random_below(uint64_t *state, int count)
{
    return (int)(mc_random_next(state) % (uint64_t)count);
}

#endif
