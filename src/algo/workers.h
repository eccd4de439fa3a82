// SPDX-License-Identifier: MIT
//
// workers — how many workers there are where a scope would be opened now.

#ifndef TN_ALGO_WORKERS_H
#define TN_ALGO_WORKERS_H

#include "tenon/executor.h"

#include <stdint.h>

// [any] At least 1. `executor` is a scope's option: NULL is the current one, or
// the process's.
tenon_status tn_workers_count(tenon_executor *executor, uint32_t *count);

#endif
