// SPDX-License-Identifier: MIT
//
// limiter — units for what may run at the same time: of one scope, or shared by
// many. First in, first out; nobody overtakes, however few units are asked for.
//
//     TENON_SCOPE_OPTIONS(.limiter = &connections)

#ifndef TENON_LIMITER_H
#define TENON_LIMITER_H

#include "tenon/task.h"

#include <pthread.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Private inside. May lie anywhere; may not move between init and fini.
struct tenon_limiter {
    pthread_mutex_t lock;
    uint64_t limit;
    uint64_t used;
    void *first;  // who waits
    void *last;
    uint64_t waiting_count;
};
typedef struct tenon_limiter tenon_limiter;

/// Make a limiter of `unit_count` units; 0: nothing runs until it is resized.
///
/// Owns:     `limiter` is yours; it must outlive every scope that uses it.
/// Threads:  one, before it is shared.
/// Errors:   none.
TENON_API void tenon_limiter_init(tenon_limiter *limiter, uint32_t unit_count);

/// Change the number of units. Fewer than are in use: nobody new gets any until
/// enough were given back.
///
/// Threads:  any.
/// Blocks:   never.
/// Errors:   none.
TENON_API void tenon_limiter_resize(
    tenon_limiter *limiter, uint32_t unit_count);

/// Take units at once, or not.
///
/// Owns:     the units are yours until tenon_limiter_release().
/// Threads:  any.
/// Blocks:   never.
/// Errors:   TENON_EAGAIN too few are free, or others wait; TENON_EINVAL 0
///           units; TENON_EFORK. (In the child of a fork(2) the others do
///           nothing.)
TENON_API TENON_NODISCARD tenon_status
tenon_limiter_try_acquire(tenon_limiter *limiter, uint32_t unit_count);

/// Take units, waiting for them in the order of asking. More units than there
/// are: until it is resized.
///
/// Owns:     as tenon_limiter_try_acquire().
/// Threads:  the one that runs `self`; aborts elsewhere.
/// Blocks:   until they are free, or `deadline_ns` of the executor's clock
///           (TENON_NO_DEADLINE: for ever), as tenon_scope_next() of wait.h.
///           Waits for ever if `self`, or what waits for it, has them.
/// Errors:   TENON_CANCELLED `self` is cancelled; TENON_ENOTREADY not by then;
///           TENON_EINVAL 0 units; TENON_EAGAIN no timer thread; TENON_EFORK.
TENON_API TENON_NODISCARD tenon_status tenon_limiter_acquire_until(
    tenon_task *self, tenon_limiter *limiter, uint32_t unit_count,
    uint64_t deadline_ns);

/// Give units back: to who waits longest.
///
/// Threads:  any.
/// Blocks:   never.
/// Errors:   aborts if so many are not in use.
TENON_API void tenon_limiter_release(
    tenon_limiter *limiter, uint32_t unit_count);

/// How many units are in use, and how many tasks and callers wait. Either may
/// be NULL.
///
/// Threads:  any.
/// Errors:   none.
TENON_API void tenon_limiter_look(
    tenon_limiter *limiter, uint64_t *used_count, uint64_t *waiting_count);

/// End it. Accepts zeroed memory.
///
/// Threads:  one.
/// Errors:   aborts if units are in use or somebody waits.
TENON_API void tenon_limiter_fini(tenon_limiter *limiter);

#ifdef __cplusplus
}
#endif

#endif
