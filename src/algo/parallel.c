// SPDX-License-Identifier: MIT
//
// parallel — a task (root.c) that divides a range (range.c).
//
// Memory:   everything lies in the caller's frame, but the result of a
//           reduction, which is to be as it was if that fails.

#include "tenon/parallel.h"

#include "algo/range.h"
#include "algo/root.h"
#include "algo/workers.h"
#include "base/aligned.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REPRODUCIBLE_PARTS 256
#define BLOCK_SIDE 64

struct run {
    struct tn_loop loop;
    tenon_range range;
    void *value;  // of a reduction
};

static int run_root(tenon_task *self, void *arg)
{
    struct run *run = arg;

    return tn_loop_run(self, &run->loop, run->range, run->value);
}

// Rounded up.
static size_t divide(size_t count, size_t by)
{
    return count / by + (count % by != 0);
}

static tenon_status choose_parts(
    struct run *run, const tenon_parallel_options *options)
{
    struct tn_loop *loop = &run->loop;
    size_t count = run->range.end - run->range.first;
    uint32_t worker_count = 0;

    loop->chunk_size = options->chunk_size;
    if (loop->reduction != NULL && options->is_reproducible) {
        loop->chunk_size = SIZE_MAX;
        loop->part_size = options->chunk_size != 0
                              ? options->chunk_size
                              : divide(count, REPRODUCIBLE_PARTS);
        return TENON_OK;
    }
    if (options->chunks == TENON_CHUNKS_ADAPTIVE) {
        return TENON_OK;
    }
    tenon_status status = tn_workers_count(options->executor, &worker_count);
    if (status == TENON_OK) {
        loop->chunk_size =
            options->chunk_size == 0 ? SIZE_MAX : options->chunk_size;
        loop->part_size = divide(count, worker_count);
    }
    return status;
}

static tenon_status run(
    struct run *run, const tenon_parallel_options *options,
    tenon_report *report)
{
    if (run->range.first == run->range.end) {
        return TENON_OK;
    }
    run->loop.failed = options->failed;
    tenon_status status = choose_parts(run, options);
    return status == TENON_OK ? tn_root_run(options, run_root, run, report)
                              : status;
}

tenon_status tenon_parallel_for(
    size_t first, size_t end, tenon_range_fn *fn, void *context,
    const tenon_parallel_options *options, tenon_report *report)
{
    struct run loop = {
        .loop = {.fn = fn, .context = context}, .range = {first, end}};

    options = options == NULL ? &tn_root_defaults : options;
    if (fn == NULL || !tn_root_accepts(options) || first > end) {
        return TENON_EINVAL;
    }
    return run(&loop, options, report);
}

// --- in two dimensions ---

struct grid {
    tenon_grid grid;
    size_t blocks_per_row;
    tenon_block_fn *fn;
    void *context;
};

// The items of block `index`, of so many in a block, `count` in all.
static tenon_range block_range(size_t index, size_t size, size_t count)
{
    size_t first = index * size;

    return (tenon_range){first, count - first < size ? count : first + size};
}

static int run_blocks(tenon_task *self, size_t first, size_t end, void *context)
{
    const struct grid *grid = context;
    int status = TENON_OK;

    for (size_t i = first; i < end && status == TENON_OK; i++) {
        status = grid->fn(
            self,
            block_range(
                i / grid->blocks_per_row, grid->grid.block_row_count,
                grid->grid.row_count),
            block_range(
                i % grid->blocks_per_row, grid->grid.block_column_count,
                grid->grid.column_count),
            grid->context);
    }
    return status;
}

tenon_status tenon_parallel_for_2d(
    const tenon_grid *grid, tenon_block_fn *fn, void *context,
    const tenon_parallel_options *options, tenon_report *report)
{
    if (grid == NULL || fn == NULL) {
        return TENON_EINVAL;
    }
    struct grid blocks = {.grid = *grid, .fn = fn, .context = context};
    size_t block_count = 0;

    if (blocks.grid.block_row_count == 0) {
        blocks.grid.block_row_count = BLOCK_SIDE;
    }
    if (blocks.grid.block_column_count == 0) {
        blocks.grid.block_column_count = BLOCK_SIDE;
    }
    blocks.blocks_per_row =
        divide(grid->column_count, blocks.grid.block_column_count);
    if (__builtin_mul_overflow(
            blocks.blocks_per_row,
            divide(grid->row_count, blocks.grid.block_row_count),
            &block_count)) {
        return TENON_EINVAL;
    }
    return tenon_parallel_for(
        0, block_count, run_blocks, &blocks, options, report);
}

// --- reductions ---

tenon_status tenon_parallel_reduce(
    size_t first, size_t end, const tenon_reduction *reduction, void *result,
    void *context, const tenon_parallel_options *options, tenon_report *report)
{
    struct run fold = {
        .loop = {.reduction = reduction, .context = context},
        .range = {first, end}};

    options = options == NULL ? &tn_root_defaults : options;
    if (reduction == NULL || reduction->fold == NULL ||
        reduction->combine == NULL || reduction->identity == NULL ||
        reduction->size == 0 || result == NULL || !tn_root_accepts(options) ||
        first > end) {
        return TENON_EINVAL;
    }
    fold.value = tn_alloc_aligned(1, reduction->size);
    if (fold.value == NULL) {
        return TENON_ENOMEM;
    }
    memcpy(fold.value, reduction->identity, reduction->size);
    tenon_status status = run(&fold, options, report);
    if (status == TENON_OK) {
        memcpy(result, fold.value, reduction->size);
    }
    free(fold.value);
    return status;
}
