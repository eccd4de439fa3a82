// SPDX-License-Identifier: MIT
//
// pool — executors for tests, from one worker to many more than processors.

#ifndef SUPPORT_POOL_H
#define SUPPORT_POOL_H

#include "clock.h"

#include <stdint.h>
#include <tenon/executor.h>

// [main] An executor with so many workers. Asserts that it was made.
tenon_executor *pool_create(uint32_t worker_count);

// [main] An executor with these options. Asserts that it was made.
tenon_executor *pool_create_with(const tenon_executor_options *options);

// [main] Asserts that nothing lives in it any more.
void pool_destroy(tenon_executor *executor);

// [main] What it is made of now.
tenon_executor_info pool_info(tenon_executor *executor);

typedef void pool_scene_fn(tenon_executor *executor);

// [main] Play the scene with 1, 2, 4 and 16 workers, each time in a new
// executor.
void pool_each(pool_scene_fn *scene);

typedef void pool_clock_scene_fn(
    tenon_executor *executor, struct test_clock *clock);

// [main] The same, with a clock that only the scene moves, by
// pool_move_clock().
void pool_each_clock(pool_clock_scene_fn *scene);

// [any] Move the clock and tell the executor.
void pool_move_clock(
    tenon_executor *executor, struct test_clock *clock, uint64_t by_ns);

// [main] The same with 2, 4 and 16: for tasks that must run at the same time.
void pool_each_parallel(pool_scene_fn *scene);

#endif
