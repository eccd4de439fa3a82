// SPDX-License-Identifier: MIT
//
// memory — atomic locations, each with the list of all stores made to it.

#ifndef MC_MEMORY_H
#define MC_MEMORY_H

#include "checker/heap.h"
#include "checker/view.h"

#include <stdbool.h>
#include <stdint.h>

#define MC_STORES 192

struct mc_message {
    uint64_t value;
    int thread;                  // who stored it; -1: outside
    int time;                    // how many had been made anywhere before
    struct mc_view view;         // what an acquire load of it learns
    int16_t causes[MC_THREADS];  // clocks of what came before it in any way
};

struct mc_location {
    const volatile void *address;
    const char *object;  // the expression that first named it
    unsigned size;
    int lane;  // in every view
    int count;
    int16_t init_clock;  // when init_thread gave it its first value
    int init_thread;
    const struct mc_block *block;     // the allocation it lies in, or NULL
    int16_t touched[MC_THREADS];      // clocks of the last accesses
    int16_t loose_reads[MC_THREADS];  // of the last relaxed loads
    int16_t older_reads[MC_THREADS];  // and, before them, of older ones
    int16_t last_stores[MC_THREADS];  // that each has read or made
    bool is_reuse_watched;            // mc_watch_reuse()
    struct mc_message *history[MC_STORES];  // in modification order
};

// [engine] Forget every location.
void mc_memory_reset(void);

// [thread] The location at `address`, made from what the memory holds if this
// is its first use. Fails the run if the running thread may not use it yet
// (its first value was not published to it) or any more (it was freed).
struct mc_location *mc_memory_find(
    const volatile void *address, unsigned size, const char *object);

// [engine] The location if it is known and alive, or NULL.
struct mc_location *mc_memory_peek(const volatile void *address);

// [thread] Give `location` a first value, not atomically.
void mc_memory_init(struct mc_location *location, uint64_t value);

// [thread] Append a store. The caller fills in its view.
struct mc_message *mc_memory_append(
    struct mc_location *location, uint64_t value);

// [engine] How many stores have been made.
int mc_memory_time(void);

static inline struct mc_message *mc_memory_newest(
    const struct mc_location *location)
{
    return location->history[location->count - 1];
}

// [thread] Before memory is freed: fail the run unless the running thread knows
// of every access to locations of `block`.
void mc_memory_retire(const struct mc_block *block);

// [engine] The first location in [begin, begin + size_bytes) whose lane is
// above `lane`, or NULL.
struct mc_location *mc_memory_next_in(
    const volatile void *begin, size_t size_bytes, int lane);

// [engine] The newest store of every location.
void mc_memory_newest_all(struct mc_view *view);

// [thread] Note a relaxed load. Before a store to a watched location: fail the
// run if such a load is among its causes but does not happen before it. After a
// compare-and-swap that failed: the loads since the thread's last store do not
// count, because what they read is thrown away.
void mc_memory_note_loose_read(struct mc_location *location);
void mc_memory_judge_reuse(const struct mc_location *location);
void mc_memory_drop_loose_reads(void);

#endif
