// SPDX-License-Identifier: MIT
//
// status — what a call or a task came to: 0 is well, negative is Tenon's,
// positive is the user's own (errno values fit).

#ifndef TENON_STATUS_H
#define TENON_STATUS_H

#include "tenon/config.h"

#ifdef __cplusplus
extern "C" {
#endif

/// One of the codes below, or, as a task's result, any positive number.
typedef int tenon_status;

enum {
    TENON_OK = 0,
    TENON_CANCELLED = -1,  ///< stopped, or refused, because of a cancel
    TENON_ERRORS = -2,     ///< join: a task, the body or a callback failed
    TENON_TIMEOUT = -3,    ///< join: the scope's own deadline stopped something
    TENON_EINVAL = -4,     ///< an argument or option makes no sense
    TENON_ENOMEM = -5,     ///< no memory; nothing was started
    TENON_EPERM = -6,    ///< not the owner, or neither descendant nor reference
    TENON_EDEADLK = -7,  ///< would wait for itself
    TENON_EALREADY = -8,  ///< was done before
    TENON_ECLOSED = -9,   ///< the scope takes no more tasks
    TENON_EBUSY = -10,    ///< something still lives in it
    TENON_EAGAIN =
        -11,  ///< a thread, a place, or a write to a stream was refused
    TENON_ENOTREADY = -12,  ///< no outcome yet
    TENON_ESTRUCT = -13,    ///< scopes were not closed in the order of nesting
    TENON_EFORK = -14,      ///< the process forked: its child has no executor
    TENON_ENORESULT = -15,  ///< any-ok: no task succeeded, and none failed
    TENON_END = -16,        ///< next: all that were spawned have been given
    TENON_AGAIN = -17       ///< of a task: its function is to be called again
};

/// The name of a code, as in the source ("TENON_EINVAL"); "error" for others.
///
/// Owns:     a static string.
/// Threads:  any.
/// Errors:   none.
TENON_API const char *tenon_status_name(tenon_status status);

#ifdef __cplusplus
}
#endif

#endif
