// SPDX-License-Identifier: MIT
//
// config — what every public header needs of the compiler. Users need not
// include it.

#ifndef TENON_CONFIG_H
#define TENON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TENON_VERSION_MAJOR 0
#define TENON_VERSION_MINOR 1
#define TENON_VERSION_PATCH 0

#define TENON_API __attribute__((visibility("default")))
#define TENON_NODISCARD __attribute__((warn_unused_result))
#define TENON_PRINTF(text, first) \
    __attribute__((__format__(__printf__, text, first)))

// Private fields that threads share. C++ reads them by builtins. (The model
// checker has a load of its own.)
#ifdef __cplusplus
#define TENON_ATOMIC(type) __attribute__((aligned(sizeof(type)))) type
#define TENON_LOAD_RELAXED(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#else
#include <stdatomic.h>
#define TENON_ATOMIC(type) _Atomic(type)
#ifndef TENON_LOAD_RELAXED
#define TENON_LOAD_RELAXED(p) atomic_load_explicit((p), memory_order_relaxed)
#endif
#endif

// Units of time, in nanoseconds. Of whole numbers that are not negative; a
// fraction (0.5) is refused by the compiler: it would be 0, which is "none".
#define TENON_SECONDS(n) ((uint64_t)((n) | 0) * UINT64_C(1000000000))
#define TENON_MILLISECONDS(n) ((uint64_t)((n) | 0) * UINT64_C(1000000))
#define TENON_MICROSECONDS(n) ((uint64_t)((n) | 0) * UINT64_C(1000))

#ifdef __cplusplus
extern "C" {
#endif

/// The clock of deadlines, unless the executor was given another: nanoseconds
/// of CLOCK_MONOTONIC.
///
/// Threads:  any.
/// Errors:   none.
TENON_API uint64_t tenon_now_ns(void);

#ifdef __cplusplus
}
#endif

#endif
