// SPDX-License-Identifier: MIT
//
// must — calls that have to succeed for the test to mean anything.
//
// All are for the test's main thread: they assert.

#ifndef SUPPORT_MUST_H
#define SUPPORT_MUST_H

#include <tenon/tenon.h>

// Open a root scope with all defaults in `executor`.
void must_open(tenon_scope *scope, tenon_executor *executor);

// Open a root scope with these options.
void must_open_with(tenon_scope *scope, const tenon_scope_options *options);

// Spawn, and expect it to start.
void must_spawn(tenon_scope *scope, tenon_task_fn *fn, void *arg);

// The same with options.
void must_spawn_with(
    tenon_scope *scope, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options);

// Spawn, unless a deadline was faster.
void may_spawn(tenon_scope *scope, tenon_task_fn *fn, void *arg);

// Join with the body's status TENON_OK and expect `status`.
void must_join(tenon_scope *scope, tenon_report *report, tenon_status status);

// Run a root task and expect `status`.
void must_run(
    tenon_executor *executor, tenon_task_fn *fn, void *arg,
    tenon_status status);

#endif
