// SPDX-License-Identifier: MIT
//
// nqueens openmp — a task per queen placed, its board firstprivate.

#include "common/openmp.h"
#include "nqueens/nqueens.h"

static uint64_t solve(const struct nqueens_board *board, int n, int row)
{
    uint64_t counts[NQUEENS_SIZE_MAX];
    int child_count = 0;
    uint64_t count = 0;

    if (row == n) {
        return 1;
    }
    for (int column = 0; column < n; column++) {
        if (nqueens_is_safe(board, row, column)) {
            struct nqueens_board child = *board;
            uint64_t *result = &counts[child_count];

            child.column[row] = (int8_t)column;
            child_count++;
#pragma omp task firstprivate(child, result)
            *result = solve(&child, n, row + 1);
        }
    }
#pragma omp taskwait
    for (int i = 0; i < child_count; i++) {
        count += counts[i];
    }
    return count;
}

int main(int argc, char **argv)
{
    struct bench bench;
    int n = nqueens_start(&bench, bench_openmp_name(), argc, argv);

    bench.version = bench_compiler();
#pragma omp parallel num_threads((int)bench.worker_count)
#pragma omp single
    while (bench_again(&bench)) {
        struct nqueens_board board = {{0}};

        bench_begin(&bench);
        uint64_t answer = solve(&board, n, 0);
        bench_end(&bench);
        nqueens_check(&bench, n, answer);
    }
    return bench_report(&bench);
}
