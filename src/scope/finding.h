// SPDX-License-Identifier: MIT
//
// finding — tells what is wrong with the program, in debug mode.
//
// Behind include/tenon/debug.h. See finding.c; who looks is in census.c.

#ifndef TN_SCOPE_FINDING_H
#define TN_SCOPE_FINDING_H

#include "tenon/debug.h"
#include "tenon/task.h"

#include <stdbool.h>

// [any] Does the environment ask for debug mode?
bool tn_debug_is_asked(void);

// [any] Is `executor`, which may be NULL, in debug mode?
bool tn_debug_is_on(const tenon_executor *executor);

// [any] Tell it; with no lock held.
void tn_finding_tell(const tenon_finding *finding);

// [any] Make one about `task` or `scope`, either of which may be NULL, and tell
// it, if the caller's or the scope's executor is in debug mode.
void tn_finding_say(
    tenon_finding_kind kind, const tenon_task *task, const tenon_scope *scope,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
