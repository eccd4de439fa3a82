// SPDX-License-Identifier: MIT
//
// pthread — stands in front of <pthread.h>: locks are granted by the checker.
//
// A lock's first word is the checker's, and 0 in PTHREAD_MUTEX_INITIALIZER.

#ifndef MC_SHADOW_PTHREAD_H
#define MC_SHADOW_PTHREAD_H

// It is an extension, and the only way to reach the header behind this one.
#pragma GCC system_header
#include_next <pthread.h>

#include "checker/mutex.h"

// Not among the operations whose orders a mutant weakens.
#define MC_MUTEX_OF(call, name, order, mutex)                           \
    __extension__({                                                     \
        MC_SITE(mc_site, MC_OP_FUTEX_WAIT, name, order, order, #mutex); \
        call(&mc_site, (mutex));                                        \
        0;                                                              \
    })

#define pthread_mutex_init(mutex, attributes) \
    ((void)(attributes),                      \
     mc_op_init((mutex), sizeof(uint32_t), 0, "&(" #mutex ")->word"))
#define pthread_mutex_lock(mutex) \
    MC_MUTEX_OF(mc_mutex_lock, "mutex_lock", MC_ACQUIRE, mutex)
#define pthread_mutex_unlock(mutex) \
    MC_MUTEX_OF(mc_mutex_unlock, "mutex_unlock", MC_RELEASE, mutex)
#define pthread_mutex_destroy(mutex) \
    MC_MUTEX_OF(mc_mutex_destroy, "mutex_destroy", MC_ACQUIRE, mutex)

#endif
