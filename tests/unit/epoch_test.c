// SPDX-License-Identifier: MIT
//
// epoch_test — between the two steps of a cancel no poll forgets what an
// earlier one has seen.
//
// A cancel sets the token's word, then bumps the epoch. Whoever polls in
// between may see it or not; but once one has seen it, all do.

#include "scope/token.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static tenon_token parent;
static tenon_token seen;   // polled before, and clean
static tenon_token fresh;  // never polled

static void make_tokens(void)
{
    tenon_token_init(&parent, NULL);
    tenon_token_init(&seen, &parent);
    tenon_token_init(&fresh, &parent);
    cr_assert(not(tenon_token_cancelled(&seen)));
    cr_assert(not(tenon_token_cancelled(&parent)));
    // The first step: a word without a record, as where memory is short.
    tn_atomic_init(&parent.cause, (uintptr_t)TENON_CAUSE_EXPLICIT << 2 | 1);
}

static void end_tokens(void)
{
    tenon_token_fini(&fresh);
    tenon_token_fini(&seen);
    tenon_token_fini(&parent);
}

TestSuite(epoch, .init = make_tokens, .fini = end_tokens, .timeout = 20);

Test(epoch, what_was_seen_below_is_seen_above)
{
    if (tenon_token_cancelled(&fresh)) {
        cr_expect(tenon_token_cancelled(&parent));
    }
}

Test(epoch, what_was_seen_below_is_seen_beside)
{
    if (tenon_token_cancelled(&fresh)) {
        cr_expect(tenon_token_cancelled(&seen));
    }
}

Test(epoch, what_has_a_cause_is_set)
{
    tenon_cause cause;

    if (tenon_token_cause(&seen, &cause)) {
        cr_expect(tenon_token_cancelled(&seen));
    }
}

Test(epoch, what_refuses_a_cancel_is_set)
{
    if (!tenon_token_cancel(&seen, 1, "second")) {
        cr_expect(tenon_token_cancelled(&seen));
        cr_expect(tenon_token_cancelled(&parent));
    }
}
