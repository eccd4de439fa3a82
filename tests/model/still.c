// SPDX-License-Identifier: MIT
//
// still — stands for what no scenario has any of, deadlines of tokens that
// belong to no scope, and for what none looks at, gauges.

#include "sched/foreign.h"
#include "scope/deadline.h"

void tn_deadline_end(tenon_token *token)
{
    (void)token;
}

void tn_foreign_count(
    struct tn_foreign *foreign, uint32_t tally, uint64_t difference)
{
    (void)foreign;
    (void)tally;
    (void)difference;
}
