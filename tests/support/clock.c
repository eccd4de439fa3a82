// SPDX-License-Identifier: MIT
//
// clock — one number.

#include "clock.h"

uint64_t test_clock_now_ns(void *clock)
{
    struct test_clock *own = clock;

    return CLOCK_BEGIN_NS + atomic_load(&own->moved_ns);
}

void test_clock_move(struct test_clock *clock, uint64_t by_ns)
{
    atomic_fetch_add(&clock->moved_ns, by_ns);
}
