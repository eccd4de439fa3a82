// SPDX-License-Identifier: MIT
//
// integrate — the problem: the integral of (x * x + 1) * x from 0 to n by the
// trapezoid rule, an interval halved until that changes its area no more.
//
// A task per left half, no cut-off: a tree that nobody can foresee (an interval
// far out is halved more often), with some arithmetic in each node. Areas are
// added in the order of the recursion, so all answers are equal to the last bit.
// An operation is one interval halved further, with its task.
//
// Source:  the suite of Yang and Mellor-Crummey, "A Practical Solution to the
//          Cactus Stack Problem", SPAA 2016, also met with Lace.

#ifndef BENCH_INTEGRATE_INTEGRATE_H
#define BENCH_INTEGRATE_INTEGRATE_H

#include "common/bench.h"

#include <float.h>
#include <math.h>

#define INTEGRATE_SIZE_DEFAULT "1000"
#define INTEGRATE_SIZE_MAX 10000
#define INTEGRATE_EPSILON 1e-9

// An interval with the function's values at its ends, and its trapezoid.
struct integrate_interval {
    double left;
    double right;
    double left_value;
    double right_value;
    double area;
};

static inline double integrate_function(double x)
{
    return (x * x + 1) * x;
}

// [any] The interval from `left` to `right`.
static inline struct integrate_interval integrate_interval_of(
    double left, double right)
{
    struct integrate_interval interval;

    interval.left = left;
    interval.right = right;
    interval.left_value = integrate_function(left);
    interval.right_value = integrate_function(right);
    interval.area =
        (interval.left_value + interval.right_value) / 2 * (right - left);
    return interval;
}

// [any] Halve `whole`. False: it has changed the area by less than epsilon, and
// `*area` is the new one.
static inline bool integrate_halve(
    const struct integrate_interval *whole, struct integrate_interval *left,
    struct integrate_interval *right, double *area)
{
    double width = (whole->right - whole->left) / 2;
    double middle = whole->left + width;
    double value = integrate_function(middle);

    left->left = whole->left;
    left->right = middle;
    left->left_value = whole->left_value;
    left->right_value = value;
    left->area = (whole->left_value + value) / 2 * width;
    right->left = middle;
    right->right = whole->right;
    right->left_value = value;
    right->right_value = whole->right_value;
    right->area = (value + whole->right_value) / 2 * width;
    *area = left->area + right->area;
    return fabs(*area - whole->area) >= INTEGRATE_EPSILON;
}

// [any] Without tasks. Adds to `*halved_count` how many intervals were halved
// further.
static inline double integrate_area(
    const struct integrate_interval *whole, uint64_t *halved_count)
{
    struct integrate_interval left;
    struct integrate_interval right;
    double area;

    if (!integrate_halve(whole, &left, &right, &area)) {
        return area;
    }
    *halved_count += 1;
    double left_area = integrate_area(&left, halved_count);
    double right_area = integrate_area(&right, halved_count);

    return left_area + right_area;
}

struct integrate {
    struct integrate_interval whole;
    double answer;     // of the serial recursion, to the last bit
    double exact;      // of the antiderivative
    double tolerance;  // between these two
};

// [driver] Begin the program and find what is right.
static inline struct integrate integrate_start(
    struct bench *bench, const char *implementation, int argc, char **argv)
{
    struct integrate integrate;

    bench_init(bench, "integrate", implementation);
    bench->size = INTEGRATE_SIZE_DEFAULT;
    bench_parse(bench, argc, argv);
    double n = (double)bench_size_number(bench, INTEGRATE_SIZE_MAX);
    integrate.whole = integrate_interval_of(0, n);
    integrate.answer =
        integrate_area(&integrate.whole, &bench->operation_count);
    integrate.exact = n * n * (n * n / 4 + 0.5);
    // Less than epsilon for each interval at the end, and rounding in each of
    // at most 32 levels.
    integrate.tolerance =
        (double)(bench->operation_count + 1) * INTEGRATE_EPSILON +
        32 * DBL_EPSILON * integrate.exact;
    return integrate;
}

// [any] Exits with 1 unless `answer` is right.
static inline void integrate_check(
    const struct bench *bench, const struct integrate *integrate, double answer)
{
    bench_require(
        bench, fabs(answer - integrate->exact) <= integrate->tolerance,
        "wrong answer: the area is not that of the antiderivative");
    bench_require(
        bench, fabs(answer - integrate->answer) == 0,
        "wrong answer: the area is not that of the serial recursion");
}

#endif
