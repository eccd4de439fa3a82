// SPDX-License-Identifier: MIT
//
// inline — what the inline calls of task.h and fork.h touch: a worker's face
// with the owner's half of its deque. Private: nothing here is for users. The
// other half and the argument are in src/sync/deque.c and src/sched/idle.md.
//
// Ordering:
//   E1 publish     add, retreat: store-release bottom -> tn_deque_steal
//   E2 last item   retreat: store bottom, light fence, load top
//                  -> tn_deque_steal
//   E3 push/sleep  add, light fence, must_look: load quick_limit
//                  -> tn_deque_ring

#ifndef TENON_INLINE_H
#define TENON_INLINE_H

#include "tenon/config.h"
#include "tenon/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_task tenon_task;
typedef int tenon_task_fn(tenon_task *self, void *arg);

#define TENON_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define TENON_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define TENON_COLD __attribute__((cold))
#define TENON_CACHE_ALIGNED __attribute__((aligned(64)))

// The model checker puts its own operations here.
#ifndef TENON_STORE_RELEASE
#ifdef __cplusplus
#define TENON_STORE_RELAXED(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define TENON_STORE_RELEASE(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define TENON_FENCE_COMPILER() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#else
#define TENON_STORE_RELAXED(p, v) \
    atomic_store_explicit((p), (v), memory_order_relaxed)
#define TENON_STORE_RELEASE(p, v) \
    atomic_store_explicit((p), (v), memory_order_release)
#define TENON_FENCE_COMPILER() atomic_signal_fence(memory_order_seq_cst)
#endif
// The frequent side of src/base/fence.h.
#define TENON_FENCE_LIGHT(is_asymmetric) \
    (TENON_LIKELY(is_asymmetric) ? TENON_FENCE_COMPILER() : tenon_fence_full())
#endif

// A full fence, for systems without an asymmetric one.
TENON_API TENON_COLD void tenon_fence_full(void);

// The one flag of a task's state that is set here (src/scope/task.h).
#define TENON_TASK_FORKED UINT32_C(1)

// The lowest bit of an item of the deque: a child that is to be joined by what
// runs above it.
#define TENON_ITEM_FORKED ((uintptr_t)1)

// [any] What a fork pushes.
static inline void *tenon_item_of(tenon_task *child)
{
    return (char *)child + TENON_ITEM_FORKED;
}

typedef TENON_ATOMIC(void *) tenon_slot;

struct tenon_ring {
    int64_t mask;              // slots - 1: a power of two, twice the capacity
    struct tenon_ring *older;  // what it replaced, kept until the deque ends
    size_t size_bytes;         // of the whole block
    TENON_ATOMIC(int64_t) base;  // the index that lies in the first slot
    tenon_slot slots[1];         // twice the capacity
};

struct tenon_deque {
    // Owner writes, thieves read.
    TENON_CACHE_ALIGNED TENON_ATOMIC(int64_t) bottom;
    TENON_ATOMIC(struct tenon_ring *) ring;

    // The limit, or 0: so a thief asks for an answer, and who goes to sleep for
    // a call. Always 0 where the inline calls are not to be used.
    TENON_ATOMIC(int64_t) quick_limit;

    // Owner only.
    int64_t limit;     // bottom stays below it, or push looks at top again
    uintptr_t origin;  // where the slot of index 0 would be
    TENON_ATOMIC(uint32_t) * idle_state;  // src/sched/idle.h; or NULL
    bool is_asymmetric;                   // which kind of fence
    bool is_inline;                       // the inline calls may use it
    bool is_trim_due;  // pages of a large ring may have been used

    // Thieves and owner compete.
    TENON_CACHE_ALIGNED TENON_ATOMIC(int64_t) top;
    TENON_ATOMIC(uint32_t) asked;     // thieves count
    TENON_ATOMIC(uint32_t) answered;  // owner writes: the last it has seen
};

struct tenon_worker {
    struct tenon_deque deque;

    // Owner only.
    TENON_CACHE_ALIGNED void *current;  // the running task
};

// Bumped by every cancel in the process, and read by every poll: its cache line
// holds nothing else.
struct tenon_epoch {
    TENON_CACHE_ALIGNED TENON_ATOMIC(uint64_t) value;
};
TENON_API extern struct tenon_epoch tenon_cancel_epoch;

// What the inline calls hand on when it is not the common case.
TENON_API TENON_COLD bool tenon_cancelled_slow(tenon_task *self);
TENON_API int64_t tenon_fork_slow(
    tenon_task *self, tenon_task *child, tenon_task_fn *fn, void *arg);
TENON_API TENON_COLD void tenon_fork_look(tenon_task *self, tenon_task *child);
TENON_API TENON_COLD bool tenon_queue_is_empty_slow(void);
TENON_API TENON_COLD TENON_NODISCARD bool tenon_unfork_slow(
    tenon_task *self, tenon_task *child);
TENON_API TENON_COLD TENON_NODISCARD bool tenon_unfork_other(
    tenon_task *self, tenon_task *child, int64_t index, int64_t top);

// [owner] The slot of an index from top on, up to the limit.
static inline tenon_slot *tenon_deque_slot(
    struct tenon_deque *deque, int64_t index)
{
    return (tenon_slot *)(deque->origin + (uintptr_t)index * sizeof(void *));
}

// [owner] Add an item, not NULL, as the newest. There is room for one always.
static inline void tenon_deque_add(
    struct tenon_deque *deque, int64_t bottom, void *item)
{
    // relaxed: E1 publishes it with the next store.
    TENON_STORE_RELAXED(tenon_deque_slot(deque, bottom), item);
    TENON_STORE_RELEASE(&deque->bottom, bottom + 1);  // E1
}

// [owner] After it: is there no room for another one, or does somebody ask for
// anything, or has all who could look gone to sleep?
static inline bool tenon_deque_must_look(
    struct tenon_deque *deque, int64_t bottom)
{
    TENON_FENCE_LIGHT(true);  // E3
    // relaxed: the fence orders it after the store of bottom.
    return bottom + 1 >= TENON_LOAD_RELAXED(&deque->quick_limit);
}

// [owner] The first half of pop: claim the newest item, at `index`, and look at
// top. If the result is below `index`, the item is the owner's.
static inline int64_t tenon_deque_retreat(
    struct tenon_deque *deque, int64_t index, bool is_asymmetric)
{
    TENON_STORE_RELEASE(&deque->bottom, index);  // E1, E2
    TENON_FENCE_LIGHT(is_asymmetric);            // E2
    // relaxed: E2 orders it after the store.
    return TENON_LOAD_RELAXED(&deque->top);
}

// [owner] The item at an index that is the owner's.
static inline void *tenon_deque_at(struct tenon_deque *deque, int64_t index)
{
    // relaxed: the owner wrote it.
    return TENON_LOAD_RELAXED(tenon_deque_slot(deque, index));
}

#ifdef __cplusplus
}
#endif

#endif
