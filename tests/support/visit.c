// SPDX-License-Identifier: MIT
//
// visit — the clock first, the count last: who sees the count sees the time.

#include "visit.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <tenon/executor.h>

int visit_note(tenon_task *self, void *arg)
{
    struct visit *visit = arg;

    (void)self;
    atomic_store(&visit->last_ns, tenon_executor_now_ns(NULL));
    atomic_fetch_add(&visit->count, 1);
    return TENON_OK;
}

void visit_note_destroyed(void *arg)
{
    struct visit *visit = arg;

    atomic_fetch_add(&visit->destroyed_count, 1);
}

void visit_expect(struct visit *visit, unsigned count, uint64_t at_ns)
{
    cr_expect(eq(u32, atomic_load(&visit->count), count));
    cr_expect(eq(u64, atomic_load(&visit->last_ns), at_ns));
}
