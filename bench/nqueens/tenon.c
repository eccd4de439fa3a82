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

static int place_queens(
    tenon_task *self, struct nqueens_board *board, const struct rest *rest,
    uint64_t *count);

static int place_rest(tenon_task *self, void *arg)
{
    struct rest *rest = arg;
    struct nqueens_board board = rest->board;

    return place_queens(self, &board, rest, &rest->count);
}

// With `*board` as it is above the row; adds to `*count`.
static int place_queens(
    tenon_task *self, struct nqueens_board *board, const struct rest *from,
    uint64_t *count)
{
    const int n = from->n;
    const int row = from->row;
    struct rest rest = {.n = n, .row = row};
    const struct rest below = {.n = n, .row = row + 1};

    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;
    }
    if (row == n) {
        ++*count;
        return TENON_OK;
    }
    for (int column = from->column; column < n; column++) {
        tenon_task child;

        if (!nqueens_is_safe(board, row, column)) {
            continue;
        }
        rest.board = *board;
        rest.column = column + 1;
        rest.count = 0;
        int64_t place = tenon_fork(self, &child, place_rest, &rest);
        board->column[row] = (int8_t)column;
        int status = place_queens(self, board, &below, count);
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
