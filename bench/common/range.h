// SPDX-License-Identifier: MIT
//
// range — a loop on all workers, by halving: fork the right half, do the left
// one, take the right one back or join it. So one worker goes from the front to
// the back. All Tenon programs that loop use it.

#ifndef BENCH_RANGE_H
#define BENCH_RANGE_H

#include <stddef.h>
#include <tenon/tenon.h>

// [any] The body: does `first` .. `end`-1, at least one and at most as many as
// the grain.
typedef int bench_range_fn(void *context, size_t first, size_t end);

struct bench_range {
    bench_range_fn *fn;
    void *context;
    size_t grain;  // from 1
    size_t first;
    size_t end;
};

static inline int bench_range_half(tenon_task *self, void *arg);

// [task, blocks] Do `first` .. `end`-1 of `range`, whose own bounds it leaves
// alone. TENON_OK, TENON_CANCELLED, or what a body returned.
static inline int bench_run_range(
    tenon_task *self, const struct bench_range *range, size_t first, size_t end)
{
    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;
    }
    if (end - first <= range->grain) {
        return range->fn(range->context, first, end);
    }
    size_t middle = first + (end - first) / 2;
    struct bench_range right = *range;
    tenon_task child;

    right.first = middle;
    right.end = end;
    int64_t place = tenon_fork(self, &child, bench_range_half, &right);
    int left_status = bench_run_range(self, range, first, middle);
    int right_status = tenon_unfork(self, &child, place)
                           ? bench_run_range(self, range, middle, end)
                           : tenon_join(self, &child);

    return left_status != TENON_OK ? left_status : right_status;
}

static inline int bench_range_half(tenon_task *self, void *arg)
{
    const struct bench_range *range = arg;

    return bench_run_range(self, range, range->first, range->end);
}

#endif
