// SPDX-License-Identifier: MIT
//
// memory — the problem: n tasks spawned into one group faster than they run.
// The sample is resident memory after the join less that before, in MiB; the
// peak is told beside it.
//
// A gate keeps the tasks queued: none ends before the last one is spawned,
// unless it runs on the thread that spawns.

#ifndef BENCH_MEMORY_MEMORY_H
#define BENCH_MEMORY_MEMORY_H

#include "common/bench.h"

#define MEMORY_SIZE_DEFAULT "10000000"
#define MEMORY_SIZE_MAX 1000000000

#ifdef __cplusplus
extern "C" {
#endif

struct memory {
    struct bench *bench;
    uint64_t task_count;
    double before_mib;

    // Shared by the tasks.
    uint64_t ran_count;
    uint32_t is_open;
};

// [driver] Begin the program, which measures once.
void memory_start(
    struct memory *memory, struct bench *bench, const char *implementation,
    int argc, char **argv);

// [spawner] The pool has run a few tasks by now: measure, and shut the gate.
void memory_before(struct memory *memory);

// [spawner] All tasks are spawned: open the gate.
void memory_spawned(struct memory *memory);

// [any, blocks] What a task does: wait at the gate, count itself.
void memory_task(struct memory *memory);

// [spawner] All tasks have ended: check that they ran, measure, and record.
void memory_after(struct memory *memory);

#ifdef __cplusplus
}
#endif

#endif
