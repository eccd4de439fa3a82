// SPDX-License-Identifier: MIT
//
// clock — monotonic time in nanoseconds.

#ifndef TN_BASE_CLOCK_H
#define TN_BASE_CLOCK_H

#include <stdint.h>

// [any] Nanoseconds of CLOCK_MONOTONIC.
uint64_t tn_clock_now_ns(void);

#endif
