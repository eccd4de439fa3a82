// SPDX-License-Identifier: MIT
//
// retry — tries again what failed, later and later. The task holds no worker
// between the attempts, and does not sleep past a deadline; a cancel is never
// tried again.
//
//     static int fetch_patiently(tenon_task *self, void *arg)
//     {
//         struct request *request = arg;  // with a zeroed tenon_retry in it
//
//         return tenon_retry_attempt(
//             self, &request->retry, fetch, request,
//             TENON_RETRY_OPTIONS(.max_attempts = 5));
//     }

#ifndef TENON_RETRY_H
#define TENON_RETRY_H

#include "tenon/later.h"
#include "tenon/report.h"

#ifdef __cplusplus
extern "C" {
#endif

/// As `max_attempts`: as long as nothing else ends it. As `jitter_percent`:
/// none.
#define TENON_NO_MAXIMUM UINT32_MAX
#define TENON_NO_JITTER UINT32_MAX

/// Is what an attempt came to worth another one? `report->primary`, unless
/// NULL, has the code of its task; TENON_TIMEOUT if it took too long.
typedef bool tenon_retry_if_fn(const tenon_report *report, void *context);

typedef struct tenon_retry_options {
    size_t struct_size;       ///< set by the macro; in C++ by you: its sizeof
    const char *name;         ///< of the attempts; NULL: none
    uint32_t max_attempts;    ///< 0: 5
    uint32_t factor;          ///< of a delay to the one before; 0: 2
    uint64_t first_delay_ns;  ///< before the second attempt; 0: 100 ms
    uint64_t max_delay_ns;    ///< 0: 30 s
    /// So much of a delay, 0 to 100, is random, so that not all come back at
    /// the same time. 0: 100, of TENON_NO_JITTER nothing.
    uint32_t jitter_percent;
    uint64_t seed;                ///< of that randomness; 0: another each time
    uint64_t attempt_timeout_ns;  ///< for each attempt; 0: none
    tenon_retry_if_fn *retry_if;  ///< NULL: every failure
    void *context;                ///< for it
} tenon_retry_options;

#define TENON_RETRY_OPTIONS(...)   \
    (&(const tenon_retry_options){ \
        .struct_size = sizeof(tenon_retry_options), __VA_ARGS__})

/// How far it has come. Zero it before the task is spawned; where the task's
/// argument lies.
typedef struct tenon_retry {
    uint32_t attempt_count;  ///< made so far
    uint64_t random;         // private
} tenon_retry;

/// Make one attempt: run `fn(task, arg)` as a task of its own in a scope inside
/// `self`. What this returns is to be returned by `self`: the success, or that
/// it is to be called again (tenon_again()), or the last attempt's code, with
/// an error that says after how many attempts it was given up and why, of the
/// domain of the last attempt's error, and has the errors of all attempts as
/// children.
///
/// Source:   exponential backoff with full jitter: M. Brooker, "Exponential
///           Backoff And Jitter", AWS Architecture Blog, 2015.
/// Owns:     `retry` and `arg` are yours and must live until the task has
///           ended; the options need live until this returns, and should be the
///           same each time.
/// Threads:  the one that runs `self`, a spawned task.
/// Blocks:   for one attempt, as tenon_scope_join().
/// Errors:   TENON_AGAIN; TENON_CANCELLED `self` was cancelled; TENON_EINVAL an
///           option; else what the last attempt failed with (TENON_TIMEOUT: it
///           took too long).
TENON_API TENON_NODISCARD int tenon_retry_attempt(
    tenon_task *self, tenon_retry *retry, tenon_task_fn *fn, void *arg,
    const tenon_retry_options *options);

#ifdef __cplusplus
}
#endif

#endif
