// SPDX-License-Identifier: MIT
//
// stdlib — stands in front of <stdlib.h>: memory comes from the checker.
//
// So an execution that is given up leaks nothing, addresses repeat, and a use
// after free is seen.

#ifndef MC_SHADOW_STDLIB_H
#define MC_SHADOW_STDLIB_H

// It is an extension, and the only way to reach the header behind this one.
#pragma GCC system_header
#include_next <stdlib.h>

#include "checker/heap.h"

#define malloc(size_bytes) mc_heap_alloc((size_bytes), 16, false)
#define calloc(count, size_bytes) \
    mc_heap_alloc((count) * (size_bytes), 16, true)
#define aligned_alloc(align, size_bytes) \
    mc_heap_alloc((size_bytes), (align), false)
#define free(memory) mc_heap_free(memory)

#endif
