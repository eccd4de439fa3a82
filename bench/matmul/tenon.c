// SPDX-License-Identifier: MIT
//
// matmul tenon — fork the second half, do the first, take the second one back
// or join it; poll before each block.

#include "common/tenon.h"
#include "matmul/matmul.h"

static int multiply(tenon_task *self, void *arg);

static int multiply_both(tenon_task *self, struct matmul halves[2])
{
    tenon_task child;
    int64_t place = tenon_fork(self, &child, multiply, &halves[1]);
    int first_status = multiply(self, &halves[0]);
    int second_status = tenon_unfork(self, &child, place)
                            ? multiply(self, &halves[1])
                            : tenon_join(self, &child);

    return first_status != TENON_OK ? first_status : second_status;
}

static int multiply(tenon_task *self, void *arg)
{
    const struct matmul *whole = arg;
    struct matmul halves[2];

    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;
    }
    if (matmul_is_block(whole)) {
        matmul_block(whole);
        return TENON_OK;
    }
    if (matmul_halve(whole, halves)) {
        return multiply_both(self, halves);
    }
    int status = multiply(self, &halves[0]);

    return status != TENON_OK ? status : multiply(self, &halves[1]);
}

struct drive {
    struct bench *bench;
    struct matmul matmul;
};

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;

    while (matmul_again(bench, &drive->matmul)) {
        bench_begin(bench);
        int status = multiply(self, &drive->matmul);
        bench_end(bench);
        bench_require(bench, status == TENON_OK, "a task failed");
        matmul_check(bench, &drive->matmul);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct drive arg = {.bench = &bench};

    arg.matmul = matmul_start(&bench, "tenon", argc, argv);
    bench_tenon_run(&bench, drive, &arg);
    return matmul_end(&bench, &arg.matmul);
}
