// SPDX-License-Identifier: MIT
//
// root — one task in a scope of its own, as a parallel algorithm begins.

#ifndef TN_ALGO_ROOT_H
#define TN_ALGO_ROOT_H

#include "tenon/parallel.h"

#include <stdbool.h>

// [any] May an algorithm be called with these?
bool tn_root_accepts(const tenon_parallel_options *options);

// [any, blocks] Run `fn(task, arg)` in a scope with these options, and join it.
// TENON_OK: it has returned TENON_OK.
tenon_status tn_root_run(
    const tenon_parallel_options *options, tenon_task_fn *fn, void *arg,
    tenon_report *report);

// NULL stands for these.
extern const tenon_parallel_options tn_root_defaults;

#endif
