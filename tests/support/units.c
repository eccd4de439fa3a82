// SPDX-License-Identifier: MIT
//
// units — look and compare.

#include "units.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

void units_expect(
    tenon_limiter *limiter, uint64_t used_count, uint64_t waiting_count)
{
    uint64_t used = UINT64_MAX;
    uint64_t waiting = UINT64_MAX;

    tenon_limiter_look(limiter, &used, &waiting);
    cr_expect(eq(u64, used, used_count));
    cr_expect(eq(u64, waiting, waiting_count));
}
