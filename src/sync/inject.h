// SPDX-License-Identifier: MIT
//
// inject — the queue by which threads without a deque hand over work.
//
// Any thread pushes without waiting; workers take a few at a time, first in,
// first out per batch.

#ifndef TN_SYNC_INJECT_H
#define TN_SYNC_INJECT_H

#include "base/atomic.h"
#include "sync/ck.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>

// The first member of whatever is queued.
struct tn_link {
    struct ck_stack_entry entry;
};

struct tn_inject {
    // Fixed: for tn_inject_try_push(); 0: none, and nothing is counted.
    uint64_t limit;

    // Pushers compete.
    alignas(TN_CACHE_LINE) struct ck_stack arrived;  // newest first
    _Atomic(uint64_t) length;                        // with a limit

    // Takers compete.
    alignas(TN_CACHE_LINE) _Atomic(bool) is_locked;
    _Atomic(bool) has_ready;       // a copy of ready != NULL for who looks
    struct ck_stack_entry *ready;  // oldest first; guarded by is_locked
};

// [one thread] `limit` 0: none.
void tn_inject_init(struct tn_inject *inject, uint64_t limit);

// [any] Never fails, never waits.
void tn_inject_push(struct tn_inject *inject, struct tn_link *link);

// [any] Push links[0 .. count - 1] at a time, each a struct tn_link, at least
// one. Only where there is no limit: they are not counted.
void tn_inject_push_all(
    struct tn_inject *inject, void *const *links, size_t count);

// [any] Push unless `limit` are queued already: false. Never waits.
bool tn_inject_try_push(struct tn_inject *inject, struct tn_link *link);

// [any] Take up to `capacity` of the oldest into `links[]`; the number taken.
// 0 also if another thread is just taking.
size_t tn_inject_take(
    struct tn_inject *inject, struct tn_link **links, size_t capacity);

// [any] A guess.
bool tn_inject_looks_empty(struct tn_inject *inject);

#endif
