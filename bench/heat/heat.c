// SPDX-License-Identifier: MIT
//
// heat — the plates, a block of one step, and the exact answer.
//
// Shape:    point (row, column), both from 0 to side + 1 with the edge, is at
//           row * (side + 2) + column.

#include "heat/heat.h"

#include <math.h>
#include <stdlib.h>

#define HALF_TURN 3.14159265358979323846

// How much of the difference to its neighbours a point takes over in a step.
// Below 1/4 the scheme is stable.
#define CONDUCTIVITY 0.2

#define ERROR_MAX 1e-12

static size_t stride(const struct heat *heat)
{
    return heat->side + 2;
}

// Of the sine over the rows or over the columns: its angle from point to
// point. As it is zero at both edges, half waves fit in between.
static double row_angle(const struct heat *heat)
{
    return HALF_TURN * (double)(stride(heat) / 16) / (double)(heat->side + 1);
}

static double column_angle(const struct heat *heat)
{
    return HALF_TURN * (double)(stride(heat) / 8) / (double)(heat->side + 1);
}

void heat_start(
    struct heat *heat, struct bench *bench, const char *implementation,
    int argc, char **argv)
{
    bench_init(bench, "heat", implementation);
    bench->size = HEAT_SIZE_DEFAULT;
    bench_parse(bench, argc, argv);
    heat->side = bench_size_number(bench, HEAT_SIZE_MAX);
    if (heat->side < HEAT_SIZE_MIN) {
        bench_usage(bench, "the size is out of range");
    }
    heat->block_count = (heat->side + HEAT_BLOCK_ROWS - 1) / HEAT_BLOCK_ROWS;
    heat->now =
        bench_new_array(bench, stride(heat) * stride(heat), sizeof(double));
    heat->next =
        bench_new_array(bench, stride(heat) * stride(heat), sizeof(double));
    heat->shape = bench_new_array(bench, stride(heat), sizeof(double));
    for (size_t column = 1; column <= heat->side; column++) {
        heat->shape[column] = sin((double)column * column_angle(heat));
    }
    bench->operation_count = HEAT_STEP_COUNT * heat->block_count;
}

void heat_reset(struct heat *heat)
{
    for (size_t row = 1; row <= heat->side; row++) {
        double *points = heat->now + row * stride(heat);
        double height = sin((double)row * row_angle(heat));

        for (size_t column = 1; column <= heat->side; column++) {
            points[column] = height * heat->shape[column];
        }
    }
}

static void compute_row(
    double *restrict next, const double *restrict now, size_t stride,
    size_t side)
{
    for (size_t column = 1; column <= side; column++) {
        double around = now[column - stride] + now[column - 1] +
                        now[column + 1] + now[column + stride];

        next[column] = now[column] + CONDUCTIVITY * (around - 4 * now[column]);
    }
}

void heat_block(const struct heat *heat, size_t block)
{
    size_t first = 1 + block * HEAT_BLOCK_ROWS;

    for (size_t i = 0; i < HEAT_BLOCK_ROWS && first + i <= heat->side; i++) {
        size_t start = (first + i) * stride(heat);

        compute_row(
            heat->next + start, heat->now + start, stride(heat), heat->side);
    }
}

void heat_advance(struct heat *heat)
{
    double *now = heat->now;

    heat->now = heat->next;
    heat->next = now;
}

static double decay(const struct heat *heat)
{
    double eigenvalue =
        1 - 4 * CONDUCTIVITY +
        2 * CONDUCTIVITY * (cos(row_angle(heat)) + cos(column_angle(heat)));

    return pow(eigenvalue, HEAT_STEP_COUNT);
}

// NaN is no right answer.
static bool is_row_right(const struct heat *heat, size_t row, double height)
{
    const double *points = heat->now + row * stride(heat);
    bool is_right = true;

    for (size_t column = 1; column <= heat->side; column++) {
        double error = fabs(points[column] - height * heat->shape[column]);

        is_right = is_right && error <= ERROR_MAX;
    }
    return is_right;
}

void heat_check(const struct bench *bench, const struct heat *heat)
{
    for (size_t row = 1; row <= heat->side; row++) {
        double height = decay(heat) * sin((double)row * row_angle(heat));

        bench_require(
            bench, is_row_right(heat, row, height),
            "wrong answer: a point is not as warm as it should be");
    }
}

void heat_end(struct heat *heat)
{
    free(heat->now);
    free(heat->next);
    free(heat->shape);
}
