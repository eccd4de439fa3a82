// SPDX-License-Identifier: MIT
//
// default_executor_test — the process's own executor, made on first use.

#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <tenon/tenon.h>

TestSuite(default_executor, .timeout = 60);

Test(default_executor, is_made_once)
{
    tenon_executor *first = NULL;
    tenon_executor *second = NULL;

    cr_assert(eq(int, tenon_executor_default(&first), TENON_OK));
    cr_assert(eq(int, tenon_executor_default(&second), TENON_OK));
    cr_expect(ne(ptr, first, NULL));
    cr_expect(eq(ptr, first, second));
    cr_expect(eq(int, tenon_executor_default(NULL), TENON_EINVAL));
}

Test(default_executor, runs_what_names_no_other)
{
    tenon_executor *executor = NULL;
    tenon_scope scope;

    cr_assert(eq(int, tenon_scope_open(&scope, NULL), TENON_OK));
    cr_assert(eq(int, tenon_executor_default(&executor), TENON_OK));
    cr_expect(eq(u32, pool_info(executor).scope_count, 1));
    must_join(&scope, NULL, TENON_OK);
    must_run(NULL, task_ok, NULL, TENON_OK);
}

Test(default_executor, is_made_anew_after_destroy)
{
    tenon_executor *executor = NULL;
    atomic_uint count = 0;

    for (int i = 0; i < 20; i++) {
        cr_assert(eq(int, tenon_executor_default(&executor), TENON_OK));
        must_run(NULL, task_count, &count, TENON_OK);
        pool_destroy(executor);
    }
    cr_expect(eq(uint, atomic_load(&count), 20));
}

Test(default_executor, is_refused_with_nonsense_in_the_environment)
{
    tenon_executor *executor = NULL;
    tenon_scope scope;

    setenv("TENON_NUM_THREADS", "none", 1);
    cr_expect(eq(int, tenon_executor_default(&executor), TENON_EINVAL));
    cr_expect(eq(int, tenon_scope_open(&scope, NULL), TENON_EINVAL));
    cr_expect(eq(int, tenon_run(NULL, task_ok, NULL, NULL), TENON_EINVAL));
    setenv("TENON_NUM_THREADS", "2", 1);
    cr_expect(eq(int, tenon_run(NULL, task_ok, NULL, NULL), TENON_OK));
}

static void *run_default(void *arg)
{
    return tenon_run(NULL, task_count, arg, NULL) == TENON_OK ? arg : NULL;
}

Test(default_executor, serves_any_thread)
{
    pthread_t threads[8];
    atomic_uint count = 0;
    void *result = NULL;

    for (int i = 0; i < 8; i++) {
        pthread_create(&threads[i], NULL, run_default, &count);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], &result);
        cr_expect(ne(ptr, result, NULL));
    }
    cr_expect(eq(uint, atomic_load(&count), 8));
}
