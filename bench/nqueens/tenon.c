// SPDX-License-Identifier: MIT
//
// nqueens tenon — before it goes on below a queen, who places one forks the
// columns to the right of it, with a copy of the board; on the way back it takes
// them back or joins them.

#include "common/tenon.h"
#include "nqueens/nqueens.h"

// The queens of a row from a column on.
struct rest {
    struct nqueens_board board;
    int n;
    int row;
    int column;
    uint64_t count;
};

static int place_rest(tenon_task *self, void *arg);

// With `*board` as it is above the row; adds to `*count`.
static int place_queens(
    tenon_task *self, struct nqueens_board *board, int n, int row, int from,
    uint64_t *count)
{
    struct rest rest = {.n = n, .row = row};

    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;
    }
    if (row == n) {
        ++*count;
        return TENON_OK;
    }
    for (int column = from; column < n; column++) {
        tenon_task child;

        if (!nqueens_is_safe(board, row, column)) {
            continue;
        }
        rest.board = *board;
        rest.column = column + 1;
        rest.count = 0;
        int64_t place = tenon_fork(self, &child, place_rest, &rest);
        board->column[row] = (int8_t)column;
        int status = place_queens(self, board, n, row + 1, 0, count);
        if (!tenon_unfork(self, &child, place)) {
            int rest_status = tenon_join(self, &child);
            *count += rest.count;
            return status != TENON_OK ? status : rest_status;
        }
        if (status != TENON_OK) {
            return status;
        }
    }
    return TENON_OK;
}

static inline __attribute__((always_inline)) int place_from(
    tenon_task *self, struct rest *rest, int row)
{
    struct nqueens_board board = rest->board;

    return place_queens(self, &board, rest->n, row, rest->column, &rest->count);
}

// gcc makes a place_queens() for each of the first rows, with a loop of known
// length over the rows above, as it does of the serial code. Who joins in has
// to enter there.
static int place_rest(tenon_task *self, void *arg)
{
    struct rest *rest = arg;

    switch (rest->row) {
    case 0:
        return place_from(self, rest, 0);
    case 1:
        return place_from(self, rest, 1);
    case 2:
        return place_from(self, rest, 2);
    case 3:
        return place_from(self, rest, 3);
    case 4:
        return place_from(self, rest, 4);
    case 5:
        return place_from(self, rest, 5);
    case 6:
        return place_from(self, rest, 6);
    case 7:
        return place_from(self, rest, 7);
    default:
        return place_from(self, rest, rest->row);
    }
}

static int drive(tenon_task *self, void *arg)
{
    struct bench *bench = arg;
    int n = (int)bench_size_number(bench, NQUEENS_SIZE_MAX);

    while (bench_again(bench)) {
        struct rest all = {.n = n};

        bench_begin(bench);
        int status = place_rest(self, &all);
        bench_end(bench);
        bench_require(bench, status == TENON_OK, "a task failed");
        nqueens_check(bench, n, all.count);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;

    nqueens_start(&bench, "tenon", argc, argv);
    bench_tenon_run(&bench, drive, &bench);
    return bench_report(&bench);
}
