// SPDX-License-Identifier: MIT
//
// matrix — what the matrix workloads share: storage, the product of blocks that
// fit into a cache, and a check of the product of whole matrices.

#ifndef BENCH_MATRIX_H
#define BENCH_MATRIX_H

#include "common/bench.h"

#ifdef __cplusplus
extern "C" {
#endif

// Rows of a matrix begin a cache line further each, in different sets.
#define BENCH_MATRIX_PADDING 8

#define BENCH_MATRIX_SIZE_MAX 4096

// A matrix, or a rectangle in one. Whoever has it knows how large it is.
struct bench_matrix {
    double *values;
    size_t stride;  // from a row to the next, in doubles
};

// Of a product: c has rows x columns, a rows x inner, b inner x columns.
struct bench_matrix_shape {
    size_t row_count;
    size_t inner_count;
    size_t column_count;
};

// [driver] Memory for `count` doubles, zeroed and touched, at the beginning of
// a cache line; to be freed by free(). Exits with 1 if there is none.
double *bench_matrix_allocate(const struct bench *bench, size_t count);

// [driver] n x n zeros. `values` is to be freed by free().
struct bench_matrix bench_matrix_create(const struct bench *bench, size_t n);

// [any] n x n random whole numbers from -8 to 7: what is made of them by
// addition and multiplication is exact, in whatever order.
void bench_matrix_fill(struct bench_matrix matrix, size_t n, uint64_t seed);

// [any] Zeros again.
void bench_matrix_clear(struct bench_matrix matrix, size_t n);

// [any] c = a * b, or c += a * b if `is_added`. The numbers of rows and of
// columns are even, `inner_count` is a multiple of 4.
void bench_matrix_multiply(
    struct bench_matrix c, struct bench_matrix a, struct bench_matrix b,
    const struct bench_matrix_shape *shape, bool is_added);

// [driver] Exits with 1 unless c = a * b, all n x n and made of whole numbers.
void bench_matrix_check(
    const struct bench *bench, struct bench_matrix c, struct bench_matrix a,
    struct bench_matrix b, size_t n);

#ifdef __cplusplus
}
#endif

// [any] The part that begins there.
static inline struct bench_matrix bench_matrix_at(
    struct bench_matrix matrix, size_t row, size_t column)
{
    matrix.values += row * matrix.stride + column;
    return matrix;
}

#endif
