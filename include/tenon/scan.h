// SPDX-License-Identifier: MIT
//
// scan — prefix sums, of whatever can be summed, on all workers: running
// totals, places to write to, states of a machine.
//
//     status = tenon_parallel_scan(0, count, &sum, write_totals, &data, NULL,
//         NULL);

#ifndef TENON_SCAN_H
#define TENON_SCAN_H

#include "tenon/parallel.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Folds all items of [first, end) from the left and calls `apply` with what
/// has come before. `apply` goes on folding its items into `*result`, in their
/// order, and writes for each what it wants: before it has folded the item,
/// that is an exclusive scan, after it an inclusive one.
///
/// `reduction` says how to fold where nothing is to be written: not every item,
/// and none after it was given to `apply`, which may therefore write over it.
///
/// Source:   two passes over one part more than there are workers, as in
///           Blelloch, "Prefix Sums and Their Applications" (1990): the first
///           part is final in the first pass, the last one needs no fold.
/// Owns:     `context` is yours. `report` as for tenon_parallel_for(). What
///           `apply` has written when it is stopped is there.
/// Threads:  any. In a task it nests there, and runs on that executor if the
///           options name no other.
/// Blocks:   until all calls have ended.
/// Errors:   as tenon_parallel_reduce(); TENON_EINVAL also: no `apply`;
///           TENON_ENOMEM no memory for the results of the parts.
/// Cost:     on p > 1 workers 2 p / (p + 1) folds per item, in the time of
///           2 / (p + 1) of all; with one worker one. p + 1 results.
///           `chunk_size` as for a loop; `chunks` and `is_reproducible` mean
///           nothing here.
TENON_API TENON_NODISCARD tenon_status tenon_parallel_scan(
    size_t first, size_t end, const tenon_reduction *reduction,
    tenon_fold_fn *apply, void *context, const tenon_parallel_options *options,
    tenon_report *report);

#ifdef __cplusplus
}
#endif

#endif
