// SPDX-License-Identifier: MIT
//
// fault — makes the system refuse threads and memory, on demand.
//
// For binaries that hold the static library and are linked with
// -Wl,--wrap=pthread_create,--wrap=malloc,--wrap=calloc,--wrap=aligned_alloc,
// --wrap=mmap64.
// Counts calls of the library and of the test, not those of the C library.

#ifndef SUPPORT_FAULT_H
#define SUPPORT_FAULT_H

#include <pthread.h>
#include <stdint.h>

#define FAULT_NEVER UINT32_MAX

// The next `count` calls of pthread_create succeed, those after it fail with
// EAGAIN; FAULT_NEVER: all succeed.
void fault_allow_threads(uint32_t count);

// The same for memory, whichever function is called.
void fault_allow_memory(uint32_t count);

// Called before memory is refused, unless NULL.
void fault_on_memory(void (*call)(void));

// How many calls have failed so.
uint32_t fault_count(void);

// A thread of the test's own, which is always allowed. 0, or an errno value.
int fault_create_thread(pthread_t *thread, void *(*fn)(void *arg), void *arg);

// Called before each pthread_create that succeeds, unless NULL.
void fault_on_thread(void (*call)(void));

#endif
