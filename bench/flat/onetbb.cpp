// SPDX-License-Identifier: MIT
//
// flat onetbb — one task_group, run, wait.

#include "common/onetbb.hpp"
#include "flat/flat.h"

#include <oneapi/tbb/task_group.h>

template <typename Body> static void spawn_all(uint64_t n, Body body)
{
    tbb::task_group group;

    for (uint64_t i = 0; i < n; i++) {
        group.run(body);
    }
    group.wait();
}

int main(int argc, char **argv)
{
    bench bench;
    uint64_t n = flat_start(&bench, "onetbb", argc, argv);

    bench_onetbb_run(&bench, [&bench, n] {
        while (bench_again(&bench)) {
            uint64_t ran_count = 0;

            bench_begin(&bench);
            if (bench_is_first(&bench)) {
                // relaxed: the wait orders it before the check
                spawn_all(n, [&ran_count] {
                    __atomic_fetch_add(&ran_count, 1, __ATOMIC_RELAXED);
                });
            } else {
                spawn_all(n, [] {});
            }
            bench_end(&bench);
            flat_check(&bench, ran_count);
        }
    });
    return bench_report(&bench);
}
