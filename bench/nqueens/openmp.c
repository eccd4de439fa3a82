// SPDX-License-Identifier: MIT
//
// nqueens openmp — totals per thread, no task for the last queen of a row. What
// is best besides depends on the runtime, for the reasons told in uts/openmp.c.
//
// libgomp: a task for each other queen, its board firstprivate. Nobody waits
// until the barrier at the end. A taskgroup as for libomp, or a taskwait per
// row, took 2 workers twice as long.
//
// libomp: a task for the rest of a row, and a taskgroup around it and the queen
// below which its parent goes on. A task per queen took 2 workers 1.5 times as
// long, libgomp's way 2.2 times. A function for each row was no faster.

#include "common/openmp.h"
#include "nqueens/nqueens.h"

static uint64_t thread_solution_count;
#pragma omp threadprivate(thread_solution_count)

// The first column from `column` on where a queen may stand, or n.
static inline int safe_column(
    const struct nqueens_board *board, int n, int row, int column)
{
    while (column < n && !nqueens_is_safe(board, row, column)) {
        column++;
    }
    return column;
}

#ifdef __clang__

static void place_rest(struct nqueens_board *board, int n, int row, int from);

static void place_copy(struct nqueens_board board, int n, int row, int from)
{
    place_rest(&board, n, row, from);
}

// The queens of a row from a column on, and all below them.
static void place_rest(struct nqueens_board *board, int n, int row, int from)
{
    if (row == n) {
        thread_solution_count++;
        return;
    }
    int column = safe_column(board, n, row, from);
    if (column == n) {
        return;
    }
    int next = safe_column(board, n, row, column + 1);
    if (next == n) {
        board->column[row] = (int8_t)column;
        place_rest(board, n, row + 1, 0);
        return;
    }
    struct nqueens_board copy = *board;
#pragma omp taskgroup
    {
#pragma omp task
        place_copy(copy, n, row, next);
        board->column[row] = (int8_t)column;
        place_rest(board, n, row + 1, 0);
    }
}

static void place_row(struct nqueens_board board, int n, int row)
{
    place_rest(&board, n, row, 0);
}

#else

static void place_row(struct nqueens_board board, int n, int row);

static inline void place_queens(struct nqueens_board board, int n, int row)
{
    if (row == n) {
        thread_solution_count++;
        return;
    }
    int last = safe_column(&board, n, row, 0);
    if (last == n) {
        return;
    }
    int next = safe_column(&board, n, row, last + 1);

    while (next < n) {
        board.column[row] = (int8_t)last;
#pragma omp task
        place_row(board, n, row + 1);
        last = next;
        next = safe_column(&board, n, row, last + 1);
    }
    board.column[row] = (int8_t)last;
    place_queens(board, n, row + 1);
}

// gcc makes a place_queens() for each of the first rows, with a loop of known
// length over the rows above, as it does of the serial code. A task has to
// enter there; without that 12 queens took 1.1 times as long.
static void place_row(struct nqueens_board board, int n, int row)
{
    switch (row) {
    case 0:
        place_queens(board, n, 0);
        break;
    case 1:
        place_queens(board, n, 1);
        break;
    case 2:
        place_queens(board, n, 2);
        break;
    case 3:
        place_queens(board, n, 3);
        break;
    case 4:
        place_queens(board, n, 4);
        break;
    case 5:
        place_queens(board, n, 5);
        break;
    case 6:
        place_queens(board, n, 6);
        break;
    case 7:
        place_queens(board, n, 7);
        break;
    default:
        place_queens(board, n, row);
        break;
    }
}

#endif

static uint64_t solve(int n, int thread_count)
{
    struct nqueens_board board = {{0}};
    uint64_t count = 0;

#pragma omp parallel num_threads(thread_count)
    {
        thread_solution_count = 0;
#pragma omp barrier
#pragma omp single
        place_row(board, n, 0);
        // The barrier at the end of single has seen every task end.
#pragma omp atomic
        count += thread_solution_count;
    }
    return count;
}

int main(int argc, char **argv)
{
    struct bench bench;
    int n = nqueens_start(&bench, bench_openmp_name(), argc, argv);

    bench.version = bench_compiler();
    while (bench_again(&bench)) {
        bench_begin(&bench);
        uint64_t answer = solve(n, (int)bench.worker_count);
        bench_end(&bench);
        nqueens_check(&bench, n, answer);
    }
    return bench_report(&bench);
}
