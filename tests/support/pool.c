// SPDX-License-Identifier: MIT
//
// pool — creates, plays, destroys.

#include "pool.h"

#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <criterion/new/assert.h>

static const uint32_t worker_counts[] = {1, 2, 4, 16};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

tenon_executor *pool_create_with(const tenon_executor_options *options)
{
    tenon_executor *executor = NULL;

    cr_assert(eq(int, tenon_executor_create(&executor, options), TENON_OK));
    return executor;
}

tenon_executor *pool_create(uint32_t worker_count)
{
    return pool_create_with(
        TENON_EXECUTOR_OPTIONS(.worker_count = worker_count));
}

tenon_executor_info pool_info(tenon_executor *executor)
{
    tenon_executor_info info = {.struct_size = sizeof(info)};

    cr_assert(eq(int, tenon_executor_info_get(executor, &info), TENON_OK));
    return info;
}

void pool_destroy(tenon_executor *executor)
{
    tenon_executor_info info = pool_info(executor);

    cr_expect(eq(u32, info.scope_count, 0));
    cr_expect(eq(u64, info.inner_scope_count, 0));
    cr_expect(eq(u64, info.task_count, 0));
    cr_assert(eq(int, tenon_executor_destroy(executor), TENON_OK));
}

static void play_with_clock(uint32_t worker_count, pool_clock_scene_fn *scene)
{
    struct test_clock clock = {0};
    tenon_executor *executor = pool_create_with(TENON_EXECUTOR_OPTIONS(
            .worker_count = worker_count,
            .clock = {test_clock_now_ns, &clock}));

    cr_log_info("%u workers", worker_count);
    scene(executor, &clock);
    pool_destroy(executor);
}

void pool_each_clock(pool_clock_scene_fn *scene)
{
    for (size_t i = 0; i < COUNT_OF(worker_counts); i++) {
        play_with_clock(worker_counts[i], scene);
    }
}

void pool_move_clock(
    tenon_executor *executor, struct test_clock *clock, uint64_t by_ns)
{
    test_clock_move(clock, by_ns);
    tenon_executor_tick(executor);
}

static void play(uint32_t worker_count, pool_scene_fn *scene)
{
    cr_log_info("%u workers", worker_count);
    tenon_executor *executor = pool_create(worker_count);
    scene(executor);
    pool_destroy(executor);
}

void pool_each(pool_scene_fn *scene)
{
    for (size_t i = 0; i < COUNT_OF(worker_counts); i++) {
        play(worker_counts[i], scene);
    }
}

void pool_each_parallel(pool_scene_fn *scene)
{
    for (size_t i = 1; i < COUNT_OF(worker_counts); i++) {
        play(worker_counts[i], scene);
    }
}
