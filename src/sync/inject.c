// SPDX-License-Identifier: MIT
//
// inject — a stack of arrivals, turned round by who takes them.
//
// Source:   ConcurrencyKit's ck_stack, unique-producer-marker-free multi
//           producer push with take-all: no entry is popped singly, so there
//           is no ABA and nothing to reclaim. Chosen over ck_ring, which stalls
//           when a producer is preempted between claim and publication.
// Roles:    any thread pushes; any thread takes, one at a time.
// Progress: push lock-free; take gives up at once while another one takes.
// Memory:   links belong to the caller; a link is in one queue at a time.
// Ordering:
//   E1 hand-over  push: ck_stack push (release) -> take: batch pop (acquire)
//                 (the queued object)
//   E2 lock       take: store-release is_locked -> take: exchange-acquire
//                 (the ready list)

#include "sync/inject.h"

#include "base/check.h"

void tn_inject_init(struct tn_inject *inject, uint64_t limit)
{
    inject->limit = limit;
    tn_atomic_init(&inject->length, 0);
    ck_stack_init(&inject->arrived);
    tn_atomic_init(&inject->is_locked, false);
    tn_atomic_init(&inject->has_ready, false);
    inject->ready = NULL;
}

// How many there were. Counted before the push, uncounted after the take: the
// count never misses one that is queued.
static uint64_t count(struct tn_inject *inject, int64_t difference)
{
    // relaxed: a bound, not an order.
    return inject->limit == 0
               ? 0
               : tn_add_relaxed(&inject->length, (uint64_t)difference);
}

void tn_inject_push(struct tn_inject *inject, struct tn_link *link)
{
    count(inject, 1);
    tn_ck_stack_push(&inject->arrived, &link->entry);  // E1
}

void tn_inject_push_all(
    struct tn_inject *inject, void *const *links, size_t count)
{
    struct ck_stack_entry *newest = NULL;

    tn_assert(inject->limit == 0 && count > 0);
    for (size_t i = 0; i < count; i++) {
        struct tn_link *link = links[i];
        link->entry.next = newest;
        newest = &link->entry;
    }
    tn_ck_stack_push_chain(
        &inject->arrived, newest, &((struct tn_link *)links[0])->entry);  // E1
}

bool tn_inject_try_push(struct tn_inject *inject, struct tn_link *link)
{
    if (inject->limit != 0 && count(inject, 1) >= inject->limit) {
        count(inject, -1);
        return false;
    }
    tn_ck_stack_push(&inject->arrived, &link->entry);  // E1
    return true;
}

static struct ck_stack_entry *reversed(struct ck_stack_entry *newest)
{
    struct ck_stack_entry *oldest = NULL;

    while (newest != NULL) {
        struct ck_stack_entry *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static size_t take_locked(
    struct tn_inject *inject, struct tn_link **links, size_t capacity)
{
    size_t count = 0;

    if (inject->ready == NULL) {
        inject->ready = reversed(tn_ck_stack_take_all(&inject->arrived));
    }
    while (count < capacity && inject->ready != NULL) {
        links[count++] = (struct tn_link *)inject->ready;
        inject->ready = inject->ready->next;
    }
    // relaxed: a guess for tn_inject_looks_empty(); who takes notifies after
    // it, by E1 of idle.c.
    tn_store_relaxed(&inject->has_ready, inject->ready != NULL);
    return count;
}

size_t tn_inject_take(
    struct tn_inject *inject, struct tn_link **links, size_t capacity)
{
    if (tn_inject_looks_empty(inject) ||
        tn_exchange_acquire(&inject->is_locked, true)) {  // E2
        return 0;
    }
    size_t taken_count = take_locked(inject, links, capacity);
    tn_store_release(&inject->is_locked, false);  // E2
    if (taken_count > 0) {
        count(inject, -(int64_t)taken_count);
    }
    return taken_count;
}

bool tn_inject_looks_empty(struct tn_inject *inject)
{
    // relaxed: a guess.
    return !tn_load_relaxed(&inject->has_ready) &&
           tn_ck_stack_looks_empty(&inject->arrived);
}
