// SPDX-License-Identifier: MIT
//
// strassen tenon — fork all products but the first, make that, take the others
// back or join them, the last one first; poll in each.

#include "common/tenon.h"
#include "strassen/strassen.h"

static int multiply(tenon_task *self, void *arg);

static int multiply_all(
    tenon_task *self, struct strassen products[STRASSEN_PRODUCTS])
{
    tenon_task children[STRASSEN_PRODUCTS];
    int64_t places[STRASSEN_PRODUCTS];

    for (int i = 1; i < STRASSEN_PRODUCTS; i++) {
        places[i] = tenon_fork(self, &children[i], multiply, &products[i]);
    }
    int status = multiply(self, &products[0]);

    for (int i = STRASSEN_PRODUCTS - 1; i > 0; i--) {
        int product_status = tenon_unfork(self, &children[i], places[i])
                                 ? multiply(self, &products[i])
                                 : tenon_join(self, &children[i]);

        status = product_status != TENON_OK ? product_status : status;
    }
    return status;
}

static int multiply(tenon_task *self, void *arg)
{
    const struct strassen *whole = arg;
    struct strassen products[STRASSEN_PRODUCTS];

    if (tenon_cancelled(self)) {
        return TENON_CANCELLED;
    }
    if (strassen_block(whole)) {
        return TENON_OK;
    }
    strassen_split(whole, products);
    int status = multiply_all(self, products);
    if (status == TENON_OK) {
        strassen_combine(whole);
    }
    return status;
}

struct drive {
    struct bench *bench;
    struct strassen strassen;
};

static int drive(tenon_task *self, void *arg)
{
    struct drive *drive = arg;
    struct bench *bench = drive->bench;

    while (strassen_again(bench, &drive->strassen)) {
        bench_begin(bench);
        int status = multiply(self, &drive->strassen);
        bench_end(bench);
        bench_require(bench, status == TENON_OK, "a task failed");
        strassen_check(bench, &drive->strassen);
    }
    return TENON_OK;
}

int main(int argc, char **argv)
{
    struct bench bench;
    struct drive arg = {.bench = &bench};

    arg.strassen = strassen_start(&bench, "tenon", argc, argv);
    bench_tenon_run(&bench, drive, &arg);
    return strassen_end(&bench, &arg.strassen);
}
