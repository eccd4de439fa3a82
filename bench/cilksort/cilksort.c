// SPDX-License-Identifier: MIT
//
// cilksort — quicksort and merge below the cut-off, and the cuts above it.
//
// Shape:   quicksort takes the median of the first, the middle and the last as
//          pivot, and leaves runs of up to INSERTION_MAX to insertion.

#include "cilksort/cilksort.h"

#include "common/random.h"

#include <stdlib.h>
#include <string.h>

enum { INSERTION_MAX = 20 };

static int64_t *allocate(const struct bench *bench, size_t count)
{
    int64_t *values = malloc(count * sizeof(*values));

    bench_require(bench, values != NULL, "no memory for the numbers");
    memset(values, 0, count * sizeof(*values));
    return values;
}

static uint64_t checksum_of(const int64_t *values, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        sum += bench_random_mix((uint64_t)values[i]);
    }
    return sum;
}

struct cilksort cilksort_start(
    struct bench *bench, const char *implementation, int argc, char **argv)
{
    struct cilksort cilksort;
    uint64_t random = 1998;

    bench_init(bench, "cilksort", implementation);
    bench->size = CILKSORT_SIZE_DEFAULT;
    bench_parse(bench, argc, argv);
    size_t count = (size_t)bench_size_number(bench, CILKSORT_SIZE_MAX);
    bench->operation_count = count;
    cilksort.range.count = count;
    cilksort.range.values = allocate(bench, count);
    cilksort.range.space = allocate(bench, count);
    cilksort.input = allocate(bench, count);
    for (size_t i = 0; i < count; i++) {
        cilksort.input[i] = (int64_t)bench_random_next(&random);
    }
    cilksort.checksum = checksum_of(cilksort.input, count);
    return cilksort;
}

bool cilksort_again(struct bench *bench, const struct cilksort *cilksort)
{
    const struct cilksort_range *range = &cilksort->range;

    memcpy(
        range->values, cilksort->input, range->count * sizeof(*range->values));
    return bench_again(bench);
}

void cilksort_check(const struct bench *bench, const struct cilksort *cilksort)
{
    const struct cilksort_range *range = &cilksort->range;
    uint64_t unordered_count = 0;

    for (size_t i = 1; i < range->count; i++) {
        unordered_count += range->values[i - 1] > range->values[i];
    }
    bench_check(
        bench, "the number of descending neighbours", unordered_count, 0);
    bench_check(
        bench, "the checksum", checksum_of(range->values, range->count),
        cilksort->checksum);
}

int cilksort_end(struct bench *bench, const struct cilksort *cilksort)
{
    free(cilksort->range.values);
    free(cilksort->range.space);
    free(cilksort->input);
    return bench_report(bench);
}

static void insertion_sort(int64_t *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        int64_t value = values[i];
        size_t place = i;

        for (; place > 0 && values[place - 1] > value; place--) {
            values[place] = values[place - 1];
        }
        values[place] = value;
    }
}

static int64_t median_of(int64_t a, int64_t b, int64_t c)
{
    int64_t low = a < b ? a : b;
    int64_t high = a < b ? b : a;

    return c < low ? low : c > high ? high : c;
}

// Gives the number of those before the cut: none is greater than one behind it,
// and there is at least one on each side.
static size_t partition(int64_t *values, size_t count)
{
    int64_t pivot = median_of(values[0], values[count / 2], values[count - 1]);
    int64_t *left = values - 1;
    int64_t *right = values + count;

    for (;;) {
        do {
            left++;
        } while (*left < pivot);
        do {
            right--;
        } while (*right > pivot);
        if (left >= right) {
            return (size_t)(right - values) + 1;
        }
        int64_t value = *left;

        *left = *right;
        *right = value;
    }
}

static void quicksort(int64_t *values, size_t count)
{
    while (count > INSERTION_MAX) {
        size_t first_count = partition(values, count);

        quicksort(values, first_count);
        values += first_count;
        count -= first_count;
    }
    insertion_sort(values, count);
}

bool cilksort_sort_small(const struct cilksort_range *range)
{
    if (range->count > CILKSORT_SMALL) {
        return false;
    }
    quicksort(range->values, range->count);
    return true;
}

static struct cilksort_merge merge_of(
    const int64_t *values, const size_t *counts, int64_t *out)
{
    return (struct cilksort_merge){
        .left = values,
        .right = values + counts[0],
        .left_count = counts[0],
        .right_count = counts[1],
        .out = out};
}

void cilksort_quarter(
    const struct cilksort_range *whole,
    struct cilksort_range quarters[CILKSORT_QUARTERS],
    struct cilksort_merge merges[3])
{
    size_t quarter = whole->count / CILKSORT_QUARTERS;
    size_t half = 2 * quarter;
    const size_t counts[] = {
        quarter, quarter, quarter, whole->count - half - quarter};
    const size_t halves[] = {half, whole->count - half};

    for (size_t i = 0; i < CILKSORT_QUARTERS; i++) {
        quarters[i] = (struct cilksort_range){
            .values = whole->values + i * quarter,
            .space = whole->space + i * quarter,
            .count = counts[i]};
    }
    merges[0] = merge_of(whole->values, &counts[0], whole->space);
    merges[1] = merge_of(whole->values + half, &counts[2], whole->space + half);
    merges[2] = merge_of(whole->space, halves, whole->values);
}

bool cilksort_merge_small(const struct cilksort_merge *merge)
{
    const int64_t *left = merge->left;
    const int64_t *right = merge->right;
    const int64_t *left_end = left + merge->left_count;
    const int64_t *right_end = right + merge->right_count;
    int64_t *out = merge->out;

    if (merge->left_count + merge->right_count > CILKSORT_SMALL) {
        return false;
    }
    // Without a branch that nobody can foresee.
    while (left < left_end && right < right_end) {
        bool is_right = *right < *left;

        *out++ = is_right ? *right : *left;
        left += !is_right;
        right += is_right;
    }
    memcpy(out, left, (size_t)(left_end - left) * sizeof(*out));
    out += left_end - left;
    memcpy(out, right, (size_t)(right_end - right) * sizeof(*out));
    return true;
}

// How many of the sorted values are less than `value`.
static size_t count_less(const int64_t *values, size_t count, int64_t value)
{
    size_t first = 0;

    while (count > 0) {
        size_t half = count / 2;

        if (values[first + half] < value) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return first;
}

void cilksort_halve(
    const struct cilksort_merge *whole, struct cilksort_merge halves[2])
{
    bool is_left_longer = whole->left_count >= whole->right_count;
    size_t left_cut = whole->left_count / 2;
    size_t right_cut = whole->right_count / 2;

    if (is_left_longer) {
        right_cut =
            count_less(whole->right, whole->right_count, whole->left[left_cut]);
    } else {
        left_cut =
            count_less(whole->left, whole->left_count, whole->right[right_cut]);
    }
    halves[0] = *whole;
    halves[0].left_count = left_cut;
    halves[0].right_count = right_cut;
    halves[1] = (struct cilksort_merge){
        .left = whole->left + left_cut,
        .right = whole->right + right_cut,
        .left_count = whole->left_count - left_cut,
        .right_count = whole->right_count - right_cut,
        .out = whole->out + left_cut + right_cut};
}
