// SPDX-License-Identifier: MIT
//
// queue — the plainest right queue: one pusher, takers by compare-and-swap.
//
// Stands for whatever work lies in, where a driver's subject is not the queue.

#ifndef MC_QUEUE_H
#define MC_QUEUE_H

#include "base/atomic.h"

#include <stdbool.h>

#define QUEUE_ITEMS 3

struct queue {
    _Atomic(int) pushed;
    _Atomic(int) taken;
    int contents[QUEUE_ITEMS];
    int taken_counts[QUEUE_ITEMS];  // the driver's books, not shared memory
};

// [driver] Before a run.
void queue_reset(struct queue *queue);

// [pusher] Add an item, published by a release store.
void queue_push(struct queue *queue);

// [any] Take the oldest item; checks that nobody else took it and that its
// contents have arrived. False: nothing seen, or another one was faster.
bool queue_take(struct queue *queue);

// [any] A guess.
bool queue_looks_empty(struct queue *queue);

#endif
