// SPDX-License-Identifier: MIT
//
// watchdog — ends a program that gets nowhere, and says where it stands.
//
// Used by support.c. It waits for 20 s without a step, prints, and aborts.

#ifndef TESTS_STRESS_WATCHDOG_H
#define TESTS_STRESS_WATCHDOG_H

#include <stdint.h>

// [main]
void watchdog_start(void);

// [main] Ends its thread.
void watchdog_stop(void);

// [any] The program got on.
void watchdog_step(void);

// [main] `dump` is called before the end, beside the threads that hang.
void watchdog_on_hang(void (*dump)(void));

// [any] How many threads the process has, by the kernel's count.
uint32_t watchdog_thread_count(void);

#endif
