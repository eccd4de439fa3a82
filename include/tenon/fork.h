// SPDX-License-Identifier: MIT
//
// fork — recursion on all cores: a child in the caller's frame, joined last in,
// first out, for the price of a few function calls. The child shares its
// parent's scope and token; an error of it is recorded in that scope.
//
//     tenon_fork(self, &child, half, &left);
//     tenon_status right = half(self, &right_half);
//     tenon_status left = tenon_join(self, &child);

#ifndef TENON_FORK_H
#define TENON_FORK_H

#include "tenon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Offer `fn(child, arg)` to the other workers; without memory to queue it, it
/// runs at its join.
///
/// Owns:     `child` and `arg` are yours and must live until tenon_join(self,
///           child), which every fork needs before `self` returns.
/// Threads:  the one that runs `self`; aborts elsewhere.
/// Blocks:   never. Not a cancellation checkpoint.
/// Errors:   none.
/// Cost:     a few nanoseconds; a futex call only if a worker sleeps.
TENON_API void tenon_fork(
    tenon_task *self, tenon_task *child, tenon_task_fn *fn, void *arg);

/// Run `child` here if nobody has taken it, else help and wait until it ended.
/// In any order; the reverse order of the forks is the fast one.
///
/// Threads:  the one that forked it; aborts elsewhere.
/// Blocks:   until the child has ended, running only descendants of `self`.
/// Errors:   what the child returned; its failure is recorded already, so `self`
///           may return the same code without adding an error. An error that
///           `self` describes is one more. TENON_CANCELLED also if it was dropped:
///           its token was set before it began.
TENON_API TENON_NODISCARD tenon_status
tenon_join(tenon_task *self, tenon_task *child);

#ifdef __cplusplus
}
#endif

#endif
