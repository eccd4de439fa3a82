// SPDX-License-Identifier: MIT
//
// fence — stands in for src/base/fence.h: the checker plays both sides.

#ifndef TN_BASE_FENCE_H
#define TN_BASE_FENCE_H

#include "base/atomic.h"

// Which kind it is, the search decides.
#define tn_fence_is_asymmetric true

#define tn_fence_setup() ((void)0)

// A thief looks once for an answer: it comes or it does not.
#define tn_fence_patience_ns(running_count) ((void)(running_count), UINT64_C(0))

#define tn_fence_light() \
    MC_FENCE_OF(mc_op_fence_light, MC_OP_FENCE_LIGHT, "fence_light", MC_LIGHT)

#define tn_fence_heavy() \
    MC_FENCE_OF(mc_op_fence_heavy, MC_OP_FENCE_HEAVY, "fence_heavy", MC_HEAVY)

#endif
