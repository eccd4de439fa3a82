// SPDX-License-Identifier: MIT
//
// scan onetbb — a parallel_scan per pass, in oneTBB's functional form.

#include "common/onetbb.hpp"
#include "scan/scan.h"

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_scan.h>

#include <functional>

using range = tbb::blocked_range<size_t>;

static void run(const scan *scan)
{
    tbb::parallel_scan(
        range(0, scan->count), uint64_t(0),
        [scan](const range &items, uint64_t before, bool is_final) {
            return is_final
                       ? scan_write(scan, items.begin(), items.end(), before)
                       : before + scan_add(scan, items.begin(), items.end());
        },
        std::plus<uint64_t>());
}

int main(int argc, char **argv)
{
    struct bench bench;
    scan scan;

    scan_start(&scan, &bench, "onetbb", argc, argv);
    bench_onetbb_run(&bench, [&bench, &scan] {
        while (bench_again(&bench)) {
            bench_begin(&bench);
            for (int pass = 0; pass < SCAN_PASS_COUNT; pass++) {
                run(&scan);
            }
            bench_end(&bench);
            scan_check(&bench, &scan);
        }
    });
    scan_end(&scan);
    return bench_report(&bench);
}
