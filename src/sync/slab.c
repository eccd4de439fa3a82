// SPDX-License-Identifier: MIT
//
// slab — free lists per aligned block, owned by one thread each.
//
// Source:   the shape follows mimalloc (Leijen, Zorn and de Moura, 2019): a
//           free list per page, and a list by which other threads give back.
// Shape:    a slab is 256 KiB, aligned to its size: the slab of a piece is its
//           address rounded down. The header takes the first two pieces.
// Roles:    the owner takes, gives and collects; any thread returns, in
//           batches.
//           A list of pieces at hand spares the owner the slab's own list and
//           count: for its slab such a piece is in use.
// Progress: take and give wait-free for the owner but for mmap and munmap;
//           return lock-free.
// Memory:   a slab without a used piece is unmapped, but for a few in reserve.
//           From some number on slabs lie in large pages.
// Invariants:
//   I1 a slab with a free piece is current or in the partial list
//   I2 a slab in no list is full
// Ordering:
//   E1 return  flush: cas-release returned -> collect: exchange-acquire
//              (who gave a piece back has finished with it)

#include "sync/slab.h"

#include "base/check.h"
#include "base/platform.h"

#define HEADER_PIECES 2
#define PIECES_PER_SLAB (TN_SLAB_BYTES / TN_PIECE_BYTES - HEADER_PIECES)
#define BATCH_MAX 32
#define FRESH_BATCH ((size_t)32)

// So many slabs (4 MiB) are kept although nothing in them is used.
#define EMPTY_MAX 16

// So many (4 MiB) are mapped one by one, the others 8 at a time.
#define SINGLE_MAX 16

_Static_assert(
    sizeof(struct tn_slab) <= HEADER_PIECES * TN_PIECE_BYTES,
    "the header fits its pieces");

void tn_slab_init(struct tn_slab_cache *cache)
{
    *cache = (struct tn_slab_cache){.current = NULL};
}

void tn_slab_fini(struct tn_slab_cache *cache)
{
    struct tn_slab *slab = cache->all;

    while (slab != NULL) {
        struct tn_slab *next = slab->next == cache->all ? NULL : slab->next;
        tn_pages_unmap(slab, TN_SLAB_BYTES);
        slab = next;
    }
    if (cache->region_bytes > 0) {
        tn_pages_unmap(cache->region, cache->region_bytes);
    }
    tn_slab_init(cache);
}

static void link_slab(struct tn_slab_cache *cache, struct tn_slab *slab)
{
    struct tn_slab *head = cache->all;

    if (head == NULL) {
        slab->next = slab;
        slab->previous = slab;
        cache->all = slab;
        return;
    }
    slab->next = head;
    slab->previous = head->previous;
    head->previous->next = slab;
    head->previous = slab;
}

static void unlink_slab(struct tn_slab_cache *cache, struct tn_slab *slab)
{
    slab->next->previous = slab->previous;
    slab->previous->next = slab->next;
    if (cache->all == slab) {
        cache->all = slab->next == slab ? NULL : slab->next;
    }
}

// Memory for one. Who has many gets large pages, some at a time: a fault for
// each small one would take as long as what is done with the pieces in it.
static struct tn_slab *map_slab(struct tn_slab_cache *cache)
{
    if (cache->region_bytes == 0) {
        if (cache->slab_count < SINGLE_MAX) {
            return tn_pages_map(TN_SLAB_BYTES, TN_SLAB_BYTES);
        }
        cache->region = tn_pages_map(TN_HUGE_BYTES, TN_HUGE_BYTES);
        if (cache->region == NULL) {
            return NULL;
        }
        cache->region_bytes = TN_HUGE_BYTES;
        tn_pages_prefer_huge(cache->region, TN_HUGE_BYTES);
    }
    struct tn_slab *slab = (struct tn_slab *)cache->region;

    cache->region += TN_SLAB_BYTES;
    cache->region_bytes -= TN_SLAB_BYTES;
    return slab;
}

static struct tn_slab *add_slab(struct tn_slab_cache *cache)
{
    struct tn_slab *slab = map_slab(cache);

    if (slab != NULL) {
        slab->cache = cache;
        slab->fresh_count = PIECES_PER_SLAB;
        link_slab(cache, slab);
        cache->slab_count++;
    }
    return slab;
}

static void add_partial(struct tn_slab_cache *cache, struct tn_slab *slab)
{
    slab->is_partial = true;
    slab->next_partial = cache->partial;
    cache->partial = slab;
}

// An unused slab stays in the partial list until it is taken or swept.
static struct tn_slab *pop_partial(struct tn_slab_cache *cache)
{
    struct tn_slab *slab = cache->partial;

    if (slab != NULL) {
        cache->partial = slab->next_partial;
        slab->is_partial = false;
        cache->empty_count -= slab->used_count == 0;
    }
    return slab;
}

// Unmap the unused slabs, all but a few.
static void sweep(struct tn_slab_cache *cache)
{
    struct tn_slab **end = &cache->partial;

    while (*end != NULL && cache->empty_count > EMPTY_MAX / 2) {
        struct tn_slab *slab = *end;
        if (slab->used_count > 0) {
            end = &slab->next_partial;
            continue;
        }
        *end = slab->next_partial;
        cache->empty_count--;
        unlink_slab(cache, slab);
        cache->slab_count--;
        tn_pages_unmap(slab, TN_SLAB_BYTES);
    }
}

void tn_slab_give_cold(struct tn_slab_cache *cache, struct tn_piece *piece)
{
    struct tn_slab *slab = tn_slab_of(piece);

    piece->next = slab->free_list;
    slab->free_list = piece;
    slab->used_count--;
    if (slab == cache->current) {
        return;
    }
    if (!slab->is_partial) {
        add_partial(cache, slab);  // I1
    }
    if (slab->used_count == 0 && ++cache->empty_count > EMPTY_MAX) {
        sweep(cache);
    }
}

void tn_slab_collect(struct tn_slab_cache *cache)
{
    struct tn_piece *batch = tn_exchange_acquire(&cache->returned, NULL);  // E1

    while (batch != NULL) {
        struct tn_piece *next_batch = batch->next_batch;
        while (batch != NULL) {
            struct tn_piece *next = batch->next;
            tn_slab_give_cold(cache, batch);
            batch = next;
        }
        batch = next_batch;
    }
}

void tn_slab_settle(struct tn_slab_cache *cache)
{
    tn_slab_collect(cache);
    while (cache->hot != NULL) {
        struct tn_piece *piece = cache->hot;
        cache->hot = piece->next;
        tn_slab_give_cold(cache, piece);
    }
    cache->hot_count = 0;
}

// All free pieces of the slab's list are at hand from now on.
static void heat_free(struct tn_slab_cache *cache, struct tn_slab *slab)
{
    cache->hot = slab->free_list;
    cache->hot_count = PIECES_PER_SLAB - slab->fresh_count - slab->used_count;
    slab->free_list = NULL;
    slab->used_count += cache->hot_count;
}

// A few of those that were never used are.
static void heat_fresh(struct tn_slab_cache *cache, struct tn_slab *slab)
{
    size_t count =
        slab->fresh_count < FRESH_BATCH ? slab->fresh_count : FRESH_BATCH;
    struct tn_piece *first = NULL;
    char *place = (char *)slab + TN_SLAB_BYTES -
                  (slab->fresh_count - count) * TN_PIECE_BYTES;

    for (size_t i = 0; i < count; i++) {
        place -= TN_PIECE_BYTES;
        ((struct tn_piece *)place)->next = first;
        first = (struct tn_piece *)place;
    }
    cache->hot = first;
    cache->hot_count = count;
    slab->fresh_count -= count;
    slab->used_count += count;
}

static bool has_free(const struct tn_slab *slab)
{
    return slab != NULL && (slab->free_list != NULL || slab->fresh_count > 0);
}

void *tn_slab_refill(struct tn_slab_cache *cache)
{
    if (!has_free(cache->current) && tn_slab_has_returned(cache)) {
        tn_slab_collect(cache);
    }
    if (!has_free(cache->current)) {
        struct tn_slab *slab = pop_partial(cache);
        slab = slab == NULL ? add_slab(cache) : slab;
        if (slab == NULL) {
            return NULL;
        }
        cache->current = slab;
    }
    if (cache->current->free_list != NULL) {
        heat_free(cache, cache->current);
    } else {
        heat_fresh(cache, cache->current);
    }
    return tn_slab_take(cache);
}

void tn_slab_return(struct tn_slab_returns *returns, struct tn_piece *piece)
{
    struct tn_slab_cache *cache = tn_slab_of(piece)->cache;

    if (returns->cache != cache) {
        tn_slab_flush(returns);
        returns->cache = cache;
    }
    piece->next = returns->first;
    returns->first = piece;
    returns->count++;
    // A cache of another group may be gone by the next time.
    if (returns->count == BATCH_MAX || cache->group != returns->group) {
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
    // relaxed: the cas below decides.
    struct tn_piece *head = tn_load_relaxed(&cache->returned);
    do {
        first->next_batch = head;
    } while (!tn_cas_release(&cache->returned, &head, first));  // E1
    *returns = (struct tn_slab_returns){.group = returns->group};
}
