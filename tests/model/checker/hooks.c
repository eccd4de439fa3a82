// SPDX-License-Identifier: MIT
//
// hooks — plain accesses of shipped code, reported by the compiler.
//
// With -fsanitize=thread the compiler calls a function before each plain access
// to memory that may be shared. ThreadSanitizer's library is not linked: these
// take its place and hand the access to race.c. Atomics do not come here,
// because the stand-in headers have made function calls of them.

#include "checker/heap.h"
#include "checker/race.h"
#include "checker/undo.h"

#include <string.h>

// The compiler calls these by name and has no header for them.
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller)
{
    (void)caller;
}

void __tsan_func_exit(void)
{
}

static void wrote(void *p, size_t size_bytes)
{
    if (mc_heap_find(p) == NULL) {
        mc_undo_note(p, size_bytes);
    }
    mc_race_write(p, size_bytes, "shipped memory");
}

#define HOOK(size)                               \
    void __tsan_read##size(void *p)              \
    {                                            \
        mc_race_read(p, size, "shipped memory"); \
    }                                            \
    void __tsan_write##size(void *p)             \
    {                                            \
        wrote(p, size);                          \
    }                                            \
    void __tsan_unaligned_read##size(void *p)    \
    {                                            \
        mc_race_read(p, size, "shipped memory"); \
    }                                            \
    void __tsan_unaligned_write##size(void *p)   \
    {                                            \
        wrote(p, size);                          \
    }                                            \
    void __tsan_volatile_read##size(void *p)     \
    {                                            \
        mc_race_read(p, size, "shipped memory"); \
    }                                            \
    void __tsan_volatile_write##size(void *p)    \
    {                                            \
        wrote(p, size);                          \
    }

HOOK(1)
HOOK(2)
HOOK(4)
HOOK(8)
HOOK(16)

void __tsan_read_range(void *p, size_t size_bytes)
{
    mc_race_read(p, size_bytes, "shipped memory");
}

void __tsan_write_range(void *p, size_t size_bytes)
{
    mc_race_write(p, size_bytes, "shipped memory");
}

void *__tsan_memcpy(void *to, const void *from, size_t size_bytes)
{
    mc_race_read(from, size_bytes, "shipped memory");
    wrote(to, size_bytes);
    return memcpy(to, from, size_bytes);
}

void *__tsan_memset(void *to, int byte, size_t size_bytes)
{
    wrote(to, size_bytes);
    return memset(to, byte, size_bytes);
}
