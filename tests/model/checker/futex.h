// SPDX-License-Identifier: MIT
//
// futex — what the kernel knows of the words that threads sleep on.

#ifndef MC_FUTEX_H
#define MC_FUTEX_H

// [engine] Forget every wake-up.
void mc_futex_reset(void);

#endif
