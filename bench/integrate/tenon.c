// SPDX-License-Identifier: MIT
//
// integrate tenon — fork the left half, do the right one, take the left one
// back or join it; poll in each. After a cancel the areas are wrong and the root
// says so. (A status returned and areas by pointer made a fork 5 ns instead of
// 4, all in one function 9.)

#include "common/tenon.h"
#include "integrate/integrate.h"

struct call {
    struct integrate_interval whole;
    double area;
};

static inline double add_up(
    tenon_task *self, const struct integrate_interval *whole);
static int add_up_task(tenon_task *self, void *arg);

// Apart from add_up(), so that an interval at the end needs no task.
static __attribute__((noinline)) double fork_half(
    tenon_task *self, struct call *left, const struct integrate_interval *right)
{
    tenon_task child;
    int64_t place = tenon_fork(self, &child, add_up_task, left);
    double right_area = add_up(self, right);

    if (tenon_unfork(self, &child, place)) {
        return add_up(self, &left->whole) + right_area;
    }
    tenon_status status = tenon_join(self, &child);
    return status == TENON_OK ? left->area + right_area : 0;
}

static inline double add_up(
    tenon_task *self, const struct integrate_interval *whole)
{
    struct call left;
    struct integrate_interval right;
    double area;

    if (tenon_cancelled(self)) {
        return 0;
    }
    if (!integrate_halve(whole, &left.whole, &right, &area)) {
        return area;
    }
    return fork_half(self, &left, &right);
}

static int add_up_task(tenon_task *self, void *arg)
{
    struct call *call = arg;

    call->area = add_up(self, &call->whole);
    return tenon_cancelled(self) ? TENON_CANCELLED : TENON_OK;
}

struct drive {
    struct bench *bench;
    struct integrate integrate;
};

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;

    while (bench_again(bench)) {
        struct call call = {.whole = drive->integrate.whole};

        bench_begin(bench);
        int status = add_up_task(self, &call);
        bench_end(bench);
        bench_require(bench, status == TENON_OK, "a task failed");
        integrate_check(bench, &drive->integrate, call.area);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct drive arg = {.bench = &bench};

    arg.integrate = integrate_start(&bench, "tenon", argc, argv);
    bench_tenon_run(&bench, drive, &arg);
    return bench_report(&bench);
}
