// SPDX-License-Identifier: MIT
//
// batch — many items in runs of a fixed size, a task for each run: rows to
// insert, requests that take a hundred keys each. Few batches exist at a time.
//
//     status = tenon_batches(
//         row_count, insert, &table,
//         TENON_BATCH_OPTIONS(.batch_size = 100, .max_running = 4), &report);

#ifndef TENON_BATCH_H
#define TENON_BATCH_H

#include "tenon/scope.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Does the items `first` .. `end` - 1. What it returns is as for any task.
typedef int tenon_batch_fn(
    tenon_task *self, size_t first, size_t end, void *context);

typedef struct tenon_batch_options {
    size_t struct_size;        ///< set by the macro; in C++ by you: its sizeof
    size_t batch_size;         ///< items at most in a batch; 0: 1
    uint32_t max_running;      ///< batches at a time; 0: one for each worker
    bool keeps_going;          ///< a failure cancels nobody
    tenon_executor *executor;  ///< as for a scope
    const char *name;          ///< of the scope and its tasks; NULL: none
    uint64_t timeout_ns;       ///< as for a scope
    tenon_token *parent;       ///< as for a scope
} tenon_batch_options;

#define TENON_BATCH_OPTIONS(...)   \
    (&(const tenon_batch_options){ \
        .struct_size = sizeof(tenon_batch_options), __VA_ARGS__})

/// Call `fn` for all of [0, item_count) in batches, in order of their
/// beginning, and wait for all. The first failure, a timeout or a cancel ends
/// it at the next border. In errors a batch has the id of its first item + 1.
///
/// Owns:     `context` is yours. `report` as for tenon_scope_join(), but
///           untouched if nothing is begun: zero it before.
/// Threads:  any.
/// Blocks:   until all have ended.
/// Errors:   the join status; TENON_EINVAL no function, or an option;
///           TENON_ENOMEM, and as tenon_scope_open(). A batch that could not be
///           started is a failure of the body.
/// Cost:     a task per batch; memory for `max_running` of them.
TENON_API TENON_NODISCARD tenon_status tenon_batches(
    size_t item_count, tenon_batch_fn *fn, void *context,
    const tenon_batch_options *options, tenon_report *report);

#ifdef __cplusplus
}
#endif

#endif
