// SPDX-License-Identifier: MIT
//
// calls — a gather inside a task, and what its calls must have come to.

#ifndef SUPPORT_CALLS_H
#define SUPPORT_CALLS_H

#include <stdbool.h>
#include <tenon/gather.h>

struct calls_gather {
    tenon_call *calls;
    size_t call_count;
    const tenon_scope_options *options;
    bool goes_on;  // failures cancel nobody
    bool has_no_report;

    // What it came to.
    tenon_status status;
    tenon_report report;
};

// Gathers as the struct calls_gather that `arg` points to says; returns the
// status.
tenon_task_fn calls_gather_in_task;

// [main] Expect this, and an error exactly if it has failed.
void calls_expect(const tenon_call *call, tenon_outcome outcome, int status);

#endif
