// SPDX-License-Identifier: MIT
//
// updates — read-modify-writes: atomicity, release sequences, no hidden fence.

#include "litmus/litmus.h"

THREAD(add_one)
{
    tn_add_relaxed(&x, 1);
}

THREAD(final_x)
{
    r[0] = tn_load_relaxed(&x);
}

THREAD(claim_first)
{
    int expected = 0;

    r[0] = tn_cas_relaxed(&x, &expected, 1);
}

THREAD(claim_second)
{
    int expected = 0;

    r[1] = tn_cas_relaxed(&x, &expected, 1);
}

// A release sequence goes on through read-modify-writes of anybody.
THREAD(publish)
{
    tn_store_relaxed(&y, 1);
    tn_store_release(&x, 1);
}

THREAD(add_two)
{
    tn_add_relaxed(&x, 2);
}

THREAD(read_x_acquire_then_y)
{
    r[0] = tn_load_acquire(&x);
    r[1] = tn_load_relaxed(&y);
}

// But, since C++20, not through a plain store of the same thread.
THREAD(publish_then_store)
{
    tn_store_relaxed(&y, 1);
    tn_store_release(&x, 1);
    tn_store_relaxed(&x, 2);
}

// Store buffering with read-modify-writes in the place of the stores.
THREAD(exchange_x_then_y)
{
    (void)tn_exchange_acqrel(&x, 1);
    r[0] = tn_load_relaxed(&y);
}

THREAD(exchange_y_then_x)
{
    (void)tn_exchange_acqrel(&y, 1);
    r[1] = tn_load_relaxed(&x);
}

THREAD(cas_x_then_y)
{
    int expected = 0;

    (void)tn_cas_seqcst(&x, &expected, 1);
    r[0] = tn_load_relaxed(&y);
}

THREAD(cas_y_then_x)
{
    int expected = 0;

    (void)tn_cas_seqcst(&y, &expected, 1);
    r[1] = tn_load_relaxed(&x);
}

// A compare-and-swap that fails is a load, which may be old.
THREAD(write_y_then_x)
{
    tn_store_relaxed(&y, 1);
    tn_store_release(&x, 1);
}

THREAD(write_x_2)
{
    tn_store_relaxed(&x, 2);
}

THREAD(fail_x_relaxed)
{
    int expected = 7;

    (void)tn_cas_relaxed(&x, &expected, 8);
    r[0] = expected;
    r[1] = tn_load_relaxed(&y);
}

THREAD(fail_x_acquire)
{
    int expected = 7;

    (void)tn_cas_acqrel(&x, &expected, 8);
    r[0] = expected;
    r[1] = tn_load_relaxed(&y);
}

THREAD(read_x_then_fail)
{
    int expected = 7;

    r[0] = tn_load_relaxed(&x);
    (void)tn_cas_relaxed(&x, &expected, 8);
    r[1] = expected;
}

// Acquire and release halves of an exchange.
THREAD(exchange_release)
{
    tn_store_relaxed(&y, 1);
    (void)tn_exchange_release(&x, 1);
}

THREAD(exchange_acquire)
{
    r[0] = tn_exchange_acquire(&x, 2);
    r[1] = tn_load_relaxed(&y);
}

THREAD(exchange_relaxed_side)
{
    r[0] = tn_exchange_release(&x, 2);
    r[1] = tn_load_relaxed(&y);
}

// Narrow counters wrap in their own width.
static _Atomic(uint8_t) narrow;

THREAD(wrap)
{
    r[0] = tn_sub_release(&narrow, 1);
    r[1] = tn_add_acqrel(&narrow, 2) == 255;
    r[2] = tn_load_relaxed(&narrow);
}

const struct litmus litmus_updates[] = {
    {.name = "updates_are_atomic",
     .bodies = {add_one, add_one, add_one},
     .last = final_x,
     .register_count = 1,
     .expected = "3"},
    {.name = "cas_has_one_winner",
     .bodies = {claim_first, claim_second},
     .register_count = 2,
     .expected = "01 10"},
    {.name = "release_sequence_goes_through_updates",
     .bodies = {publish, add_two, read_x_acquire_then_y},
     .register_count = 2,
     .expected = "00 01 11 20 21 31"},
    {.name = "release_sequence_ends_at_a_store",
     .bodies = {publish_then_store, read_x_acquire_then_y},
     .register_count = 2,
     .expected = "00 01 11 20 21"},
    {.name = "store_buffering_acqrel_exchange_is_weak",
     .bodies = {exchange_x_then_y, exchange_y_then_x},
     .register_count = 2,
     .expected = "00 01 10 11"},
    {.name = "store_buffering_seqcst_cas_is_no_fence",
     .bodies = {cas_x_then_y, cas_y_then_x},
     .register_count = 2,
     .expected = "00 01 10 11"},
    {.name = "failed_cas_relaxed_learns_nothing",
     .bodies = {write_y_then_x, fail_x_relaxed},
     .register_count = 2,
     .expected = "00 01 10 11"},
    {.name = "failed_cas_acquire_learns",
     .bodies = {write_y_then_x, fail_x_acquire},
     .register_count = 2,
     .expected = "00 01 11"},
    {.name = "failed_cas_may_read_an_old_store",
     .bodies = {write_x_2, fail_x_acquire, write_y_then_x},
     .register_count = 2,
     .expected = "00 01 11 20 21"},
    {.name = "failed_cas_does_not_go_back",
     .bodies = {write_x_2, read_x_then_fail},
     .register_count = 2,
     .expected = "00 02 22"},
    {.name = "exchange_release_to_acquire_is_strong",
     .bodies = {exchange_release, exchange_acquire},
     .register_count = 2,
     .expected = "00 01 11"},
    {.name = "exchange_without_acquire_is_weak",
     .bodies = {exchange_release, exchange_relaxed_side},
     .register_count = 2,
     .expected = "00 01 10 11"},
    {.name = "updates_wrap_in_their_width",
     .bodies = {wrap},
     .register_count = 3,
     .expected = "011"},
    {.name = NULL},
};
