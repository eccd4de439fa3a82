// SPDX-License-Identifier: MIT
//
// parallel — loops over ranges on all workers: do something for every item, or
// fold all items into one result. The body is called for a run of items, and
// polls for itself only if a call takes long.
//
//     static int scale(tenon_task *self, size_t first, size_t end, void *arg);
//     status = tenon_parallel_for(0, count, scale, &image, NULL, &report);

#ifndef TENON_PARALLEL_H
#define TENON_PARALLEL_H

#include "tenon/scope.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The items `first` .. `end` - 1.
typedef struct tenon_range {
    size_t first;
    size_t end;
} tenon_range;

/// Does the items `first` .. `end` - 1, at least one, as a forked child
/// (tenon_fork_join()). `self` and what it returns are as for any, but that
/// TENON_CANCELLED ends the loop, which then returns it as well. tenon_again()
/// is not for children: TENON_AGAIN fails with TENON_EPERM.
typedef int tenon_range_fn(
    tenon_task *self, size_t first, size_t end, void *context);

/// How a range is divided into chunks: the calls of the body.
typedef enum tenon_chunks {
    TENON_CHUNKS_ADAPTIVE,  ///< half of what is left is offered, and the next
                            ///< half when that is taken; chunks come to take
                            ///< 5 to 10 microseconds
    TENON_CHUNKS_STATIC,    ///< an equal part for each worker, beforehand
} tenon_chunks;

typedef struct tenon_parallel_options {
    size_t struct_size;        ///< set by the macro; in C++ by you: its sizeof
    tenon_chunks chunks;       ///< 0: adaptive
    size_t chunk_size;         ///< items at most in a call; 0: chosen
    bool is_reproducible;      ///< reduce: the same operations in the same
                               ///< order, however many workers there are
    tenon_executor *executor;  ///< as for a scope
    const char *name;          ///< of the scope and its task; NULL: none
    uint64_t timeout_ns;       ///< as for a scope
    tenon_token *parent;       ///< as for a scope
    /// Set to the chunk whose call failed, or ended the loop, first: of two at
    /// the same time, either. (That a child of a call has failed stops the
    /// others at once, but tells only when the call returns it.) Else
    /// untouched. NULL: no matter.
    tenon_range *failed;
} tenon_parallel_options;

#define TENON_PARALLEL_OPTIONS(...)   \
    (&(const tenon_parallel_options){ \
        .struct_size = sizeof(tenon_parallel_options), __VA_ARGS__})

/// Call `fn` for every item of [first, end), each in exactly one call, in any
/// order, and wait for all. The first failure, a timeout or a cancel ends it at
/// the next border of a chunk; calls that have begun come to their own end.
/// TENON_OK means that every item was done.
///
/// Owns:     `context` is yours. `report` as for tenon_scope_join(), but
///           untouched if nothing is begun: zero it before.
/// Threads:  any. In a task it nests there, and runs on that executor if the
///           options name no other.
/// Blocks:   until all calls have ended.
/// Errors:   the join status: TENON_ERRORS with the error of each call that
///           failed (the report is `cancelled`, too: the others were);
///           TENON_CANCELLED also if a call has ended the loop, or cancelled
///           its scope before all was done;
///           TENON_EINVAL no function, first > end, or an option;
///           TENON_ENOMEM, and as tenon_scope_open().
/// Cost:     O(items) calls at worst, with `chunk_size` = 1; else O(workers *
///           log items) tasks, and calls of 5 to 10 microseconds. No memory but
///           O(log items) frames on each worker's stack.
TENON_API TENON_NODISCARD tenon_status tenon_parallel_for(
    size_t first, size_t end, tenon_range_fn *fn, void *context,
    const tenon_parallel_options *options, tenon_report *report);

/// Does the rectangle of `rows` and `columns`, at least one of each.
typedef int tenon_block_fn(
    tenon_task *self, tenon_range rows, tenon_range columns, void *context);

typedef struct tenon_grid {
    size_t row_count;
    size_t column_count;
    size_t block_row_count;     ///< of a block; 0: 64
    size_t block_column_count;  ///< likewise
} tenon_grid;

/// tenon_parallel_for() in two dimensions: call `fn` for every block of the
/// grid; those at its far borders may be smaller. Blocks of a row of blocks
/// come one after the other. `chunk_size` counts blocks; `failed` is a range of
/// blocks, numbered row by row: with a `chunk_size` of 1, the block that did.
///
/// Owns:     as tenon_parallel_for(); `grid` until it returns.
/// Threads:  as tenon_parallel_for().
/// Blocks:   as tenon_parallel_for().
/// Errors:   as tenon_parallel_for(); TENON_EINVAL also: no grid, or more
///           blocks than a size_t counts.
/// Cost:     a call for each block; else as tenon_parallel_for().
TENON_API TENON_NODISCARD tenon_status tenon_parallel_for_2d(
    const tenon_grid *grid, tenon_block_fn *fn, void *context,
    const tenon_parallel_options *options, tenon_report *report);

/// Folds the items `first` .. `end` - 1 into `*result`, in their order.
typedef int tenon_fold_fn(
    tenon_task *self, size_t first, size_t end, void *result, void *context);

/// Appends: `*left` becomes what comes of both, in this order.
typedef void tenon_combine_fn(void *left, const void *right, void *context);

typedef struct tenon_reduction {
    tenon_fold_fn *fold;
    tenon_combine_fn *combine;  ///< associative; it need not commute
    const void *identity;       ///< of `combine`: what results begin as
    size_t size;                ///< of a result, in bytes: 1 or more
} tenon_reduction;

/// Fold all items of [first, end) into one result: parts of the range into
/// results of their own, that are then combined in the order of the range. With
/// `is_reproducible` the parts are the same ones each time (`chunk_size` items,
/// or 1/256 of the range), so sums of floating-point numbers are equal to the
/// last bit on any number of workers.
///
/// Owns:     as tenon_parallel_for(); `result` is yours, `size` bytes. Set only
///           if TENON_OK is returned; for an empty range to the identity. What
///           `fold` and `combine` are given lies elsewhere, on a border of 64
///           bytes.
/// Threads:  as tenon_parallel_for(). `combine` is called on the thread of one
///           of the two parts.
/// Blocks:   as tenon_parallel_for().
/// Errors:   as tenon_parallel_for(); TENON_EINVAL also: no `fold`, `combine`,
///           `identity` or `result`, or `size` is 0.
/// Cost:     as tenon_parallel_for(), and a combine for each part; 128 bytes in
///           each of the frames. A larger result takes memory for each part:
///           without, no more parts are made; those that had to be made
///           beforehand fail with TENON_ENOMEM.
TENON_API TENON_NODISCARD tenon_status tenon_parallel_reduce(
    size_t first, size_t end, const tenon_reduction *reduction, void *result,
    void *context, const tenon_parallel_options *options, tenon_report *report);

#ifdef __cplusplus
}
#endif

#endif
