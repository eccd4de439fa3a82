// SPDX-License-Identifier: MIT
//
// deque — one owner pushes and pops at the bottom, thieves steal at the top.
//
// The owner's common path has no locked instruction and no full fence; thieves
// pay for both sides (base/fence.h). The essay is in deque.c.

#ifndef TN_SYNC_DEQUE_H
#define TN_SYNC_DEQUE_H

#include "base/atomic.h"
#include "base/check.h"
#include "base/fence.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tn_ring {
    int64_t mask;           // capacity - 1; the capacity is a power of two
    struct tn_ring *older;  // what it replaced, kept until the deque ends
    size_t size_bytes;      // of the whole block
    _Atomic(void *) slots[];
};

struct tn_deque {
    // Owner writes, thieves read.
    alignas(TN_CACHE_LINE) _Atomic(int64_t) bottom;
    _Atomic(struct tn_ring *) ring;

    // Owner only: push may not reach this index before it looks at top again.
    int64_t limit;
    bool is_trim_due;  // pages of a large ring may have been used

    // Thieves and owner compete.
    alignas(TN_CACHE_LINE) _Atomic(int64_t) top;
};

enum tn_steal {
    TN_STEAL_EMPTY,  // nothing there
    TN_STEAL_LOST,   // another one was faster; worth another try
    TN_STEAL_TAKEN,
};

// [one thread] `capacity` is a power of two. False: no memory.
bool tn_deque_init(struct tn_deque *deque, size_t capacity);

// [one thread] Items still inside are the caller's. Accepts zeroed memory.
void tn_deque_fini(struct tn_deque *deque);

// [owner] Room for one more. False: no memory, nothing changed.
bool tn_deque_grow(struct tn_deque *deque);

// [owner] The rare half of pop: `index` is the last item or none is left.
void *tn_deque_pop_last(struct tn_deque *deque, int64_t index, int64_t top);

// [any] Take the oldest item into `*item` and its index into `*index`.
enum tn_steal tn_deque_steal(
    struct tn_deque *deque, void **item, int64_t *index);

// [owner] Give the memory of large rings back to the system. The deque must be
// empty. Worth it if `is_trim_due`.
void tn_deque_trim(struct tn_deque *deque);

// [quiescent] I1..I3 of deque.c.
bool tn_deque_is_valid(struct tn_deque *deque);

// [owner] The index of the next push: a mark for tn_deque_is_above().
static inline int64_t tn_deque_bottom(struct tn_deque *deque)
{
    // relaxed: the owner wrote it.
    return tn_load_relaxed(&deque->bottom);
}

// [any] A guess at the index of the oldest item.
static inline int64_t tn_deque_top_hint(struct tn_deque *deque)
{
    // relaxed: a guess; steal looks again.
    return tn_load_relaxed(&deque->top);
}

// [any] A guess; exact for the owner when it says "empty" and nobody else
// pushes, and after a heavy fence for a sleeper (sched/idle.md).
static inline bool tn_deque_looks_empty(struct tn_deque *deque)
{
    // relaxed: a guess, or ordered by the caller's fence.
    int64_t top = tn_load_relaxed(&deque->top);
    // relaxed: likewise.
    return tn_load_relaxed(&deque->bottom) <= top;
}

// [owner] Will the next push find room without looking further?
static inline bool tn_deque_has_room(struct tn_deque *deque)
{
    return tn_deque_bottom(deque) < deque->limit;
}

// [owner] Add an item, not NULL, as the newest. False: no memory.
static inline bool tn_deque_push(struct tn_deque *deque, void *item)
{
    // relaxed: the owner wrote it.
    int64_t bottom = tn_load_relaxed(&deque->bottom);

    if (tn_unlikely(bottom >= deque->limit) && !tn_deque_grow(deque)) {
        return false;
    }
    // relaxed: the owner wrote it.
    struct tn_ring *ring = tn_load_relaxed(&deque->ring);
    // relaxed: E1 publishes it with the next store.
    tn_store_relaxed(&ring->slots[bottom & ring->mask], item);
    tn_store_release(&deque->bottom, bottom + 1);  // E1
    return true;
}

// [owner] Take the newest item, or NULL.
static inline void *tn_deque_pop(struct tn_deque *deque)
{
    // relaxed: the owner wrote it.
    int64_t index = tn_load_relaxed(&deque->bottom) - 1;

    tn_store_release(&deque->bottom, index);  // E1, E2
    tn_fence_light();                         // E2, pairs with tn_deque_steal()
    // relaxed: E2 orders it after the store.
    int64_t top = tn_load_relaxed(&deque->top);
    if (tn_unlikely(top >= index)) {
        return tn_deque_pop_last(deque, index, top);
    }
    // relaxed: the owner wrote it.
    struct tn_ring *ring = tn_load_relaxed(&deque->ring);
    // relaxed: the owner wrote it.
    return tn_load_relaxed(&ring->slots[index & ring->mask]);
}

#endif
