// SPDX-License-Identifier: MIT
//
// sleep — futexes, deadlines, and the ends that are failures.

#include "litmus/litmus.h"

THREAD(set_and_wake)
{
    tn_store_release(&word, 1);
    tn_futex_wake(&word, 1);
}

THREAD(wake_then_set)
{
    tn_futex_wake(&word, 1);
    tn_store_release(&word, 1);
}

THREAD(set_without_wake)
{
    tn_store_release(&word, 1);
}

THREAD(wait_in_a_loop)
{
    while (tn_load_acquire(&word) == 0) {
        tn_futex_wait_until(&word, 0, TN_FOREVER);
    }
    r[0] = (int)tn_load_relaxed(&word);
}

THREAD(wait_once)
{
    if (tn_load_acquire(&word) == 0) {
        tn_futex_wait_until(&word, 0, TN_FOREVER);
    }
    mc_check(tn_load_acquire(&word) == 1);
    r[0] = 1;
}

THREAD(wait_until_deadline)
{
    tn_futex_wait_until(&word, 0, 1000);
    r[0] = (int)tn_load_acquire(&word);
}

THREAD(wait_for_the_wrong_value)
{
    tn_futex_wait_until(&word, 1, TN_FOREVER);
    r[0] = (int)tn_load_acquire(&word);
}

THREAD(wait_second)
{
    while (tn_load_acquire(&word) == 0) {
        tn_futex_wait_until(&word, 0, TN_FOREVER);
    }
    r[1] = (int)tn_load_relaxed(&word);
}

THREAD(set_and_wake_two)
{
    tn_store_release(&word, 1);
    tn_futex_wake(&word, 2);
}

THREAD(spin)
{
    while (tn_load_acquire(&x) == 0) {
        tn_pause();
    }
    r[0] = 1;
}

THREAD(nobody)
{
}

const struct litmus litmus_sleep[] = {
    {.name = "wait_loop_is_always_woken",
     .bodies = {set_and_wake, wait_in_a_loop},
     .register_count = 1,
     .spurious_bound = 1,
     .expected = "1"},
    {.name = "wait_loop_of_two_is_always_woken",
     .bodies = {set_and_wake_two, wait_in_a_loop, wait_second},
     .register_count = 2,
     .expected = "11"},
    {.name = "waking_one_of_two_is_too_few",
     .bodies = {set_and_wake, wait_in_a_loop, wait_second},
     .expected_failure = "lost wake-up"},
    {.name = "wake_before_the_store_is_lost",
     .bodies = {wake_then_set, wait_in_a_loop},
     .expected_failure = "lost wake-up"},
    {.name = "store_without_wake_is_lost",
     .bodies = {set_without_wake, wait_in_a_loop},
     .expected_failure = "lost wake-up"},
    {.name = "wait_without_loop_is_caught_by_a_spurious_return",
     .bodies = {set_and_wake, wait_once},
     .spurious_bound = 1,
     .expected_failure = "not true"},
    {.name = "deadline_may_pass_before_the_wake",
     .bodies = {set_and_wake, wait_until_deadline},
     .register_count = 1,
     .expected = "0 1"},
    {.name = "wait_returns_if_the_word_differs",
     .bodies = {nobody, wait_for_the_wrong_value},
     .register_count = 1,
     .expected = "0"},
    {.name = "spinning_on_nothing_is_a_livelock",
     .bodies = {nobody, spin},
     .expected_failure = "livelock"},
    {.name = NULL},
};
