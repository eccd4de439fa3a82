// SPDX-License-Identifier: MIT
//
// cgroup — how many CPUs the control groups of this process pay for.
//
// Used by base/cpu to size an executor. No state: any thread, any time.

#ifndef TN_BASE_CGROUP_H
#define TN_BASE_CGROUP_H

#include <limits.h>

// Larger than every real limit, so that the smaller of two counts is the limit.
#define TN_CGROUP_NO_LIMIT UINT_MAX

// [any] The tightest CPU quota between the cgroup of this process and the root,
// v1 and v2, in CPUs rounded up (>= 1); TN_CGROUP_NO_LIMIT if there is none.
// `root_path` is "/", or a directory with a proc and a cgroup tree of a test.
unsigned tn_cgroup_cpu_limit(const char *root_path);

#endif
