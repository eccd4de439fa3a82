// SPDX-License-Identifier: MIT
//
// litmus — small programs of which the memory model says every outcome.
//
// A litmus test passes if the outcomes seen in a complete search are exactly
// the ones listed: what C11 allows must be found, what it forbids must not.

#ifndef MC_LITMUS_H
#define MC_LITMUS_H

#include "checker/model.h"
#include "checker/search.h"

#include "base/atomic.h"
#include "base/fence.h"
#include "base/futex.h"

#define LITMUS_REGISTERS 4

struct litmus {
    const char *name;
    void (*bodies[MC_THREADS])(const void *arg);
    void (*last)(const void *arg);  // after the threads; may be NULL
    int register_count;             // an outcome is a string of so many digits
    const char *expected;           // outcomes, sorted, separated by spaces
    const char *expected_failure;   // or: what some execution must fail with
    unsigned fences;                // set of 1u << enum mc_fences; 0: paired
    int spurious_bound;
};

// The locations and registers of all litmus tests; zero at the start.
extern _Atomic(int) x, y, z;
extern _Atomic(uint32_t) word;
extern int r[LITMUS_REGISTERS];
extern int plain;

// Each file's tests; the last has no name.
extern const struct litmus litmus_ordering[];
extern const struct litmus litmus_fences[];
extern const struct litmus litmus_updates[];
extern const struct litmus litmus_sleep[];
extern const struct litmus litmus_races[];
extern const struct litmus litmus_locks[];

// Operations that the library does not use, and so have no tn_ name.
#define acquire_fence() \
    MC_FENCE_OF(mc_op_fence, MC_OP_FENCE, "fence_acquire", MC_ACQUIRE)
#define release_fence() \
    MC_FENCE_OF(mc_op_fence, MC_OP_FENCE, "fence_release", MC_RELEASE)
#define load_seqcst(p) MC_LOAD("load_seqcst", MC_SEQCST, p)
#define store_seqcst(p, v) MC_STORE("store_seqcst", MC_SEQCST, p, v)

// Define the thread body `name`.
#define THREAD(name) static void name(const void *arg __attribute__((unused)))

#endif
