// SPDX-License-Identifier: MIT
//
// scan serial — one number after the other.

#include "scan/scan.h"

int main(int argc, char **argv)
{
    struct bench bench;
    struct scan scan;

    scan_start(&scan, &bench, "serial", argc, argv);
    bench.version = bench_compiler();
    while (bench_again(&bench)) {
        bench_begin(&bench);
        for (int pass = 0; pass < SCAN_PASS_COUNT; pass++) {
            scan_write(&scan, 0, scan.count, 0);
        }
        bench_end(&bench);
        scan_check(&bench, &scan);
    }
    scan_end(&scan);
    return bench_report(&bench);
}
