// SPDX-License-Identifier: MIT
//
// nqueens onetbb — one task_group for all, totals per thread: a task for each
// queen of a row, its board in the lambda, but for the last one, below which
// its parent goes on itself. The row is a template's argument, so that the loop
// over the queens above has a known length.
//
// Everything else was slower with 2 workers: 1.2 times with the row in memory,
// or with a task_group per row and results handed up; 1.3 times with
// parallel_invoke of a queen and the rest of its row; 1.9 times with a
// task_group per row, the row in memory, and a task for the last queen too.

#include "common/onetbb.hpp"
#include "nqueens/nqueens.h"

#include <oneapi/tbb/enumerable_thread_specific.h>
#include <oneapi/tbb/task_group.h>

using totals = tbb::enumerable_thread_specific<uint64_t>;

template <int row>
static void place_queens(
    tbb::task_group &group, totals &thread_counts, nqueens_board board, int n)
{
    if (row == n) {
        thread_counts.local()++;
        return;
    }
    if constexpr (row < NQUEENS_SIZE_MAX) {
        int last = -1;

        for (int column = 0; column < n; column++) {
            if (!nqueens_is_safe(&board, row, column)) {
                continue;
            }
            if (last >= 0) {
                board.column[row] = static_cast<int8_t>(last);
                group.run([&group, &thread_counts, board, n] {
                    place_queens<row + 1>(group, thread_counts, board, n);
                });
            }
            last = column;
        }
        if (last >= 0) {
            board.column[row] = static_cast<int8_t>(last);
            place_queens<row + 1>(group, thread_counts, board, n);
        }
    }
}

static uint64_t solve(tbb::task_group_context &context, int n)
{
    totals thread_counts(uint64_t{0});
    tbb::task_group group(context);
    uint64_t count = 0;

    group.run_and_wait([&group, &thread_counts, n] {
        place_queens<0>(group, thread_counts, nqueens_board{}, n);
    });
    for (uint64_t thread_count : thread_counts) {
        count += thread_count;
    }
    return count;
}

int main(int argc, char **argv)
{
    struct bench bench;
    int n = nqueens_start(&bench, "onetbb", argc, argv);

    bench_onetbb_run(&bench, [&bench, n] {
        tbb::task_group_context context;

        while (bench_again(&bench)) {
            bench_begin(&bench);
            uint64_t answer = solve(context, n);
            bench_end(&bench);
            nqueens_check(&bench, n, answer);
        }
    });
    return bench_report(&bench);
}
