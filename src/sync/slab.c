// SPDX-License-Identifier: MIT
//
// slab — per-thread free lists over large aligned blocks.
//
// Source:   the returned list (any thread pushes, the owner takes all) follows
//           mimalloc (Leijen, Zorn and de Moura, 2019), in batches.
// Shape:    a slab is 256 KiB, aligned to its size: the slab of a piece is its
//           address rounded down. The first piece is the header.
// Roles:    the owner takes, trims, and gives back cheaply; any thread returns.
// Progress: take and give lock-free, wait-free for the owner, but for mmap.
// Memory:   trim unmaps slabs of which every piece is free. It walks the free
//           list, so it runs only when that is large: amortised constant.
// Ordering:
//   E1 return  flush: cas-release returned -> collect: exchange-acquire
//              (who gave a piece back has finished with it)

#include "sync/slab.h"

#include "base/check.h"
#include "base/platform.h"

#define SLAB_BYTES ((size_t)256 * 1024)
#define PIECES_PER_SLAB (SLAB_BYTES / TN_PIECE_BYTES - 1)
#define BATCH_MAX 32

// Below so many slabs (4 MiB) nothing is given back.
#define KEPT_SLABS 16

struct tn_slab {
    struct tn_slab_cache *cache;
    struct tn_slab *next;
    size_t free_count;  // used by trim
};

_Static_assert(sizeof(struct tn_slab) <= TN_PIECE_BYTES, "a header is a piece");
_Static_assert(sizeof(struct tn_piece) <= TN_PIECE_BYTES, "links fit a piece");

static struct tn_slab *slab_of(void *piece)
{
    return (struct tn_slab *)((uintptr_t)piece & ~(uintptr_t)(SLAB_BYTES - 1));
}

void tn_slab_init(struct tn_slab_cache *cache)
{
    *cache = (struct tn_slab_cache){.free_list = NULL};
}

void tn_slab_fini(struct tn_slab_cache *cache)
{
    while (cache->slabs != NULL) {
        struct tn_slab *slab = cache->slabs;
        cache->slabs = slab->next;
        tn_pages_unmap(slab, SLAB_BYTES);
    }
    tn_slab_init(cache);
}

static void collect_returned(struct tn_slab_cache *cache)
{
    struct tn_piece *batch = tn_exchange_acquire(&cache->returned, NULL);  // E1

    while (batch != NULL) {
        struct tn_piece *next = batch->next_batch;
        cache->given_count += batch->batch_count;
        batch->next_batch = cache->batches;
        cache->batches = batch;
        batch = next;
    }
}

static bool next_batch(struct tn_slab_cache *cache)
{
    if (cache->batches == NULL) {
        collect_returned(cache);
    }
    if (cache->batches == NULL) {
        return false;
    }
    cache->free_list = cache->batches;
    cache->batches = cache->batches->next_batch;
    return true;
}

static bool add_slab(struct tn_slab_cache *cache)
{
    struct tn_slab *slab = tn_pages_map(SLAB_BYTES, SLAB_BYTES);

    if (slab == NULL) {
        return false;
    }
    slab->cache = cache;
    slab->next = cache->slabs;
    cache->slabs = slab;
    cache->slab_count++;
    cache->fresh = (char *)slab + TN_PIECE_BYTES;
    cache->fresh_end = (char *)slab + SLAB_BYTES;
    return true;
}

void *tn_slab_refill(struct tn_slab_cache *cache)
{
    if (next_batch(cache)) {
        return tn_slab_take(cache);
    }
    if (cache->fresh == cache->fresh_end && !add_slab(cache)) {
        return NULL;
    }
    void *piece = cache->fresh;
    cache->fresh += TN_PIECE_BYTES;
    cache->taken_count++;
    return piece;
}

void tn_slab_give(
    struct tn_slab_cache *own, struct tn_slab_returns *returns, void *memory)
{
    struct tn_piece *piece = memory;
    struct tn_slab_cache *cache = slab_of(memory)->cache;

    if (cache == own) {
        piece->next = own->free_list;
        own->free_list = piece;
        own->given_count++;
        return;
    }
    if (returns->cache != cache) {
        tn_slab_flush(returns);
        *returns = (struct tn_slab_returns){.cache = cache, .last = piece};
    }
    piece->next = returns->first;
    returns->first = piece;
    returns->count++;
    if (returns->count == BATCH_MAX) {
        tn_slab_flush(returns);
    }
}

void tn_slab_flush(struct tn_slab_returns *returns)
{
    struct tn_piece *first = returns->first;
    struct tn_slab_cache *cache = returns->cache;

    if (first == NULL) {
        return;
    }
    first->batch_count = returns->count;
    // relaxed: the cas below decides.
    struct tn_piece *head = tn_load_relaxed(&cache->returned);
    do {
        first->next_batch = head;
    } while (!tn_cas_release(&cache->returned, &head, first));  // E1
    *returns = (struct tn_slab_returns){.cache = NULL};
}

// Put every free piece into the free list and count them per slab.
static void count_free(struct tn_slab_cache *cache)
{
    struct tn_piece **end = &cache->free_list;

    for (struct tn_slab *slab = cache->slabs; slab; slab = slab->next) {
        slab->free_count = 0;
    }
    for (;;) {
        for (; *end != NULL; end = &(*end)->next) {
            slab_of(*end)->free_count++;
        }
        if (cache->batches == NULL) {
            return;
        }
        *end = cache->batches;
        cache->batches = cache->batches->next_batch;
    }
}

static bool is_all_free(const struct tn_slab *slab)
{
    return slab->free_count == PIECES_PER_SLAB;
}

static void forget_pieces(struct tn_slab_cache *cache)
{
    struct tn_piece **end = &cache->free_list;

    while (*end != NULL) {
        if (is_all_free(slab_of(*end))) {
            *end = (*end)->next;
        } else {
            end = &(*end)->next;
        }
    }
}

static void unmap_slabs(struct tn_slab_cache *cache)
{
    struct tn_slab **end = &cache->slabs;

    while (*end != NULL) {
        struct tn_slab *slab = *end;
        if (is_all_free(slab)) {
            *end = slab->next;
            tn_pages_unmap(slab, SLAB_BYTES);
            cache->slab_count--;
        } else {
            end = &slab->next;
        }
    }
}

static bool is_wasteful(struct tn_slab_cache *cache)
{
    uint64_t live_count = cache->taken_count - cache->given_count;

    return cache->taken_count >= cache->trim_at &&
           live_count < cache->slab_count * PIECES_PER_SLAB / 2;
}

void tn_slab_trim(struct tn_slab_cache *cache)
{
    if (cache->slab_count <= KEPT_SLABS) {
        return;
    }
    collect_returned(cache);
    if (!is_wasteful(cache)) {
        return;
    }
    count_free(cache);
    forget_pieces(cache);
    unmap_slabs(cache);
    // A scattered rest is not walked again before as much has been used anew.
    cache->trim_at =
        cache->taken_count + cache->slab_count * PIECES_PER_SLAB / 4;
}
