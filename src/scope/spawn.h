// SPDX-License-Identifier: MIT
//
// spawn — what is wanted of a new task, and the task made so.
//
// Behind include/tenon/spawn.h: who may, and where it goes, is in spawn.c; the
// task itself is made in make.c.

#ifndef TN_SCOPE_SPAWN_H
#define TN_SCOPE_SPAWN_H

#include "tenon/spawn.h"

#include <stdbool.h>

// If there are no units of its limiter: let the task wait, refuse it, or let
// the caller wait.
enum tn_spawn_mode { TN_SPAWN_LINE_UP, TN_SPAWN_TRY, TN_SPAWN_WAIT };

struct tn_spawn {
    tenon_scope *scope;
    tenon_handle *handle;  // the caller's, or NULL
    tenon_task_fn *fn;
    void *arg;
    const tenon_task_options *options;  // or NULL
    tenon_scope_ref *ref;               // by which the caller may; or NULL
    enum tn_spawn_mode mode;
    uint64_t deadline_ns;  // with TN_SPAWN_WAIT
};

// [any] Make the task. TENON_ENOMEM; TENON_EAGAIN: no timer thread.
tenon_status tn_spawn_make(struct tn_spawn *spawn, tenon_task **made);

// [any] It will not be queued after all.
void tn_spawn_unmake(struct tn_spawn *spawn, tenon_task *task);

#endif
