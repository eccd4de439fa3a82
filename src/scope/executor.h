// SPDX-License-Identifier: MIT
//
// executor — which one is meant when none is named.

#ifndef TN_SCOPE_EXECUTOR_H
#define TN_SCOPE_EXECUTOR_H

#include "tenon/executor.h"

// [any] The calling task's, else the default one if there is one, else NULL.
tenon_executor *tn_executor_at_hand(void);

#endif
