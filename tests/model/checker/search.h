// SPDX-License-Identifier: MIT
//
// search — goes through the executions of a program until one of them fails.

#ifndef MC_SEARCH_H
#define MC_SEARCH_H

#include "checker/choice.h"
#include "checker/model.h"

#include <stdbool.h>
#include <stdint.h>

enum mc_strategy {
    MC_EXHAUSTIVE,  // depth first, within the bounds below
    MC_RANDOM,      // every choice by lot
    MC_PCT,         // threads by priorities that change a few times
    MC_REPLAY,      // one path, given by its digits
};

// How the two sides of base/fence.h are modelled; README.md, "Fences".
enum mc_fences {
    MC_FENCES_PAIRED,    // order between a light and a heavy one only
    MC_FENCES_ALL,       // light: nothing; heavy: a fence in every thread, now
    MC_FENCES_PORTABLE,  // both are the seq_cst fence
};

struct mc_search {
    enum mc_strategy strategy;
    enum mc_fences fences;
    int preemption_bound;         // of MC_EXHAUSTIVE; -1: none
    int stale_bound;              // loads that read an old store, likewise
    int spurious_bound;           // futex waits that return for no reason
    int timeout_bound;            // deadlines that pass
    int step_limit;               // a longer execution counts as a livelock
    bool tries_every_preemption;  // also those that schedule.c leaves out
    int pct_depth;                // of MC_PCT: 1 + changes of priority
    long run_limit;               // executions; 0: no limit
    uint64_t seed;       // execution i of a search by lot uses seed + i
    const char *digits;  // of MC_REPLAY
};

struct mc_result {
    long run_count;
    long cut_count;    // executions whose end needed more deadlines to pass
    bool is_complete;  // every execution within the bounds was seen
    bool has_failed;
    int step_count_max;
    double seconds;
    uint64_t seed;                // of the run that failed
    char message[512];            // what failed
    char digits[MC_CHOICES + 1];  // and how to get there
};

// For a bound: none.
#define MC_UNBOUNDED (-1)

// [driver] An exhaustive search within bounds; a search by lot.
struct mc_search mc_search_within(
    int preemption_bound, int stale_bound, int spurious_bound);
struct mc_search mc_search_by_lot(enum mc_strategy strategy, long run_limit);

// [driver] Search `program`; the first failure ends it.
void mc_search_run(
    const struct mc_program *program, const struct mc_search *search,
    struct mc_result *result);

// [driver] "paired" and so on; "exhaustive" and so on.
const char *mc_search_fences_name(enum mc_fences fences);
const char *mc_search_strategy_name(enum mc_strategy strategy);

// [engine] The one that runs.
const struct mc_search *mc_search_current(void);

// [engine] The alternative that the strategy takes at a new choice.
int mc_search_pick(enum mc_choice_kind kind, int count, const int *threads);

// [thread] True if an exhaustive search may let a load read an old store. A
// load that does so reports it.
bool mc_search_may_read_old(void);
void mc_search_count_old(void);

#endif
