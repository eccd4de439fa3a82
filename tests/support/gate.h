// SPDX-License-Identifier: MIT
//
// gate — a place where threads wait until the test lets them go on.
//
// Closed when zeroed; once open, open for ever. Every wait has a deadline, so
// a test that waits for what never comes fails instead of hanging. Any thread.

#ifndef SUPPORT_GATE_H
#define SUPPORT_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

// Longer than any test needs, on a slow machine under valgrind too; shorter
// than a test's timeout.
#define GATE_PATIENCE_NS UINT64_C(10000000000)

struct gate {
    _Atomic(uint32_t) push_count;
};

// One push; a plain gate is open after the first.
void gate_open(struct gate *gate);

bool gate_is_open(struct gate *gate);

// False: the patience has run out.
bool gate_wait(struct gate *gate);

// Wait until it has been pushed `count` times.
bool gate_wait_for(struct gate *gate, uint32_t count);

// How often it was pushed.
uint32_t gate_count(struct gate *gate);

// Wait, giving the processor away, until `check(context)`. For what cannot
// push a gate. False: the patience has run out.
bool gate_poll(bool (*check)(void *context), void *context);

#endif
