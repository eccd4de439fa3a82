// SPDX-License-Identifier: MIT
//
// foreign — a thread's part is the next one in turn, of whichever executor.
//
// Roles:    any thread that is no worker of the executor.
// Progress: blocks on the lock of a part, which is held for a few instructions,
//           or for a system call that maps or unmaps memory.
// Memory:   a piece goes back to the part that it was taken of (slab.c).

#include "sched/foreign.h"

#define NO_PART UINT32_MAX

static _Atomic(uint32_t) next_part;
static __thread uint32_t own_part __attribute__((tls_model("initial-exec"))) =
    NO_PART;

static struct tn_foreign_part *part_of_thread(struct tn_foreign *foreign)
{
    if (own_part == NO_PART) {
        // relaxed: a number.
        own_part = tn_add_relaxed(&next_part, 1) % TN_FOREIGN_PARTS;
    }
    return &foreign->parts[own_part];
}

void tn_foreign_init(struct tn_foreign *foreign, const void *group)
{
    for (uint32_t i = 0; i < TN_FOREIGN_PARTS; i++) {
        struct tn_foreign_part *part = &foreign->parts[i];

        pthread_mutex_init(&part->lock, NULL);
        tn_slab_init(&part->cache);
        part->cache.group = group;
        part->returns = (struct tn_slab_returns){.group = group};
        tn_atomic_init(&part->has_memory, false);
        for (uint32_t tally = 0; tally < TN_TALLY_COUNT; tally++) {
            tn_atomic_init(&part->tally[tally], 0);
        }
    }
}

void tn_foreign_fini(struct tn_foreign *foreign)
{
    for (uint32_t i = 0; i < TN_FOREIGN_PARTS; i++) {
        tn_slab_fini(&foreign->parts[i].cache);
        pthread_mutex_destroy(&foreign->parts[i].lock);
    }
}

// [with the lock] For who would trim.
static void note_memory(struct tn_foreign_part *part)
{
    bool has_memory = part->cache.all != NULL;

    // relaxed: a hint, of which the lock makes sure; here and below.
    if (tn_load_relaxed(&part->has_memory) != has_memory) {
        // relaxed: likewise.
        tn_store_relaxed(&part->has_memory, has_memory);
    }
}

// [with the lock] Most pieces come back from another processor's cache: the
// next one is on its way before it is needed.
static inline void *take(struct tn_foreign_part *part)
{
    void *piece = tn_slab_take(&part->cache);

    if (part->cache.hot != NULL) {
        __builtin_prefetch(part->cache.hot, 1);
    }
    note_memory(part);
    return piece;
}

// [with the lock]
static inline void count(
    struct tn_foreign_part *part, uint32_t tally, uint64_t difference)
{
    // relaxed: who has the lock writes; others read it as a gauge.
    uint64_t sum = tn_load_relaxed(&part->tally[tally]);
    // relaxed: likewise.
    tn_store_relaxed(&part->tally[tally], sum + difference);
}

void *tn_foreign_take_piece(struct tn_foreign *foreign)
{
    struct tn_foreign_part *part = part_of_thread(foreign);

    pthread_mutex_lock(&part->lock);
    void *piece = take(part);
    pthread_mutex_unlock(&part->lock);
    return piece;
}

void *tn_foreign_take_counted(struct tn_foreign *foreign, uint32_t tally)
{
    struct tn_foreign_part *part = part_of_thread(foreign);

    pthread_mutex_lock(&part->lock);
    void *piece = take(part);
    count(part, tally, piece != NULL);
    pthread_mutex_unlock(&part->lock);
    return piece;
}

void tn_foreign_give_piece(struct tn_foreign *foreign, void *piece)
{
    struct tn_foreign_part *part = part_of_thread(foreign);

    pthread_mutex_lock(&part->lock);
    tn_slab_give(&part->cache, &part->returns, piece);
    tn_slab_flush(&part->returns);
    pthread_mutex_unlock(&part->lock);
}

void tn_foreign_trim(struct tn_foreign *foreign)
{
    for (uint32_t i = 0; i < TN_FOREIGN_PARTS; i++) {
        struct tn_foreign_part *part = &foreign->parts[i];

        // relaxed: a hint.
        if (tn_load_relaxed(&part->has_memory)) {
            pthread_mutex_lock(&part->lock);
            tn_slab_settle(&part->cache);
            note_memory(part);
            pthread_mutex_unlock(&part->lock);
        }
    }
}

void tn_foreign_count(
    struct tn_foreign *foreign, uint32_t tally, uint64_t difference)
{
    struct tn_foreign_part *part = part_of_thread(foreign);

    pthread_mutex_lock(&part->lock);
    count(part, tally, difference);
    pthread_mutex_unlock(&part->lock);
}

uint64_t tn_foreign_tally(struct tn_foreign *foreign, uint32_t tally)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < TN_FOREIGN_PARTS; i++) {
        // relaxed: a gauge.
        count += tn_load_relaxed(&foreign->parts[i].tally[tally]);
    }
    return count;
}
