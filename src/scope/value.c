// SPDX-License-Identifier: MIT
//
// value — looks for a key from a scope outward.
//
// Bindings are the caller's array, read by many and written by nobody while the
// scope is open: nothing is copied, counted or locked, and a task inherits them
// by being in its scope.

#include "scope/value.h"

#include "scope/task.h"
#include "tenon/value.h"

#include <stddef.h>

bool tn_value_are_valid(const tenon_scope_options *options)
{
    if (options->bindings == NULL) {
        return options->binding_count == 0;
    }
    for (uint32_t i = 0; i < options->binding_count; i++) {
        if (options->bindings[i].key == NULL) {
            return false;
        }
    }
    return true;
}

static const tenon_binding *find_in(
    const tenon_scope *scope, const tenon_key *key)
{
    for (uint32_t i = 0; i < scope->binding_count; i++) {
        if (scope->bindings[i].key == key) {
            return &scope->bindings[i];
        }
    }
    return NULL;
}

void *tenon_scope_value(const tenon_scope *scope, const tenon_key *key)
{
    const tenon_scope *at = scope->values;

    while (at != NULL) {
        const tenon_binding *binding = find_in(at, key);
        if (binding != NULL) {
            return binding->value;
        }
        at = at->parent == NULL ? NULL : at->parent->values;
    }
    return key->fallback;
}

void *tenon_value(const tenon_task *self, const tenon_key *key)
{
    const tenon_scope *open = self->link;

    return tenon_scope_value(open != NULL ? open : self->scope, key);
}
