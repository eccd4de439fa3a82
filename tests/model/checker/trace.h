// SPDX-License-Identifier: MIT
//
// trace — prints one execution, step by step, when it is replayed.

#ifndef MC_TRACE_H
#define MC_TRACE_H

#include "checker/memory.h"
#include "checker/op.h"

#include <stdbool.h>
#include <stddef.h>

// Set around the execution that is to be printed.
extern bool mc_trace_is_on;

// [engine] A line of its own.
void mc_trace_write(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

// [engine] An access of `site`: what it read or wrote, and how old that is.
void mc_trace_access(
    const struct mc_site *site, const struct mc_location *location,
    const char *verb, uint64_t value, int index);

void mc_trace_site(const struct mc_site *site, const char *what);

void mc_trace_access_plain(
    bool is_write, const char *name, const volatile void *p, size_t size_bytes);

// Nothing at all, most of the time.
#define mc_trace_note(...) \
    (mc_trace_is_on ? mc_trace_write(__VA_ARGS__) : (void)0)
#define mc_trace_op(...) \
    (mc_trace_is_on ? mc_trace_access(__VA_ARGS__) : (void)0)
#define mc_trace_at(...) (mc_trace_is_on ? mc_trace_site(__VA_ARGS__) : (void)0)
#define mc_trace_plain(...) \
    (mc_trace_is_on ? mc_trace_access_plain(__VA_ARGS__) : (void)0)

#endif
