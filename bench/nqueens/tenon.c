// SPDX-License-Identifier: MIT
//
// nqueens tenon — a fork per queen placed, its board and task in the frame of
// the call that places it; joins in reverse.

#include "common/tenon.h"
#include "nqueens/nqueens.h"

struct call {
    struct nqueens_board board;
    int n;
    int row;
    uint64_t count;
};

static int solve(tenon_task *self, void *arg)
{
    struct call *call = arg;
    struct call calls[NQUEENS_SIZE_MAX];
    tenon_task children[NQUEENS_SIZE_MAX];
    int child_count = 0;
    int status = TENON_OK;

    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;
    }
    if (call->row == call->n) {
        call->count = 1;
        return TENON_OK;
    }
    for (int column = 0; column < call->n; column++) {
        if (nqueens_is_safe(&call->board, call->row, column)) {
            struct call *child = &calls[child_count];

            *child = (struct call){
                .board = call->board, .n = call->n, .row = call->row + 1};
            child->board.column[call->row] = (int8_t)column;
            tenon_fork(self, &children[child_count], solve, child);
            child_count++;
        }
    }
    call->count = 0;
    while (child_count > 0) {
        child_count--;
        int child_status = tenon_join(self, &children[child_count]);
        call->count += calls[child_count].count;
        status = child_status != TENON_OK ? child_status : status;
    }
    return status;
}

static int drive(tenon_task *self, void *arg)
{
    struct bench *bench = arg;
    int n = (int)bench_size_number(bench, NQUEENS_SIZE_MAX);

    while (bench_again(bench)) {
        struct call call = {.n = n};

        bench_begin(bench);
        int status = solve(self, &call);
        bench_end(bench);
        bench_require(bench, status == TENON_OK, "a task failed");
        nqueens_check(bench, n, call.count);
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
