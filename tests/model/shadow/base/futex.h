// SPDX-License-Identifier: MIT
//
// futex — stands in for src/base/futex.h: the checker plays the kernel.

#ifndef TN_BASE_FUTEX_H
#define TN_BASE_FUTEX_H

#include "base/atomic.h"

#include <stdint.h>

#define TN_FOREVER UINT64_MAX

#define tn_futex_wait_until(word, expected, deadline_ns)                \
    __extension__({                                                     \
        MC_SITE(mc_site, MC_OP_FUTEX_WAIT, "futex_wait", 0, 0, #word);  \
        mc_op_futex_wait(                                               \
            &mc_site, (word), (expected), (deadline_ns) == TN_FOREVER); \
    })

#define tn_futex_wake(word, count)                                     \
    __extension__({                                                    \
        MC_SITE(mc_site, MC_OP_FUTEX_WAKE, "futex_wake", 0, 0, #word); \
        mc_op_futex_wake(&mc_site, (word), (count));                   \
    })

#endif
