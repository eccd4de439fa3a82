// SPDX-License-Identifier: MIT
//
// futex — sleep on a 32-bit word until somebody changes it and says so.
//
// The one way in which a thread of the library sleeps. (pthread_cond_signal of
// glibc before 2.41 can lose a signal: sourceware bug 25847.)

#ifndef TN_BASE_FUTEX_H
#define TN_BASE_FUTEX_H

#include "base/atomic.h"
#include "base/clock.h"

#include <stdint.h>

// [any, blocks] Sleep while `*word == expected`, until woken, until the
// monotonic clock reaches `deadline_ns`, or for no reason: callers loop.
void tn_futex_wait_until(
    _Atomic(uint32_t) *word, uint32_t expected, uint64_t deadline_ns);

// [any] Wake up to `count` sleepers. Reads nothing at `word`: it may be gone.
void tn_futex_wake(_Atomic(uint32_t) *word, int count);

#endif
