// SPDX-License-Identifier: MIT
//
// range — divides a range of items among workers. Loops and reductions are made
// of it (parallel.c); so is whatever works on ranges.

#ifndef TN_ALGO_RANGE_H
#define TN_ALGO_RANGE_H

#include "base/atomic.h"
#include "tenon/parallel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tn_loop {
    // Either; called for a chunk. `value` is the part's.
    tenon_range_fn *fn;
    const tenon_reduction *reduction;
    void *context;

    size_t chunk_size;  // 0: as many as take CHUNK_NS; SIZE_MAX: the part
    size_t part_size;  // items of a part, the last one's may be fewer; 0: parts
                       // are made when somebody is free

    // Workers compete for the first.
    _Atomic(bool) has_failed;
    tenon_range *failed;  // or NULL
};

// [task, blocks] Do all of `range`, folded into `value` if it is a reduction.
// TENON_OK, TENON_CANCELLED, or what a chunk returned.
int tn_loop_run(
    tenon_task *self, struct tn_loop *loop, tenon_range range, void *value);

#endif
