// SPDX-License-Identifier: MIT
//
// slab_test — pieces of 64 bytes go out, come back from any thread, and their
// memory returns to the system.

#include "sync/slab.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MANY 200000    // 12 MiB: far above what a cache keeps
#define KEPT_COUNT 24  // slabs: the reserve, the current one, those at hand

static struct tn_slab_cache cache;
static struct tn_slab_cache other;
static struct tn_slab_returns returns;
static unsigned char *pieces[MANY];

static void make_caches(void)
{
    tn_slab_init(&cache);
    tn_slab_init(&other);
}

static void end_caches(void)
{
    tn_slab_fini(&cache);
    tn_slab_fini(&other);
}

static void take(int count)
{
    for (int i = 0; i < count; i++) {
        pieces[i] = tn_slab_take(&cache);
        cr_assert(ne(ptr, pieces[i], NULL));
        memset(pieces[i], i & 0xff, TN_PIECE_BYTES);
    }
}

static size_t slab_count(const struct tn_slab_cache *of)
{
    const struct tn_slab *slab = of->all;
    size_t count = 0;

    while (slab != NULL) {
        count++;
        slab = slab->next == of->all ? NULL : slab->next;
    }
    cr_assert(eq(sz, of->slab_count, count));
    return count;
}

static size_t used_count(struct tn_slab_cache *of)
{
    size_t count = 0;

    tn_slab_settle(of);
    const struct tn_slab *slab = of->all;
    while (slab != NULL) {
        count += slab->used_count;
        slab = slab->next == of->all ? NULL : slab->next;
    }
    return count;
}

static int compare(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (void *const *)a;
    uintptr_t y = (uintptr_t) * (void *const *)b;

    return (x > y) - (x < y);
}

// Give pieces[first .. end-1] back as a thread without a cache.
static void give_from_elsewhere(int first, int end)
{
    for (int i = first; i < end; i++) {
        tn_slab_return(&returns, (struct tn_piece *)pieces[i]);
    }
    tn_slab_flush(&returns);
}

TestSuite(slab, .init = make_caches, .fini = end_caches, .timeout = 30);

Test(slab, pieces_are_aligned_and_apart)
{
    take(20000);
    qsort(pieces, 20000, sizeof(pieces[0]), compare);
    for (int i = 0; i < 20000; i++) {
        cr_assert(eq(u64, (uintptr_t)pieces[i] % TN_PIECE_BYTES, 0));
        if (i > 0) {
            size_t distance = (size_t)(pieces[i] - pieces[i - 1]);
            cr_assert(ge(sz, distance, TN_PIECE_BYTES));
        }
    }
}

Test(slab, piece_given_back_is_the_next_one_taken)
{
    take(100);
    tn_slab_give(&cache, &returns, pieces[42]);
    cr_expect(eq(ptr, tn_slab_take(&cache), pieces[42]));
}

Test(slab, use_and_reuse_needs_no_more_memory)
{
    for (int round = 0; round < 1000; round++) {
        take(100);
        for (int i = 0; i < 100; i++) {
            tn_slab_give(&cache, &returns, pieces[i]);
        }
    }
    cr_expect(eq(sz, slab_count(&cache), 1));
}

Test(slab, piece_given_back_elsewhere_returns_to_its_cache)
{
    for (int round = 0; round < 1000; round++) {
        take(1000);
        give_from_elsewhere(0, 1000);
    }
    cr_expect(eq(sz, slab_count(&cache), 1));
}

Test(slab, piece_goes_to_the_cache_it_came_from)
{
    void *first = tn_slab_take(&cache);
    void *second = tn_slab_take(&other);

    // On the owner of `cache`: its own at once, the other's by a batch.
    tn_slab_give(&cache, &returns, first);
    tn_slab_give(&cache, &returns, second);
    tn_slab_flush(&returns);
    cr_expect(eq(ptr, tn_slab_take(&cache), first));
    cr_expect(eq(sz, used_count(&cache), 1));
    cr_expect(eq(sz, used_count(&other), 0));
}

Test(slab, batches_of_several_caches_do_not_mix)
{
    void *others[10];

    take(10);
    for (int i = 0; i < 10; i++) {
        others[i] = tn_slab_take(&other);
    }
    for (int i = 0; i < 10; i++) {
        tn_slab_return(&returns, (struct tn_piece *)pieces[i]);
        tn_slab_return(&returns, (struct tn_piece *)others[i]);
    }
    tn_slab_flush(&returns);
    tn_slab_collect(&cache);
    tn_slab_collect(&other);
    cr_expect(eq(ptr, cache.partial, NULL));  // not even the other's slab
    for (int i = 0; i < 10; i++) {
        cr_assert(eq(ptr, tn_slab_of(tn_slab_take(&cache))->cache, &cache));
        cr_assert(eq(ptr, tn_slab_of(tn_slab_take(&other))->cache, &other));
    }
}

Test(slab, flush_of_nothing_does_nothing)
{
    tn_slab_flush(&returns);
    take(1);
    give_from_elsewhere(0, 1);
    tn_slab_flush(&returns);
    cr_expect(tn_slab_has_returned(&cache));
    tn_slab_collect(&cache);
    cr_expect(not(tn_slab_has_returned(&cache)));
    cr_expect(eq(sz, used_count(&cache), 0));
}

Test(slab, large_batch_needs_no_flush)
{
    take(32);
    for (int i = 0; i < 32; i++) {
        tn_slab_return(&returns, (struct tn_piece *)pieces[i]);
    }
    cr_expect(tn_slab_has_returned(&cache));
    cr_expect(eq(sz, returns.count, 0));
}

Test(slab, piece_of_another_group_goes_back_at_once)
{
    take(2);
    cache.group = &cache;
    tn_slab_return(&returns, (struct tn_piece *)pieces[0]);
    cr_expect(eq(sz, returns.count, 0));
    cr_expect(tn_slab_has_returned(&cache));
    tn_slab_collect(&cache);
    returns.group = &cache;
    tn_slab_return(&returns, (struct tn_piece *)pieces[1]);
    cr_expect(eq(sz, returns.count, 1));
    cr_expect(not(tn_slab_has_returned(&cache)));
    tn_slab_flush(&returns);
}

Test(slab, unused_memory_goes_back_to_the_system)
{
    take(MANY);
    size_t before = slab_count(&cache);
    for (int i = 0; i < MANY; i++) {
        tn_slab_give(&cache, &returns, pieces[i]);
    }
    cr_expect(le(sz, slab_count(&cache), before / 2));
    cr_expect(le(sz, slab_count(&cache), KEPT_COUNT));
    take(MANY);
}

Test(slab, memory_unused_elsewhere_goes_back_to_the_system)
{
    take(MANY);
    give_from_elsewhere(0, MANY);
    tn_slab_collect(&cache);
    cr_expect(le(sz, slab_count(&cache), KEPT_COUNT));
    take(MANY);
}

Test(slab, what_is_in_use_stays)
{
    unsigned wrong_count = 0;

    take(MANY);
    for (int i = 0; i < MANY; i++) {
        if (i % 10000 != 77) {
            tn_slab_give(&cache, &returns, pieces[i]);
        }
    }
    for (int i = 77; i < MANY; i += 10000) {
        for (size_t k = 0; k < TN_PIECE_BYTES; k++) {
            wrong_count += pieces[i][k] != (i & 0xff);
        }
    }
    cr_expect(eq(uint, wrong_count, 0));
    cr_expect(ge(sz, slab_count(&cache), MANY / 10000));
}

Test(slab, small_cache_keeps_its_memory)
{
    take(5000);
    size_t before = slab_count(&cache);
    for (int i = 0; i < 5000; i++) {
        tn_slab_give(&cache, &returns, pieces[i]);
    }
    cr_expect(eq(sz, slab_count(&cache), before));
}

Test(slab, pieces_left_over_in_many_places_are_used_again)
{
    take(MANY);
    for (int i = 0; i < MANY; i += 2) {
        tn_slab_give(&cache, &returns, pieces[i]);
    }
    size_t before = slab_count(&cache);
    for (int i = 0; i < MANY; i += 2) {
        pieces[i] = tn_slab_take(&cache);
    }
    cr_expect(eq(sz, slab_count(&cache), before));
    qsort(pieces, MANY, sizeof(pieces[0]), compare);
    for (int i = 1; i < MANY; i++) {
        cr_assert(ne(ptr, pieces[i], pieces[i - 1]));
    }
}

Test(slab, settled_cache_keeps_the_reserve_only)
{
    take(MANY);
    for (int i = 0; i < MANY; i += 2) {
        tn_slab_give(&cache, &returns, pieces[i]);
    }
    for (int i = 1; i < MANY; i += 2) {
        tn_slab_return(&returns, (struct tn_piece *)pieces[i]);
    }
    tn_slab_flush(&returns);
    cr_expect(not(tn_slab_is_settled(&cache)));
    tn_slab_settle(&cache);
    cr_expect(tn_slab_is_settled(&cache));
    cr_expect(le(sz, slab_count(&cache), 17));
    for (const struct tn_slab *slab = cache.partial; slab != NULL;
         slab = slab->next_partial) {
        cr_expect(eq(sz, slab->used_count, 0));
    }
    take(MANY);
}

Test(slab, no_piece_is_in_two_hands)
{
    take(MANY);
    for (int i = 0; i < MANY; i++) {
        if (i % 3 != 0) {
            tn_slab_give(&cache, &returns, pieces[i]);
        }
    }
    for (int i = 0; i < MANY; i++) {
        if (i % 3 != 0) {
            pieces[i] = tn_slab_take(&cache);
        }
    }
    qsort(pieces, MANY, sizeof(pieces[0]), compare);
    for (int i = 1; i < MANY; i++) {
        cr_assert(ne(ptr, pieces[i], pieces[i - 1]));
    }
}

Test(slab, fini_accepts_one_never_used)
{
    struct tn_slab_cache unused;

    tn_slab_init(&unused);
    tn_slab_fini(&unused);
    cr_expect(eq(sz, slab_count(&unused), 0));
}

enum { ROUND_COUNT = 200, ROUND_SIZE = 500 };

static _Atomic(int) offered;  // pieces[0 .. offered-1] are the other thread's

static void *giver_main(void *arg)
{
    struct tn_slab_returns own = {.cache = NULL};
    int given = 0;

    (void)arg;
    while (given < ROUND_COUNT * ROUND_SIZE) {
        int end = atomic_load(&offered);
        for (; given < end; given++) {
            tn_slab_return(&own, (struct tn_piece *)pieces[given]);
        }
        tn_slab_flush(&own);
    }
    return NULL;
}

// One thread takes while another gives back: no piece is in two hands.
Test(slab, concurrent_return_loses_and_doubles_nothing)
{
    pthread_t giver;
    unsigned wrong_count = 0;

    pthread_create(&giver, NULL, giver_main, NULL);
    for (int i = 0; i < ROUND_COUNT * ROUND_SIZE; i++) {
        pieces[i] = tn_slab_take(&cache);
        memset(pieces[i], i & 0xff, TN_PIECE_BYTES);
        if ((i + 1) % ROUND_SIZE == 0) {
            for (int k = i + 1 - ROUND_SIZE; k <= i; k++) {
                wrong_count += pieces[k][TN_PIECE_BYTES - 1] != (k & 0xff);
            }
            atomic_store(&offered, i + 1);
        }
    }
    pthread_join(giver, NULL);
    cr_expect(eq(uint, wrong_count, 0));
    tn_slab_collect(&cache);
    cr_expect(le(sz, slab_count(&cache), KEPT_COUNT));
}
