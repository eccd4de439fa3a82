// SPDX-License-Identifier: MIT
//
// sort — sorts an array on all workers: stable, any size of element, any order.
//
//     status = tenon_parallel_sort(
//         rows, row_count, sizeof(*rows), compare_rows, NULL, NULL, NULL);

#ifndef TENON_SORT_H
#define TENON_SORT_H

#include "tenon/parallel.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Less than 0, 0, or more than 0: `left` comes before `right`, either may come
/// first, or after it. Called on several threads at the same time.
typedef int tenon_compare_fn(
    const void *left, const void *right, void *context);

/// Sort `element_count` elements of `element_size` bytes in ascending order.
/// Equal ones stay in their order.
///
/// Source:   merge sort with parallel merges, each cut by a binary search
///           (Cormen, Leiserson, Rivest and Stein, "Introduction to
///           Algorithms", section "Multithreaded merge sort"), made stable.
/// Owns:     `elements` and `context` are yours. Whatever is returned, the
///           array holds the same elements; in their order only if it is
///           TENON_OK. `report` as for tenon_parallel_for(). `compare` is given
///           elements of the array or of a copy, which begins on a border of 64
///           bytes.
/// Threads:  any. In a task it nests there, and runs on that executor if the
///           options name no other.
/// Blocks:   until it is sorted, or stopped.
/// Errors:   the join status: TENON_CANCELLED and TENON_TIMEOUT as for a loop;
///           TENON_EINVAL no array for one element or more, no `compare`, a
///           size of 0 or one that no array has, or an option; TENON_ENOMEM no
///           memory for a copy of the array, nothing is changed; and as
///           tenon_scope_open().
/// Cost:     O(n log n) comparisons, on p workers O(n log n / p + log^3 n)
///           time; memory for a copy of the array. `chunk_size` is the number
///           of elements below which nothing is divided, 0: 2048; `chunks` and
///           `is_reproducible` mean nothing here, and `failed` is untouched.
TENON_API TENON_NODISCARD tenon_status tenon_parallel_sort(
    void *elements, size_t element_count, size_t element_size,
    tenon_compare_fn *compare, void *context,
    const tenon_parallel_options *options, tenon_report *report);

#ifdef __cplusplus
}
#endif

#endif
