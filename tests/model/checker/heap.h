// SPDX-License-Identifier: MIT
//
// heap — memory that lives for one execution, so an abandoned one leaks none.

#ifndef MC_HEAP_H
#define MC_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mc_block {
    char *begin;
    size_t size_bytes;
    int thread;  // who allocated it, at `clock`
    int16_t clock;
    bool is_freed;
};

// [thread] Memory of the current execution; NULL only where the driver wants
// it. Without `is_zero` it holds bytes 0xa5. No address is given twice, so a use
// after free is seen.
void *mc_heap_alloc(size_t size_bytes, size_t align, bool is_zero);

// [thread] Give it back. Fails the run if another thread may still use it, or
// if it is not the start of living memory. Accepts NULL.
void mc_heap_free(void *memory);

// [engine] The block around `address`, or NULL.
const struct mc_block *mc_heap_find(const volatile void *address);

// [engine] Forget every block.
void mc_heap_reset(void);

// [driver] The next `count` allocations of this execution find no memory.
void mc_heap_fail_next(int count);

// [driver] Blocks that were allocated in this execution and not freed.
int mc_heap_living(void);

#endif
