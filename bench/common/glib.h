// SPDX-License-Identifier: MIT
//
// glib — a GThreadPool of as many threads as there are workers.

#ifndef BENCH_GLIB_H
#define BENCH_GLIB_H

#include "common/bench.h"

#include <glib.h>
#include <stdio.h>

// [driver] A pool with threads of its own, all started, or exit with 1.
static inline GThreadPool *bench_glib_pool(
    struct bench *bench, GFunc fn, gpointer user_data)
{
    static char version[32];
    GThreadPool *pool =
        g_thread_pool_new(fn, user_data, (gint)bench->worker_count, TRUE, NULL);

    bench_require(bench, pool != NULL, "cannot start the threads");
    snprintf(
        version, sizeof(version), "%u.%u.%u", glib_major_version,
        glib_minor_version, glib_micro_version);
    bench->version = version;
    return pool;
}

#endif
