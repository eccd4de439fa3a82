// SPDX-License-Identifier: MIT
//
// nqueens serial — one board, overwritten on the way.

#include "nqueens/nqueens.h"

static uint64_t solve(struct nqueens_board *board, int n, int row)
{
    if (row == n) {
        return 1;
    }
    uint64_t count = 0;

    for (int column = 0; column < n; column++) {
        if (nqueens_is_safe(board, row, column)) {
            board->column[row] = (int8_t)column;
            count += solve(board, n, row + 1);
        }
    }
    return count;
}

int main(int argc, char **argv)
{
    struct bench bench;
    int n = nqueens_start(&bench, "serial", argc, argv);

    bench.version = bench_compiler();
    while (bench_again(&bench)) {
        struct nqueens_board board = {{0}};

        bench_begin(&bench);
        uint64_t answer = solve(&board, bench_opaque(n), 0);
        bench_end(&bench);
        nqueens_check(&bench, n, answer);
    }
    return bench_report(&bench);
}
