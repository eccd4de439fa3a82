// SPDX-License-Identifier: MIT
//
// base — what shipped code calls of src/base and is no header.

#include "checker/heap.h"
#include "checker/model.h"
#include "checker/op.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/platform.h"

#include <stdarg.h>
#include <stdio.h>

void tn_fail_check(const char *file, int line, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    mc_fail("%s:%d: %s", mc_file_name(file), line, text);
}

// It stands still.
uint64_t tn_clock_now_ns(void)
{
    return 1;
}

void *tn_pages_map(size_t size_bytes, size_t align)
{
    return mc_heap_alloc(size_bytes, align, true);
}

void tn_pages_prefer_huge(void *pages, size_t size_bytes)
{
    (void)pages;
    (void)size_bytes;
}

void tn_pages_unmap(void *pages, size_t size_bytes)
{
    (void)size_bytes;
    mc_heap_free(pages);
}

void tn_pages_discard(void *pages, size_t size_bytes)
{
    mc_op_discard(pages, size_bytes);
}
