// SPDX-License-Identifier: MIT
//
// tenon — an executor of as many workers as asked for, and its version.

#ifndef BENCH_TENON_H
#define BENCH_TENON_H

#include "common/bench.h"

#include <tenon/tenon.h>

#define BENCH_TENON_VERSION           \
    BENCH_STRING(TENON_VERSION_MAJOR) \
    "." BENCH_STRING(TENON_VERSION_MINOR) "." BENCH_STRING(TENON_VERSION_PATCH)

// [any] An executor with all the workers asked for, or exit with 1.
static inline tenon_executor *bench_tenon_create_waiting(
    struct bench *bench, tenon_wait_policy wait_policy)
{
    tenon_executor *executor = NULL;
    tenon_executor_info info = {.struct_size = sizeof(info)};

    bench->version = BENCH_TENON_VERSION;
    tenon_status status = tenon_executor_create(
        &executor, TENON_EXECUTOR_OPTIONS(
                           .worker_count = (uint32_t)bench->worker_count,
                           .wait_policy = wait_policy));
    bench_require(bench, status == TENON_OK, tenon_status_name(status));
    status = tenon_executor_info_get(executor, &info);
    bench_require(bench, status == TENON_OK, tenon_status_name(status));
    bench_check(
        bench, "the number of workers", info.worker_count, bench->worker_count);
    return executor;
}

// [any] Likewise; threads wait as they do unless asked otherwise.
static inline tenon_executor *bench_tenon_create(struct bench *bench)
{
    return bench_tenon_create_waiting(bench, TENON_WAIT_DEFAULT);
}

// [any] End it, or exit with 1.
static inline void bench_tenon_destroy(
    struct bench *bench, tenon_executor *executor)
{
    tenon_status status = tenon_executor_destroy(executor);

    bench_require(bench, status == TENON_OK, tenon_status_name(status));
}

// [any] Let `drive(task, arg)` drive the bench as a root task.
static inline void bench_tenon_run_waiting(
    struct bench *bench, tenon_wait_policy wait_policy, tenon_task_fn *drive,
    void *arg)
{
    tenon_executor *executor = bench_tenon_create_waiting(bench, wait_policy);
    tenon_status status = tenon_run(executor, drive, arg, NULL);

    bench_require(bench, status == TENON_OK, tenon_status_name(status));
    bench_tenon_destroy(bench, executor);
}

// [any] Likewise; threads wait as they do unless asked otherwise.
static inline void bench_tenon_run(
    struct bench *bench, tenon_task_fn *drive, void *arg)
{
    bench_tenon_run_waiting(bench, TENON_WAIT_DEFAULT, drive, arg);
}

#endif
