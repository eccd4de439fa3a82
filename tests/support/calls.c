// SPDX-License-Identifier: MIT
//
// calls — one gather, one comparison.

#include "calls.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

int calls_gather_in_task(tenon_task *self, void *arg)
{
    struct calls_gather *gather = arg;
    tenon_report *report = gather->has_no_report ? NULL : &gather->report;

    (void)self;
    gather->status =
        gather->goes_on
            ? tenon_gather_all(
                  gather->calls, gather->call_count, gather->options, report)
            : tenon_gather(
                  gather->calls, gather->call_count, gather->options, report);
    return gather->status;
}

void calls_expect(const tenon_call *call, tenon_outcome outcome, int status)
{
    bool has_failed = outcome == TENON_OUTCOME_FAILED;

    cr_expect(eq(int, (int)call->outcome, (int)outcome));
    cr_expect(eq(int, call->status, status));
    cr_expect(eq(int, call->error != NULL, has_failed));
    if (call->error != NULL) {
        cr_expect(eq(int, call->error->code, status));
    }
}
