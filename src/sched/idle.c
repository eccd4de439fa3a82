// SPDX-License-Identifier: MIT
//
// idle — sleep without lost wake-ups, at no cost to who pushes.
//
// Source:   the searching/sleeping counts follow the Go scheduler (Vyukov,
//           "Scalable Go Scheduler Design", 2012); the fence asymmetry is ours.
// Roles:    [worker] search, found, sleep; [any] notify, wake.
// Progress: notify and wake never block; sleep does.
// Memory:   sleepers live as long as the executor: a late wake is harmless.
// Invariants:
//   I1 state = sum over workers: searching + (asleep << 16)
//   I2 a worker's word is ASLEEP or CLAIMED only inside tn_idle_sleep(), AWAY
//      between tn_idle_leave() and tn_idle_arrive()
//   I3 who takes a word from ASLEEP moves that worker's count to searching
// Ordering:
//   E1 push/sleep  pusher:  push, light fence, load state (and words)
//                  sleeper: store word, add state, heavy fence, look at queues
//                  searcher that leaves: sub state, heavy fence, look at queues
//                  (one of the two sees the other)
//   E2 claim       sleeper, waker: cas word from ASLEEP (one winner)
//   E3 counted     waker: store-release word AWAKE -> sleeper: load-acquire
//                  word (the counts are right before the sleeper goes on)
//   E4 call        last searcher: change state, full fence, call
//                  owner:   store limit, full fence, load state (E7 of deque.c)
//                  (one of the two sees the other)
//   E5 alone       who goes away: store-release word AWAY ->
//                  who leaves the search: load-acquire word
//                  (what it has pushed is seen; a sleeper's has been taken)
//                  last searcher: change state, call, full fence, load words
//                  who arrives:   store word, full fence, load state or limit
//                  (one of the two sees the other)
//                  waker, sleeper: word from ASLEEP, add-release state ->
//                  last searcher: change state, full fence, load word
//                  (who was about before is seen)

#include "sched/idle.h"

#include "base/aligned.h"
#include "base/check.h"
#include "base/futex.h"

#include <stdlib.h>

enum { AWAKE, ASLEEP, CLAIMED, AWAY };

#define ASLEEP_TO_SEARCHING (TN_IDLE_SEARCHING_ONE - TN_IDLE_SLEEPING_ONE)

bool tn_idle_init(
    struct tn_idle *idle, uint32_t capacity, bool (*has_work)(void *context),
    void (*call)(void *context), void *context)
{
    idle->sleepers = tn_alloc_aligned(capacity, sizeof(struct tn_sleeper));
    if (idle->sleepers == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < capacity; i++) {
        tn_atomic_init(&idle->sleepers[i].word, AWAY);
    }
    tn_atomic_init(&idle->state, 0);
    idle->capacity = capacity;
    idle->has_work = has_work;
    idle->call = call;
    idle->context = context;
    return true;
}

void tn_idle_fini(struct tn_idle *idle)
{
    free(idle->sleepers);
    idle->sleepers = NULL;
}

static void expect_word(
    struct tn_idle *idle, uint32_t worker_index, uint32_t word)
{
    // relaxed: a look at one's own.
    tn_assert(tn_load_relaxed(&idle->sleepers[worker_index].word) == word);
}

void tn_idle_arrive(struct tn_idle *idle, uint32_t worker_index)
{
    expect_word(idle, worker_index, AWAY);
    // relaxed: the fence orders it before all that the worker looks at.
    tn_store_relaxed(&idle->sleepers[worker_index].word, AWAKE);
    tn_fence_seqcst();  // E5
}

void tn_idle_leave(struct tn_idle *idle, uint32_t worker_index)
{
    expect_word(idle, worker_index, AWAKE);
    tn_store_release(&idle->sleepers[worker_index].word, AWAY);  // E5
}

void tn_idle_search(struct tn_idle *idle)
{
    // relaxed: nothing travels with the count.
    tn_add_relaxed(&idle->state, TN_IDLE_SEARCHING_ONE);
}

static bool was_last_searcher(uint32_t old_state)
{
    return (old_state & TN_IDLE_SEARCHING_MASK) == TN_IDLE_SEARCHING_ONE;
}

// Are all others asleep or away?
static bool is_alone(struct tn_idle *idle, uint32_t worker_index)
{
    for (uint32_t i = 0; i < idle->capacity; i++) {
        uint32_t word = tn_load_acquire(&idle->sleepers[i].word);  // E5
        if (i != worker_index && word != ASLEEP && word != AWAY) {
            return false;
        }
    }
    return true;
}

// For who has left the search: after this it sees what was pushed by those who
// relied on it. Only workers push with a light fence. If all sleep who could
// look, who pushes later must wake somebody: call.
static void look_out(
    struct tn_idle *idle, uint32_t worker_index, bool must_call)
{
    tn_fence_seqcst();  // E1, E4, E5
    if (must_call) {
        idle->call(idle->context);
    }
    if (is_alone(idle, worker_index)) {  // at first sight
        tn_fence_seqcst();               // E5
        if (is_alone(idle, worker_index)) {
            return;
        }
    }
    tn_fence_heavy();  // E1
}

void tn_idle_found(struct tn_idle *idle, uint32_t worker_index)
{
    expect_word(idle, worker_index, AWAKE);
    // relaxed: the fence orders it before the look.
    uint32_t old = tn_sub_relaxed(&idle->state, TN_IDLE_SEARCHING_ONE);

    if (!was_last_searcher(old) || old < TN_IDLE_SLEEPING_ONE) {
        return;
    }
    look_out(idle, worker_index, true);
    if (idle->has_work(idle->context)) {
        tn_idle_wake_one(idle);
    }
}

static void wait_until_awake(_Atomic(uint32_t) *word)
{
    uint32_t seen;

    while ((seen = tn_load_acquire(word)) != AWAKE) {  // E3
        tn_futex_wait_until(word, seen, TN_FOREVER);
    }
}

void tn_idle_sleep(struct tn_idle *idle, uint32_t worker_index)
{
    _Atomic(uint32_t) *word = &idle->sleepers[worker_index].word;

    expect_word(idle, worker_index, AWAKE);
    // relaxed: the fence orders both before the look.
    tn_store_relaxed(word, ASLEEP);
    // relaxed: likewise.
    uint32_t old = tn_sub_relaxed(&idle->state, ASLEEP_TO_SEARCHING);
    look_out(idle, worker_index, was_last_searcher(old));
    if (idle->has_work(idle->context)) {
        uint32_t expected = ASLEEP;
        // relaxed: nothing travels; I3.
        if (tn_cas_relaxed(word, &expected, AWAKE)) {           // E2
            tn_add_release(&idle->state, ASLEEP_TO_SEARCHING);  // E5
            return;
        }
    }
    wait_until_awake(word);
}

static bool wake(struct tn_idle *idle, uint32_t worker_index)
{
    _Atomic(uint32_t) *word = &idle->sleepers[worker_index].word;
    uint32_t expected = ASLEEP;

    // relaxed: a look; the cas decides.
    if (tn_load_relaxed(word) != ASLEEP ||
        !tn_cas_relaxed(word, &expected, CLAIMED)) {  // E2
        return false;
    }
    tn_add_release(&idle->state, ASLEEP_TO_SEARCHING);  // E5
    tn_store_release(word, AWAKE);                      // E3
    tn_futex_wake(word, 1);
    return true;
}

void tn_idle_wake_one(struct tn_idle *idle)
{
    for (uint32_t i = 0; i < idle->capacity; i++) {
        if (wake(idle, i)) {
            return;
        }
    }
}

void tn_idle_wake_all(struct tn_idle *idle)
{
    for (uint32_t i = 0; i < idle->capacity; i++) {
        wake(idle, i);
    }
}
