// SPDX-License-Identifier: MIT
//
// nqueens onetbb — a task_group per call, a task per queen placed, its board
// in the lambda. All groups share one context, which is the faster way.

#include "common/onetbb.hpp"
#include "nqueens/nqueens.h"

#include <oneapi/tbb/task_group.h>

static uint64_t solve(
    tbb::task_group_context &context, const nqueens_board &board, int n,
    int row)
{
    uint64_t counts[NQUEENS_SIZE_MAX];
    int child_count = 0;
    uint64_t count = 0;

    if (row == n) {
        return 1;
    }
    tbb::task_group group(context);

    for (int column = 0; column < n; column++) {
        if (nqueens_is_safe(&board, row, column)) {
            nqueens_board child = board;
            uint64_t *result = &counts[child_count];

            child.column[row] = static_cast<int8_t>(column);
            child_count++;
            group.run([&context, child, result, n, row] {
                *result = solve(context, child, n, row + 1);
            });
        }
    }
    group.wait();
    for (int i = 0; i < child_count; i++) {
        count += counts[i];
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
            nqueens_board board = {};

            bench_begin(&bench);
            uint64_t answer = solve(context, board, n, 0);
            bench_end(&bench);
            nqueens_check(&bench, n, answer);
        }
    });
    return bench_report(&bench);
}
