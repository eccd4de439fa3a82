// SPDX-License-Identifier: MIT
//
// openmp — which OpenMP runtime a program was built for: gcc brings libgomp,
// clang libomp. Neither tells its version: each is released with its compiler.

#ifndef BENCH_OPENMP_H
#define BENCH_OPENMP_H

#include "common/bench.h"

#include <omp.h>

static inline const char *bench_openmp_name(void)
{
#ifdef __clang__
    return "libomp";
#else
    return "libgomp";
#endif
}

#endif
