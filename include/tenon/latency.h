// SPDX-License-Identifier: MIT
//
// latency — how long tasks take from a cancel to their end, per executor.
//
//     status = tenon_latency_get(executor, &latency);
//     uint64_t p99_ns = tenon_latency_quantile(&latency, 0.99);

#ifndef TENON_LATENCY_H
#define TENON_LATENCY_H

#include "tenon/executor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TENON_LATENCY_BUCKETS 64

/// Of all tasks that have ended CANCELLED so far, forked children among them:
/// the time from the cancel to the end of their function, also of one that
/// began after its cancel because it is always started.
typedef struct tenon_latency {
    size_t struct_size;  ///< set by the caller
    uint64_t count;
    uint64_t max_ns;
    /// counts[i]: of at least 2^(i-1) and less than 2^i nanoseconds; counts[0]:
    /// of none.
    uint64_t counts[TENON_LATENCY_BUCKETS];
} tenon_latency;

/// Of what changes meanwhile, an estimate.
///
/// Threads:  any.
/// Errors:   TENON_EINVAL no executor, or `struct_size` unset.
TENON_API TENON_NODISCARD tenon_status
tenon_latency_get(tenon_executor *executor, tenon_latency *latency);

/// A time that so large a share of them, 0 to 1, did not exceed: the upper end
/// of the bucket, at most twice as long as it took. 0 if there are none.
///
/// Threads:  any.
/// Errors:   none.
TENON_API uint64_t
tenon_latency_quantile(const tenon_latency *latency, double share);

#ifdef __cplusplus
}
#endif

#endif
