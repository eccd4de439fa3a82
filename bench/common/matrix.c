// SPDX-License-Identifier: MIT
//
// matrix — row by row in memory; all sums are exact.
//
// Source:  Freivalds, "Probabilistic machines can use less running time", IFIP
//          1977: to check c = a * b, compare c * x with a * (b * x) for a random
//          vector x.
// Shape:   two rows of c by four of b at a time: 16 operations for six numbers
//          loaded and two stored, which compilers make vectors of. One row at a
//          time reached 14 Gflop/s where this reaches 16 (SSE2, Zen 4), eight
//          columns of two rows kept in registers 9.

#include "common/matrix.h"

#include "common/random.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROWS_AT_ONCE = 2,
    INNER_AT_ONCE = 4,
    ALIGNMENT = 64,
    // Of the random vector: a wrong product is taken for right once in 2^20.
    VECTOR_BITS = 20
};

double *bench_matrix_allocate(const struct bench *bench, size_t count)
{
    size_t size = count * sizeof(double);
    double *values = aligned_alloc(
        ALIGNMENT, (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);

    bench_require(bench, values != NULL, "no memory for matrices");
    memset(values, 0, size);
    return values;
}

struct bench_matrix bench_matrix_create(const struct bench *bench, size_t n)
{
    size_t stride = n + BENCH_MATRIX_PADDING;

    return (struct bench_matrix){
        .values = bench_matrix_allocate(bench, n * stride), .stride = stride};
}

void bench_matrix_fill(struct bench_matrix matrix, size_t n, uint64_t seed)
{
    for (size_t row = 0; row < n; row++) {
        for (size_t column = 0; column < n; column++) {
            int value = (int)(bench_random_next(&seed) >> 60);

            bench_matrix_at(matrix, row, column).values[0] = value - 8;
        }
    }
}

void bench_matrix_clear(struct bench_matrix matrix, size_t n)
{
    memset(matrix.values, 0, n * matrix.stride * sizeof(double));
}

// Adds the product of two rows of a, four columns wide, and four rows of b.
// (gcc heeds `restrict` of parameters, not of local variables.)
static inline void add_rows(
    double *restrict c0, double *restrict c1, const double *a0,
    const double *a1, struct bench_matrix b, size_t column_count)
{
    const double *b0 = b.values;
    const double *b1 = b0 + b.stride;
    const double *b2 = b1 + b.stride;
    const double *b3 = b2 + b.stride;

    for (size_t i = 0; i < column_count; i++) {
        c0[i] += a0[0] * b0[i] + a0[1] * b1[i] + a0[2] * b2[i] + a0[3] * b3[i];
        c1[i] += a1[0] * b0[i] + a1[1] * b1[i] + a1[2] * b2[i] + a1[3] * b3[i];
    }
}

static void clear_rows(struct bench_matrix rows, size_t column_count)
{
    for (size_t row = 0; row < ROWS_AT_ONCE; row++) {
        memset(
            bench_matrix_at(rows, row, 0).values, 0,
            column_count * sizeof(double));
    }
}

void bench_matrix_multiply(
    struct bench_matrix c, struct bench_matrix a, struct bench_matrix b,
    const struct bench_matrix_shape *shape, bool is_added)
{
    for (size_t row = 0; row < shape->row_count; row += ROWS_AT_ONCE) {
        struct bench_matrix rows = bench_matrix_at(c, row, 0);

        if (!is_added) {
            clear_rows(rows, shape->column_count);
        }
        for (size_t i = 0; i < shape->inner_count; i += INNER_AT_ONCE) {
            const double *a0 = bench_matrix_at(a, row, i).values;

            add_rows(
                rows.values, rows.values + rows.stride, a0, a0 + a.stride,
                bench_matrix_at(b, i, 0), shape->column_count);
        }
    }
}

static void multiply_vector(
    double *result, struct bench_matrix matrix, const double *vector, size_t n)
{
    for (size_t row = 0; row < n; row++) {
        result[row] = 0;
        for (size_t i = 0; i < n; i++) {
            result[row] +=
                bench_matrix_at(matrix, row, i).values[0] * vector[i];
        }
    }
}

void bench_matrix_check(
    const struct bench *bench, struct bench_matrix c, struct bench_matrix a,
    struct bench_matrix b, size_t n)
{
    double *x = bench_matrix_allocate(bench, 4 * n);
    double *bx = x + n;
    double *abx = bx + n;
    double *cx = abx + n;
    uint64_t random = 1977;
    bool is_right = true;

    for (size_t i = 0; i < n; i++) {
        x[i] = (double)(bench_random_next(&random) >> (64 - VECTOR_BITS));
    }
    multiply_vector(bx, b, x, n);
    multiply_vector(abx, a, bx, n);
    multiply_vector(cx, c, x, n);
    for (size_t row = 0; row < n; row++) {
        is_right = is_right && !(cx[row] < abx[row] || cx[row] > abx[row]);
    }
    bench_require(bench, is_right, "wrong answer: it is not the product");
    free(x);
}
