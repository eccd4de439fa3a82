// SPDX-License-Identifier: MIT
//
// callback — what a token calls when it is set.
//
// Behind include/tenon/callback.h. See callback.c.

#ifndef TN_SCOPE_CALLBACK_H
#define TN_SCOPE_CALLBACK_H

#include "base/atomic.h"
#include "tenon/callback.h"

#include <stdbool.h>
#include <stdint.h>

// [any] The slow half of tn_callback_run().
void tn_callback_run_listening(tenon_token *token);

// [one thread] The slow half of tn_callback_end().
void tn_callback_end_listening(tenon_token *token);

// [any] Call all callbacks of `token`, which the caller has set, and below. No
// lock may be held.
static inline void tn_callback_run(tenon_token *token)
{
    tn_fence_seqcst();  // E1 of callback.c
    // relaxed: E1.
    if (tn_load_relaxed(&token->is_listening) != 0) {
        tn_callback_run_listening(token);
    }
}

// [one thread, blocks] The token ends: wait for its callbacks that are about to
// run, and forget the others.
static inline void tn_callback_end(tenon_token *token)
{
    if (tn_load_acquire(&token->is_listening) != 0) {  // E2 of callback.c
        tn_callback_end_listening(token);
    }
}

#endif
