// SPDX-License-Identifier: MIT
//
// deque — one owner pushes and pops at the bottom, thieves steal at the top.
//
// The owner's common path has no locked instruction and no full fence; thieves
// pay for both sides (base/fence.h). Its owner's half is in tenon/inline.h,
// where fork and join inline it. The essay is in deque.c.

#ifndef TN_SYNC_DEQUE_H
#define TN_SYNC_DEQUE_H

#include "base/atomic.h"
#include "base/check.h"
#include "base/fence.h"
#include "tenon/inline.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// How often a thief looks for an answer before it looks at the clock.
#ifndef TN_DEQUE_ANSWER_LOOKS
#define TN_DEQUE_ANSWER_LOOKS 16
#endif

enum tn_steal {
    TN_STEAL_EMPTY,  // nothing there
    TN_STEAL_LOST,   // another one was faster; worth another try
    TN_STEAL_TAKEN,
};

// [one thread] `capacity` is a power of two, 2 or more. The inline calls of
// fork.h use it only if `is_inline`, and where light fences are free. False: no
// memory.
bool tn_deque_init(struct tenon_deque *deque, size_t capacity, bool is_inline);

// [one thread] Items still inside are the caller's. Accepts zeroed memory.
void tn_deque_fini(struct tenon_deque *deque);

// [owner] Answer thieves, and make room for one more and the one that a fork
// adds without asking. False: no memory, nothing changed.
bool tn_deque_make_room(struct tenon_deque *deque);

// [owner] Answer the thieves that ask.
void tn_deque_answer(struct tenon_deque *deque);

// [owner] The rare half of pop: `index` is the last item or none is left.
void *tn_deque_pop_last(struct tenon_deque *deque, int64_t index, int64_t top);

// [any] Take the oldest item into `*item` and its index into `*index`, while
// `running_count` threads run that a fence would interrupt: the more, the
// longer this waits for an answer.
enum tn_steal tn_deque_steal(
    struct tenon_deque *deque, uint32_t running_count, void **item,
    int64_t *index);

// [owner] Take up to `count` of the oldest items into `items[]`, oldest first;
// the number taken.
size_t tn_deque_take_oldest(
    struct tenon_deque *deque, void **items, size_t count);

// [one thread] From now on its owner wakes others if this word of sched/idle.h
// says that all who could look for work are asleep.
void tn_deque_watch(struct tenon_deque *deque, _Atomic(uint32_t) *idle_state);

// [owner] In the child of a fork(2), where nobody owns it: no inline call uses
// it any more, whatever place it was given, and no task finds it as it left it.
void tn_deque_disown(struct tenon_deque *deque);

// [owner] Give the memory of large rings back to the system. The deque must be
// empty. Worth it if `is_trim_due`.
void tn_deque_trim(struct tenon_deque *deque);

// [quiescent] I1..I3 of deque.c.
bool tn_deque_is_valid(struct tenon_deque *deque);

// [owner] The index of the next push.
static inline int64_t tn_deque_bottom(struct tenon_deque *deque)
{
    // relaxed: the owner wrote it.
    return tn_load_relaxed(&deque->bottom);
}

// [any] A guess at the index of the oldest item.
static inline int64_t tn_deque_top_hint(struct tenon_deque *deque)
{
    // relaxed: a guess; steal looks again.
    return tn_load_relaxed(&deque->top);
}

// [any] A guess; exact for the owner when it says "empty" and nobody else
// pushes, and after its fence for a sleeper (sched/idle.md).
static inline bool tn_deque_looks_empty(struct tenon_deque *deque)
{
    // relaxed: a guess, or ordered by the caller's fence.
    int64_t top = tn_load_relaxed(&deque->top);
    // relaxed: likewise.
    return tn_load_relaxed(&deque->bottom) <= top;
}

// [owner] How many more can be added before the owner has to look up? 0 also if
// thieves ask, and where it is not for inline calls.
static inline int64_t tn_deque_room(struct tenon_deque *deque)
{
    // relaxed: it says only where to look.
    int64_t room =
        tn_load_relaxed(&deque->quick_limit) - tn_deque_bottom(deque) - 1;

    return room > 0 ? room : 0;
}

// [owner] Make `item`, not NULL, the one at `index`, from the bottom on. There
// is room.
static inline void tn_deque_put(
    struct tenon_deque *deque, int64_t index, void *item)
{
    // relaxed: tn_deque_advance() publishes it.
    tn_store_relaxed(tenon_deque_slot(deque, index), item);
}

// [owner] All below `bottom` is there now.
static inline void tn_deque_advance(struct tenon_deque *deque, int64_t bottom)
{
    tn_store_release(&deque->bottom, bottom);  // E1
}

// [owner] Add an item, not NULL, as the newest. False: no memory.
static inline bool tn_deque_push(struct tenon_deque *deque, void *item)
{
    if (tn_unlikely(tn_deque_room(deque) == 0) && !tn_deque_make_room(deque)) {
        return false;
    }
    tenon_deque_add(deque, tn_deque_bottom(deque), item);
    return true;
}

// [any] Its owner looks up at its next push. Before a heavy fence, after which
// the caller looks whether it is empty: one of the two sees the other. Or before
// a plain one, if the owner is asleep or away (sched/idle.md).
static inline void tn_deque_ring(struct tenon_deque *deque)
{
    // relaxed: it says only where to look. An owner that has overwritten the 0
    // seen here sees what the caller wrote before (E7).
    if (tn_load_relaxed(&deque->quick_limit) != 0) {
        // relaxed: the caller's fence orders it before the look.
        tn_store_relaxed(&deque->quick_limit, 0);
    }
}

// [owner] Do thieves wait for an answer, or does somebody sleep? (Or it is not
// for inline calls.)
static inline bool tn_deque_is_asked(struct tenon_deque *deque)
{
    // relaxed: it says only where to look.
    return tn_load_relaxed(&deque->quick_limit) == 0;
}

// [owner] Take the newest item, or NULL; thieves are answered elsewhere.
static inline void *tn_deque_pop_unasked(struct tenon_deque *deque)
{
    int64_t index = tn_deque_bottom(deque) - 1;
    int64_t top = tenon_deque_retreat(deque, index, deque->is_asymmetric);

    if (tn_unlikely(top >= index)) {
        return tn_deque_pop_last(deque, index, top);
    }
    return tenon_deque_at(deque, index);
}

// [owner] Take the newest item, or NULL.
static inline void *tn_deque_pop(struct tenon_deque *deque)
{
    if (tn_unlikely(tn_deque_is_asked(deque))) {
        tn_deque_answer(deque);
    }
    return tn_deque_pop_unasked(deque);
}

#endif
