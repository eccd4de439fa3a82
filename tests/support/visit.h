// SPDX-License-Identifier: MIT
//
// visit — a task that notes when it ran, and how often.

#ifndef SUPPORT_VISIT_H
#define SUPPORT_VISIT_H

#include <stdatomic.h>
#include <stdint.h>
#include <tenon/limiter.h>
#include <tenon/task.h>

struct visit {
    atomic_uint count;
    _Atomic(uint64_t) last_ns;  // by the clock of the executor that ran it
    atomic_uint destroyed_count;
};

// Notes it in the struct visit that `arg` points to. Returns TENON_OK.
tenon_task_fn visit_note;

// Argument destructor.
tenon_destroy_fn visit_note_destroyed;

// [main] Expect so many, the last one at that time.
void visit_expect(struct visit *visit, unsigned count, uint64_t at_ns);

#endif
