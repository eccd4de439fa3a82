// SPDX-License-Identifier: MIT
//
// parker — one token per thread in a table that only grows.
//
// Shape:    chunks of 64 parkers; number n is chunk n / 64, place n % 64. The
//           first chunk is static; number 0 means none.
// Roles:    the thread parks; any thread unparks.
// Memory:   chunks live as long as the process. A number is reused after its
//           thread ended; a late unpark is then a wake-up for no reason.
// Ordering:
//   E1 token  unpark: exchange-release word -> park: exchange-acquire word
//             (what was written before the unpark)
//   E2 chunk  add_chunk: store-release -> find: load-acquire (the parkers)

#include "sync/parker.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>

#define CHUNK_SIZE 64
#define CHUNK_COUNT ((TN_PARKER_MAX + 1) / CHUNK_SIZE)

enum { EMPTY, PARKED, NOTIFIED };

struct parker {
    // Its thread and wakers compete.
    alignas(TN_CACHE_LINE) _Atomic(uint32_t) word;

    // Guarded by table_lock: numbers without a thread.
    uint32_t next_free;
};

static struct parker first_chunk[CHUNK_SIZE];
static _Atomic(struct parker *) chunks[CHUNK_COUNT] = {first_chunk};

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t used_count = 1;  // guarded by table_lock; 0 means none
static uint32_t first_free;      // guarded by table_lock

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;
static _Thread_local uint32_t own;

static struct parker *find(uint32_t number)
{
    return &tn_load_acquire(&chunks[number / CHUNK_SIZE])  // E2
        [number % CHUNK_SIZE];
}

static bool add_chunk_locked(uint32_t index)
{
    // relaxed: written under the lock that the caller holds.
    if (tn_load_relaxed(&chunks[index]) != NULL) {
        return true;
    }
    struct parker *chunk =
        aligned_alloc(TN_CACHE_LINE, CHUNK_SIZE * sizeof(struct parker));
    if (chunk == NULL) {
        return false;
    }
    for (int i = 0; i < CHUNK_SIZE; i++) {
        tn_atomic_init(&chunk[i].word, EMPTY);
        chunk[i].next_free = TN_PARKER_NONE;
    }
    tn_store_release(&chunks[index], chunk);  // E2
    return true;
}

static uint32_t take_number_locked(void)
{
    uint32_t number = first_free;

    if (number != TN_PARKER_NONE) {
        first_free = find(number)->next_free;
        return number;
    }
    if (used_count > TN_PARKER_MAX ||
        !add_chunk_locked(used_count / CHUNK_SIZE)) {
        return TN_PARKER_NONE;
    }
    return used_count++;
}

static void give_back(void *number_pointer)
{
    uint32_t number = (uint32_t)(uintptr_t)number_pointer;

    // A later destructor of the thread may wait again: with another number.
    own = TN_PARKER_NONE;
    pthread_mutex_lock(&table_lock);
    find(number)->next_free = first_free;
    first_free = number;
    pthread_mutex_unlock(&table_lock);
}

static void make_key(void)
{
    has_key = pthread_key_create(&key, give_back) == 0;
}

uint32_t tn_parker_of_thread(void)
{
    if (own != TN_PARKER_NONE) {
        return own;
    }
    pthread_once(&key_once, make_key);
    if (!has_key) {
        return TN_PARKER_NONE;
    }
    pthread_mutex_lock(&table_lock);
    uint32_t number = take_number_locked();
    pthread_mutex_unlock(&table_lock);
    if (number == TN_PARKER_NONE) {
        return TN_PARKER_NONE;
    }
    if (pthread_setspecific(key, (void *)(uintptr_t)number) != 0) {
        give_back((void *)(uintptr_t)number);
        return TN_PARKER_NONE;
    }
    own = number;
    return own;
}

void tn_parker_park_until(uint32_t number, uint64_t deadline_ns)
{
    _Atomic(uint32_t) *word = &find(number)->word;
    uint32_t expected = EMPTY;

    if (number == TN_PARKER_NONE) {
        // Shared by all who have none, never unparked: only the clock ends it.
        tn_futex_wait_until(word, EMPTY, deadline_ns);
        return;
    }
    // relaxed: a failed cas means NOTIFIED, which the exchange acquires.
    if (tn_cas_relaxed(word, &expected, PARKED)) {
        tn_futex_wait_until(word, PARKED, deadline_ns);
    }
    tn_exchange_acquire(word, EMPTY);  // E1
}

void tn_parker_unpark(uint32_t number)
{
    _Atomic(uint32_t) *word = &find(number)->word;

    if (tn_exchange_release(word, NOTIFIED) == PARKED) {  // E1
        tn_futex_wake(word, 1);
    }
}
