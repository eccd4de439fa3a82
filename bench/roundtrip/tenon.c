// SPDX-License-Identifier: MIT
//
// roundtrip tenon — tenon_run().

#include "common/tenon.h"
#include "roundtrip/roundtrip.h"

static int make_trip(tenon_task *self, void *arg)
{
    uint64_t *trip_count = arg;

    (void)self;
    ++*trip_count;
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;
    uint64_t trip_count = 0;

    roundtrip_start(&bench, "tenon", argc, argv);
    tenon_executor *executor = bench_tenon_create(&bench);

    while (bench_again(&bench)) {
        roundtrip_begin(&bench);
        tenon_status status = tenon_run(executor, make_trip, &trip_count, NULL);
        roundtrip_end(&bench, trip_count);
        bench_require(&bench, status == TENON_OK, tenon_status_name(status));
    }
    bench_tenon_destroy(&bench, executor);
    return bench_report(&bench);
}
