// SPDX-License-Identifier: MIT
//
// heat — the problem: heat spreads over an n x n plate whose edge is kept at 0,
// 50 steps in time; a step computes each point anew from itself and its four
// neighbours, in blocks of 16 rows, and ends before the next begins.
//
// It begins with a product of two sines, which is an eigenfunction of the step:
// after k steps every point must be what it was, times the eigenvalue to the
// power of k. All implementations call the same code for a block.

#ifndef BENCH_HEAT_HEAT_H
#define BENCH_HEAT_HEAT_H

#include "common/bench.h"

#define HEAT_SIZE_DEFAULT "1024"
#define HEAT_SIZE_MIN 16
#define HEAT_SIZE_MAX 65536
#define HEAT_STEP_COUNT 50
#define HEAT_BLOCK_ROWS 16

#ifdef __cplusplus
extern "C" {
#endif

// Two plates, row by row, with the edge around them.
struct heat {
    size_t side;         // points in a row, without the edge
    size_t block_count;  // of rows
    double *now;
    double *next;
    double *shape;  // the sine over the columns, edge included
};

// [driver] Begin the program, with memory for all. An operation is one
// block of rows in one step.
void heat_start(
    struct heat *heat, struct bench *bench, const char *implementation,
    int argc, char **argv);

// [driver] Back to the first moment.
void heat_reset(struct heat *heat);

// [any] Compute block number `block` of the next plate.
void heat_block(const struct heat *heat, size_t block);

// [one at a time] The step is done: the next plate is the one of now.
void heat_advance(struct heat *heat);

// [driver] Exits with 1 unless every point is what it must be after all steps.
void heat_check(const struct bench *bench, const struct heat *heat);

// [driver] Free what it holds.
void heat_end(struct heat *heat);

#ifdef __cplusplus
}
#endif

#endif
