// SPDX-License-Identifier: MIT
//
// worker — stands in front of src/sched/worker.h: gives each thread its name.
//
// The modelled threads share one thread of the machine, and with it what that
// has of its own. None of them is a worker. Outside of them the first one acts.

#ifndef MC_SHADOW_WORKER_H
#define MC_SHADOW_WORKER_H

// It is an extension, and the only way to reach the header behind this one.
#pragma GCC system_header
#define tn_thread_self tn_thread_self_shipped
#include_next "sched/worker.h"
#undef tn_thread_self

#include "checker/model.h"

static inline const void *tn_thread_self(void)
{
    int index = mc_thread_index();

    return (const char *)&tn_worker_here + (index < 0 ? 0 : index);
}

#endif
