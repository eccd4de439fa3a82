// SPDX-License-Identifier: MIT
//
// token — causes, and the poll that walks up only after a cancel.
//
// Behind include/tenon/token.h; scopes embed a token each. See token.c.

#ifndef TN_SCOPE_TOKEN_H
#define TN_SCOPE_TOKEN_H

#include "base/atomic.h"
#include "base/clear.h"
#include "tenon/task.h"
#include "tenon/token.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

// What a token is a part of: whose name it has.
enum { TN_TOKEN_FREE, TN_TOKEN_OF_SCOPE, TN_TOKEN_OF_TASK };

// [one thread]
static inline void tn_token_init(
    tenon_token *token, tenon_token *parent, uint32_t kind, const char *name)
{
    // As clean as its only parent was last seen: I2 of token.c.
    // relaxed: I2.
    uint64_t epoch = parent == NULL ? 0 : tn_load_relaxed(&parent->clean_epoch);

    TN_CLEAR(token, cause, kind);
    tn_atomic_init(&token->clean_epoch, epoch);
    token->up.parent = parent;
    token->kind = kind;
    token->name = name;
    tn_atomic_init(&token->deadline_ns, TENON_NO_DEADLINE);
    token->timer_state = 0;
}

// [one thread] Further parents, before the token is shared.
void tn_token_link(
    tenon_token *token, tenon_token_link *links, uint32_t link_count);

// [any] Is it set, by itself or from above, as of `epoch`? `epoch` was loaded
// with acquire order from tenon_cancel_epoch.
bool tn_token_is_set(tenon_token *token, uint64_t epoch);

// [any] Set it with `cause`, which is copied, and run the callbacks below.
// False: it was set before.
bool tn_token_set(tenon_token *token, const tenon_cause *cause);

// [any] The same, but leave the callbacks to the caller: who holds a lock.
bool tn_token_mark(tenon_token *token, const tenon_cause *cause);

// [any] Free its cause, but let it stay what it is: set, or never to be set any
// more. Nothing is below it.
void tn_token_seal(tenon_token *token);

// [any] The cause of a set token; source NONE if it is not set.
tenon_cause tn_token_cause(tenon_token *token);

// [any] A name for it: "explicit", "failure", ...
const char *tn_cause_source_name(tenon_cause_source source);

// [any] A cause with these words; `format` may be NULL.
tenon_cause tn_cause_make(
    tenon_cause_source source, int code, const char *format, va_list args);

// [any] Say whose deadline, or whose task or scope it was.
void tn_cause_name(tenon_cause *cause, const tenon_token *token);

// [any] Copy a name into a field of a cause, cut to fit; NULL gives "".
void tn_cause_copy(char *to, size_t size_bytes, const char *from);

// [any] Was it clean as of now, by what is remembered? False: look.
static inline bool tn_token_is_clean(tenon_token *token)
{
    // relaxed: I2 of token.c.
    return tn_load_relaxed(&token->clean_epoch) ==
           tn_load_relaxed(&tenon_cancel_epoch.value);  // relaxed: I2
}

// [owner] Nobody else uses it any more: is it clean, and has it neither a
// deadline nor callbacks?
static inline bool tn_token_is_plain(tenon_token *token)
{
    return tn_token_is_clean(token) &&
           // relaxed: nobody else uses it.
           tn_load_relaxed(&token->cause) == 0 &&
           // relaxed: likewise.
           tn_load_relaxed(&token->deadline_ns) == TENON_NO_DEADLINE &&
           tn_load_acquire(&token->is_listening) == 0;  // E2 of callback.c
}

// [any]
static inline uint64_t tn_cancel_epoch(void)
{
    return tn_load_acquire(&tenon_cancel_epoch.value);  // E2 of token.c
}

#endif
