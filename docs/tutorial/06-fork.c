// SPDX-License-Identifier: MIT
//
// 06-fork — divide and conquer: recursion on all cores.
//
// Much parallel code is a recursion: cut the work in two, do both halves, put
// the results together. A scope would serve, but there is a cheaper way for
// just this shape. tenon_fork() offers one half to the other workers;
// the caller does the other half itself; tenon_join() waits for the first, or
// does it here if nobody came for it, which is the common case and costs little
// more than a call. The child's task lies in the caller's frame. So there is no
// allocation, and every fork needs its join before the function returns.
//
// A forked child belongs to the scope of its parent and sees the same token: to
// cancel the scope cancels the whole recursion, which is what the poll is for.
//
// Even a cheap fork costs more than an addition. So the recursion stops where
// the pieces become small, here at 4096 numbers, and a plain loop does the
// rest. A good piece takes some microseconds.
//
// Where even that is too much, tenon_unfork() takes a child back that nobody
// has begun, for the caller to call its function directly.
//
// tenon_run() is the short way to start: it runs one task in a scope of its own
// and joins it.

#include <stdio.h>
#include <stdlib.h>

#include <tenon/tenon.h>

enum { NUMBER_COUNT = 10000000, PIECE_COUNT = 4096 };

struct range {
    const int *numbers;
    size_t count;
    long long sum;
};

static long long sum_plainly(const struct range *range)
{
    long long sum = 0;

    for (size_t i = 0; i < range->count; i++) {
        sum += range->numbers[i];
    }
    return sum;
}

static int sum(tenon_task *self, void *arg)
{
    struct range *range = arg;

    if (range->count <= PIECE_COUNT) {
        range->sum = sum_plainly(range);
        return TENON_OK;
    }
    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;
    }
    size_t half = range->count / 2;
    struct range left = {range->numbers, half, 0};
    struct range right = {range->numbers + half, range->count - half, 0};
    tenon_task child;

    tenon_fork(self, &child, sum, &left);
    tenon_status right_status = sum(self, &right);
    tenon_status left_status = tenon_join(self, &child);

    range->sum = left.sum + right.sum;
    return left_status != TENON_OK ? left_status : right_status;
}

int main(void)
{
    int *numbers = malloc(NUMBER_COUNT * sizeof(*numbers));
    if (numbers == NULL) {
        return 1;
    }
    for (int i = 0; i < NUMBER_COUNT; i++) {
        numbers[i] = i;
    }
    struct range all = {numbers, NUMBER_COUNT, 0};

    tenon_status status = tenon_run(NULL, sum, &all, NULL);

    printf("%s, sum %lld\n", tenon_status_name(status), all.sum);
    free(numbers);
    return status == TENON_OK ? 0 : 1;
}
