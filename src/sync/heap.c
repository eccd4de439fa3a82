// SPDX-License-Identifier: MIT
//
// heap — an intrusive pairing heap.
//
// Source:   Fredman, Sedgewick, Sleator and Tarjan, "The pairing heap: a new
//           form of self-adjusting heap" (Algorithmica 1986), two-pass variant.
// Progress: insert and first in constant time; remove in amortised O(log n).

#include "sync/heap.h"

#include <stddef.h>

void tn_heap_init(struct tn_heap *heap, tn_heap_before_fn *before)
{
    heap->root = NULL;
    heap->before = before;
}

// Both are roots without siblings, or NULL.
static struct tn_heap_node *meld(
    struct tn_heap *heap, struct tn_heap_node *a, struct tn_heap_node *b)
{
    if (a == NULL || b == NULL) {
        return a == NULL ? b : a;
    }
    if (heap->before(b, a)) {
        struct tn_heap_node *swap = a;
        a = b;
        b = swap;
    }
    b->previous = a;
    b->next = a->child;
    if (b->next != NULL) {
        b->next->previous = b;
    }
    a->child = b;
    return a;
}

static struct tn_heap_node *detached(struct tn_heap_node *node)
{
    if (node != NULL) {
        node->next = NULL;
        node->previous = NULL;
    }
    return node;
}

// Meld the siblings in pairs from the left, then the pairs from the right.
static struct tn_heap_node *meld_siblings(
    struct tn_heap *heap, struct tn_heap_node *first)
{
    struct tn_heap_node *pairs = NULL;  // newest pair first, by `next`
    struct tn_heap_node *all = NULL;

    while (first != NULL) {
        struct tn_heap_node *second = first->next;
        struct tn_heap_node *rest = second == NULL ? NULL : second->next;
        struct tn_heap_node *pair =
            meld(heap, detached(first), detached(second));
        pair->next = pairs;
        pairs = pair;
        first = rest;
    }
    while (pairs != NULL) {
        struct tn_heap_node *rest = pairs->next;
        all = meld(heap, all, detached(pairs));
        pairs = rest;
    }
    return all;
}

void tn_heap_insert(struct tn_heap *heap, struct tn_heap_node *node)
{
    node->child = NULL;
    heap->root = meld(heap, heap->root, detached(node));
}

static void cut(struct tn_heap_node *node)
{
    if (node->previous->child == node) {
        node->previous->child = node->next;
    } else {
        node->previous->next = node->next;
    }
    if (node->next != NULL) {
        node->next->previous = node->previous;
    }
}

void tn_heap_remove(struct tn_heap *heap, struct tn_heap_node *node)
{
    struct tn_heap_node *orphans = meld_siblings(heap, node->child);

    if (node == heap->root) {
        heap->root = orphans;
    } else {
        cut(node);
        heap->root = meld(heap, heap->root, orphans);
    }
    node->child = NULL;
    detached(node);
}
