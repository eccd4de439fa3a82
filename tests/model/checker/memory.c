// SPDX-License-Identifier: MIT
//
// memory — finds locations by address and keeps their modification orders.
//
// A store is appended to the modification order of its location when it runs,
// so that order never contradicts the order of execution: a store can not slip
// in front of one that ran earlier (README.md, "What is not modelled").

#include "checker/memory.h"

#include "checker/race.h"
#include "checker/thread.h"

#include <string.h>

#define MESSAGES 4096
#define BUCKETS 512

static struct mc_location locations[MC_LOCATIONS];
static int location_count;
static struct mc_message messages[MESSAGES];
static int message_count;

// Open addressing; a slot is in use if its generation is the current one.
static struct {
    unsigned generation;
    struct mc_location *location;
} buckets[BUCKETS];
static unsigned generation = 1;

static const char *watched_part;  // mc_watch_reuse()

void mc_memory_reset(void)
{
    location_count = 0;
    message_count = 0;
    watched_part = NULL;
    generation++;
}

int mc_memory_time(void)
{
    return message_count;
}

void mc_watch_reuse(const char *part)
{
    watched_part = part;
}

struct mc_location *mc_memory_next_in(
    const volatile void *begin, size_t size_bytes, int lane)
{
    const volatile char *first = begin;

    for (int i = lane + 1 - MC_THREADS; i < location_count; i++) {
        const volatile char *at = locations[i].address;
        if (at >= first && at < first + size_bytes) {
            return &locations[i];
        }
    }
    return NULL;
}

void mc_memory_newest_all(struct mc_view *view)
{
    for (int i = 0; i < location_count; i++) {
        view->lanes[locations[i].lane] = (int16_t)(locations[i].count - 1);
    }
}

static unsigned bucket_of(const volatile void *address)
{
    uint64_t hash = (uintptr_t)address * UINT64_C(0x9e3779b97f4a7c15);

    unsigned at = (unsigned)(hash >> 40) % BUCKETS;
    while (buckets[at].generation == generation &&
           buckets[at].location->address != address) {
        at = (at + 1) % BUCKETS;
    }
    return at;
}

struct mc_message *mc_memory_append(
    struct mc_location *location, uint64_t value)
{
    if (location->count == MC_STORES || message_count == MESSAGES) {
        mc_fail("too many stores for the checker");
    }
    struct mc_message *message = &messages[message_count];

    message->value = value;
    message->time = message_count++;
    message->thread = mc_self->index;
    location->history[location->count++] = message;
    return message;
}

// Who gave the memory its first value: the last plain write that was seen, or
// else the one who allocated it, or else somebody before all threads.
static void find_origin(struct mc_location *location)
{
    location->init_thread = -1;
    location->init_clock = 0;
    location->block = mc_heap_find(location->address);
    if (location->block != NULL) {
        location->init_thread = location->block->thread;
        location->init_clock = location->block->clock;
    }
    mc_race_find_write(
        location->address, &location->init_thread, &location->init_clock);
}

static struct mc_location *create(
    unsigned at, const volatile void *address, unsigned size,
    const char *object)
{
    uint64_t value = 0;

    if (location_count == MC_LOCATIONS) {
        mc_fail("too many locations for the checker");
    }
    struct mc_location *location = &locations[location_count];

    location->address = address;
    location->object = object;
    location->size = size;
    location->lane = MC_THREADS + location_count;
    location->count = 0;
    memset(location->touched, 0, sizeof(location->touched));
    memset(location->loose_reads, 0, sizeof(location->loose_reads));
    memset(location->older_reads, 0, sizeof(location->older_reads));
    memset(location->last_stores, 0, sizeof(location->last_stores));
    location->is_reuse_watched =
        watched_part != NULL && strstr(object, watched_part) != NULL;
    find_origin(location);
    memcpy(&value, (const void *)address, size);
    struct mc_message *first = mc_memory_append(location, value);

    first->time = -1;  // it has been there before it was looked for
    first->thread = location->init_thread;
    memset(&first->view, 0, sizeof(first->view));
    memset(first->causes, 0, sizeof(first->causes));
    buckets[at].generation = generation;
    buckets[at].location = location;
    location_count++;
    return location;
}

static void touch(struct mc_location *location)
{
    if (location->block != NULL && location->block->is_freed) {
        mc_fail("use after free: %s", location->object);
    }
    if (!mc_thread_knows(location->init_thread, location->init_clock)) {
        mc_fail(
            "data race: %s is used by %s, to which its first value, "
            "given by %s, was never published",
            location->object, mc_self->name,
            mc_threads[location->init_thread].name);
    }
    if (mc_self->index >= 0) {
        location->touched[mc_self->index] = mc_thread_clock();
    }
}

struct mc_location *mc_memory_find(
    const volatile void *address, unsigned size, const char *object)
{
    unsigned at = bucket_of(address);
    struct mc_location *location = buckets[at].generation == generation
                                       ? buckets[at].location
                                       : create(at, address, size, object);

    if (location->size != size) {
        mc_fail("%s is used with two sizes", object);
    }
    touch(location);
    return location;
}

struct mc_location *mc_memory_peek(const volatile void *address)
{
    unsigned at = bucket_of(address);

    if (buckets[at].generation != generation) {
        return NULL;
    }
    const struct mc_block *block = buckets[at].location->block;

    return block != NULL && block->is_freed ? NULL : buckets[at].location;
}

void mc_memory_init(struct mc_location *location, uint64_t value)
{
    if (mc_self->index < 0) {
        location->count = 0;
    }
    struct mc_message *message = mc_memory_append(location, value);

    memset(&message->view, 0, sizeof(message->view));
    memset(message->causes, 0, sizeof(message->causes));
    message->view.lanes[location->lane] = (int16_t)(location->count - 1);
    mc_self->current.lanes[location->lane] = (int16_t)(location->count - 1);
    location->init_thread = mc_self->index;
    location->init_clock = mc_thread_clock();
}

void mc_memory_note_loose_read(struct mc_location *location)
{
    int self = mc_self->index;

    if (self < 0 || !location->is_reuse_watched) {
        return;
    }
    if (location->loose_reads[self] != mc_thread_clock()) {
        location->older_reads[self] = location->loose_reads[self];
    }
    location->loose_reads[self] = mc_thread_clock();
}

void mc_memory_drop_loose_reads(void)
{
    int self = mc_self->index;

    for (int i = 0; self >= 0 && i < location_count; i++) {
        if (locations[i].loose_reads[self] == mc_thread_clock()) {
            locations[i].loose_reads[self] = locations[i].older_reads[self];
        }
    }
}

void mc_memory_judge_reuse(const struct mc_location *location)
{
    for (int i = 0; i < mc_thread_count; i++) {
        int16_t clock = location->loose_reads[i];

        if (clock > 0 && mc_self->causes[i] >= clock &&
            !mc_thread_knows(i, clock)) {
            mc_fail(
                "unordered reuse: %s overwrites %s because of what %s did "
                "after reading it, but the read does not happen before",
                mc_self->name, location->object, mc_threads[i].name);
        }
    }
}

void mc_memory_retire(const struct mc_block *block)
{
    for (int i = 0; i < location_count; i++) {
        if (locations[i].block != block) {
            continue;
        }
        for (int k = 0; k < mc_thread_count; k++) {
            if (!mc_thread_knows(k, locations[i].touched[k])) {
                mc_fail(
                    "freed while in use: %s, by %s", locations[i].object,
                    mc_threads[k].name);
            }
        }
    }
}
