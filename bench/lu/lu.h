// SPDX-License-Identifier: MIT
//
// lu — the problem: split an n x n matrix into a lower and an upper triangular
// one, in place, in blocks of 32 x 32. Step k splits the diagonal block, then
// solves for the blocks right of it and below it, then subtracts their products
// from all blocks that are left. What one step computes the next one needs.
//
// The matrix is random and diagonally dominant, so nothing is pivoted. The
// answer is right if L times (U times x) is A times x, for a random x. All
// implementations call the same code for a block.
//
// Source:   Golub and Van Loan, "Matrix Computations", on right-looking block
//           LU.

#ifndef BENCH_LU_LU_H
#define BENCH_LU_LU_H

#include "common/bench.h"

#define LU_SIZE_DEFAULT "1536"
#define LU_SIZE_MAX 16384
#define LU_BLOCK 32

#ifdef __cplusplus
extern "C" {
#endif

// Block after block, in each row after row; so are the blocks themselves.
struct lu {
    size_t side;  // in blocks
    double *matrix;
    double *original;
};

// [driver] Begin the program, with a random matrix; its size is a multiple of
// the block's. An operation is one block in one step.
void lu_start(
    struct lu *lu, struct bench *bench, const char *implementation, int argc,
    char **argv);

// [driver] Back to the original matrix.
void lu_reset(struct lu *lu);

// [any] Split the diagonal block of a step.
void lu_split(const struct lu *lu, size_t step);

// [any] Solve for block number `index` of lu_edge_count(), once that is done.
void lu_solve(const struct lu *lu, size_t step, size_t index);

// [any] Subtract from block number `index` of lu_rest_count(), once the two
// blocks that it needs are solved.
void lu_subtract(const struct lu *lu, size_t step, size_t index);

// [driver] Exits with 1 unless the product of both is the original.
void lu_check(const struct bench *bench, const struct lu *lu);

// [driver] Free the matrix.
void lu_end(struct lu *lu);

#ifdef __cplusplus
}
#endif

// [any] Blocks right of the diagonal one, then as many below it.
static inline size_t lu_edge_count(const struct lu *lu, size_t step)
{
    return 2 * (lu->side - step - 1);
}

// [any] Blocks both right of the diagonal one and below it, row after row.
static inline size_t lu_rest_count(const struct lu *lu, size_t step)
{
    return (lu->side - step - 1) * (lu->side - step - 1);
}

// [any] The block at a row and a column of blocks.
static inline double *lu_block(const struct lu *lu, size_t row, size_t column)
{
    return lu->matrix + (row * lu->side + column) * LU_BLOCK * LU_BLOCK;
}

#endif
