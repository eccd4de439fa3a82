// SPDX-License-Identifier: MIT
//
// scan — the problem: the running totals of n 64-bit numbers, 10 times.
//
// The two arrays have 128 MiB each, four times the largest cache of the machine
// that the published figures are from. Of every total the sum of all numbers up
// to and with its own is asked.

#ifndef BENCH_SCAN_SCAN_H
#define BENCH_SCAN_SCAN_H

#include "common/bench.h"

#define SCAN_SIZE_DEFAULT "16777216"
#define SCAN_SIZE_MAX 10000000000
#define SCAN_PASS_COUNT 10

#ifdef __cplusplus
extern "C" {
#endif

struct scan {
    size_t count;
    uint64_t *numbers;
    uint64_t *totals;
};

// [driver] Begin the program, with the numbers filled in. An operation is one
// number.
void scan_start(
    struct scan *scan, struct bench *bench, const char *implementation,
    int argc, char **argv);

// [any] The sum of the numbers `first` .. `end` - 1.
uint64_t scan_add(const struct scan *scan, size_t first, size_t end);

// [any] Their totals, if `before` is the sum of those before them. Gives the
// last one.
uint64_t scan_write(
    const struct scan *scan, size_t first, size_t end, uint64_t before);

// [driver] Exits with 1 unless all totals are right; and forgets them.
void scan_check(const struct bench *bench, struct scan *scan);

// [driver] Free the arrays.
void scan_end(struct scan *scan);

#ifdef __cplusplus
}
#endif

#endif
