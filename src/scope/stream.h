// SPDX-License-Identifier: MIT
//
// stream — the tasks with handles of a scope, in the order in which they ended.
//
// Behind include/tenon/wait.h. See stream.c.

#ifndef TN_SCOPE_STREAM_H
#define TN_SCOPE_STREAM_H

#include "tenon/handle.h"
#include "tenon/scope.h"

// [any] One more will end: before it can.
void tn_stream_expect(tenon_scope *scope);

// [any] It was not started after all.
void tn_stream_forget(tenon_scope *scope);

// [worker] A task with a handle of the caller's has ended, as its state says.
// It is still counted in its scope.
void tn_stream_add(tenon_handle *handle);

#endif
