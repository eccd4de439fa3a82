// SPDX-License-Identifier: MIT
//
// clock — a clock that stands still until the test moves it.
//
// Its time begins at one hour, so that there is a past. Any thread reads; the
// test's main thread moves.

#ifndef SUPPORT_CLOCK_H
#define SUPPORT_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>

#define CLOCK_BEGIN_NS UINT64_C(3600000000000)

struct test_clock {
    _Atomic(uint64_t) moved_ns;  // since the beginning; zeroed: none
};

// What the library calls; `clock` is a struct test_clock.
uint64_t test_clock_now_ns(void *clock);

// Move it forward. Whoever waits for it has to be told.
void test_clock_move(struct test_clock *clock, uint64_t by_ns);

#endif
