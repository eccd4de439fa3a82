// SPDX-License-Identifier: MIT
//
// sort — merge sort, to and fro between the array and a copy of it.
//
// Source:   Cormen, Leiserson, Rivest and Stein, "Introduction to Algorithms",
//           multithreaded merge sort: the longer of two runs is cut in the
//           middle, the other one by binary search. Stable: of equal elements
//           those of the left run come first.
// Shape:    a run begins in the array. Sorted it is in the array or in the
//           copy, as asked for; its halves are in the other one before that.
// Memory:   a merge leaves alone what it reads. So when it is stopped, no
//           element is lost, and what is in the copy is brought back.

#include "tenon/sort.h"

#include "algo/root.h"
#include "tenon/fork.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SMALL_DEFAULT 2048
#define SMALL_MIN 2  // a merge of one and one cannot be cut
#define INSERTION_MAX 8
#define INSERTION_SIZE_MAX 16

struct order {
    tenon_compare_fn *compare;
    void *context;
    size_t size;         // of an element
    size_t small_count;  // so many are sorted, and merged, without a fork
};

struct run {
    const struct order *order;
    char *array;
    char *copy;
    size_t count;
    bool is_into_copy;
};

struct merge {
    const struct order *order;
    const char *left;
    size_t left_count;
    const char *right;
    size_t right_count;
    char *out;
};

static inline bool is_less(
    const struct order *order, const char *left, const char *right)
{
    return order->compare(left, right, order->context) < 0;
}

// --- without a fork; compiled for the most frequent sizes ---

// One of two pointers, without a branch that nobody could foresee.
static inline const char *choose(
    bool is_second, const char *first, const char *second)
{
    uintptr_t mask = -(uintptr_t)is_second;

    return (
        const char *)(((uintptr_t)first & ~mask) | ((uintptr_t)second & mask));
}

// In `left` and `right`, up to their ends, is what goes to `out`.
struct rest {
    const char *left;
    const char *left_end;
    const char *right;
    const char *right_end;
    char *out;
};

static inline __attribute__((always_inline)) void merge_forward(
    const struct order *order, struct rest rest, size_t size)
{
    while (rest.left < rest.left_end && rest.right < rest.right_end) {
        bool is_right = is_less(order, rest.right, rest.left);

        memcpy(rest.out, choose(is_right, rest.left, rest.right), size);
        rest.out += size;
        rest.right += is_right * size;
        rest.left += !is_right * size;
    }
    size_t left_bytes = (size_t)(rest.left_end - rest.left);

    memcpy(rest.out, rest.left, left_bytes);
    memcpy(
        rest.out + left_bytes, rest.right,
        (size_t)(rest.right_end - rest.right));
}

// Neither run is empty. From both ends at a time: the next step at one end need
// not wait for the one at the other. In as many steps as the shorter run has
// elements neither can come to its end. By a `compare` that contradicts itself
// the ends may pass each other: all is merged anew then, and no element lost.
static inline __attribute__((always_inline)) void merge_sized(
    const struct merge *merge, size_t size)
{
    const struct order *order = merge->order;
    struct rest whole = {
        .left = merge->left,
        .left_end = merge->left + merge->left_count * size,
        .right = merge->right,
        .right_end = merge->right + merge->right_count * size,
        .out = merge->out};
    struct rest rest = whole;
    char *out_end = rest.out + (merge->left_count + merge->right_count) * size;
    size_t pair_count = merge->left_count < merge->right_count
                            ? merge->left_count
                            : merge->right_count;

    for (size_t i = 0; i < pair_count; i++) {
        const char *left_last = rest.left_end - size;
        const char *right_last = rest.right_end - size;
        bool is_right = is_less(order, rest.right, rest.left);
        bool is_left = is_less(order, right_last, left_last);

        memcpy(rest.out, choose(is_right, rest.left, rest.right), size);
        out_end -= size;
        memcpy(out_end, choose(is_left, right_last, left_last), size);
        rest.out += size;
        rest.right += is_right * size;
        rest.left += !is_right * size;
        rest.left_end -= is_left * size;
        rest.right_end -= !is_left * size;
    }
    bool is_contradicted =
        rest.left > rest.left_end || rest.right > rest.right_end;
    merge_forward(order, is_contradicted ? whole : rest, size);
}

static void merge_small(const struct merge *merge)
{
    size_t size = merge->order->size;

    if (merge->left_count == 0 || merge->right_count == 0) {
        memcpy(merge->out, merge->left, merge->left_count * size);
        memcpy(merge->out, merge->right, merge->right_count * size);
        return;
    }
    switch (size) {
    case 4:
        merge_sized(merge, 4);
        break;
    case 8:
        merge_sized(merge, 8);
        break;
    case 16:
        merge_sized(merge, 16);
        break;
    default:
        merge_sized(merge, size);
    }
}

// From the array into `out`, which may be the array.
static inline __attribute__((always_inline)) void insert_sized(
    const struct run *run, char *out, size_t size)
{
    char element[INSERTION_SIZE_MAX];

    for (size_t i = 0; i < run->count; i++) {
        size_t place = i;

        memcpy(element, run->array + i * size, size);
        for (; place > 0; place--) {
            char *below = out + (place - 1) * size;

            if (!is_less(run->order, element, below)) {
                break;
            }
            memcpy(out + place * size, below, size);
        }
        memcpy(out + place * size, element, size);
    }
}

// False: there are too many, or they are too large.
static bool sort_by_insertion(const struct run *run)
{
    char *out = run->is_into_copy ? run->copy : run->array;
    size_t size = run->order->size;

    if (run->count <= 1) {
        memmove(out, run->array, run->count * size);
        return true;
    }
    if (run->count > INSERTION_MAX) {
        return false;
    }
    switch (size) {
    case 4:
        insert_sized(run, out, 4);
        return true;
    case 8:
        insert_sized(run, out, 8);
        return true;
    case 16:
        insert_sized(run, out, 16);
        return true;
    default:
        return false;
    }
}

// --- the cuts ---

static void halve_run(const struct run *run, struct run halves[2])
{
    size_t count = run->count / 2;
    size_t bytes = count * run->order->size;

    halves[0] = *run;
    halves[0].count = count;
    halves[0].is_into_copy = !run->is_into_copy;
    halves[1] = halves[0];
    halves[1].array += bytes;
    halves[1].copy += bytes;
    halves[1].count = run->count - count;
}

// Of the halves of a run, which are sorted.
static struct merge merge_of(const struct run *run)
{
    size_t count = run->count / 2;
    const char *from = run->is_into_copy ? run->array : run->copy;

    return (struct merge){
        .order = run->order,
        .left = from,
        .left_count = count,
        .right = from + count * run->order->size,
        .right_count = run->count - count,
        .out = run->is_into_copy ? run->copy : run->array};
}

// How many of a sorted run come before `element`: those that are less, and if
// `is_after`, those that are equal.
static size_t count_before(
    const struct order *order, const char *run, size_t count,
    const char *element, bool is_after)
{
    size_t first = 0;

    while (count > 0) {
        size_t half = count / 2;
        const char *middle = run + (first + half) * order->size;
        bool is_before = is_after ? !is_less(order, element, middle)
                                  : is_less(order, middle, element);

        if (is_before) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return first;
}

static void halve_merge(const struct merge *merge, struct merge halves[2])
{
    size_t size = merge->order->size;
    size_t left_count = merge->left_count / 2;
    size_t right_count = merge->right_count / 2;

    if (merge->left_count >= merge->right_count) {
        right_count = count_before(
            merge->order, merge->right, merge->right_count,
            merge->left + left_count * size, false);
    } else {
        left_count = count_before(
            merge->order, merge->left, merge->left_count,
            merge->right + right_count * size, true);
    }
    halves[0] = *merge;
    halves[0].left_count = left_count;
    halves[0].right_count = right_count;
    halves[1] = (struct merge){
        .order = merge->order,
        .left = merge->left + left_count * size,
        .left_count = merge->left_count - left_count,
        .right = merge->right + right_count * size,
        .right_count = merge->right_count - right_count,
        .out = merge->out + (left_count + right_count) * size};
}

// --- on all workers ---

static int merge_runs(tenon_task *self, void *arg)
{
    const struct merge *merge = arg;
    struct merge halves[2];
    tenon_task child;

    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;
    }
    if (merge->left_count + merge->right_count <= merge->order->small_count) {
        merge_small(merge);
        return TENON_OK;
    }
    halve_merge(merge, halves);
    int64_t place = tenon_fork(self, &child, merge_runs, &halves[1]);
    int left_status = merge_runs(self, &halves[0]);
    int right_status = tenon_unfork(self, &child, place)
                           ? merge_runs(self, &halves[1])
                           : tenon_join(self, &child);

    return left_status != TENON_OK ? left_status : right_status;
}

static void sort_small(const struct run *run)
{
    struct run halves[2];

    if (sort_by_insertion(run)) {
        return;
    }
    halve_run(run, halves);
    sort_small(&halves[0]);
    sort_small(&halves[1]);
    struct merge merge = merge_of(run);
    merge_small(&merge);
}

// Stopped: what was to be merged goes back into the array.
static void bring_back(const struct run *half, int status)
{
    if (status == TENON_OK && half->is_into_copy) {
        memcpy(half->array, half->copy, half->count * half->order->size);
    }
}

static int sort_run(tenon_task *self, void *arg)
{
    const struct run *run = arg;
    struct run halves[2];
    tenon_task child;

    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;
    }
    if (run->count <= run->order->small_count) {
        sort_small(run);
        return TENON_OK;
    }
    halve_run(run, halves);
    int64_t place = tenon_fork(self, &child, sort_run, &halves[1]);
    int left_status = sort_run(self, &halves[0]);
    int right_status = tenon_unfork(self, &child, place)
                           ? sort_run(self, &halves[1])
                           : tenon_join(self, &child);
    int status = left_status != TENON_OK ? left_status : right_status;

    if (status == TENON_OK) {
        struct merge merge = merge_of(run);
        status = merge_runs(self, &merge);
    }
    if (status != TENON_OK) {
        bring_back(&halves[0], left_status);
        bring_back(&halves[1], right_status);
    }
    return status;
}

static size_t larger(size_t left, size_t right)
{
    return left > right ? left : right;
}

tenon_status tenon_parallel_sort(
    void *elements, size_t element_count, size_t element_size,
    tenon_compare_fn *compare, void *context,
    const tenon_parallel_options *options, tenon_report *report)
{
    options = options == NULL ? &tn_root_defaults : options;
    struct order order = {
        .compare = compare,
        .context = context,
        .size = element_size,
        .small_count = options->chunk_size == 0
                           ? SMALL_DEFAULT
                           : larger(options->chunk_size, SMALL_MIN)};
    struct run run = {
        .order = &order, .array = elements, .count = element_count};
    size_t size_bytes = 0;

    if (elements == NULL || compare == NULL || element_size == 0 ||
        !tn_root_accepts(options) ||
        __builtin_mul_overflow(element_count, element_size, &size_bytes) ||
        size_bytes > PTRDIFF_MAX) {
        return TENON_EINVAL;
    }
    if (element_count <= 1) {
        return TENON_OK;
    }
    run.copy = malloc(size_bytes);
    if (run.copy == NULL) {
        return TENON_ENOMEM;
    }
    tenon_status status = tn_root_run(options, sort_run, &run, report);
    free(run.copy);
    return status;
}
