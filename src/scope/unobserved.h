// SPDX-License-Identifier: MIT
//
// unobserved — errors that nobody will read are shown to a hook.
//
// Behind tenon_set_unobserved_hook().

#ifndef TN_SCOPE_UNOBSERVED_H
#define TN_SCOPE_UNOBSERVED_H

#include "tenon/executor.h"
#include "tenon/report.h"

// [any] Show `report`, which has errors, of a scope in `executor`, which may be
// NULL. No lock may be held.
void tn_unobserved_tell(
    const tenon_executor *executor, const tenon_report *report);

#endif
