// SPDX-License-Identifier: MIT
//
// mutex — a word: 1 while a thread has the lock.
//
// No barrier but that of a lock: who takes it knows what was done before it was
// given back. Who sleeps for it has no claim: another may be faster.

#include "checker/mutex.h"

#include "checker/model.h"
#include "checker/schedule.h"

enum { FREE, TAKEN };

void mc_mutex_lock(struct mc_site *site, const volatile void *mutex)
{
    while (mc_op_update(site, mutex, sizeof(uint32_t), MC_EXCHANGE, TAKEN) !=
           FREE) {
        mc_schedule_sleep(mutex, true);
    }
}

void mc_mutex_unlock(struct mc_site *site, const volatile void *mutex)
{
    mc_op_store(site, mutex, sizeof(uint32_t), FREE);
    mc_schedule_wake(mutex, 1);
}

void mc_mutex_destroy(struct mc_site *site, const volatile void *mutex)
{
    if (mc_op_load(site, mutex, sizeof(uint32_t)) != FREE) {
        mc_fail("a lock ends that somebody has");
    }
}
