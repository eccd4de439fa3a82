// SPDX-License-Identifier: MIT
//
// epoch_test — between the two steps of a cancel no poll forgets what an
// earlier one has seen.
//
// A cancel sets the token's word, then bumps the epoch. Whoever polls in
// between may see it or not; but once one has seen it, all do. While the epoch
// stands still, a poll is a compare.

#include "scope/token.h"

#include "must.h"
#include "pool.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/tenon.h>

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

// --- while nothing is cancelled ---

static uint64_t epoch_now(void)
{
    // relaxed: nobody else is here.
    return tn_load_relaxed(&tenon_cancel_epoch.value);
}

static uint64_t epoch_of(tenon_token *token)
{
    // relaxed: as above.
    return tn_load_relaxed(&token->clean_epoch);
}

// Whoever polls next compares, and walks no more.
Test(poll, remembers_in_all_tokens_on_its_way_that_they_were_unset)
{
    enum { DEPTH = 5 };
    tenon_token chain[DEPTH];
    tenon_token other;

    tenon_token_init(&other, NULL);
    for (int i = 0; i < DEPTH; i++) {
        tenon_token_init(&chain[i], i == 0 ? NULL : &chain[i - 1]);
    }
    for (int is_other_set = 0; is_other_set < 2; is_other_set++) {
        cr_expect(not(tenon_token_cancelled(&chain[DEPTH - 1])));
        for (int i = 0; i < DEPTH; i++) {
            cr_expect(eq(u64, epoch_of(&chain[i]), epoch_now()));
        }
        // It makes all others look once more.
        tenon_token_cancel(&other, 1, NULL);
    }
    for (int i = DEPTH - 1; i >= 0; i--) {
        tenon_token_fini(&chain[i]);
    }
    tenon_token_fini(&other);
}

static int poll_twice(tenon_task *self, void *arg)
{
    bool *is_well = arg;
    tenon_token other;

    tenon_token_init(&other, NULL);
    *is_well = !tenon_cancelled(self) && self->clean_epoch == epoch_now();
    tenon_token_cancel(&other, 1, NULL);
    *is_well &= self->clean_epoch != epoch_now();
    *is_well &= !tenon_cancelled(self) && self->clean_epoch == epoch_now();
    tenon_token_fini(&other);
    return TENON_OK;
}

Test(poll, of_a_task_is_a_compare_once_it_has_looked)
{
    tenon_executor *executor = pool_create(1);
    bool is_well = false;

    must_run(executor, poll_twice, &is_well, TENON_OK);
    cr_expect(is_well);
    pool_destroy(executor);
}
