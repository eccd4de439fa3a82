// SPDX-License-Identifier: MIT
//
// onetbb — oneTBB arenas of as many threads as there are workers, driven from
// inside or from outside.

#ifndef BENCH_ONETBB_HPP
#define BENCH_ONETBB_HPP

#include "common/bench.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/version.h>

// [driver] Run `body` in an arena. The caller is one of the workers, as oneTBB
// intends, and drives the bench.
template <typename Body> void bench_onetbb_run(bench *bench, Body body)
{
    tbb::global_control limit(
        tbb::global_control::max_allowed_parallelism, bench->worker_count);
    tbb::task_arena arena(static_cast<int>(bench->worker_count));

    bench->version = TBB_VERSION_STRING;
    arena.execute(body);
}

// An arena of workers only: the caller, who is foreign, is one thread more.
class bench_onetbb_foreign
{
  public:
    explicit bench_onetbb_foreign(bench *bench)
        : limit_(
              tbb::global_control::max_allowed_parallelism,
              bench->worker_count + 1),
          arena(static_cast<int>(bench->worker_count), 0)
    {
        bench->version = TBB_VERSION_STRING;
    }

  private:
    tbb::global_control limit_;

  public:
    tbb::task_arena arena;
};

#endif
