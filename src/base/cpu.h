// SPDX-License-Identifier: MIT
//
// cpu — how many CPUs this process may use, hence how many workers it needs.
//
// Used once for each executor. No state: any thread, any time.
// `unsigned count; if (!tn_cpu_default_count(&count)) { return TENON_EINVAL; }`

#ifndef TN_BASE_CPU_H
#define TN_BASE_CPU_H

#include <stdbool.h>

// The largest number of workers, and so of CPUs, that we count to.
#define TN_CPU_COUNT_MAX 65535U

// [any] TENON_NUM_THREADS if it is set, else tn_cpu_count(). False: it is set
// to nonsense, and `*out` is untouched.
bool tn_cpu_default_count(unsigned *out);

// [any] The smallest of affinity, cgroup quota and CPUs online, in
// 1..TN_CPU_COUNT_MAX. Reads /proc and /sys: about 0.2 ms.
unsigned tn_cpu_count(void);

// [any] The same with the proc and cgroup trees below `root_path`, for tests.
unsigned tn_cpu_count_at(const char *root_path);

// [any] CPUs on which the calling thread may run, TN_CPU_COUNT_MAX if unknown.
unsigned tn_cpu_affinity_count(void);

// [any] `text` is digits and nothing else, in 1..TN_CPU_COUNT_MAX. False: it is
// not, or NULL, and `*out` is untouched.
bool tn_cpu_parse_count(const char *text, unsigned *out);

#endif
