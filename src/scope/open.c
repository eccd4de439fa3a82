// SPDX-License-Identifier: MIT
//
// open — one word: how many, and whether no more may come.
//
// Ordering:
//   E1 last  leave: sub-release open_count -> drain: load-acquire open_count
//            (all that the scopes' owners wrote)

#include "scope/open.h"

#include "base/futex.h"
#include "sched/executor.h"
#include "scope/callback.h"
#include "scope/token.h"

#include <limits.h>
#include <stdlib.h>

#define DRAINING UINT32_C(0x80000000)

void *tn_open_create(void)
{
    struct tn_upper *upper = calloc(1, sizeof(*upper));

    if (upper != NULL) {
        tenon_token_init(&upper->token, NULL);
    }
    return upper;
}

void tn_open_destroy(void *memory)
{
    struct tn_upper *upper = memory;

    if (upper != NULL) {
        tenon_token_fini(&upper->token);
        free(upper);
    }
}

tenon_token *tn_open_token(tenon_executor *executor)
{
    return &tn_open_upper(executor)->token;
}

bool tn_open_enter(tenon_executor *executor)
{
    // relaxed: who shuts down waits for this one, or this one sees it.
    uint32_t old = tn_add_relaxed(&executor->open_count, 1);

    if ((old & DRAINING) != 0) {
        tn_open_leave(executor);
        return false;
    }
    return true;
}

void tn_open_leave(tenon_executor *executor)
{
    _Atomic(uint32_t) *word = &executor->open_count;

    // From here on the executor may be gone.
    if (tn_sub_release(word, 1) == (DRAINING | 1)) {  // E1
        tn_futex_wake(word, INT_MAX);
    }
}

uint32_t tn_open_count(tenon_executor *executor)
{
    return tn_load_acquire(&executor->open_count) & ~DRAINING;  // E1
}

bool tn_open_close(tenon_executor *executor)
{
    // relaxed: a wish.
    return (tn_or_relaxed(&executor->open_count, DRAINING) & DRAINING) == 0;
}

void tn_open_drain(tenon_executor *executor)
{
    uint32_t word = 0;

    while ((word = tn_load_acquire(&executor->open_count)) != DRAINING) {  // E1
        tn_futex_wait_until(&executor->open_count, word, TN_FOREVER);
    }
}
