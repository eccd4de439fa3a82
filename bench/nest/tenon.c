// SPDX-License-Identifier: MIT
//
// nest tenon — open and join of an empty scope inside a task, n times.
//
// What a scope costs that nobody uses: an operation is one such pair.

#include "common/tenon.h"

#define NEST_SIZE_DEFAULT "1000000"
#define NEST_SIZE_MAX 1000000000

static uint64_t open_and_join(uint64_t n)
{
    uint64_t joined_count = 0;

    for (uint64_t i = 0; i < n; i++) {
        tenon_scope scope;
        if (tenon_scope_open(&scope, NULL) != TENON_OK) {
            break;
        }
        joined_count += tenon_scope_join(&scope, TENON_OK, NULL) == TENON_OK;
    }
    return joined_count;
}

static int drive(tenon_task *self, void *arg)
{
    struct bench *bench = arg;

    (void)self;
    while (bench_again(bench)) {
        bench_begin(bench);
        uint64_t joined_count = open_and_join(bench->operation_count);
        bench_end(bench);
        bench_check(
            bench, "the number of scopes joined", joined_count,
            bench->operation_count);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;

    bench_init(&bench, "nest", "tenon");
    bench.size = NEST_SIZE_DEFAULT;
    bench_parse(&bench, argc, argv);
    bench.operation_count = bench_size_number(&bench, NEST_SIZE_MAX);
    bench_tenon_run(&bench, drive, &bench);
    return bench_report(&bench);
}
