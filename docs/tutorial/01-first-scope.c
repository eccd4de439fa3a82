// SPDX-License-Identifier: MIT
//
// 01-first-scope — three tasks in one scope: open, spawn, join.
//
// A scope owns tasks. It is opened, tasks are spawned into it, and it is joined
// by whoever opened it. When join returns, every one of its tasks has ended:
// none is left behind, none still writes to memory that is about to go away.
// That is why the scope and the tasks' arguments can live on main's stack, and
// why main may read the results without a lock: all that a task wrote is
// visible after the join.
//
// A task is a function. It gets itself (the next programs use that) and the
// argument given to spawn; it returns TENON_OK or a code of its own. Which
// thread runs it, and when, is the executor's business: nobody named one here,
// so the process gets one with as many workers as it may use CPUs.
//
// Calls that can fail return a status, and the compiler warns if it is not
// looked at. The status of the spawns goes into the join as that of the scope's
// body: what goes wrong in main is then handled like what goes wrong in a task.

#include <stdio.h>

#include <tenon/tenon.h>

struct count {
    unsigned limit;
    unsigned prime_count;
};

static bool is_prime(unsigned n)
{
    for (unsigned divisor = 2; divisor * divisor <= n; divisor++) {
        if (n % divisor == 0) {
            return false;
        }
    }
    return n > 1;
}

static int count_primes(tenon_task *self, void *arg)
{
    struct count *count = arg;

    (void)self;
    for (unsigned n = 0; n < count->limit; n++) {
        count->prime_count += is_prime(n);
    }
    return TENON_OK;
}

int main(void)
{
    struct count counts[] = {{.limit = 100}, {.limit = 10000}, {.limit = 1000}};
    tenon_scope scope;

    if (tenon_scope_open(&scope, NULL) != TENON_OK) {
        fprintf(stderr, "cannot open a scope\n");
        return 1;
    }
    tenon_status body = TENON_OK;
    for (size_t i = 0; i < 3 && body == TENON_OK; i++) {
        body = tenon_spawn(&scope, count_primes, &counts[i]);
    }
    tenon_status status = tenon_scope_join(&scope, body, NULL);

    printf("join: %s\n", tenon_status_name(status));
    for (size_t i = 0; i < 3; i++) {
        printf("%u primes below %u\n", counts[i].prime_count, counts[i].limit);
    }
    return status == TENON_OK ? 0 : 1;
}
