// SPDX-License-Identifier: MIT
//
// value — which scopes bind something, one behind the other.
//
// Behind include/tenon/value.h. A scope without bindings points at the nearest
// one around it that has some, so that nobody else looks at it.

#ifndef TN_SCOPE_VALUE_H
#define TN_SCOPE_VALUE_H

#include "base/check.h"
#include "base/platform.h"
#include "tenon/scope.h"

#include <stdbool.h>

// [owner] Does every binding have a key?
bool tn_value_are_valid(const tenon_scope_options *options);

// [owner] `scope`, whose parent is known, binds what the options say.
static inline void tn_value_init(
    tenon_scope *scope, const tenon_scope_options *options)
{
    if (tn_unlikely(options->binding_count > 0)) {
        scope->values = scope;
        scope->bindings = options->bindings;
        scope->binding_count = options->binding_count;
    } else {
        scope->values = scope->parent == NULL ? NULL : scope->parent->values;
    }
}

// [owner] Aborts if the bindings were in a frame below `end`, which is gone:
// then the scope's tasks have read what others wrote there.
static inline void tn_value_check(const tenon_scope *scope, const char *end)
{
    if (tn_unlikely(scope->values == scope)) {
        tn_require(
            !tn_stack_has_left(scope->bindings, end),
            "the bindings of scope '%s' ended before it was joined",
            tenon_scope_name(scope));
    }
}

#endif
