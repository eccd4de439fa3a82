// SPDX-License-Identifier: MIT
//
// fib tenon — fork the left call, make the right one, take the left one back or
// join it; poll before each fork. After a cancel the numbers are wrong and the
// root says so.

#include "common/tenon.h"
#include "fib/fib.h"

// A call that may run elsewhere: n comes in the argument itself, the answer goes
// beside the task.
struct call {
    tenon_task task;  // first: the function is given it
    int answer;
};

static int fib_task(tenon_task *self, void *arg);
static inline int fork_fib(tenon_task *self, int n);

// Without a fork there is no need of a frame.
static inline int fib(tenon_task *self, int n)
{
    return n < 2 ? n : fork_fib(self, n);
}

// The left calls of a chain are a loop, and gcc puts some levels of the right
// ones in one function, as it does with the serial code.
static inline int fork_fib(tenon_task *self, int n)
{
    int sum = 0;

    do {
        struct call left;

        if (tenon_cancelled(self)) {
            return 0;
        }
        n--;
        int64_t place =
            tenon_fork(self, &left.task, fib_task, (void *)(intptr_t)n);
        sum += fib(self, n - 1);
        if (!tenon_unfork(self, &left.task, place)) {
            tenon_status status = tenon_join(self, &left.task);
            return status == TENON_OK ? sum + left.answer : 0;
        }
    } while (n >= 2);
    return sum + n;
}

static int fib_task(tenon_task *self, void *arg)
{
    struct call *call = (struct call *)self;

    call->answer = fib(self, (int)(intptr_t)arg);
    return tenon_cancelled(self) ? TENON_CANCELLED : TENON_OK;
}

static int drive(tenon_task *self, void *arg)
{
    struct bench *bench = arg;
    int n = (int)bench_size_number(bench, FIB_SIZE_MAX);

    while (bench_again(bench)) {
        bench_begin(bench);
        int answer = fib(self, n);
        bench_end(bench);
        bench_require(bench, !tenon_cancelled(self), "a task failed");
        fib_check(bench, n, answer);
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
