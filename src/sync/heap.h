// SPDX-License-Identifier: MIT
//
// heap — a priority queue of nodes that live in the queued objects.
//
// Nothing is allocated, so insertion cannot fail. One thread at a time.

#ifndef TN_SYNC_HEAP_H
#define TN_SYNC_HEAP_H

#include <stdbool.h>

struct tn_heap_node {
    struct tn_heap_node *child;
    struct tn_heap_node *next;      // sibling
    struct tn_heap_node *previous;  // sibling, or the parent of a first child
};

// True if `a` must come out before `b`.
typedef bool tn_heap_before_fn(
    const struct tn_heap_node *a, const struct tn_heap_node *b);

struct tn_heap {
    struct tn_heap_node *root;
    tn_heap_before_fn *before;
};

// [one at a time]
void tn_heap_init(struct tn_heap *heap, tn_heap_before_fn *before);

// [one at a time] `node` is in no heap.
void tn_heap_insert(struct tn_heap *heap, struct tn_heap_node *node);

// [one at a time] `node` is in this heap.
void tn_heap_remove(struct tn_heap *heap, struct tn_heap_node *node);

// [one at a time] The first one, or NULL.
static inline struct tn_heap_node *tn_heap_first(struct tn_heap *heap)
{
    return heap->root;
}

#endif
