// SPDX-License-Identifier: MIT
//
// mutex — what shadow/pthread.h may use: a lock that the checker grants.

#ifndef MC_MUTEX_H
#define MC_MUTEX_H

#include "checker/op.h"

// [thread] Take the lock at `mutex`, sleeping while another thread has it.
void mc_mutex_lock(struct mc_site *site, const volatile void *mutex);

// [thread] Give it back, and wake one who sleeps for it.
void mc_mutex_unlock(struct mc_site *site, const volatile void *mutex);

// [thread] Nobody has it, or ever will again.
void mc_mutex_destroy(struct mc_site *site, const volatile void *mutex);

#endif
