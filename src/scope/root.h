// SPDX-License-Identifier: MIT
//
// root — the open root scopes of each thread, the newest first.
//
// So that one opened twice, one whose frame has ended and a shut-down that
// would wait for its caller are found.

#ifndef TN_SCOPE_ROOT_H
#define TN_SCOPE_ROOT_H

#include "tenon/scope.h"

#include <stdbool.h>

// [owner] It is open from now on.
void tn_root_add(tenon_scope *scope);

// [owner] It is not any more. They need not be joined in any order.
void tn_root_remove(tenon_scope *scope);

// [any] Is it one of the newest of this thread? What lies in it is unknown
// otherwise. Aborts if one of them was in a frame below `end`; before that,
// what lives in `executor` is shown in debug mode.
bool tn_root_is_open(
    const tenon_scope *scope, tenon_executor *executor, const char *end);

// [any] Has this thread one of the executor to join?
bool tn_root_is_in(const tenon_executor *executor);

#endif
