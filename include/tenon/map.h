// SPDX-License-Identifier: MIT
//
// map — one result for each element of an array, in its place, on all workers.
//
//     status = tenon_parallel_map(
//         &(tenon_mapping){.fn = shade, .count = pixel_count,
//             .from = scene, .from_size = sizeof(*scene),
//             .to = image, .to_size = sizeof(*image)}, NULL, NULL);

#ifndef TENON_MAP_H
#define TENON_MAP_H

#include "tenon/parallel.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Makes `*to` of `*from`. What it returns is as for a tenon_range_fn; so is
/// `self`.
typedef int tenon_map_fn(
    tenon_task *self, const void *from, void *to, void *context);

typedef struct tenon_mapping {
    tenon_map_fn *fn;
    void *context;
    size_t count;      ///< of elements
    const void *from;  ///< array; NULL with 0 bytes: `fn` gets NULL
    size_t from_size;  ///< of an element, in bytes; 0: all get `from`
    void *to;          ///< array; may be `from`, with elements as large
    size_t to_size;    ///< of an element, in bytes, 1 or more
} tenon_mapping;

/// Call `fn` once for each of `count` elements, with the element of `from` and
/// the place for its result in `to`, in any order, and wait for all. The first
/// failure, a timeout or a cancel ends it at the next border of a chunk;
/// TENON_OK means that every result is there. Where `fn` is shorter than some
/// ten nanoseconds, its call is what counts: tenon_parallel_for() calls a
/// function for many items.
///
/// Owns:     the arrays and `context` are yours. `report` as for
///           tenon_parallel_for(). Results that were made when it is stopped
///           are in `to`.
/// Threads:  any. In a task it nests there, and runs on that executor if the
///           options name no other.
/// Blocks:   until all calls have ended.
/// Errors:   as tenon_parallel_for(); TENON_EINVAL also: no mapping, no `fn`,
///           no array for one element or more that have a size, or arrays
///           that are larger than any. `failed` is a range of elements.
/// Cost:     a call for each element; else as tenon_parallel_for().
TENON_API TENON_NODISCARD tenon_status tenon_parallel_map(
    const tenon_mapping *mapping, const tenon_parallel_options *options,
    tenon_report *report);

#ifdef __cplusplus
}
#endif

#endif
