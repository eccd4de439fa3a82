// SPDX-License-Identifier: MIT
//
// foreign — what threads that are no workers need of an executor: pieces of
// memory, and something to count in.
//
// In several parts: each thread has one, which it shares with few others.

#ifndef TN_SCHED_FOREIGN_H
#define TN_SCHED_FOREIGN_H

#include "base/atomic.h"
#include "sched/worker.h"
#include "sync/slab.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#define TN_FOREIGN_PARTS 8

struct tn_foreign_part {
    alignas(TN_CACHE_LINE) pthread_mutex_t lock;
    struct tn_slab_cache cache;      // guarded by lock
    struct tn_slab_returns returns;  // guarded by lock

    // Written with the lock held.
    _Atomic(bool) has_memory;
    _Atomic(uint64_t) tally[TN_TALLY_COUNT];
};

struct tn_foreign {
    struct tn_foreign_part parts[TN_FOREIGN_PARTS];
};

// [one thread] `group` as for a slab cache.
void tn_foreign_init(struct tn_foreign *foreign, const void *group);

// [one thread] Frees all pieces, whatever is still in use.
void tn_foreign_fini(struct tn_foreign *foreign);

// [foreign thread] 64 bytes, or NULL.
void *tn_foreign_take_piece(struct tn_foreign *foreign);

// [foreign thread] The same, and count one if there is a piece.
void *tn_foreign_take_counted(struct tn_foreign *foreign, uint32_t tally);

// [foreign thread] Give such 64 bytes back, whoever took them.
void tn_foreign_give_piece(struct tn_foreign *foreign, void *piece);

// [foreign thread] Give unused memory back to the system.
void tn_foreign_trim(struct tn_foreign *foreign);

// [any]
void tn_foreign_count(
    struct tn_foreign *foreign, uint32_t tally, uint64_t difference);

// [any] What was counted so far.
uint64_t tn_foreign_tally(struct tn_foreign *foreign, uint32_t tally);

#endif
