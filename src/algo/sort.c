// SPDX-License-Identifier: MIT
//
// sort — merge sort, to and fro between the array and a copy of it.
//
// Source:   Cormen, Leiserson, Rivest and Stein, "Introduction to Algorithms",
//           multithreaded merge sort: the longer of two runs is cut in the
//           middle, the other one by binary search. Stable: of equal elements
//           those of the left run come first. Runs merged from both ends, and
//           four elements sorted without a branch: van den Hoven's quadsort.
// Shape:    a run begins in the array. Sorted it is in the array or in the
//           copy, as asked for; its halves are in the other one before that.
// Memory:   a merge leaves alone what it reads. So when it is stopped, no
//           element is lost, and what is in the copy is brought back.

#include "tenon/sort.h"

#include "algo/root.h"
#include "base/aligned.h"
#include "tenon/fork.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SMALL_DEFAULT 2048
#define SMALL_MIN 2  // a merge of one and one cannot be cut
#define BASE 4       // so many are sorted without a branch
#define BASE_SIZE_MAX 16
// Longer runs are cut at multiples of it: BASE times a power of 2, which can be
// halved into equal runs down to BASE.
#define EVEN_COUNT 64

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

// 1 or 0: the sign. What is computed from it takes no branch.
static inline size_t is_less(
    const struct order *order, const char *left, const char *right)
{
    return (unsigned)order->compare(left, right, order->context) >> 31;
}

// --- without a fork; compiled for the most frequent sizes ---

// One of two pointers: nobody could foresee a branch.
static inline const char *choose(
    size_t is_second, const char *first, const char *second)
{
    uintptr_t difference = (uintptr_t)first ^ (uintptr_t)second;

    return (const char *)((uintptr_t)first ^ (difference & -is_second));
}

static void copy_runs(const struct merge *merge)
{
    size_t size = merge->order->size;
    size_t left_bytes = merge->left_count * size;

    memcpy(merge->out, merge->left, left_bytes);
    memcpy(merge->out + left_bytes, merge->right, merge->right_count * size);
}

// As many steps as the shorter run has elements, none of them empty; the rest
// is to be merged then. Each step takes one element at each end, so that the
// two need not wait for one another. Neither run can come to its end before. A
// place in the left run and how many steps there were tell the place in the
// right one: fewer registers are in use than a call leaves alone. False:
// `compare` contradicts itself, the ends have passed each other.
static inline __attribute__((always_inline)) bool merge_both_ends(
    struct merge *merge, size_t size)
{
    const struct order *order = merge->order;
    size_t left_bytes = merge->left_count * size;
    size_t right_bytes = merge->right_count * size;
    size_t end = left_bytes < right_bytes ? left_bytes : right_bytes;
    const char *left = merge->left;
    const char *left_end = merge->left + left_bytes;
    uintptr_t sum = (uintptr_t)left + (uintptr_t)merge->right;
    uintptr_t last_sum = sum + left_bytes + right_bytes - 2 * size;
    char *out_last = merge->out + left_bytes + right_bytes - size;

    for (size_t done = 0; done < end; done += size) {
        const char *right = (const char *)(sum + done - (uintptr_t)left);
        size_t is_right = is_less(order, right, left);
        memcpy(merge->out + done, choose(is_right, left, right), size);
        left += (1 - is_right) * size;

        const char *left_last = left_end - size;
        const char *right_last =
            (const char *)(last_sum - done - (uintptr_t)left_last);
        size_t is_left = is_less(order, right_last, left_last);
        memcpy(out_last - done, choose(is_left, right_last, left_last), size);
        left_end -= is_left * size;
    }
    size_t taken = (size_t)(left - merge->left);
    ptrdiff_t left_rest = left_end - left;
    ptrdiff_t rest = (ptrdiff_t)(left_bytes + right_bytes - 2 * end);

    if (left_rest < 0 || left_rest > rest) {
        return false;
    }
    merge->left += taken;
    merge->left_count = (size_t)left_rest / size;
    merge->right += end - taken;
    merge->right_count = (size_t)(rest - left_rest) / size;
    merge->out += end;
    return true;
}

static inline __attribute__((always_inline)) void merge_sized(
    const struct merge *merge, size_t size)
{
    struct merge rest = *merge;
    bool is_consistent = true;

    while (is_consistent && rest.left_count != 0 && rest.right_count != 0) {
        is_consistent = merge_both_ends(&rest, size);
    }
    // Nothing, or one run; or both, in no order: no element is lost.
    if (rest.left_count + rest.right_count != 0) {
        copy_runs(&rest);
    }
}

static void merge_small(const struct merge *merge)
{
    size_t size = merge->order->size;

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

// BASE elements, into `out`, which may be where they are: both pairs, their
// least and their greatest, and the other two.
static inline __attribute__((always_inline)) void sort_base_sized(
    const struct order *order, const char *in, char *out, size_t size)
{
    const char *a = in;
    const char *b = in + size;
    const char *c = in + 2 * size;
    const char *d = in + 3 * size;
    char sorted[BASE * BASE_SIZE_MAX];
    size_t is_swapped = is_less(order, b, a);
    const char *left_low = choose(is_swapped, a, b);
    const char *left_high = choose(is_swapped, b, a);
    is_swapped = is_less(order, d, c);
    const char *right_low = choose(is_swapped, c, d);
    const char *right_high = choose(is_swapped, d, c);
    size_t is_low_right = is_less(order, right_low, left_low);
    size_t is_high_left = is_less(order, right_high, left_high);
    // In the order they had: of two pairs, or of one, which is sorted.
    const char *second = choose(
        is_low_right, choose(is_high_left, left_high, right_low), left_low);
    const char *third = choose(
        is_high_left, choose(is_low_right, right_low, left_high), right_high);
    is_swapped = is_less(order, third, second);

    memcpy(sorted, choose(is_low_right, left_low, right_low), size);
    memcpy(sorted + size, choose(is_swapped, second, third), size);
    memcpy(sorted + 2 * size, choose(is_swapped, third, second), size);
    memcpy(
        sorted + 3 * size, choose(is_high_left, right_high, left_high), size);
    memcpy(out, sorted, BASE * size);
}

// False: it has to be halved.
static bool sort_base(const struct run *run)
{
    char *out = run->is_into_copy ? run->copy : run->array;
    size_t size = run->order->size;

    if (run->count <= 1) {
        memmove(out, run->array, run->count * size);
        return true;
    }
    if (run->count != BASE) {
        return false;
    }
    switch (size) {
    case 4:
        sort_base_sized(run->order, run->array, out, 4);
        return true;
    case 8:
        sort_base_sized(run->order, run->array, out, 8);
        return true;
    case 16:
        sort_base_sized(run->order, run->array, out, 16);
        return true;
    default:
        return false;
    }
}

// --- the cuts ---

// Of a run of two or more. Runs of equal length are merged in the fewest steps.
static size_t left_count(const struct run *run)
{
    size_t half = run->count / 2;
    size_t unit = run->count > EVEN_COUNT ? EVEN_COUNT
                  : run->count > BASE     ? BASE
                                          : 1;

    return (half + unit - 1) / unit * unit;
}

static void halve_run(const struct run *run, struct run halves[2])
{
    size_t count = left_count(run);
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
    size_t count = left_count(run);
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

    if (sort_base(run)) {
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

    if ((elements == NULL && element_count != 0) || compare == NULL ||
        element_size == 0 || !tn_root_accepts(options) ||
        __builtin_mul_overflow(element_count, element_size, &size_bytes) ||
        size_bytes > PTRDIFF_MAX) {
        return TENON_EINVAL;
    }
    if (element_count <= 1) {
        return TENON_OK;
    }
    run.copy = tn_alloc_aligned(element_count, element_size);
    if (run.copy == NULL) {
        return TENON_ENOMEM;
    }
    tenon_status status = tn_root_run(options, sort_run, &run, report);
    free(run.copy);
    return status;
}
