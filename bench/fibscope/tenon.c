// SPDX-License-Identifier: MIT
//
// fibscope tenon — Fibonacci with a full scope on every level: open it, spawn
// the left call into it, make the right one in place, join it; poll in each.
//
// What structured concurrency costs where forks would do (fib). An operation is
// one level.

#include "common/tenon.h"
#include "fib/fib.h"

#define FIBSCOPE_SIZE_DEFAULT "25"
#define FIBSCOPE_SIZE_MAX 40

struct call {
    int n;
    int answer;
};

static int fib(tenon_task *self, void *arg);

static int call_both(tenon_task *self, struct call *left, struct call *right)
{
    tenon_scope scope;
    tenon_status status = tenon_scope_open(&scope, NULL);

    if (status != TENON_OK) {
        return status;
    }
    status = tenon_spawn(&scope, fib, left);
    if (status == TENON_OK) {
        status = fib(self, right);
    }
    return tenon_scope_join(&scope, status, NULL);
}

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
    int status = call_both(self, &left, &right);

    call->answer = left.answer + right.answer;
    return status;
}

static int drive(tenon_task *self, void *arg)
{
    struct bench *bench = arg;
    int n = (int)bench_size_number(bench, FIBSCOPE_SIZE_MAX);

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

    bench_init(&bench, "fibscope", "tenon");
    bench.size = FIBSCOPE_SIZE_DEFAULT;
    bench_parse(&bench, argc, argv);
    int n = (int)bench_size_number(&bench, FIBSCOPE_SIZE_MAX);
    bench.operation_count = (uint64_t)fib_answer(n + 1) - 1;
    bench_tenon_run(&bench, drive, &bench);
    return bench_report(&bench);
}
