// SPDX-License-Identifier: MIT
//
// nqueens — the problem: count the ways to place n queens on an n x n board,
// with tasks down to the last row.
//
// The board is a column per row, a task gets its own copy, and a placement is
// checked against all rows above: the form used since Cilk. (Bit masks would
// be faster, and measure little but the spawns, which is what fib does.)

#ifndef BENCH_NQUEENS_NQUEENS_H
#define BENCH_NQUEENS_NQUEENS_H

#include "common/bench.h"

#define NQUEENS_SIZE_DEFAULT "12"
#define NQUEENS_SIZE_MIN 8
#define NQUEENS_SIZE_MAX 16

struct nqueens_board {
    int8_t column[NQUEENS_SIZE_MAX];  // of the queen in each row placed so far
};

// [any] May a queen stand in `row` at `column`, given those above it?
static inline bool nqueens_is_safe(
    const struct nqueens_board *board, int row, int column)
{
    for (int above = 0; above < row; above++) {
        int distance = board->column[above] - column;

        if (distance == 0 || distance == row - above ||
            distance == above - row) {
            return false;
        }
    }
    return true;
}

// [driver] Begin the program and return n.
static inline int nqueens_start(
    struct bench *bench, const char *implementation, int argc, char **argv)
{
    bench_init(bench, "nqueens", implementation);
    bench->size = NQUEENS_SIZE_DEFAULT;
    bench_parse(bench, argc, argv);
    int n = (int)bench_size_number(bench, NQUEENS_SIZE_MAX);
    bench_require(bench, n >= NQUEENS_SIZE_MIN, "the size is out of range");
    return n;
}

// [any] Exits with 1 unless `answer` is right.
static inline void nqueens_check(
    const struct bench *bench, int n, uint64_t answer)
{
    static const uint64_t answers[] = {92,    352,    724,     2680,    14200,
                                       73712, 365596, 2279184, 14772512};

    bench_check(
        bench, "the number of solutions", answer,
        answers[n - NQUEENS_SIZE_MIN]);
}

#endif
