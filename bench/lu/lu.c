// SPDX-License-Identifier: MIT
//
// lu — the matrix, what is done with a block, and the check.

#include "lu/lu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEED 42
#define ERROR_MAX 1e-10  // over the greatest number of the right side

static size_t number_count(const struct lu *lu)
{
    return lu->side * lu->side * LU_BLOCK * LU_BLOCK;
}

static uint64_t operation_count(const struct lu *lu)
{
    uint64_t count = 0;

    for (size_t step = 0; step < lu->side; step++) {
        count += 1 + lu_edge_count(lu, step) + lu_rest_count(lu, step);
    }
    return count;
}

// Of at least 0, below 1. A linear congruential generator: Knuth's MMIX.
static double next_random(uint64_t *state)
{
    *state =
        *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) / (double)(UINT64_C(1) << 53);
}

static void fill(struct lu *lu)
{
    uint64_t state = SEED;

    for (size_t i = 0; i < number_count(lu); i++) {
        lu->matrix[i] = next_random(&state);
    }
    for (size_t i = 0; i < lu->side; i++) {
        for (size_t j = 0; j < LU_BLOCK; j++) {
            lu_block(lu, i, i)[j * LU_BLOCK + j] +=
                (double)(lu->side * LU_BLOCK);
        }
    }
}

void lu_start(
    struct lu *lu, struct bench *bench, const char *implementation, int argc,
    char **argv)
{
    bench_init(bench, "lu", implementation);
    bench->size = LU_SIZE_DEFAULT;
    bench_parse(bench, argc, argv);
    uint64_t size = bench_size_number(bench, LU_SIZE_MAX);
    if (size % LU_BLOCK != 0) {
        bench_usage(bench, "the size is no multiple of 32");
    }
    lu->side = size / LU_BLOCK;
    lu->matrix = bench_new_array(bench, number_count(lu), sizeof(double));
    lu->original = bench_new_array(bench, number_count(lu), sizeof(double));
    fill(lu);
    memcpy(lu->original, lu->matrix, number_count(lu) * sizeof(double));
    bench->operation_count = operation_count(lu);
}

void lu_reset(struct lu *lu)
{
    memcpy(lu->matrix, lu->original, number_count(lu) * sizeof(double));
}

// One row less a multiple of another one, from `first` on.
static inline void subtract_row(
    double *restrict row, const double *restrict other, double factor,
    size_t first)
{
    for (size_t j = first; j < LU_BLOCK; j++) {
        row[j] -= factor * other[j];
    }
}

// What must stand in `row`, so that it times the first `end` rows and columns
// of U makes what stands there now. The rest of it is reduced by as much.
static inline void solve_row(double *row, const double *upper, size_t end)
{
    for (size_t k = 0; k < end; k++) {
        row[k] /= upper[k * LU_BLOCK + k];
        subtract_row(row, upper + k * LU_BLOCK, row[k], k + 1);
    }
}

void lu_split(const struct lu *lu, size_t step)
{
    double *block = lu_block(lu, step, step);

    for (size_t i = 1; i < LU_BLOCK; i++) {
        solve_row(block + i * LU_BLOCK, block, i);
    }
}

// Right of the diagonal: L times the new block is the old one.
static void solve_right(double *block, const double *lower)
{
    for (size_t i = 1; i < LU_BLOCK; i++) {
        for (size_t k = 0; k < i; k++) {
            subtract_row(
                block + i * LU_BLOCK, block + k * LU_BLOCK,
                lower[i * LU_BLOCK + k], 0);
        }
    }
}

// Below the diagonal: the new block times U is the old one.
static void solve_below(double *block, const double *upper)
{
    for (size_t i = 0; i < LU_BLOCK; i++) {
        solve_row(block + i * LU_BLOCK, upper, LU_BLOCK);
    }
}

void lu_solve(const struct lu *lu, size_t step, size_t index)
{
    size_t right_count = lu->side - step - 1;
    const double *diagonal = lu_block(lu, step, step);

    if (index < right_count) {
        solve_right(lu_block(lu, step, step + 1 + index), diagonal);
    } else {
        size_t row = step + 1 + index - right_count;

        solve_below(lu_block(lu, row, step), diagonal);
    }
}

// Four rows of `right` at a time: fewer loads and stores of `block`.
static void subtract_product(
    double *restrict block, const double *restrict left,
    const double *restrict right)
{
    for (size_t i = 0; i < LU_BLOCK; i++) {
        double *row = block + i * LU_BLOCK;

        for (size_t k = 0; k < LU_BLOCK; k += 4) {
            const double *factors = left + i * LU_BLOCK + k;
            const double *rows = right + k * LU_BLOCK;

            for (size_t j = 0; j < LU_BLOCK; j++) {
                row[j] -= factors[0] * rows[j] +
                          factors[1] * rows[LU_BLOCK + j] +
                          factors[2] * rows[2 * LU_BLOCK + j] +
                          factors[3] * rows[3 * LU_BLOCK + j];
            }
        }
    }
}

void lu_subtract(const struct lu *lu, size_t step, size_t index)
{
    size_t width = lu->side - step - 1;
    size_t row = step + 1 + index / width;
    size_t column = step + 1 + index % width;

    subtract_product(
        lu_block(lu, row, column), lu_block(lu, row, step),
        lu_block(lu, step, column));
}

// The number at a row and a column of the whole matrix.
static double number_at(
    const struct lu *lu, const double *matrix, size_t row, size_t column)
{
    size_t block = row / LU_BLOCK * lu->side + column / LU_BLOCK;

    return matrix
        [(block * LU_BLOCK + row % LU_BLOCK) * LU_BLOCK + column % LU_BLOCK];
}

// `product` = U times `x`, or `*product` = A times `x` with `is_whole`.
static void multiply(
    const struct lu *lu, const double *matrix, bool is_whole, const double *x,
    double *product)
{
    size_t size = lu->side * LU_BLOCK;

    for (size_t row = 0; row < size; row++) {
        product[row] = 0;
        for (size_t column = is_whole ? 0 : row; column < size; column++) {
            product[row] += number_at(lu, matrix, row, column) * x[column];
        }
    }
}

// `y` = L times `y`, whose diagonal is 1.
static void multiply_lower(const struct lu *lu, double *y)
{
    for (size_t row = lu->side * LU_BLOCK; row-- > 0;) {
        for (size_t column = 0; column < row; column++) {
            y[row] += number_at(lu, lu->matrix, row, column) * y[column];
        }
    }
}

void lu_check(const struct bench *bench, const struct lu *lu)
{
    size_t size = lu->side * LU_BLOCK;
    double *vectors = calloc(3 * size, sizeof(*vectors));
    bench_require(bench, vectors != NULL, "no memory for the check");
    double *x = vectors;
    double *got = vectors + size;
    double *want = vectors + 2 * size;
    uint64_t state = SEED + 1;
    double greatest = 0;

    for (size_t i = 0; i < size; i++) {
        x[i] = next_random(&state);
    }
    multiply(lu, lu->matrix, false, x, got);
    multiply_lower(lu, got);
    multiply(lu, lu->original, true, x, want);
    for (size_t i = 0; i < size; i++) {
        greatest = fmax(greatest, fabs(want[i]));
    }
    for (size_t i = 0; i < size; i++) {
        bench_require(
            bench, fabs(got[i] - want[i]) <= ERROR_MAX * greatest,
            "wrong answer: L times U is not the matrix");
    }
    free(vectors);
}

void lu_end(struct lu *lu)
{
    free(lu->matrix);
    free(lu->original);
}
