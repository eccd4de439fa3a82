// SPDX-License-Identifier: MIT
//
// units — what a limiter must be in, for the test's main thread.

#ifndef SUPPORT_UNITS_H
#define SUPPORT_UNITS_H

#include <stdint.h>
#include <tenon/limiter.h>

// [main] Expect so many units in use and so many waiting for some.
void units_expect(
    tenon_limiter *limiter, uint64_t used_count, uint64_t waiting_count);

#endif
