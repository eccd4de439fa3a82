// SPDX-License-Identifier: MIT
//
// scan — fold the parts, add up what comes before each, apply.
//
// Shape:    p + 1 parts for p workers. First pass: part 0 is applied, parts 1
//           .. p-1 are folded. Second pass: parts 1 .. p are applied. One
//           worker: one part, one pass.
// Memory:   a result for each part, and two to count with, in one block, each
//           in cache lines of its own: workers write theirs at the same time.
//           After the first pass that of a part becomes what comes before it.

#include "tenon/scan.h"

#include "algo/range.h"
#include "algo/root.h"
#include "algo/workers.h"
#include "base/aligned.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SPARE_COUNT 2

struct scan {
    const tenon_reduction *reduction;
    tenon_fold_fn *apply;
    void *context;
    tenon_range range;
    size_t part_count;
    bool is_second;          // pass
    unsigned char *results;  // part_count + SPARE_COUNT of them,
    size_t stride;           // so many bytes apart
    struct tn_loop loop;
};

static void *result_of(const struct scan *scan, size_t part)
{
    return scan->results + part * scan->stride;
}

// A chunk of a part; those before it in the part are done.
static int fold_chunk(tenon_task *self, size_t first, size_t end, void *context)
{
    const struct scan *scan = context;
    size_t part = (first - scan->range.first) / scan->loop.part_size;
    tenon_fold_fn *fold =
        scan->is_second || part == 0 ? scan->apply : scan->reduction->fold;

    return fold(self, first, end, result_of(scan, part), scan->context);
}

// From what each part comes to, to what comes before it.
static void sum_up(struct scan *scan)
{
    const tenon_reduction *reduction = scan->reduction;
    void *before = result_of(scan, scan->part_count);
    void *own = result_of(scan, scan->part_count + 1);

    memcpy(before, result_of(scan, 0), reduction->size);
    for (size_t part = 1; part < scan->part_count; part++) {
        void *result = result_of(scan, part);

        memcpy(own, result, reduction->size);
        memcpy(result, before, reduction->size);
        reduction->combine(before, own, scan->context);
    }
}

static int run_passes(tenon_task *self, void *arg)
{
    struct scan *scan = arg;
    tenon_range first_pass = scan->range;
    tenon_range second_pass = scan->range;

    if (scan->part_count == 1) {
        return tn_loop_run(self, &scan->loop, scan->range, NULL);
    }
    first_pass.end =
        scan->range.first + (scan->part_count - 1) * scan->loop.part_size;
    second_pass.first += scan->loop.part_size;
    int status = tn_loop_run(self, &scan->loop, first_pass, NULL);
    if (status != TENON_OK) {
        return status;
    }
    sum_up(scan);
    scan->is_second = true;
    return tn_loop_run(self, &scan->loop, second_pass, NULL);
}

// The last part may be shorter than the others, and there may be fewer.
static tenon_status choose_parts(
    struct scan *scan, const tenon_parallel_options *options)
{
    size_t count = scan->range.end - scan->range.first;
    uint32_t worker_count = 0;
    tenon_status status = tn_workers_count(options->executor, &worker_count);

    if (status != TENON_OK) {
        return status;
    }
    size_t wanted_count = worker_count == 1 ? 1 : (size_t)worker_count + 1;
    size_t part_size = (count - 1) / wanted_count + 1;

    scan->loop = (struct tn_loop){
        .fn = fold_chunk,
        .context = scan,
        .chunk_size = options->chunk_size,
        .part_size = part_size,
        .failed = options->failed};
    scan->part_count = (count - 1) / part_size + 1;
    return TENON_OK;
}

static bool make_results(struct scan *scan)
{
    const tenon_reduction *reduction = scan->reduction;
    size_t count = scan->part_count + SPARE_COUNT;

    // Of a size that is too large to be rounded up there is no array, either.
    scan->stride = (reduction->size - 1) / TN_CACHE_LINE + 1;
    if (__builtin_mul_overflow(scan->stride, TN_CACHE_LINE, &scan->stride)) {
        return false;
    }
    scan->results = tn_alloc_aligned(count, scan->stride);
    for (size_t i = 0; i < count && scan->results != NULL; i++) {
        memcpy(result_of(scan, i), reduction->identity, reduction->size);
    }
    return scan->results != NULL;
}

tenon_status tenon_parallel_scan(
    size_t first, size_t end, const tenon_reduction *reduction,
    tenon_fold_fn *apply, void *context, const tenon_parallel_options *options,
    tenon_report *report)
{
    struct scan scan = {
        .reduction = reduction,
        .apply = apply,
        .context = context,
        .range = {first, end}};

    options = options == NULL ? &tn_root_defaults : options;
    if (reduction == NULL || reduction->fold == NULL ||
        reduction->combine == NULL || reduction->identity == NULL ||
        reduction->size == 0 || apply == NULL || first > end ||
        !tn_root_accepts(options)) {
        return TENON_EINVAL;
    }
    if (first == end) {
        return TENON_OK;
    }
    tenon_status status = choose_parts(&scan, options);
    if (status != TENON_OK) {
        return status;
    }
    if (!make_results(&scan)) {
        return TENON_ENOMEM;
    }
    status = tn_root_run(options, run_passes, &scan, report);
    free(scan.results);
    return status;
}
