// SPDX-License-Identifier: MIT
//
// later — a task that goes on at another time: to try again, to look again, to
// do something every so often. It holds no worker until then. To begin later:
// the options `delay_ns` and `begin_ns` of a spawn.
//
//     return tenon_again(self, TENON_SECONDS(1));

#ifndef TENON_LATER_H
#define TENON_LATER_H

#include "tenon/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Call the function of `self` once more, `delay_ns` from now on by the
/// executor's clock, or as soon as its token is set: then to clean up, since
/// asking again gives TENON_CANCELLED. What this returns is to be returned by
/// the task. It is the same task: not ended, its argument not destroyed, what
/// it said with tenon_fail() kept until it ends; perhaps on another worker. Of
/// several calls the last counts; whoever returns something else has ended.
///
/// A task with a limiter gives its units back, and gets new ones before it goes
/// on; after a cancel it goes on without.
///
/// Owns:     the argument stays the task's: what it has to remember lies there.
/// Threads:  the one that runs `self`; aborts elsewhere.
/// Blocks:   never: it returns at once.
/// Errors:   TENON_AGAIN it is arranged; TENON_CANCELLED; TENON_EPERM `self` is
///           a forked child; TENON_ENOMEM; TENON_EAGAIN no timer thread;
///           TENON_EFORK.
TENON_API TENON_NODISCARD int tenon_again(tenon_task *self, uint64_t delay_ns);

#ifdef __cplusplus
}
#endif

#endif
