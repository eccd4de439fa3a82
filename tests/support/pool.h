// SPDX-License-Identifier: MIT
//
// pool — executors for tests, from one worker to many more than processors.

#ifndef SUPPORT_POOL_H
#define SUPPORT_POOL_H

#include <stdint.h>
#include <tenon/executor.h>

// [main] An executor with so many workers. Asserts that it was made.
tenon_executor *pool_create(uint32_t worker_count);

// [main] Asserts that nothing lives in it any more.
void pool_destroy(tenon_executor *executor);

// [main] What it is made of now.
tenon_executor_info pool_info(tenon_executor *executor);

typedef void pool_scene_fn(tenon_executor *executor);

// [main] Play the scene with 1, 2, 4 and 16 workers, each time in a new
// executor.
void pool_each(pool_scene_fn *scene);

// [main] The same with 2, 4 and 16: for tasks that must run at the same time.
void pool_each_parallel(pool_scene_fn *scene);

#endif
