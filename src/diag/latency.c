// SPDX-License-Identifier: MIT
//
// latency — the executor's counts, copied and summed up.

#include "tenon/latency.h"

#include "base/atomic.h"
#include "scope/open.h"

tenon_status tenon_latency_get(tenon_executor *executor, tenon_latency *latency)
{
    if (executor == NULL || latency == NULL ||
        latency->struct_size != sizeof(*latency)) {
        return TENON_EINVAL;
    }
    struct tn_upper *upper = tn_open_upper(executor);
    latency->count = 0;
    for (size_t i = 0; i < TENON_LATENCY_BUCKETS; i++) {
        // relaxed: a gauge.
        latency->counts[i] = tn_load_relaxed(&upper->latency_counts[i]);
        latency->count += latency->counts[i];
    }
    // relaxed: likewise.
    latency->max_ns = tn_load_relaxed(&upper->latency_max_ns);
    return TENON_OK;
}

// The first bucket in which so many have been seen.
uint64_t tenon_latency_quantile(const tenon_latency *latency, double share)
{
    double wanted = share * (double)latency->count;
    uint64_t seen_count = 0;

    for (size_t i = 0; i < TENON_LATENCY_BUCKETS; i++) {
        seen_count += latency->counts[i];
        if (latency->counts[i] > 0 && (double)seen_count >= wanted) {
            uint64_t end_ns = UINT64_C(1) << i;
            return end_ns < latency->max_ns ? end_ns : latency->max_ns;
        }
    }
    return 0;
}
