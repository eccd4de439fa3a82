// SPDX-License-Identifier: MIT
//
// token — causes, and the poll that walks up only after a cancel.
//
// Behind include/tenon/token.h; scopes embed a token each. See token.c.

#ifndef TN_SCOPE_TOKEN_H
#define TN_SCOPE_TOKEN_H

#include "base/atomic.h"
#include "tenon/task.h"
#include "tenon/token.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

// [one thread] `linked` (or NULL) is a second parent.
void tn_token_init(
    tenon_token *token, tenon_token *parent, tenon_token *linked,
    const char *name);

// [any] Is it set, by itself or from above, as of `epoch`? `epoch` was loaded
// with acquire order from tenon_cancel_epoch.
bool tn_token_is_set(tenon_token *token, uint64_t epoch);

// [any] Set it with `cause`, which is copied. False: it was set before.
bool tn_token_set(tenon_token *token, const tenon_cause *cause);

// [any] The cause of a set token; source NONE if it is not set.
tenon_cause tn_token_cause(tenon_token *token);

// [any] A cause with these words; `format` may be NULL.
tenon_cause tn_cause_make(
    tenon_cause_source source, int code, const char *format, va_list args);

// [any] Copy a name into a field of a cause, cut to fit; NULL gives "".
void tn_cause_copy(char *to, size_t size_bytes, const char *from);

// [any]
static inline uint64_t tn_cancel_epoch(void)
{
    return tn_load_acquire(&tenon_cancel_epoch);  // E2 of token.c
}

#endif
