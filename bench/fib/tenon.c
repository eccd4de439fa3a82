// SPDX-License-Identifier: MIT
//
// fib tenon — fork the left call, make the right one, join; poll in each.

#include "common/tenon.h"
#include "fib/fib.h"

struct call {
    int n;
    int answer;
};

static int fib(tenon_task *self, void *arg)
{
    struct call *call = arg;

    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;
    }
    if (call->n < 2) {
        call->answer = call->n;
        return TENON_OK;
    }
    struct call left = {.n = call->n - 1};
    struct call right = {.n = call->n - 2};
    tenon_task child;

    tenon_fork(self, &child, fib, &left);
    int right_status = fib(self, &right);
    int left_status = tenon_join(self, &child);
    call->answer = left.answer + right.answer;
    return left_status != TENON_OK ? left_status : right_status;
}

static int drive(tenon_task *self, void *arg)
{
    struct bench *bench = arg;
    int n = (int)bench_size_number(bench, FIB_SIZE_MAX);

    while (bench_again(bench)) {
        struct call call = {.n = n};

        bench_begin(bench);
        int status = fib(self, &call);
        bench_end(bench);
        bench_require(bench, status == TENON_OK, "a task failed");
        fib_check(bench, n, call.answer);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;

    fib_start(&bench, "tenon", argc, argv);
    bench_tenon_run(&bench, drive, &bench);
    return bench_report(&bench);
}
