// SPDX-License-Identifier: MIT
//
// progress — how far the work has come, as a line on the terminal.

#ifndef TREESUM_PROGRESS_H
#define TREESUM_PROGRESS_H

#include <stdatomic.h>
#include <stdint.h>

#include <tenon/tenon.h>

/// Tasks add, who shows it reads; nothing depends on the order in which that is
/// seen.
struct progress {
    _Atomic(uint64_t) file_count;
    _Atomic(uint64_t) byte_count;
};

static inline void progress_add_file(struct progress *progress)
{
    // relaxed: a number to be shown
    atomic_fetch_add_explicit(&progress->file_count, 1, memory_order_relaxed);
}

static inline void progress_add_bytes(struct progress *progress, uint64_t count)
{
    // relaxed: a number to be shown
    atomic_fetch_add_explicit(
        &progress->byte_count, count, memory_order_relaxed);
}

/// Until the tasks of `scope`, which the caller owns, have ended or the scope is
/// cancelled: show the progress on standard error. Returns at once if that is no
/// terminal. In any case the scope is still to be joined.
void progress_show(const struct progress *progress, tenon_scope *scope);

#endif
