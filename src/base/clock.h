// SPDX-License-Identifier: MIT
//
// clock — monotonic time in nanoseconds, or a clock that somebody else moves.

#ifndef TN_BASE_CLOCK_H
#define TN_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// As a time: later than any.
#define TN_FOREVER UINT64_MAX

// Zeroed: CLOCK_MONOTONIC.
struct tn_clock {
    uint64_t (*now_ns)(void *context);
    void *context;
};

// [any] Nanoseconds of CLOCK_MONOTONIC.
uint64_t tn_clock_now_ns(void);

// [any] Does it move by itself?
static inline bool tn_clock_is_real(const struct tn_clock *clock)
{
    return clock->now_ns == NULL;
}

// [any]
static inline uint64_t tn_clock_read_ns(const struct tn_clock *clock)
{
    return tn_clock_is_real(clock) ? tn_clock_now_ns()
                                   : clock->now_ns(clock->context);
}

#endif
