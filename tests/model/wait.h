// SPDX-License-Identifier: MIT
//
// wait — the plainest waiting: stands for src/sched/wait.c and
// src/sync/parker.c.
//
// Threads of the driver are foreign ones: they run nothing while they wait.

#ifndef MC_WAIT_H
#define MC_WAIT_H

// [driver, in setup] So many times the time is up when a wait returns from its
// park: it retracts and announces itself again, as workers do.
void wait_reset(int retract_count);

#endif
