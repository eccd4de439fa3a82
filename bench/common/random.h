// SPDX-License-Identifier: MIT
//
// random — the same numbers on every machine, for input that looks random.
//
// Source:  Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
//          Generators", OOPSLA 2014, there called SplitMix64.

#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <stdint.h>

// [any] 64 bits mixed from 64 bits: different ones from different ones.
static inline uint64_t bench_random_mix(uint64_t bits)
{
    bits = (bits ^ bits >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ bits >> 27) * UINT64_C(0x94d049bb133111eb);
    return bits ^ bits >> 31;
}

// [any] The next number. `*state` begins as the seed.
static inline uint64_t bench_random_next(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return bench_random_mix(*state);
}

#endif
