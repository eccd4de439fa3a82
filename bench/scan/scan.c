// SPDX-License-Identifier: MIT
//
// scan — the arrays, what is done with a range, and the totals by a formula.

#include "scan/scan.h"

#include <stdlib.h>
#include <string.h>

// Number i is i % PERIOD. Prime, so that ranges differ.
#define PERIOD 1009

void scan_start(
    struct scan *scan, struct bench *bench, const char *implementation,
    int argc, char **argv)
{
    bench_init(bench, "scan", implementation);
    bench->size = SCAN_SIZE_DEFAULT;
    bench_parse(bench, argc, argv);
    scan->count = bench_size_number(bench, SCAN_SIZE_MAX);
    scan->numbers = bench_new_array(bench, scan->count, sizeof(uint64_t));
    scan->totals = bench_new_array(bench, scan->count, sizeof(uint64_t));
    for (size_t i = 0; i < scan->count; i++) {
        scan->numbers[i] = i % PERIOD;
    }
    bench->operation_count = SCAN_PASS_COUNT * scan->count;
}

uint64_t scan_add(const struct scan *scan, size_t first, size_t end)
{
    const uint64_t *numbers = scan->numbers;
    uint64_t sum = 0;

    for (size_t i = first; i < end; i++) {
        sum += numbers[i];
    }
    return sum;
}

uint64_t scan_write(
    const struct scan *scan, size_t first, size_t end, uint64_t before)
{
    const uint64_t *restrict numbers = scan->numbers;
    uint64_t *restrict totals = scan->totals;

    for (size_t i = first; i < end; i++) {
        before += numbers[i];
        totals[i] = before;
    }
    return before;
}

// Of the numbers 0 .. i.
static uint64_t total_of(size_t i)
{
    uint64_t period_count = (i + 1) / PERIOD;
    uint64_t rest = (i + 1) % PERIOD;

    return period_count * (PERIOD * (PERIOD - 1) / 2) +
           (rest == 0 ? 0 : rest * (rest - 1) / 2);
}

void scan_check(const struct bench *bench, struct scan *scan)
{
    bool is_right = true;

    for (size_t i = 0; i < scan->count; i++) {
        is_right = is_right && scan->totals[i] == total_of(i);
    }
    bench_require(
        bench, is_right, "wrong answer: a total is not what it should be");
    memset(scan->totals, 0, scan->count * sizeof(*scan->totals));
}

void scan_end(struct scan *scan)
{
    free(scan->numbers);
    free(scan->totals);
}
