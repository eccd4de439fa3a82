// SPDX-License-Identifier: MIT
//
// matmul — the problem: the product of two n x n matrices of doubles, its
// largest dimension halved until blocks fit into a cache.
//
// Halves of rows or columns are independent: a task each. Halves of the inner
// dimension are added to the same block, one after the other. Few tasks, each of
// some 30 us: what counts is who works on which block.
//
// Source:  Frigo, Leiserson, Prokop and Ramachandran, "Cache-Oblivious
//          Algorithms", FOCS 1999: REC-MULT.

#ifndef BENCH_MATMUL_MATMUL_H
#define BENCH_MATMUL_MATMUL_H

#include "common/matrix.h"

#include <stdlib.h>

#define MATMUL_SIZE_DEFAULT "1024"
#define MATMUL_BLOCK 64

// c = a * b, or c += a * b.
struct matmul {
    struct bench_matrix c;
    struct bench_matrix a;
    struct bench_matrix b;
    struct bench_matrix_shape shape;
    bool is_added;
};

// [any] Is it for the kernel?
static inline bool matmul_is_block(const struct matmul *matmul)
{
    const struct bench_matrix_shape *shape = &matmul->shape;

    return shape->row_count <= MATMUL_BLOCK &&
           shape->inner_count <= MATMUL_BLOCK &&
           shape->column_count <= MATMUL_BLOCK;
}

// [any] The kernel.
static inline void matmul_block(const struct matmul *matmul)
{
    bench_matrix_multiply(
        matmul->c, matmul->a, matmul->b, &matmul->shape, matmul->is_added);
}

// [any] Halve the largest dimension. True: the halves may be multiplied at the
// same time. False: only in this order.
static inline bool matmul_halve(
    const struct matmul *whole, struct matmul halves[2])
{
    struct matmul *first = &halves[0];
    struct matmul *second = &halves[1];
    struct bench_matrix_shape half = whole->shape;

    *first = *whole;
    *second = *whole;
    if (half.row_count >= half.inner_count &&
        half.row_count >= half.column_count) {
        half.row_count /= 2;
        second->c = bench_matrix_at(whole->c, half.row_count, 0);
        second->a = bench_matrix_at(whole->a, half.row_count, 0);
    } else if (half.column_count >= half.inner_count) {
        half.column_count /= 2;
        second->c = bench_matrix_at(whole->c, 0, half.column_count);
        second->b = bench_matrix_at(whole->b, 0, half.column_count);
    } else {
        half.inner_count /= 2;
        second->a = bench_matrix_at(whole->a, 0, half.inner_count);
        second->b = bench_matrix_at(whole->b, half.inner_count, 0);
        second->is_added = true;
    }
    first->shape = half;
    second->shape = half;
    return whole->shape.inner_count == half.inner_count;
}

// [driver] Begin the program and make the matrices. Exits with 2 unless the
// size is a power of two.
static inline struct matmul matmul_start(
    struct bench *bench, const char *implementation, int argc, char **argv)
{
    struct matmul matmul;

    bench_init(bench, "matmul", implementation);
    bench->size = MATMUL_SIZE_DEFAULT;
    bench_parse(bench, argc, argv);
    size_t n = (size_t)bench_size_number(bench, BENCH_MATRIX_SIZE_MAX);
    if (n < MATMUL_BLOCK || (n & (n - 1)) != 0) {
        bench_usage(bench, "the size is no power of two from 64 up");
    }
    bench->operation_count = 2 * (uint64_t)n * n * n;
    matmul.c = bench_matrix_create(bench, n);
    matmul.a = bench_matrix_create(bench, n);
    matmul.b = bench_matrix_create(bench, n);
    matmul.shape.row_count = n;
    matmul.shape.inner_count = n;
    matmul.shape.column_count = n;
    matmul.is_added = false;
    bench_matrix_fill(matmul.a, n, 1);
    bench_matrix_fill(matmul.b, n, 2);
    return matmul;
}

// [driver] Is there a further round? Then nothing of the last product is left.
static inline bool matmul_again(
    struct bench *bench, const struct matmul *matmul)
{
    bench_matrix_clear(matmul->c, matmul->shape.row_count);
    return bench_again(bench);
}

// [driver] Exits with 1 unless the product is right.
static inline void matmul_check(
    const struct bench *bench, const struct matmul *matmul)
{
    bench_matrix_check(
        bench, matmul->c, matmul->a, matmul->b, matmul->shape.row_count);
}

// [driver] Free the matrices, end as bench_report() does.
static inline int matmul_end(struct bench *bench, const struct matmul *matmul)
{
    free(matmul->c.values);
    free(matmul->a.values);
    free(matmul->b.values);
    return bench_report(bench);
}

#endif
