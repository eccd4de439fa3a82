// SPDX-License-Identifier: MIT
//
// check — three levels of assertion: always, debug builds, slow debug builds.
//
// tn_require() is for a broken invariant or a misuse that no return code can
// report: it prints what and where, then aborts. Expected failures are codes.

#ifndef TN_BASE_CHECK_H
#define TN_BASE_CHECK_H

#include <stdbool.h>

// [any] Print "tenon: file:line: message" on stderr and abort.
_Noreturn void tn_fail_check(
    const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define tn_require(condition, ...) \
    ((condition) ? (void)0 : tn_fail_check(__FILE__, __LINE__, __VA_ARGS__))

#ifdef TN_DEBUG
#define tn_assert(condition) tn_require((condition), "assert: " #condition)
#else
#define tn_assert(condition) ((void)sizeof(condition))
#endif

#ifdef TN_DEBUG_SLOW
#define tn_assert_slow(condition) tn_require((condition), "assert: " #condition)
#else
#define tn_assert_slow(condition) ((void)sizeof(condition))
#endif

#define tn_likely(condition) __builtin_expect(!!(condition), 1)
#define tn_unlikely(condition) __builtin_expect(!!(condition), 0)

#endif
