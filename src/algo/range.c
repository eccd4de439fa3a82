// SPDX-License-Identifier: MIT
//
// range — fork a half, do the other, take the first back or join it.
//
// Source:   adaptive parts are "lazy binary splitting": Tzannes, Caragea, Barua
//           and Vishkin, PPoPP 2010; the size of chunks is ours.
// Shape:    the right half is forked, so that each worker goes through memory
//           from the front to the back. Parts made beforehand lie at multiples
//           of part_size from the beginning.
// Roles:    each part is a task, or a call in its parent's if nobody took it.
// Memory:   a part lies in the frame of who forked it; a result that is larger
//           than VALUE_BYTES in memory of its own.

#include "algo/range.h"

#include "base/aligned.h"
#include "base/clock.h"
#include "tenon/fork.h"

#include <sched.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_BYTES 128
#define CHUNK_NS UINT64_C(5000)  // and up to twice as long

// How a loop that sizes its chunks itself gets on.
struct pace {
    size_t chunk_size;
    uint64_t now_ns;  // when the last chunk ended; 0: something else was done
};

struct part {
    struct tn_loop *loop;
    tenon_range range;
    struct pace pace;  // begins with the size that its parent has come to
    void *value;       // `bytes`, or allocated; NULL: none is wanted
    alignas(TN_CACHE_LINE) unsigned char bytes[VALUE_BYTES];
};

static size_t count_of(tenon_range range)
{
    return range.end - range.first;
}

// False: no memory.
static bool part_init(
    struct part *part, struct tn_loop *loop, tenon_range range)
{
    const tenon_reduction *reduction = loop->reduction;

    part->loop = loop;
    part->range = range;
    part->value = NULL;
    if (reduction == NULL) {
        return true;
    }
    part->value = reduction->size <= VALUE_BYTES
                      ? part->bytes
                      : tn_alloc_aligned(1, reduction->size);
    if (part->value == NULL) {
        return false;
    }
    memcpy(part->value, reduction->identity, reduction->size);
    return true;
}

static void part_fini(struct part *part)
{
    if (part->value != part->bytes) {
        free(part->value);
    }
}

// The right part has come to its end: append what it has to `value`.
static int part_append(struct part *part, void *value, int left, int right)
{
    struct tn_loop *loop = part->loop;

    if (left == TENON_OK && right == TENON_OK && value != NULL) {
        loop->reduction->combine(value, part->value, loop->context);
    }
    return left == TENON_OK || (left == TENON_CANCELLED && right != TENON_OK)
               ? right
               : left;
}

struct chunk {
    struct tn_loop *loop;
    tenon_range range;
    void *value;
};

// Not tenon_cancelled(): the body may have left a scope open, shielded even.
static bool is_stopped(tenon_task *self)
{
    return tenon_scope_cancelled(tenon_task_scope(self));
}

// False: another one has failed before.
static bool claim(struct tn_loop *loop, tenon_range range)
{
    bool has_failed = false;

    // relaxed: the join of the whole publishes what the first one writes.
    if (!tn_cas_relaxed(&loop->has_failed, &has_failed, true)) {
        return false;
    }
    if (loop->failed != NULL) {
        *loop->failed = range;
    }
    return true;
}

// `failed` and the primary error are of one chunk, but for errors of children of
// the body. So who comes second lets the first one's error be recorded, which
// cancels, before its own.
static void claim_failure(tenon_task *self, struct chunk *chunk, int status)
{
    if (!claim(chunk->loop, chunk->range)) {
        while (!is_stopped(self)) {
            sched_yield();
        }
    } else if (status == TENON_CANCELLED) {
        tenon_scope_cancel(
            tenon_task_scope(self), status, "a body has ended the loop");
    }
}

static int run_body(tenon_task *self, void *arg)
{
    struct chunk *chunk = arg;
    struct tn_loop *loop = chunk->loop;
    tenon_range range = chunk->range;
    int status =
        loop->reduction == NULL
            ? loop->fn(self, range.first, range.end, loop->context)
            : loop->reduction->fold(
                  self, range.first, range.end, chunk->value, loop->context);

    if (status != TENON_OK &&
        !(status == TENON_CANCELLED && is_stopped(self))) {
        claim_failure(self, chunk, status);
    }
    return status;
}

// A child: its error is recorded, and stops the others, before who failed has
// returned through all its frames.
static int call(
    tenon_task *self, struct tn_loop *loop, tenon_range range, void *value)
{
    struct chunk chunk = {loop, range, value};
    int status = tenon_fork_join(self, run_body, &chunk);

    // A scope that the body left open is found after it has returned.
    if (status != TENON_OK && status != TENON_CANCELLED) {
        claim(loop, range);
    }
    return status;
}

static struct pace first_pace(const struct tn_loop *loop)
{
    return (struct pace){
        .chunk_size = loop->chunk_size == 0 ? 1 : loop->chunk_size};
}

// One chunk from the front. They come to take some CHUNK_NS, unless their size
// is given.
static int run_chunk(
    tenon_task *self, struct tn_loop *loop, tenon_range *range,
    struct pace *pace, void *value)
{
    bool is_last = count_of(*range) < pace->chunk_size;
    tenon_range chunk = {
        range->first, is_last ? range->end : range->first + pace->chunk_size};

    range->first = chunk.end;
    if (loop->chunk_size != 0 || is_last) {
        pace->now_ns = 0;
        return call(self, loop, chunk, value);
    }
    uint64_t begin_ns = pace->now_ns != 0 ? pace->now_ns : tn_clock_now_ns();
    int status = call(self, loop, chunk, value);
    pace->now_ns = tn_clock_now_ns();
    uint64_t took_ns = pace->now_ns - begin_ns;
    if (took_ns < CHUNK_NS && pace->chunk_size <= SIZE_MAX / 2) {
        pace->chunk_size *= 2;
    } else if (took_ns > CHUNK_NS * 2 && pace->chunk_size > 1) {
        pace->chunk_size /= 2;
    }
    return status;
}

// --- parts made beforehand ---

static int run_beforehand(
    tenon_task *self, struct tn_loop *loop, tenon_range range, void *value);

static int run_part(tenon_task *self, void *arg)
{
    struct part *part = arg;

    return run_beforehand(self, part->loop, part->range, part->value);
}

static int run_chunks(
    tenon_task *self, struct tn_loop *loop, tenon_range range, void *value)
{
    struct pace pace = first_pace(loop);
    int status = TENON_OK;

    while (range.first < range.end && status == TENON_OK) {
        status = run_chunk(self, loop, &range, &pace, value);
    }
    return status;
}

static int run_beforehand(
    tenon_task *self, struct tn_loop *loop, tenon_range range, void *value)
{
    size_t part_count = (count_of(range) - 1) / loop->part_size + 1;

    if (part_count == 1) {
        return run_chunks(self, loop, range, value);
    }
    size_t middle = range.first + part_count / 2 * loop->part_size;
    struct part right;

    // The same parts each time, or none.
    if (!part_init(&right, loop, (tenon_range){middle, range.end})) {
        return TENON_ENOMEM;
    }
    tenon_task child;
    int64_t place = tenon_fork(self, &child, run_part, &right);
    int left_status =
        run_beforehand(self, loop, (tenon_range){range.first, middle}, value);
    int right_status = tenon_unfork(self, &child, place)
                           ? run_part(self, &right)
                           : tenon_join(self, &child);
    int status = part_append(&right, value, left_status, right_status);

    part_fini(&right);
    return status;
}

// --- parts made when the last one was taken ---

static int run_adaptively(
    tenon_task *self, struct tn_loop *loop, tenon_range range,
    struct pace *pace, void *value);

static int run_taken_part(tenon_task *self, void *arg)
{
    struct part *part = arg;

    return run_adaptively(
        self, part->loop, part->range, &part->pace, part->value);
}

// Offers the right half and does the left one. What is left of the range then
// stays in it: nothing if somebody took the half.
static int split(
    tenon_task *self, struct tn_loop *loop, tenon_range *range,
    struct pace *pace, struct part *right, void *value)
{
    tenon_task child;
    tenon_range left = {range->first, right->range.first};

    right->pace = (struct pace){.chunk_size = pace->chunk_size};
    int64_t place = tenon_fork(self, &child, run_taken_part, right);
    pace->now_ns = 0;
    int status = run_adaptively(self, loop, left, pace, value);
    if (tenon_unfork(self, &child, place)) {
        range->first = left.end;
        return status;
    }
    range->first = range->end;
    pace->now_ns = 0;
    return part_append(right, value, status, tenon_join(self, &child));
}

static int run_adaptively(
    tenon_task *self, struct tn_loop *loop, tenon_range range,
    struct pace *pace, void *value)
{
    int status = TENON_OK;

    while (range.first < range.end && status == TENON_OK) {
        size_t half = count_of(range) / 2;
        tenon_range right = {range.end - half, range.end};
        struct part part;

        if (count_of(range) > pace->chunk_size && tenon_queue_is_empty(self) &&
            part_init(&part, loop, right)) {
            status = split(self, loop, &range, pace, &part, value);
            part_fini(&part);
        } else {
            status = run_chunk(self, loop, &range, pace, value);
        }
    }
    return status;
}

int tn_loop_run(
    tenon_task *self, struct tn_loop *loop, tenon_range range, void *value)
{
    struct pace pace = first_pace(loop);

    return loop->part_size == 0
               ? run_adaptively(self, loop, range, &pace, value)
               : run_beforehand(self, loop, range, value);
}
