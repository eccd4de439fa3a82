// SPDX-License-Identifier: MIT
//
// race — keeps, per plain object, its last write and each thread's last read.
//
// Shape: a cell per (address, size) that was used; the cells of one 8-byte word
// form a chain, because accesses of different sizes may overlap. An access that
// crosses a word is split.

#include "checker/race.h"

#include "checker/thread.h"
#include "checker/trace.h"

#include <string.h>

#define CELLS 2048
#define BUCKETS 1024

struct cell {
    uintptr_t begin;
    uintptr_t end;
    const char *name;
    const struct mc_block *block;
    struct cell *next;  // of the same bucket
    int writer;         // -1: nobody
    int16_t write_clock;
    int16_t read_clocks[MC_THREADS];  // 0: has not read
};

static struct cell cells[CELLS];
static int cell_count;
static struct {
    unsigned generation;
    struct cell *first;
} buckets[BUCKETS];
static unsigned generation = 1;

void mc_race_reset(void)
{
    cell_count = 0;
    generation++;
}

static unsigned bucket_of(uintptr_t address)
{
    uint64_t hash = (address >> 3) * UINT64_C(0x9e3779b97f4a7c15);

    return (unsigned)(hash >> 40) % BUCKETS;
}

static struct cell *first_of(unsigned bucket)
{
    return buckets[bucket].generation == generation ? buckets[bucket].first
                                                    : NULL;
}

static struct cell *find_or_add(
    uintptr_t begin, uintptr_t end, const char *name)
{
    unsigned bucket = bucket_of(begin);

    for (struct cell *cell = first_of(bucket); cell != NULL;
         cell = cell->next) {
        if (cell->begin == begin && cell->end == end) {
            return cell;
        }
    }
    if (cell_count == CELLS) {
        mc_fail("too much plain memory for the checker");
    }
    struct cell *cell = &cells[cell_count++];

    *cell = (struct cell){
        .begin = begin,
        .end = end,
        .name = name,
        .block = mc_heap_find((const void *)begin),
        .next = first_of(bucket),
        .writer = -1,
    };
    buckets[bucket].generation = generation;
    buckets[bucket].first = cell;
    return cell;
}

static _Noreturn void fail_race(
    const struct cell *cell, const char *now, int other, const char *before)
{
    mc_fail(
        "data race: %s %s %s (%zu bytes), which %s %s", mc_self->name, now,
        cell->name, (size_t)(cell->end - cell->begin), mc_threads[other].name,
        before);
}

static void judge(const struct cell *cell, bool is_write)
{
    const char *now = is_write ? "writes" : "reads";

    if (cell->writer >= 0 &&
        !mc_thread_knows(cell->writer, cell->write_clock)) {
        fail_race(cell, now, cell->writer, "wrote");
    }
    for (int i = 0; is_write && i < mc_thread_count; i++) {
        if (!mc_thread_knows(i, cell->read_clocks[i])) {
            fail_race(cell, now, i, "read");
        }
    }
}

static void record(struct cell *cell, bool is_write)
{
    if (is_write) {
        cell->writer = mc_self->index;
        cell->write_clock = mc_thread_clock();
    } else {
        cell->read_clocks[mc_self->index] = mc_thread_clock();
    }
}

// `begin` and `end` lie in one 8-byte word.
static void access_word(
    uintptr_t begin, uintptr_t end, const char *name, bool is_write)
{
    struct cell *mine = find_or_add(begin, end, name);

    if (mine->block != NULL && mine->block->is_freed) {
        mc_fail("use after free: %s", name);
    }
    if (mine->block != NULL &&
        !mc_thread_knows(mine->block->thread, mine->block->clock)) {
        mc_fail(
            "data race: %s uses %s, memory whose allocation was never "
            "published to it",
            mc_self->name, name);
    }
    for (struct cell *cell = first_of(bucket_of(begin)); cell != NULL;
         cell = cell->next) {
        if (cell->begin < end && begin < cell->end) {
            judge(cell, is_write);
        }
    }
    record(mine, is_write);
}

static void access(
    const volatile void *p, size_t size_bytes, const char *name, bool is_write)
{
    uintptr_t at = (uintptr_t)p;
    uintptr_t end = at + size_bytes;

    if (mc_self->index < 0) {
        return;
    }
    mc_trace_plain(is_write, name, p, size_bytes);
    while (at < end) {
        uintptr_t word_end = (at | 7) + 1;
        uintptr_t stop = end < word_end ? end : word_end;

        access_word(at, stop, name, is_write);
        at = stop;
    }
}

void mc_race_read(const volatile void *p, size_t size_bytes, const char *name)
{
    access(p, size_bytes, name, false);
}

void mc_race_write(const volatile void *p, size_t size_bytes, const char *name)
{
    access(p, size_bytes, name, true);
}

bool mc_race_knows_write(const volatile void *p)
{
    int thread = -1;
    int16_t clock = 0;

    mc_race_find_write(p, &thread, &clock);
    return mc_thread_knows(thread, clock);
}

void mc_race_find_write(
    const volatile void *address, int *thread, int16_t *clock)
{
    uintptr_t at = (uintptr_t)address;

    for (struct cell *cell = first_of(bucket_of(at)); cell != NULL;
         cell = cell->next) {
        if (cell->begin <= at && at < cell->end && cell->writer >= 0) {
            *thread = cell->writer;
            *clock = cell->write_clock;
        }
    }
}

void mc_race_retire(const struct mc_block *block)
{
    for (int i = 0; i < cell_count; i++) {
        if (cells[i].block == block) {
            judge(&cells[i], true);
        }
    }
}
