// SPDX-License-Identifier: MIT
//
// platform — the system calls that have no portable name.
//
// One file per system implements it (platform_linux.c): a port is a new file.

#ifndef TN_BASE_PLATFORM_H
#define TN_BASE_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>

// [any] Ask for the right to call tn_membarrier(). False: not to be had.
bool tn_membarrier_register(void);

// [any] Every running thread of the process passes a full fence. False: failed.
bool tn_membarrier(void);

// [any] Name the calling thread, cut to what the system takes.
void tn_thread_set_name(const char *name);

// Where the frames of what the caller of this function called before it were.
#define TN_STACK_CALLEES \
    ((const char *)__builtin_frame_address(0) + 2 * sizeof(void *))

// [any] Is `place` on the calling thread's stack, below `end`: in a frame that
// has returned? False also where that is unknown, far below, and if `end` is on
// another stack (a coroutine's, a signal handler's).
bool tn_stack_has_left(const void *place, const void *end);

// [any] Add 1 to an eventfd(2).
void tn_eventfd_add(int event_fd);

// A large page of most processors.
#define TN_HUGE_BYTES ((size_t)2 * 1024 * 1024)

// [any] Fresh zeroed pages, or NULL. `align` is a power of two, >= a page.
void *tn_pages_map(size_t size_bytes, size_t align);

// [any] Have as few page faults as the system can do with in pages that are
// aligned to TN_HUGE_BYTES. A wish.
void tn_pages_prefer_huge(void *pages, size_t size_bytes);

// [any] Give back what tn_pages_map() gave, or a part of it. Accepts NULL.
void tn_pages_unmap(void *pages, size_t size_bytes);

// [any] Give the memory back but keep the addresses: they read as zero.
void tn_pages_discard(void *pages, size_t size_bytes);

#endif
