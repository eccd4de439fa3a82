// SPDX-License-Identifier: MIT
//
// blocking — for tasks that have to wait for the world: a sleep that a cancel
// ends, and system calls that may take long, while another thread has the core.
//
//     tenon_blocking_begin(self);
//     count = read(fd, buffer, sizeof(buffer));
//     tenon_blocking_end(self);

#ifndef TENON_BLOCKING_H
#define TENON_BLOCKING_H

#include "tenon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Sleep until `deadline_ns` of the executor's clock, or until the running task
/// is cancelled (tenon_cancelled()). A spare thread has the core meanwhile.
///
/// Threads:  the one that runs `self`; aborts elsewhere.
/// Blocks:   yes, running nothing.
/// Errors:   TENON_CANCELLED; TENON_EAGAIN no timer thread; TENON_EFORK.
TENON_API TENON_NODISCARD tenon_status
tenon_sleep_until(tenon_task *self, uint64_t deadline_ns);

/// As tenon_sleep_until(), for `duration_ns` from now on.
///
/// Threads:  as tenon_sleep_until().
/// Blocks:   as tenon_sleep_until().
/// Errors:   as tenon_sleep_until().
TENON_API TENON_NODISCARD tenon_status
tenon_sleep(tenon_task *self, uint64_t duration_ns);

/// From now on the running task waits for the system: a spare thread takes the
/// core, if there is one to be had (tenon_executor_options.spare_count). Until
/// tenon_blocking_end() call nothing of Tenon's but tenon_cancelled(). May be
/// nested; the outermost pair counts.
///
/// Threads:  the one that runs `self`; aborts elsewhere.
/// Blocks:   for the start of a thread at most.
/// Errors:   none: without a spare the core is idle meanwhile.
TENON_API void tenon_blocking_begin(tenon_task *self);

/// The task computes again.
///
/// Threads:  the one that runs `self`; aborts elsewhere, and without a begin.
/// Blocks:   never: for a moment one thread too many may run.
/// Errors:   none.
TENON_API void tenon_blocking_end(tenon_task *self);

#ifdef __cplusplus
}
#endif

#endif
