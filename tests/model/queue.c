// SPDX-License-Identifier: MIT
//
// queue — two counts and an array.

#include "queue.h"

#include "checker/model.h"

#include <string.h>

static int content_of(int place)
{
    return 100 + place;
}

void queue_reset(struct queue *queue)
{
    memset(queue->taken_counts, 0, sizeof(queue->taken_counts));
}

void queue_push(struct queue *queue)
{
    int place = tn_load_relaxed(&queue->pushed);

    mc_check(place < QUEUE_ITEMS);
    mc_plain_write(&queue->contents[place], content_of(place));
    tn_store_release(&queue->pushed, place + 1);
}

bool queue_take(struct queue *queue)
{
    int place = tn_load_relaxed(&queue->taken);

    if (tn_load_acquire(&queue->pushed) <= place ||
        !tn_cas_relaxed(&queue->taken, &place, place + 1)) {
        return false;
    }
    mc_check(mc_plain_read(&queue->contents[place]) == content_of(place));
    queue->taken_counts[place]++;
    mc_check(queue->taken_counts[place] == 1);
    return true;
}

bool queue_looks_empty(struct queue *queue)
{
    int taken = tn_load_relaxed(&queue->taken);

    return tn_load_relaxed(&queue->pushed) <= taken;
}
