// SPDX-License-Identifier: MIT
//
// slab — threads take pieces from their caches and give back each other's.
//
// Laws: a piece in use belongs to one user; it is aligned; what was given back
// is counted, all of it; memory follows use, down as well.

#include "support.h"

#include "sync/inject.h"
#include "sync/slab.h"

#include <stdio.h>
#include <string.h>

#define PLAYER_MAX 16
#define ROUND_TAKES 30000
#define HOARD_TAKES 200000
#define HELD_MAX 100000  // more than is kept unused
#define KEPT_SLABS 17    // those in reserve, and the current one

#define LAW_PRIVATE "a piece in use is written by its user only"
#define LAW_ALIGNED "pieces are aligned"
#define LAW_COUNTED "all that was taken was given back"
#define LAW_FREED "memory goes back when it is not used"

// A piece in use: mailboxes link it, the rest is a pattern.
struct parcel {
    struct tn_link link;
    uint64_t tag;
    uint64_t copies[6];
};

_Static_assert(sizeof(struct parcel) == TN_PIECE_BYTES, "a parcel fills it");

struct player {
    pthread_t thread;
    struct stress_random random;
    struct tn_slab_cache cache;
    struct tn_slab_returns returns;
    struct tn_inject mailbox;
    struct parcel *held[HELD_MAX];
    size_t held_count;
    uint64_t taken_count;
    uint64_t remote_count;  // given back to others
    uint64_t freed_count;   // slabs
};

static struct player players[PLAYER_MAX];
static uint32_t player_count;
static _Atomic(uint64_t) next_tag;
static _Atomic(uint64_t) open_count;  // parcels in use, and players taking
static _Atomic(bool) is_over;
static bool is_hoarding;  // this round holds much, then little
static pthread_barrier_t gate;

static void check_parcel(const struct parcel *parcel)
{
    for (size_t i = 0; i < 6; i++) {
        if (parcel->copies[i] != parcel->tag + i) {
            stress_broke(LAW_PRIVATE, "word %zu", i);
            return;
        }
    }
}

static struct parcel *take_parcel(struct player *player)
{
    struct parcel *parcel = tn_slab_take(&player->cache);

    if (parcel == NULL) {
        stress_die("no memory");
    }
    if ((uintptr_t)parcel % TN_PIECE_BYTES != 0) {
        stress_broke(LAW_ALIGNED, "%p", (void *)parcel);
    }
    parcel->tag = STRESS_COUNT(next_tag) * 8;
    for (size_t i = 0; i < 6; i++) {
        parcel->copies[i] = parcel->tag + i;
    }
    STRESS_COUNT(open_count);
    player->taken_count++;
    return parcel;
}

static void give_parcel(
    struct player *player, struct parcel *parcel, bool is_remote)
{
    check_parcel(parcel);
    memset(parcel, 0xee, sizeof(*parcel));
    tn_slab_give(&player->cache, &player->returns, parcel);
    player->remote_count += is_remote;
    atomic_fetch_sub(&open_count, 1);
}

static void give_held(struct player *player)
{
    while (player->held_count > 0) {
        give_parcel(player, player->held[--player->held_count], false);
    }
}

static size_t slab_count_of(const struct tn_slab_cache *cache)
{
    const struct tn_slab *slab = cache->all;
    size_t count = 0;

    while (slab != NULL) {
        count++;
        slab = slab->next == cache->all ? NULL : slab->next;
    }
    return count;
}

static void settle(struct player *player)
{
    size_t before_count = slab_count_of(&player->cache);

    tn_slab_settle(&player->cache);
    player->freed_count += before_count - slab_count_of(&player->cache);
}

// Use less, and see memory go.
static void shrink(struct player *player)
{
    give_held(player);
    settle(player);
}

static void send_or_hold(struct player *player, struct parcel *parcel)
{
    uint32_t to = stress_below(&player->random, player_count);

    // Most of a hoard is held, most of the rest is sent.
    if (stress_below(&player->random, 5) < (is_hoarding ? 1 : 4)) {
        tn_inject_push(&players[to].mailbox, &parcel->link);
        return;
    }
    if (player->held_count == HELD_MAX) {
        shrink(player);
    }
    player->held[player->held_count++] = parcel;
}

static void read_mail(struct player *player)
{
    struct tn_link *links[32];
    size_t count = tn_inject_take(&player->mailbox, links, 32);

    for (size_t i = 0; i < count; i++) {
        give_parcel(player, (struct parcel *)links[i], true);
    }
}

static void take_turn(struct player *player)
{
    send_or_hold(player, take_parcel(player));
    if (!is_hoarding) {
        stress_perturb(&player->random);
    }
    if (stress_chance(&player->random, 8)) {
        read_mail(player);
    }
    if (!is_hoarding && stress_chance(&player->random, 512)) {
        give_held(player);
        tn_slab_flush(&player->returns);
    }
    if (stress_chance(&player->random, 512)) {
        tn_slab_collect(&player->cache);
    }
    if (stress_chance(&player->random, 1024)) {
        settle(player);
    }
}

static void play(struct player *player)
{
    uint32_t turns = is_hoarding ? HOARD_TAKES : ROUND_TAKES;

    for (; turns > 0; turns--) {
        take_turn(player);
    }
    shrink(player);
    atomic_fetch_sub(&open_count, 1);
    // Mail may come until the last one has taken its last.
    while (STRESS_READ(open_count) > 0) {
        read_mail(player);
        stress_perturb(&player->random);
    }
    tn_slab_flush(&player->returns);
}

static void *player_main(void *arg)
{
    for (;;) {
        pthread_barrier_wait(&gate);
        if (atomic_load(&is_over)) {
            return NULL;
        }
        play(arg);
        pthread_barrier_wait(&gate);
    }
}

static uint64_t used_count_of(const struct tn_slab_cache *cache)
{
    const struct tn_slab *slab = cache->all;
    uint64_t count = 0;

    while (slab != NULL) {
        count += slab->used_count;
        slab = slab->next == cache->all ? NULL : slab->next;
    }
    return count;
}

static void judge(void)
{
    for (uint32_t i = 0; i < player_count; i++) {
        struct tn_slab_cache *cache = &players[i].cache;
        tn_slab_settle(cache);
        stress_expect_equal(LAW_COUNTED, used_count_of(cache), 0);
        stress_expect(slab_count_of(cache) <= KEPT_SLABS, LAW_FREED);
    }
}

static void dump(void)
{
    fprintf(
        stderr, "#   %llu parcels in use\n",
        (unsigned long long)STRESS_READ(open_count));
}

static void start(void)
{
    player_count = stress_worker_count(3);
    player_count = player_count > PLAYER_MAX ? PLAYER_MAX : player_count;
    pthread_barrier_init(&gate, NULL, player_count + 1);
    for (uint32_t i = 0; i < player_count; i++) {
        tn_slab_init(&players[i].cache);
        tn_inject_init(&players[i].mailbox, 0);
        players[i].random = stress_random_make(i);
        players[i].thread = stress_thread_start(player_main, &players[i]);
    }
}

static void stop(void)
{
    uint64_t remote_count = 0;
    uint64_t taken_count = 0;
    uint64_t freed_count = 0;

    atomic_store(&is_over, true);
    pthread_barrier_wait(&gate);
    for (uint32_t i = 0; i < player_count; i++) {
        stress_thread_join(players[i].thread);
        remote_count += players[i].remote_count;
        taken_count += players[i].taken_count;
        freed_count += players[i].freed_count;
        tn_slab_fini(&players[i].cache);
    }
    pthread_barrier_destroy(&gate);
    stress_need("pieces given to others", remote_count, taken_count, 100);
    stress_need("slabs freed", freed_count, taken_count, 0);
}

int main(int argc, char **argv)
{
    stress_begin(argc, argv, "slab");
    stress_on_hang(dump);
    stress_law(LAW_PRIVATE);
    stress_law(LAW_ALIGNED);
    start();
    for (uint32_t i = 0; stress_goes_on(); i++) {
        is_hoarding = i % 4 == 0;
        atomic_store(&open_count, player_count);
        pthread_barrier_wait(&gate);
        pthread_barrier_wait(&gate);
        judge();
    }
    stop();
    return stress_end();
}
