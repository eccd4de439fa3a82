// SPDX-License-Identifier: MIT
//
// slab — memory in pieces of 64 bytes, from a cache that one thread owns.
//
// A piece may be given back on any thread: it returns to the cache it came
// from. What is not used goes back to the system, but for a small reserve. The
// pieces given back last are at hand for the next ones who take.

#ifndef TN_SYNC_SLAB_H
#define TN_SYNC_SLAB_H

#include "base/atomic.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TN_PIECE_BYTES ((size_t)64)
#define TN_SLAB_BYTES ((size_t)256 * 1024)

// So many pieces (1 MiB) are at hand at most.
#define TN_SLAB_HOT_MAX 16384

struct tn_piece {
    struct tn_piece *next;
    struct tn_piece *next_batch;  // in the first piece of a returned batch
};

struct tn_slab {
    struct tn_slab_cache *cache;
    struct tn_piece *free_list;
    size_t used_count;
    size_t fresh_count;        // never used: the last ones of the slab
    struct tn_slab *next;      // all slabs of the cache, in a ring
    struct tn_slab *previous;  // likewise
    struct tn_slab *next_partial;
    bool is_partial;  // in the list of those with free pieces
};

struct tn_slab_cache {
    // Owner only.
    alignas(TN_CACHE_LINE) struct tn_piece *hot;  // free, but used for its slab
    size_t hot_count;
    struct tn_slab *current;
    struct tn_slab *partial;  // others that have free pieces
    struct tn_slab *all;      // ring of all slabs, or NULL
    size_t slab_count;        // of those
    size_t empty_count;       // of those, wholly unused ones
    char *region;             // mapped for the next slabs
    size_t region_bytes;      // what is left of it
    const void *group;        // fixed: caches that end together

    // Every thread.
    alignas(TN_CACHE_LINE) _Atomic(struct tn_piece *) returned;
};

// What one thread has to give back to another thread's cache, in one batch.
struct tn_slab_returns {
    const void *group;  // fixed: what is of another one is not kept here
    struct tn_slab_cache *cache;
    struct tn_piece *first;
    size_t count;
};

// [one thread]
void tn_slab_init(struct tn_slab_cache *cache);

// [one thread] Frees all slabs, whatever is still in use.
void tn_slab_fini(struct tn_slab_cache *cache);

// [owner] The slow half of tn_slab_take().
void *tn_slab_refill(struct tn_slab_cache *cache);

// [owner] Give a piece back to its slab.
void tn_slab_give_cold(struct tn_slab_cache *cache, struct tn_piece *piece);

// [any] Another cache's piece: gather it in `returns`.
void tn_slab_return(struct tn_slab_returns *returns, struct tn_piece *piece);

// [any] Hand over what is gathered in `returns`.
void tn_slab_flush(struct tn_slab_returns *returns);

// [owner] Take in what others gave back, and free what is not used.
void tn_slab_collect(struct tn_slab_cache *cache);

// [owner] The same, and keep nothing at hand: for who may be idle for long.
void tn_slab_settle(struct tn_slab_cache *cache);

// [owner] Is there nothing for tn_slab_settle() to do? A guess.
static inline bool tn_slab_is_settled(struct tn_slab_cache *cache)
{
    // relaxed: a guess.
    return cache->hot == NULL && tn_load_relaxed(&cache->returned) == NULL;
}

// [owner] Have others given something back? A guess.
static inline bool tn_slab_has_returned(struct tn_slab_cache *cache)
{
    // relaxed: a guess.
    return tn_load_relaxed(&cache->returned) != NULL;
}

// [any] The slab that a piece is of.
static inline struct tn_slab *tn_slab_of(void *piece)
{
    return (
        struct tn_slab *)((uintptr_t)piece & ~(uintptr_t)(TN_SLAB_BYTES - 1));
}

// [owner] 64 bytes, 64-byte aligned, or NULL.
static inline void *tn_slab_take(struct tn_slab_cache *cache)
{
    struct tn_piece *piece = cache->hot;

    if (__builtin_expect(piece == NULL, 0)) {
        return tn_slab_refill(cache);
    }
    cache->hot = piece->next;
    cache->hot_count--;
    return piece;
}

// [any] Give `memory` back from the thread that owns `own` and `returns`.
static inline void tn_slab_give(
    struct tn_slab_cache *own, struct tn_slab_returns *returns, void *memory)
{
    struct tn_piece *piece = memory;

    if (__builtin_expect(tn_slab_of(memory)->cache != own, 0)) {
        tn_slab_return(returns, piece);
    } else if (__builtin_expect(own->hot_count == TN_SLAB_HOT_MAX, 0)) {
        tn_slab_give_cold(own, piece);
    } else {
        piece->next = own->hot;
        own->hot = piece;
        own->hot_count++;
    }
}

#endif
