// SPDX-License-Identifier: MIT
//
// root — a list per thread, through the scopes themselves.

#include "scope/root.h"

#include "base/check.h"
#include "base/platform.h"
#include "scope/census.h"

#include <stddef.h>

// So many are looked at when one is opened.
#define LOOKS 32

static __thread tenon_scope *newest;

void tn_root_add(tenon_scope *scope)
{
    scope->next_root = newest;
    scope->previous_root = NULL;
    if (newest != NULL) {
        newest->previous_root = scope;
    }
    newest = scope;
}

void tn_root_remove(tenon_scope *scope)
{
    if (scope->next_root != NULL) {
        scope->next_root->previous_root = scope->previous_root;
    }
    if (scope->previous_root != NULL) {
        scope->previous_root->next_root = scope->next_root;
    } else {
        newest = scope->next_root;
    }
}

bool tn_root_is_open(
    const tenon_scope *scope, tenon_executor *executor, const char *end)
{
    const tenon_scope *open = newest;

    for (int i = 0; i < LOOKS && open != NULL && open != scope; i++) {
        if (tn_stack_has_left(open, end)) {
            tn_census_show_dead(open, executor);
            tn_fail_check(
                __FILE__, __LINE__,
                "scope %p was not joined before its frame ended",
                (const void *)open);
        }
        open = open->next_root;
    }
    return open == scope;
}

bool tn_root_is_in(const tenon_executor *executor)
{
    const tenon_scope *open = newest;

    while (open != NULL && open->executor != executor) {
        open = open->next_root;
    }
    return open != NULL;
}
