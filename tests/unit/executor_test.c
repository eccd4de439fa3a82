// SPDX-License-Identifier: MIT
//
// executor_test — made of as many workers as asked for, and gone without a
// trace.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

// The threads of this process.
static int count_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int count = 0;

    cr_assert(ne(ptr, tasks, NULL));
    while (readdir(tasks) != NULL) {
        count++;
    }
    closedir(tasks);
    return count - 2;  // . and ..
}

TestSuite(executor, .timeout = 60);

Test(executor, has_as_many_workers_as_asked_for)
{
    static const uint32_t counts[] = {1, 2, 3, 16};

    for (int i = 0; i < 4; i++) {
        tenon_executor *executor = pool_create(counts[i]);
        tenon_executor_info info = pool_info(executor);
        cr_expect(eq(u32, info.requested_count, counts[i]));
        cr_expect(eq(u32, info.worker_count, counts[i]));
        cr_expect(eq(u32, info.thread_count, counts[i]));
        cr_expect(eq(int, info.thread_error, 0));
        cr_expect(eq(u32, info.scope_count, 0));
        pool_destroy(executor);
    }
}

Test(executor, takes_its_size_from_the_environment)
{
    tenon_executor *executor = NULL;

    setenv("TENON_NUM_THREADS", "3", 1);
    cr_assert(eq(int, tenon_executor_create(&executor, NULL), TENON_OK));
    cr_expect(eq(u32, pool_info(executor).worker_count, 3));
    pool_destroy(executor);
}

Test(executor, takes_its_size_from_the_option_before_the_environment)
{
    setenv("TENON_NUM_THREADS", "3", 1);
    tenon_executor *executor = pool_create(2);
    cr_expect(eq(u32, pool_info(executor).worker_count, 2));
    pool_destroy(executor);
    setenv("TENON_NUM_THREADS", "many", 1);
    executor = pool_create(2);
    pool_destroy(executor);
}

Test(executor, takes_its_size_from_the_machine_without_either)
{
    unsetenv("TENON_NUM_THREADS");
    tenon_executor *executor = pool_create_with(TENON_EXECUTOR_OPTIONS());
    cr_expect(ge(u32, pool_info(executor).worker_count, 1));
    pool_destroy(executor);
}

Test(executor, refuses_nonsense_in_the_environment)
{
    static const char *const texts[] = {
        "", "0", "-1", "two", "2x", " 2", "65536", "99999999999999999999"};
    tenon_executor *executor = NULL;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        setenv("TENON_NUM_THREADS", texts[i], 1);
        cr_expect(
            eq(int, tenon_executor_create(&executor, NULL), TENON_EINVAL),
            "TENON_NUM_THREADS='%s'", texts[i]);
        cr_expect(eq(ptr, executor, NULL));
    }
}

Test(executor, refuses_nonsense_options)
{
    tenon_executor *executor = NULL;
    tenon_executor_options no_size = {.worker_count = 1};

    cr_expect(eq(int, tenon_executor_create(NULL, NULL), TENON_EINVAL));
    cr_expect(
        eq(int, tenon_executor_create(&executor, &no_size), TENON_EINVAL));
    cr_expect(
        eq(int,
           tenon_executor_create(
               &executor, TENON_EXECUTOR_OPTIONS(.worker_count = 65536)),
           TENON_EINVAL));
    cr_expect(
        eq(int,
           tenon_executor_create(
               &executor,
               TENON_EXECUTOR_OPTIONS(
                       .worker_count = 1, .stack_size_bytes = 64 * 1024 - 1)),
           TENON_EINVAL));
    cr_expect(eq(ptr, executor, NULL));
}

Test(executor, info_refuses_nonsense)
{
    tenon_executor *executor = pool_create(1);
    tenon_executor_info unsized_info = {.struct_size = 0};

    cr_expect(eq(int, tenon_executor_info_get(executor, NULL), TENON_EINVAL));
    cr_expect(
        eq(int, tenon_executor_info_get(NULL, &unsized_info), TENON_EINVAL));
    cr_expect(eq(
        int, tenon_executor_info_get(executor, &unsized_info), TENON_EINVAL));
    pool_destroy(executor);
}

Test(executor, may_be_created_and_destroyed_two_thousand_times)
{
    int before = count_threads();

    for (int i = 0; i < 2000; i++) {
        tenon_executor *executor = pool_create(2);
        if (i % 10 == 0) {
            must_run(executor, task_ok, NULL, TENON_OK);
        }
        pool_destroy(executor);
    }
    cr_expect(eq(int, count_threads(), before));
}

Test(executor, ends_all_its_threads)
{
    int before = count_threads();
    tenon_executor *executor = pool_create(4);

    tenon_status status = tenon_run(executor, task_ok, NULL, NULL);
    cr_expect(eq(int, status, TENON_OK));
    cr_expect(ge(int, count_threads(), before + 4));
    pool_destroy(executor);
    cr_expect(eq(int, count_threads(), before));
}

Test(executor, several_live_side_by_side)
{
    tenon_executor *first = pool_create(1);
    tenon_executor *second = pool_create(2);
    atomic_uint count = 0;

    must_run(first, task_count, &count, TENON_OK);
    must_run(second, task_count, &count, TENON_OK);
    pool_destroy(first);
    must_run(second, task_count, &count, TENON_OK);
    pool_destroy(second);
    cr_expect(eq(uint, atomic_load(&count), 3));
}

static int run_elsewhere(tenon_task *self, void *arg)
{
    static atomic_uint count;

    (void)self;
    return tenon_run(arg, task_count, &count, NULL);
}

Test(executor, tasks_may_run_and_wait_for_tasks_of_another_one)
{
    tenon_executor *first = pool_create(1);
    tenon_executor *second = pool_create(1);

    for (int i = 0; i < 100; i++) {
        must_run(first, run_elsewhere, second, TENON_OK);
    }
    pool_destroy(first);
    pool_destroy(second);
}

// Jobs of `lent` that helpers of another executor ran, because its own worker
// was parked: their memory is back before it may be destroyed.
struct lent {
    tenon_executor *home;
    tenon_executor *lent;
    struct gate is_parked;
    struct gate may_end;
    struct gate has_joined;
    atomic_uint ran_count;
};

enum { LENT_COUNT = 20 };

static int hold(tenon_task *self, void *arg)
{
    struct lent *lent = arg;

    (void)self;
    gate_open(&lent->is_parked);
    return gate_wait(&lent->may_end) ? TENON_OK : 1;
}

static int wait_at_home(tenon_task *self, void *arg)
{
    struct lent *lent = arg;

    (void)self;
    return tenon_run(lent->home, hold, lent, NULL);
}

static int run_lent(tenon_task *self, void *arg)
{
    struct lent *lent = arg;

    (void)self;
    if (atomic_fetch_add(&lent->ran_count, 1) + 1 == LENT_COUNT) {
        gate_open(&lent->may_end);
    }
    return TENON_OK;
}

static int use_lent(tenon_task *self, void *arg)
{
    struct lent *lent = arg;
    tenon_scope scope;

    (void)self;
    if (tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.executor = lent->lent)) !=
        0) {
        return 1;
    }
    tenon_status body = tenon_spawn(&scope, wait_at_home, lent);
    gate_wait(&lent->is_parked);
    for (int i = 0; i < LENT_COUNT && body == TENON_OK; i++) {
        body = tenon_spawn(&scope, run_lent, lent);
    }
    tenon_status status = tenon_scope_join(&scope, body, NULL);
    gate_open(&lent->has_joined);
    return status;
}

Test(executor, may_be_destroyed_when_others_have_run_its_tasks)
{
    struct lent lent = {.ran_count = 0};
    tenon_scope scope;

    lent.home = pool_create(3);
    lent.lent = pool_create(1);
    must_open(&scope, lent.home);
    must_spawn(&scope, use_lent, &lent);
    cr_assert(gate_wait(&lent.has_joined));
    pool_destroy(lent.lent);
    must_join(&scope, NULL, TENON_OK);
    pool_destroy(lent.home);
    cr_expect(eq(uint, atomic_load(&lent.ran_count), LENT_COUNT));
}

// --- destroy ---

Test(executor, is_not_destroyed_while_a_scope_is_open)
{
    tenon_executor *executor = pool_create(2);
    tenon_scope scope;
    atomic_uint count = 0;

    must_open(&scope, executor);
    cr_expect(eq(u32, pool_info(executor).scope_count, 1));
    cr_expect(eq(int, tenon_executor_destroy(executor), TENON_EBUSY));
    must_spawn(&scope, task_count, &count);  // nothing has changed
    must_join(&scope, NULL, TENON_OK);
    cr_expect(eq(uint, atomic_load(&count), 1));
    cr_expect(eq(u32, pool_info(executor).scope_count, 0));
    pool_destroy(executor);
}

struct suicide {
    tenon_executor *executor;
    tenon_status status;
};

static int destroy_own(tenon_task *self, void *arg)
{
    struct suicide *suicide = arg;

    (void)self;
    suicide->status = tenon_executor_destroy(suicide->executor);
    return TENON_OK;
}

static void destroy_from_inside(tenon_executor *executor)
{
    struct suicide suicide = {.executor = executor};

    must_run(executor, destroy_own, &suicide, TENON_OK);
    cr_expect(eq(int, suicide.status, TENON_EDEADLK));
}

Test(executor, is_not_destroyed_by_its_own_workers)
{
    pool_each(destroy_from_inside);
}

Test(executor, destroy_accepts_null)
{
    cr_expect(eq(int, tenon_executor_destroy(NULL), TENON_OK));
}

// --- its threads ---

struct traits {
    char name[32];
    bool blocks_term;
    bool blocks_fault;
};

static int look_at_thread(tenon_task *self, void *arg)
{
    struct traits *traits = arg;
    sigset_t set;

    (void)self;
    pthread_getname_np(pthread_self(), traits->name, sizeof(traits->name));
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    traits->blocks_term =
        sigismember(&set, SIGTERM) == 1 && sigismember(&set, SIGINT) == 1;
    traits->blocks_fault = sigismember(&set, SIGSEGV) == 1;
    return TENON_OK;
}

Test(executor, workers_are_named_after_it)
{
    struct traits traits;

    tenon_executor *executor = pool_create_with(
        TENON_EXECUTOR_OPTIONS(.worker_count = 1, .name = "crew"));
    must_run(executor, look_at_thread, &traits, TENON_OK);
    cr_expect(eq(str, traits.name, "crew-0"));
    pool_destroy(executor);
    executor = pool_create(1);
    must_run(executor, look_at_thread, &traits, TENON_OK);
    cr_expect(eq(str, traits.name, "tenon-0"));
    pool_destroy(executor);
}

Test(executor, workers_take_no_signals_but_their_own_faults)
{
    tenon_executor *executor = pool_create(1);
    struct traits traits;
    sigset_t before;
    sigset_t after;

    pthread_sigmask(SIG_SETMASK, NULL, &before);
    must_run(executor, look_at_thread, &traits, TENON_OK);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    cr_expect(traits.blocks_term);
    cr_expect(not(traits.blocks_fault));
    cr_expect(
        eq(int, sigismember(&after, SIGTERM), sigismember(&before, SIGTERM)));
    pool_destroy(executor);
}
