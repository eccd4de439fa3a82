// SPDX-License-Identifier: MIT
//
// invoke — calls of several functions, in parallel if somebody is free, as
// parts of the running task: what tenon_fork() does for two. For calls that are
// to be tasks of their own, with names and results, there is tenon_gather().
//
//     status = tenon_invoke(
//         self, TENON_INVOCATIONS({blur, &left}, {blur, &right}));

#ifndef TENON_INVOKE_H
#define TENON_INVOKE_H

#include "tenon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tenon_invocation {
    tenon_task_fn *fn;
    void *arg;
} tenon_invocation;

/// An array of them and its length, for the call. C only: C++ has no such
/// arrays.
#define TENON_INVOCATIONS(...)                             \
    ((const tenon_invocation[]){__VA_ARGS__}),             \
        (sizeof((const tenon_invocation[]){__VA_ARGS__}) / \
         sizeof(tenon_invocation))

/// Call calls[0 .. call_count - 1], each as a child of `self` (tenon_fork(),
/// tenon_fork_join()), and wait for all. What nobody else takes is called here,
/// in the order of the array. None begins after one that was called here has
/// failed, or `self` was cancelled. As forked children they do not see the
/// scopes that `self` has open: the cancel of one keeps only those from
/// beginning that nobody else has taken.
///
/// Owns:     the array is yours until it returns.
/// Threads:  the one that runs `self`; as tenon_fork() elsewhere.
/// Blocks:   until all that have begun have ended.
/// Errors:   of the calls that did not give TENON_OK, what the first one in the
///           array gave, but TENON_CANCELLED only if no other failed. Each is
///           recorded already, as tenon_join() says. TENON_CANCELLED also if
///           one was not begun, TENON_EINVAL no array for one call or more, or
///           one without a function: none was called. TENON_EFORK in the child
///           of a fork(2), unless `self` is cancelled; none is called there.
/// Cost:     a fork for each; O(log call_count) frames, no memory.
TENON_API TENON_NODISCARD tenon_status tenon_invoke(
    tenon_task *self, const tenon_invocation *calls, size_t call_count);

#ifdef __cplusplus
}
#endif

#endif
