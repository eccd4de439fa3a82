// SPDX-License-Identifier: MIT
//
// scan openmp — each thread adds up its part, one of them the parts, each writes
// the totals of its own.
//
// OpenMP 5.0 has a directive for it, `scan` with an inscan reduction. With
// libgomp it takes five times as long, and clang's wants an array of all
// numbers on the stack.

#include "common/openmp.h"
#include "scan/scan.h"

#include <omp.h>
#include <stdlib.h>

static void run(const struct scan *scan, uint64_t *sums, int thread_count)
{
#pragma omp parallel num_threads(thread_count)
    {
        size_t part_count = (size_t)omp_get_num_threads();
        size_t part = (size_t)omp_get_thread_num();
        size_t first = scan->count * part / part_count;
        size_t end = scan->count * (part + 1) / part_count;

        sums[part + 1] = part + 1 < part_count ? scan_add(scan, first, end) : 0;
#pragma omp barrier
#pragma omp single
        for (size_t i = 1; i < part_count; i++) {
            sums[i] += sums[i - 1];
        }
        scan_write(scan, first, end, sums[part]);
    }
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct scan scan;

    scan_start(&scan, &bench, bench_openmp_name(), argc, argv);
    bench.version = bench_compiler();
    uint64_t *sums = calloc(bench.worker_count + 1, sizeof(*sums));
    bench_require(&bench, sums != NULL, "no memory for the sums");
    while (bench_again(&bench)) {
        bench_begin(&bench);
        for (int pass = 0; pass < SCAN_PASS_COUNT; pass++) {
            run(&scan, sums, (int)bench.worker_count);
        }
        bench_end(&bench);
        scan_check(&bench, &scan);
    }
    free(sums);
    scan_end(&scan);
    return bench_report(&bench);
}
