// SPDX-License-Identifier: MIT
//
// parker — a place for one thread to wait at, known by a small number.
//
// Parkers are never freed, so a wake-up that comes late touches valid memory:
// the number may be handed around in a word that outlives nothing.

#ifndef TN_SYNC_PARKER_H
#define TN_SYNC_PARKER_H

#include "base/atomic.h"
#include "base/futex.h"

#include <stdint.h>

#define TN_PARKER_NONE UINT32_C(0)
#define TN_PARKER_MAX UINT32_C(65535)

// [any] This thread's parker, 1 .. TN_PARKER_MAX, given back when the thread
// ends. TN_PARKER_NONE: no memory, or too many threads.
uint32_t tn_parker_of_thread(void);

// [its thread, blocks] Wait for one tn_parker_unpark(), past or to come, or
// for `deadline_ns`, or for no reason: callers loop.
void tn_parker_park_until(uint32_t parker, uint64_t deadline_ns);

// [any] Let its thread go on, now or at its next park.
void tn_parker_unpark(uint32_t parker);

#endif
