// SPDX-License-Identifier: MIT
//
// deque — a growable work-stealing deque with a fence-free owner.
//
// Source:   Chase and Lev, "Dynamic circular work-stealing deque" (SPAA 2005),
//           in the C11 form of Lê, Pop, Cohen and Zappa Nardelli (PPoPP 2013)
//           with the corrections of Norris and Demsky (OOPSLA 2013). Changed:
//           the fence between the owner's store of bottom and its load of top
//           is the light side of base/fence.h, the thief's is the heavy side;
//           every store to bottom is a release; a cached limit spares push the
//           look at top; a ring is a window that slides; and a thief asks
//           first.
// Asking:   the heavy fence interrupts the owner, which takes microseconds
//           where processors are virtual. So a thief counts `asked` up, sets
//           quick_limit to 0, and waits as long as a fence costs all who run.
//           An owner that pushes, forks or pops meanwhile notices and answers;
//           then the two agree on what came before without a fence. Who gets
//           no answer uses the fence.
// Shape:    items at indices top .. bottom-1; index i lives in slot i - base.
//           A ring has twice as many slots as it may hold items: when bottom
//           comes to its end, they lie in the second half, and grow copies
//           them to the first and base becomes top. So the owner's slot is an
//           addition away. Indices only grow: 2^63 pushes are never reached.
// Room:     there is always some for one more. A fork takes it, and finds new
//           room by the same look that finds thieves that ask and a call of
//           who goes to sleep (sched/idle.md): one load and a compare. Other
//           pushes ask before, and leave it.
// Roles:    one owner: push, pop (tenon/inline.h), grow, trim. Any thread:
//           steal.
// Progress: push and pop wait-free but for growth; steal lock-free.
// Memory:   a replaced ring is kept until fini, because a thief may still be
//           reading it; together they are smaller than the current one. The
//           pages of large ones go back to the system in trim.
// Invariants:
//   I1 capacity is a power of two; base <= top
//   I2 0 <= bottom - top <= capacity, but for pop's momentary bottom = top - 1
//   I3 bottom < top + capacity and bottom < base + 2 capacity, but for a moment
//      after a push: one more always overwrites no live item. An old place of
//      an item is overwritten `capacity` pushes later, when its index has been
//      claimed
// Ordering:
//   E1 publish    push, pop: store-release bottom -> steal: load-acquire bottom
//                 (slot contents, the item's own memory, the ring)
//   E2 last item  pop:   store bottom, light fence, load top
//                 steal: load top, heavy fence, load bottom
//                 (one of the two sees the other: an item that pop takes
//                 without a cas is never claimed by a thief)
//   E3 claim      pop, steal, take_oldest: cas top (one winner per index)
//   E4 growth     use_ring: store-release ring and base -> steal:
//                 load-acquire ring, base (the copied slots)
//   E5 reuse      steal: cas-release top -> grow: load-acquire top
//                 (the thief has read the slot before push overwrites it)
//   E6 answer     steal: load top, add-release asked -> answer: load-acquire
//                 asked (later pops see that top, or a newer one);
//                 answer: store-release answered -> steal: load-acquire
//                 answered, load bottom (earlier pops are seen). Does what E2
//                 does.
//   E7 call       set_limit: store quick_limit, full fence, load idle state
//                 sleeper:   change idle state, full fence, load quick_limit
//                 (one of the two sees the other: no call is wiped out)

#include "sync/deque.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/fence.h"
#include "base/platform.h"
#include "sync/idle_state.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// From this size on a ring is made of pages of its own, which trim discards.
#define PAGED_BYTES ((size_t)1024 * 1024)
#define PAGE_BYTES ((size_t)4096)

static size_t ring_bytes(size_t slot_count)
{
    return offsetof(struct tenon_ring, slots) +
           slot_count * sizeof(_Atomic(void *));
}

// In large pages from some size on: else the faults of a queue that grows take
// as long as all that is queued.
static struct tenon_ring *map_ring(size_t size_bytes)
{
    bool is_huge = size_bytes >= 2 * TN_HUGE_BYTES;
    struct tenon_ring *ring =
        tn_pages_map(size_bytes, is_huge ? TN_HUGE_BYTES : PAGE_BYTES);

    if (is_huge && ring != NULL) {
        tn_pages_prefer_huge(ring, size_bytes);
    }
    return ring;
}

static struct tenon_ring *ring_create(size_t capacity)
{
    size_t slot_count = 2 * capacity;
    size_t size_bytes = ring_bytes(slot_count);
    struct tenon_ring *ring = NULL;

    if (size_bytes >= PAGED_BYTES) {
        size_bytes = (size_bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
        ring = map_ring(size_bytes);
    } else {
        ring = calloc(1, size_bytes);
    }
    if (ring == NULL) {
        return NULL;
    }
    ring->mask = (int64_t)slot_count - 1;
    ring->size_bytes = size_bytes;
    return ring;
}

static bool is_paged(const struct tenon_ring *ring)
{
    return ring->size_bytes >= PAGED_BYTES;
}

static void ring_destroy(struct tenon_ring *ring)
{
    if (is_paged(ring)) {
        tn_pages_unmap(ring, ring->size_bytes);
    } else {
        free(ring);
    }
}

void tenon_fence_full(void)
{
    tn_fence_seqcst();  // E2, the light side where both sides are full
}

static int64_t capacity_of(const struct tenon_ring *ring)
{
    return (ring->mask + 1) / 2;
}

// Items from `base` to bottom lie in it from its first slot on.
static void use_ring(
    struct tenon_deque *deque, struct tenon_ring *ring, int64_t base)
{
    deque->origin = (uintptr_t)ring->slots - (uintptr_t)base * sizeof(void *);
    tn_store_release(&ring->base, base);   // E4
    tn_store_release(&deque->ring, ring);  // E4
}

// The limit has been set: was a call wiped out?
static void heed_call(struct tenon_deque *deque)
{
    tn_fence_seqcst();  // E7
    // relaxed: the fence orders it.
    if (tn_idle_is_calling(tn_load_relaxed(deque->idle_state))) {
        // relaxed: it says only where to look.
        tn_store_relaxed(&deque->quick_limit, 0);
    }
}

// Who pushes looks up when bottom comes near to `limit`, and at every push
// while others sleep and nobody looks for work.
static void set_limit(struct tenon_deque *deque, int64_t limit)
{
    deque->limit = limit;
    if (!deque->is_inline) {
        return;
    }
    // relaxed: it says only where to look.
    tn_store_relaxed(&deque->quick_limit, limit);
    if (deque->idle_state != NULL) {
        heed_call(deque);
    }
}

bool tn_deque_init(struct tenon_deque *deque, size_t capacity, bool is_inline)
{
    tn_assert(capacity >= 2);
    struct tenon_ring *ring = ring_create(capacity);

    if (ring == NULL) {
        return false;
    }
    tn_atomic_init(&deque->bottom, 0);
    tn_atomic_init(&deque->top, 0);
    tn_atomic_init(&deque->asked, 0);
    tn_atomic_init(&deque->answered, 0);
    tn_atomic_init(&deque->quick_limit, 0);
    tn_atomic_init(&deque->ring, NULL);
    use_ring(deque, ring, 0);
    deque->idle_state = NULL;
    deque->is_asymmetric = tn_fence_is_asymmetric;
    deque->is_inline = is_inline && deque->is_asymmetric;
    set_limit(deque, (int64_t)capacity);
    deque->is_trim_due = false;
    tn_assert_slow(tn_deque_is_valid(deque));
    return true;
}

void tn_deque_watch(struct tenon_deque *deque, _Atomic(uint32_t) *idle_state)
{
    deque->idle_state = idle_state;
    // relaxed: whoever slept before others knew of it: the first push looks.
    tn_store_relaxed(&deque->quick_limit, 0);
}

void tn_deque_fini(struct tenon_deque *deque)
{
    // relaxed: nobody else is left.
    struct tenon_ring *ring = tn_load_relaxed(&deque->ring);

    while (ring != NULL) {
        struct tenon_ring *older = ring->older;
        ring_destroy(ring);
        ring = older;
    }
    tn_atomic_init(&deque->ring, NULL);
}

void tn_deque_disown(struct tenon_deque *deque)
{
    // There is no other thread.
    tn_atomic_init(&deque->quick_limit, INT64_MIN);
    tn_atomic_init(&deque->bottom, -1);
}

// Items from `top` to `bottom` to the first slots of `to`.
static void copy_items(
    struct tenon_deque *deque, struct tenon_ring *to, int64_t top,
    int64_t bottom)
{
    for (int64_t i = top; i < bottom; i++) {
        // relaxed: E4 publishes it.
        tn_store_relaxed(&to->slots[i - top], tenon_deque_at(deque, i));
    }
}

// Room for two more. False: no memory, nothing changed.
static bool grow(struct tenon_deque *deque)
{
    // relaxed: the owner wrote both.
    struct tenon_ring *ring = tn_load_relaxed(&deque->ring);
    // relaxed: likewise.
    int64_t bottom = tn_load_relaxed(&deque->bottom);
    int64_t top = tn_load_acquire(&deque->top);  // E5
    int64_t capacity = capacity_of(ring);
    // relaxed: the owner wrote it.
    int64_t base = tn_load_relaxed(&ring->base);
    bool is_full = bottom + 1 >= top + capacity;

    if (is_full) {
        struct tenon_ring *larger = ring_create((size_t)capacity * 2);
        if (larger == NULL) {
            return false;
        }
        larger->older = ring;
        ring = larger;
        capacity *= 2;
    }
    if (is_full || bottom + 1 >= base + 2 * capacity) {
        copy_items(deque, ring, top, bottom);
        base = top;
        use_ring(deque, ring, base);
    }
    int64_t end = base + 2 * capacity;
    set_limit(deque, top + capacity < end ? top + capacity : end);  // I3
    // relaxed: the owner wrote it.
    deque->is_trim_due = is_paged(tn_load_relaxed(&deque->ring));
    return true;
}

void tn_deque_answer(struct tenon_deque *deque)
{
    // First the limit: who asks after the look sets it to 0 again.
    set_limit(deque, deque->limit);
    uint32_t asked = tn_load_acquire(&deque->asked);  // E6
    tn_store_release(&deque->answered, asked);        // E6
}

bool tn_deque_make_room(struct tenon_deque *deque)
{
    bool has_room = tn_deque_bottom(deque) + 1 < deque->limit || grow(deque);

    // Last: what sets the limit may wipe out a question.
    tn_deque_answer(deque);
    return has_room;
}

void *tn_deque_pop_last(struct tenon_deque *deque, int64_t index, int64_t top)
{
    void *item = NULL;

    if (top == index) {
        item = tenon_deque_at(deque, index);
        if (!tn_cas_relaxed(&deque->top, &top, index + 1)) {  // E3
            item = NULL;  // a thief was faster
        }
    }
    tn_store_release(&deque->bottom, index + 1);  // E1
    return item;
}

size_t tn_deque_take_oldest(
    struct tenon_deque *deque, void **items, size_t count)
{
    int64_t bottom = tn_deque_bottom(deque);
    // relaxed: thieves write it, but no slot; the cas decides.
    int64_t top = tn_load_relaxed(&deque->top);
    int64_t end = 0;

    do {
        end = bottom - top < (int64_t)count ? bottom : top + (int64_t)count;
        for (int64_t i = top; i < end; i++) {
            items[i - top] = tenon_deque_at(deque, i);
        }
        // relaxed: E3 is in the word itself; only the owner reuses slots.
    } while (top < end && !tn_cas_relaxed(&deque->top, &top, end));  // E3
    return end > top ? (size_t)(end - top) : 0;
}

// True: the owner has answered.
static bool ask(struct tenon_deque *deque, uint32_t running_count)
{
    uint32_t ticket = tn_add_release(&deque->asked, 1) + 1;  // E6

    // relaxed: it says only where to look.
    tn_store_relaxed(&deque->quick_limit, 0);
    uint64_t end_ns = tn_fence_patience_ns(running_count);
    do {
        for (int i = 0; i < TN_DEQUE_ANSWER_LOOKS; i++) {
            uint32_t answered = tn_load_acquire(&deque->answered);  // E6
            if ((int32_t)(answered - ticket) >= 0) {
                return true;
            }
            tn_pause();
        }
    } while (end_ns != 0 && tn_clock_now_ns() < end_ns);
    return false;
}

enum tn_steal tn_deque_steal(
    struct tenon_deque *deque, uint32_t running_count, void **item,
    int64_t *index)
{
    // A plain look first: an empty deque costs no fence.
    if (tn_deque_looks_empty(deque)) {
        return TN_STEAL_EMPTY;
    }
    // relaxed: E6 or E2's fence orders it before the load of bottom.
    int64_t top = tn_load_relaxed(&deque->top);
    if (!deque->is_asymmetric || !ask(deque, running_count)) {
        tn_fence_heavy();  // E2, pairs with the light fence in tn_deque_pop()
    }
    int64_t bottom = tn_load_acquire(&deque->bottom);  // E1, E2
    if (top >= bottom) {
        return TN_STEAL_EMPTY;
    }
    struct tenon_ring *ring = tn_load_acquire(&deque->ring);  // E4
    int64_t base = tn_load_acquire(&ring->base);              // E4
    // relaxed: E1 or E4 made it visible; the cas says whether it was ours. If
    // it is not, base may be beyond top: any slot will do.
    void *taken = tn_load_relaxed(&ring->slots[(top - base) & ring->mask]);
    if (!tn_cas_release(&deque->top, &top, top + 1)) {  // E3, E5
        return TN_STEAL_LOST;
    }
    tn_assert(taken != NULL);
    *item = taken;
    *index = top;
    return TN_STEAL_TAKEN;
}

void tn_deque_trim(struct tenon_deque *deque)
{
    tn_assert(tn_deque_looks_empty(deque));
    // A thief that still reads a slot here reads an old item or NULL; its cas
    // fails, because the deque has been empty since it read top.
    // relaxed: the owner wrote it.
    struct tenon_ring *ring = tn_load_relaxed(&deque->ring);
    deque->is_trim_due = false;
    set_limit(deque, tn_deque_bottom(deque));
    for (; ring != NULL; ring = ring->older) {
        if (is_paged(ring)) {
            // All but the first page, which holds the header.
            tn_pages_discard(
                (char *)ring + PAGE_BYTES, ring->size_bytes - PAGE_BYTES);
        }
    }
}

bool tn_deque_is_valid(struct tenon_deque *deque)
{
    // relaxed: quiescent callers only, here and below.
    struct tenon_ring *ring = tn_load_relaxed(&deque->ring);
    // relaxed: quiescent.
    int64_t length = tn_load_relaxed(&deque->bottom) -
                     tn_load_relaxed(&deque->top);  // relaxed: quiescent
    int64_t capacity = capacity_of(ring);
    // relaxed: quiescent.
    int64_t base = tn_load_relaxed(&ring->base);
    // relaxed: quiescent.
    int64_t top = tn_load_relaxed(&deque->top);

    return capacity >= 2 && (capacity & (capacity - 1)) == 0 &&  // I1
           base <= top &&                                        // I1
           length >= 0 && length <= capacity &&                  // I2
           top + length < base + 2 * capacity;                   // I3
}
