// SPDX-License-Identifier: MIT
//
// still — stands for what no scenario has any of: deadlines of tokens that
// belong to no scope.

#include "scope/deadline.h"

void tn_deadline_end(tenon_token *token)
{
    (void)token;
}
