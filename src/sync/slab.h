// SPDX-License-Identifier: MIT
//
// slab — memory in pieces of 64 bytes, from a cache that one thread owns.
//
// A piece may be given back on any thread: it returns to the cache it came
// from. When little of much is in use, memory goes back to the system.

#ifndef TN_SYNC_SLAB_H
#define TN_SYNC_SLAB_H

#include "base/atomic.h"

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#define TN_PIECE_BYTES ((size_t)64)

struct tn_piece {
    struct tn_piece *next;
    struct tn_piece *next_batch;  // in the first piece of a returned batch
    size_t batch_count;           // likewise
};

struct tn_slab;

struct tn_slab_cache {
    // Owner only.
    alignas(TN_CACHE_LINE) struct tn_piece *free_list;
    struct tn_piece *batches;  // returned, not yet in the free list
    char *fresh;               // never used pieces of the newest slab
    char *fresh_end;
    struct tn_slab *slabs;
    size_t slab_count;
    uint64_t taken_count;  // ever
    uint64_t given_count;  // ever, as far as the owner knows
    uint64_t trim_at;      // taken_count from which trim may walk again

    // Every thread.
    alignas(TN_CACHE_LINE) _Atomic(struct tn_piece *) returned;
};

// What one thread has to give back to another thread's cache, in one batch.
struct tn_slab_returns {
    struct tn_slab_cache *cache;
    struct tn_piece *first;
    struct tn_piece *last;
    size_t count;
};

// [one thread]
void tn_slab_init(struct tn_slab_cache *cache);

// [one thread] Frees all slabs, whatever is still in use.
void tn_slab_fini(struct tn_slab_cache *cache);

// [owner] The slow half of tn_slab_take().
void *tn_slab_refill(struct tn_slab_cache *cache);

// [owner] Give memory back to the system if most of it is unused.
void tn_slab_trim(struct tn_slab_cache *cache);

// [any] Give `piece` back from the thread that owns `own` (NULL: none) and
// `returns`.
void tn_slab_give(
    struct tn_slab_cache *own, struct tn_slab_returns *returns, void *piece);

// [any] Hand over what is gathered in `returns`.
void tn_slab_flush(struct tn_slab_returns *returns);

// [owner] 64 bytes, 64-byte aligned, or NULL.
static inline void *tn_slab_take(struct tn_slab_cache *cache)
{
    struct tn_piece *piece = cache->free_list;

    if (__builtin_expect(piece == NULL, 0)) {
        return tn_slab_refill(cache);
    }
    cache->free_list = piece->next;
    cache->taken_count++;
    return piece;
}

#endif
