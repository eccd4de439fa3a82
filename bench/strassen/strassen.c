// SPDX-License-Identifier: MIT
//
// strassen — what a node does besides its seven products, and its memory.
//
// Shape:   with quarters a11 a12 / a21 a22 and so on,
//              s1 = a21 + a22    t1 = b12 - b11    p1 = a11 * b11
//              s2 = s1 - a11     t2 = b22 - t1     p2 = a12 * b21
//              s3 = a11 - a21    t3 = b22 - b12    p3 = s4 * b22
//              s4 = a12 - s2     t4 = t2 - b21     p4 = a22 * t4
//              p5 = s1 * t1      p6 = s2 * t2      p7 = s3 * t3
//              c11 = p1 + p2                       c12 = p1 + p6 + p5 + p3
//              c21 = p1 + p6 + p7 - p4             c22 = p1 + p6 + p7 + p5
//          The space of a node has four s, four t, p1, p5 and p6, then the
//          spaces of the seven. p2, p3, p4 and p7 are made where c11, c12, c21
//          and c22 will be. Each of the s, the t and the c is one pass.

#include "strassen/strassen.h"

#include <stdlib.h>

enum { S1, S2, S3, S4, T1, T2, T3, T4, P1, P5, P6, TEMPORARY_COUNT };

// One temporary.
static size_t temporary_size(size_t half)
{
    return half * (half + BENCH_MATRIX_PADDING);
}

// In doubles.
static size_t space_of(size_t n)
{
    if (n <= STRASSEN_BLOCK) {
        return 0;
    }
    return TEMPORARY_COUNT * temporary_size(n / 2) +
           STRASSEN_PRODUCTS * space_of(n / 2);
}

struct strassen strassen_start(
    struct bench *bench, const char *implementation, int argc, char **argv)
{
    struct strassen strassen;

    bench_init(bench, "strassen", implementation);
    bench->size = STRASSEN_SIZE_DEFAULT;
    bench_parse(bench, argc, argv);
    size_t n = (size_t)bench_size_number(bench, BENCH_MATRIX_SIZE_MAX);
    if (n < STRASSEN_BLOCK || (n & (n - 1)) != 0) {
        bench_usage(bench, "the size is no power of two from 128 up");
    }
    strassen.c = bench_matrix_create(bench, n);
    strassen.a = bench_matrix_create(bench, n);
    strassen.b = bench_matrix_create(bench, n);
    strassen.n = n;
    strassen.space = bench_matrix_allocate(bench, space_of(n));
    bench_matrix_fill(strassen.a, n, 1);
    bench_matrix_fill(strassen.b, n, 2);
    return strassen;
}

bool strassen_again(struct bench *bench, const struct strassen *strassen)
{
    bench_matrix_clear(strassen->c, strassen->n);
    return bench_again(bench);
}

void strassen_check(const struct bench *bench, const struct strassen *strassen)
{
    bench_matrix_check(
        bench, strassen->c, strassen->a, strassen->b, strassen->n);
}

int strassen_end(struct bench *bench, const struct strassen *strassen)
{
    free(strassen->c.values);
    free(strassen->a.values);
    free(strassen->b.values);
    free(strassen->space);
    return bench_report(bench);
}

bool strassen_block(const struct strassen *whole)
{
    const struct bench_matrix_shape shape = {whole->n, whole->n, whole->n};

    if (whole->n > STRASSEN_BLOCK) {
        return false;
    }
    bench_matrix_multiply(whole->c, whole->a, whole->b, &shape, false);
    return true;
}

static struct bench_matrix temporary(const struct strassen *whole, size_t index)
{
    size_t half = whole->n / 2;

    return (struct bench_matrix){
        .values = whole->space + index * temporary_size(half),
        .stride = half + BENCH_MATRIX_PADDING};
}

// A row of s1 and of the three that lie `distance` apart behind it, from one of
// a11 and that `down` behind it, each `half` of a row of a.
static void add_s(
    double *restrict s, size_t distance, const double *a, size_t down,
    size_t half)
{
    for (size_t i = 0; i < half; i++) {
        double a11 = a[i];
        double a21 = a[down + i];
        double s1 = a21 + a[down + half + i];
        double s2 = s1 - a11;

        s[S1 * distance + i] = s1;
        s[S2 * distance + i] = s2;
        s[S3 * distance + i] = a11 - a21;
        s[S4 * distance + i] = a[half + i] - s2;
    }
}

// The same for b.
static void add_t(
    double *restrict t, size_t distance, const double *b, size_t down,
    size_t half)
{
    for (size_t i = 0; i < half; i++) {
        double b12 = b[half + i];
        double b22 = b[down + half + i];
        double t1 = b12 - b[i];
        double t2 = b22 - t1;

        t[(T1 - T1) * distance + i] = t1;
        t[(T2 - T1) * distance + i] = t2;
        t[(T3 - T1) * distance + i] = b22 - b12;
        t[(T4 - T1) * distance + i] = t2 - b[down + i];
    }
}

// A row of c11 and c12, and that `down` behind it: there are p2, p3, p4 and p7.
static void add_c(
    double *restrict c, size_t down, size_t half, const double *p1,
    const double *p5, const double *p6)
{
    for (size_t i = 0; i < half; i++) {
        double sum = p1[i] + p6[i];
        double sum_p7 = sum + c[down + half + i];

        c[i] = p1[i] + c[i];
        c[half + i] = sum + p5[i] + c[half + i];
        c[down + i] = sum_p7 - c[down + i];
        c[down + half + i] = sum_p7 + p5[i];
    }
}

static double *row_of(struct bench_matrix matrix, size_t row)
{
    return bench_matrix_at(matrix, row, 0).values;
}

static void add_before(const struct strassen *whole)
{
    size_t half = whole->n / 2;
    size_t distance = temporary_size(half);

    for (size_t row = 0; row < half; row++) {
        add_s(
            row_of(temporary(whole, S1), row), distance, row_of(whole->a, row),
            half * whole->a.stride, half);
    }
    for (size_t row = 0; row < half; row++) {
        add_t(
            row_of(temporary(whole, T1), row), distance, row_of(whole->b, row),
            half * whole->b.stride, half);
    }
}

void strassen_split(
    const struct strassen *whole, struct strassen products[STRASSEN_PRODUCTS])
{
    size_t half = whole->n / 2;
    struct bench_matrix c = whole->c;
    struct bench_matrix a = whole->a;
    struct bench_matrix b = whole->b;
    struct bench_matrix a22 = bench_matrix_at(a, half, half);
    struct bench_matrix b22 = bench_matrix_at(b, half, half);
    const struct bench_matrix factors[STRASSEN_PRODUCTS][3] = {
        {temporary(whole, P1), a, b},
        {c, bench_matrix_at(a, 0, half), bench_matrix_at(b, half, 0)},
        {bench_matrix_at(c, 0, half), temporary(whole, S4), b22},
        {bench_matrix_at(c, half, 0), a22, temporary(whole, T4)},
        {temporary(whole, P5), temporary(whole, S1), temporary(whole, T1)},
        {temporary(whole, P6), temporary(whole, S2), temporary(whole, T2)},
        {bench_matrix_at(c, half, half), temporary(whole, S3),
         temporary(whole, T3)},
    };

    add_before(whole);
    for (size_t i = 0; i < STRASSEN_PRODUCTS; i++) {
        products[i] = (struct strassen){
            .c = factors[i][0],
            .a = factors[i][1],
            .b = factors[i][2],
            .n = half,
            .space =
                temporary(whole, TEMPORARY_COUNT).values + i * space_of(half)};
    }
}

void strassen_combine(const struct strassen *whole)
{
    size_t half = whole->n / 2;

    for (size_t row = 0; row < half; row++) {
        add_c(
            row_of(whole->c, row), half * whole->c.stride, half,
            row_of(temporary(whole, P1), row),
            row_of(temporary(whole, P5), row),
            row_of(temporary(whole, P6), row));
    }
}
