// SPDX-License-Identifier: MIT
//
// submit — the problem: threads that are not the pool's own submit n empty
// tasks between them; the clock stops when all have run.
//
// Empty tasks leave no trace, so the first warm-up round submits tasks that
// count themselves, and that count is checked. An operation is one task.

#ifndef BENCH_SUBMIT_SUBMIT_H
#define BENCH_SUBMIT_SUBMIT_H

#include "common/bench.h"

#define SUBMIT_SIZE_DEFAULT "1000000"
#define SUBMIT_SIZE_MAX 100000000
#define SUBMIT_SUBMITTERS_MAX 64

#ifdef __cplusplus
extern "C" {
#endif

// What submitter number `index` does: submit `count` tasks.
typedef void submit_fn(void *context, uint64_t index, uint64_t count);

// [driver] Begin the program and return n.
uint64_t submit_start(
    struct bench *bench, const char *implementation, int argc, char **argv);

// [driver, blocks] Start the submitters, each with its share, and wait until
// they have submitted all. (To start a thread costs less than a thousandth of
// the round.)
void submit_all(const struct bench *bench, submit_fn *fn, void *context);

// [driver] Exits with 1 unless the round that counts has counted all tasks.
void submit_check(const struct bench *bench, uint64_t ran_count);

#ifdef __cplusplus
}
#endif

#endif
