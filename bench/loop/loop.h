// SPDX-License-Identifier: MIT
//
// loop — the problem: a parallel loop of n turns with next to nothing to do:
// turn i counts up byte i, by a call of a function that no compiler sees into.
//
// What is measured is what starts the loop, divides it, and ends it. In the end
// each byte must have been counted up once per round.

#ifndef BENCH_LOOP_LOOP_H
#define BENCH_LOOP_LOOP_H

#include "common/bench.h"

#define LOOP_SIZE_DEFAULT "1000000"
#define LOOP_SIZE_MAX 10000000000

#ifdef __cplusplus
extern "C" {
#endif

struct loop {
    size_t count;
    uint8_t *marks;
};

// [driver] Begin the program. An operation is one turn.
void loop_start(
    struct loop *loop, struct bench *bench, const char *implementation,
    int argc, char **argv);

// [any] Turn number `i`.
void loop_turn(uint8_t *marks, size_t i);

// [driver] Exits with 1 unless every turn was taken once.
void loop_check(const struct bench *bench, const struct loop *loop);

// [driver] Free the marks.
void loop_end(struct loop *loop);

#ifdef __cplusplus
}
#endif

#endif
