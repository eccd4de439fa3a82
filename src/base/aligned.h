// SPDX-License-Identifier: MIT
//
// aligned — memory for elements of any type that a vector unit may want: it
// begins on a cache line.

#ifndef TN_BASE_ALIGNED_H
#define TN_BASE_ALIGNED_H

#include "base/atomic.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

// [any] An array, for free(), or NULL. What is in it is not set.
static inline void *tn_alloc_aligned(size_t count, size_t size)
{
    size_t size_bytes = 0;

    if (__builtin_mul_overflow(count, size, &size_bytes) ||
        size_bytes > PTRDIFF_MAX - TN_CACHE_LINE) {
        return NULL;
    }
    return aligned_alloc(
        TN_CACHE_LINE,
        (size_bytes + TN_CACHE_LINE - 1) / TN_CACHE_LINE * TN_CACHE_LINE);
}

#endif
