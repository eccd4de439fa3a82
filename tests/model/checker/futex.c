// SPDX-License-Identifier: MIT
//
// futex — sleep and wake as the kernel promises them, and no more.
//
// A wait that begins after a wake has returned sees what the waker knew of the
// word (both pass the lock of the same queue). A wait that begins earlier may
// still read an older value; then it sleeps and the wake finds it. Neither
// gives any order to other locations: callers bring their own.

#include "checker/futex.h"

#include "checker/op.h"
#include "checker/read.h"
#include "checker/schedule.h"
#include "checker/thread.h"
#include "checker/trace.h"

#include <string.h>

static struct mc_view known_to_kernel;

void mc_futex_reset(void)
{
    memset(&known_to_kernel, 0, sizeof(known_to_kernel));
}

void mc_op_futex_wait(
    struct mc_site *site, const volatile void *word, uint32_t expected,
    bool is_forever)
{
    site->was_reached = true;
    mc_schedule_point(MC_STEP_LOUD);
    struct mc_location *location =
        mc_memory_find(word, sizeof(uint32_t), site->object);
    int16_t *oldest = &mc_self->current.lanes[location->lane];

    *oldest = mc_view_newer(*oldest, known_to_kernel.lanes[location->lane]);
    int index = mc_read_choose(location, *oldest);
    uint64_t seen = location->history[index]->value;

    *oldest = (int16_t)index;
    mc_trace_op(site, location, "is", seen, index);
    if (seen != expected) {
        return;
    }
    bool was_woken = mc_schedule_sleep(word, is_forever);
    mc_trace_at(site, was_woken ? "returns, woken" : "returns, not woken");
}

void mc_op_futex_wake(
    struct mc_site *site, const volatile void *word, int count)
{
    site->was_reached = true;
    mc_schedule_point(MC_STEP_LOUD);
    // Not found: nobody has used the word, or it is gone. Both are allowed.
    struct mc_location *location = mc_memory_peek(word);

    if (location != NULL) {
        int16_t *known = &known_to_kernel.lanes[location->lane];
        *known = mc_view_newer(*known, mc_self->current.lanes[location->lane]);
    }
    int woken = mc_schedule_wake(word, count);

    mc_trace_at(site, woken > 0 ? "woke a sleeper" : "found no sleeper");
}
