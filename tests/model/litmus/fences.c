// SPDX-License-Identifier: MIT
//
// fences — release, acquire, seq_cst, and the asymmetric pair.

#include "litmus/litmus.h"

#define EVERY \
    (1u << MC_FENCES_PAIRED | 1u << MC_FENCES_ALL | 1u << MC_FENCES_PORTABLE)
#define PAIRED (1u << MC_FENCES_PAIRED)
#define ALL (1u << MC_FENCES_ALL)
#define PORTABLE (1u << MC_FENCES_PORTABLE)

THREAD(pass_fenced)
{
    tn_store_relaxed(&x, 1);
    release_fence();
    tn_store_relaxed(&y, 1);
}

THREAD(pass_relaxed)
{
    tn_store_relaxed(&x, 1);
    tn_store_relaxed(&y, 1);
}

THREAD(pass_too_late)
{
    release_fence();
    tn_store_relaxed(&x, 1);
    tn_store_relaxed(&y, 1);
}

THREAD(receive_fenced)
{
    r[0] = tn_load_relaxed(&y);
    acquire_fence();
    r[1] = tn_load_relaxed(&x);
}

THREAD(receive_relaxed)
{
    r[0] = tn_load_relaxed(&y);
    r[1] = tn_load_relaxed(&x);
}

THREAD(receive_acquire)
{
    r[0] = tn_load_acquire(&y);
    r[1] = tn_load_relaxed(&x);
}

THREAD(x_fence_y)
{
    tn_store_relaxed(&x, 1);
    tn_fence_seqcst();
    r[0] = tn_load_relaxed(&y);
}

THREAD(y_fence_x)
{
    tn_store_relaxed(&y, 1);
    tn_fence_seqcst();
    r[1] = tn_load_relaxed(&x);
}

THREAD(y_x)
{
    tn_store_relaxed(&y, 1);
    r[1] = tn_load_relaxed(&x);
}

THREAD(x_light_y)
{
    tn_store_relaxed(&x, 1);
    tn_fence_light();
    r[0] = tn_load_relaxed(&y);
}

THREAD(y_light_x)
{
    tn_store_relaxed(&y, 1);
    tn_fence_light();
    r[1] = tn_load_relaxed(&x);
}

THREAD(y_heavy_x)
{
    tn_store_relaxed(&y, 1);
    tn_fence_heavy();
    r[1] = tn_load_relaxed(&x);
}

THREAD(x_heavy_y)
{
    tn_store_relaxed(&x, 1);
    tn_fence_heavy();
    r[0] = tn_load_relaxed(&y);
}

THREAD(write_x)
{
    tn_store_relaxed(&x, 1);
}

THREAD(write_y)
{
    tn_store_relaxed(&y, 1);
}

THREAD(read_x_fence_y)
{
    r[0] = tn_load_relaxed(&x);
    tn_fence_seqcst();
    r[1] = tn_load_relaxed(&y);
}

THREAD(read_y_fence_x)
{
    r[2] = tn_load_relaxed(&y);
    tn_fence_seqcst();
    r[3] = tn_load_relaxed(&x);
}

// What a reader saw before its fence, others see after theirs.
THREAD(read_x_fence_y_again)
{
    r[0] = tn_load_relaxed(&x);
    tn_fence_seqcst();
    r[1] = tn_load_relaxed(&y);
}

THREAD(y_fence_x_third)
{
    tn_store_relaxed(&y, 1);
    tn_fence_seqcst();
    r[2] = tn_load_relaxed(&x);
}

// A fence orders atomics; it publishes no plain memory.
THREAD(write_plain_then_fence)
{
    mc_plain_write(&plain, 1);
    tn_fence_seqcst();
    r[0] = tn_load_relaxed(&y);
}

THREAD(fence_then_read_plain)
{
    tn_store_relaxed(&y, 1);
    tn_fence_seqcst();
    r[1] = mc_plain_read(&plain);
}

const struct litmus litmus_fences[] = {
    {.name = "message_passing_fences_are_strong",
     .bodies = {pass_fenced, receive_fenced},
     .register_count = 2,
     .expected = "00 01 11"},
    {.name = "message_passing_release_fence_to_acquire_load_is_strong",
     .bodies = {pass_fenced, receive_acquire},
     .register_count = 2,
     .expected = "00 01 11"},
    {.name = "message_passing_release_fence_alone_is_weak",
     .bodies = {pass_fenced, receive_relaxed},
     .register_count = 2,
     .expected = "00 01 10 11"},
    {.name = "message_passing_acquire_fence_alone_is_weak",
     .bodies = {pass_relaxed, receive_fenced},
     .register_count = 2,
     .expected = "00 01 10 11"},
    {.name = "message_passing_fence_before_the_data_is_weak",
     .bodies = {pass_too_late, receive_fenced},
     .register_count = 2,
     .expected = "00 01 10 11"},
    {.name = "store_buffering_two_fences_are_strong",
     .bodies = {x_fence_y, y_fence_x},
     .register_count = 2,
     .expected = "01 10 11"},
    {.name = "store_buffering_one_fence_is_weak",
     .bodies = {x_fence_y, y_x},
     .register_count = 2,
     .expected = "00 01 10 11"},
    {.name = "store_buffering_light_and_heavy_are_strong",
     .bodies = {x_light_y, y_heavy_x},
     .register_count = 2,
     .fences = EVERY,
     .expected = "01 10 11"},
    {.name = "store_buffering_two_heavy_are_strong",
     .bodies = {x_heavy_y, y_heavy_x},
     .register_count = 2,
     .fences = EVERY,
     .expected = "01 10 11"},
    {.name = "store_buffering_two_light_are_weak",
     .bodies = {x_light_y, y_light_x},
     .register_count = 2,
     .fences = PAIRED | ALL,
     .expected = "00 01 10 11"},
    {.name = "store_buffering_two_light_are_strong_if_portable",
     .bodies = {x_light_y, y_light_x},
     .register_count = 2,
     .fences = PORTABLE,
     .expected = "01 10 11"},
    {.name = "store_buffering_heavy_without_light_is_weak",
     .bodies = {x_heavy_y, y_x},
     .register_count = 2,
     .fences = PAIRED | PORTABLE,
     .expected = "00 01 10 11"},
    // Too strong: the compiler could still swap the other side's accesses.
    {.name = "store_buffering_heavy_strikes_everybody",
     .bodies = {x_heavy_y, y_x},
     .register_count = 2,
     .fences = ALL,
     .expected = "01 10 11"},
    {.name = "store_buffering_light_and_seqcst_are_weak",
     .bodies = {x_light_y, y_fence_x},
     .register_count = 2,
     .fences = PAIRED | ALL,
     .expected = "00 01 10 11"},
    {.name = "independent_reads_with_fences_agree",
     .bodies = {write_x, write_y, read_x_fence_y, read_y_fence_x},
     .register_count = 4,
     .expected = "0000 0001 0010 0011 0100 0101 0110 0111 "
                 "1000 1001 1011 1100 1101 1110 1111"},
    // As in C++20; C11 as printed allowed 100.
    {.name = "fences_pass_on_what_was_read",
     .bodies = {write_x, read_x_fence_y_again, y_fence_x_third},
     .register_count = 3,
     .expected = "000 001 010 011 101 110 111"},
    {.name = "fences_create_no_happens_before",
     .bodies = {write_plain_then_fence, fence_then_read_plain},
     .expected_failure = "data race"},
    {.name = NULL},
};
