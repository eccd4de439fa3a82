// SPDX-License-Identifier: MIT
//
// wait_policy_test — how long who has nothing to run looks for work, by option
// and by environment.

#include "must.h"
#include "pool.h"
#include "sched/executor.h"
#include "sched/worker.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <tenon/tenon.h>
#include <time.h>

TestSuite(wait_policy, .timeout = 60);

static tenon_executor *create(tenon_wait_policy policy, uint64_t idle_spin_ns)
{
    return pool_create_with(TENON_EXECUTOR_OPTIONS(
            .worker_count = 2, .wait_policy = policy,
            .idle_spin_ns = idle_spin_ns));
}

static void expect_spins(
    tenon_executor *executor, uint64_t idle_spin_ns, uint64_t wait_spin_ns)
{
    cr_expect(eq(u64, executor->idle_spin_ns, idle_spin_ns));
    cr_expect(eq(u64, executor->wait_spin_ns, wait_spin_ns));
    pool_destroy(executor);
}

Test(wait_policy, is_balanced_unless_asked)
{
    unsetenv("TENON_WAIT_POLICY");
    expect_spins(create(TENON_WAIT_DEFAULT, 0), 20000, 10000);
    expect_spins(create(TENON_WAIT_BALANCED, 0), 20000, 10000);
}

Test(wait_policy, of_the_option_comes_before_that_of_the_environment)
{
    setenv("TENON_WAIT_POLICY", "nonsense", 1);
    expect_spins(create(TENON_WAIT_PASSIVE, 0), 0, 0);
    expect_spins(create(TENON_WAIT_ACTIVE, 0), 200000000, 1000000);
}

Test(wait_policy, is_taken_from_the_environment_in_any_case)
{
    setenv("TENON_WAIT_POLICY", "passive", 1);
    expect_spins(create(TENON_WAIT_DEFAULT, 0), 0, 0);
    setenv("TENON_WAIT_POLICY", "ACTIVE", 1);
    expect_spins(create(TENON_WAIT_DEFAULT, 0), 200000000, 1000000);
    setenv("TENON_WAIT_POLICY", "Balanced", 1);
    expect_spins(create(TENON_WAIT_DEFAULT, 0), 20000, 10000);
}

Test(wait_policy, gives_way_to_a_time_of_ones_own)
{
    expect_spins(create(TENON_WAIT_ACTIVE, 5000), 5000, 1000000);
    expect_spins(create(TENON_WAIT_ACTIVE, TENON_NO_SPIN), 0, 1000000);
    expect_spins(create(TENON_WAIT_PASSIVE, 5000), 5000, 0);
}

Test(wait_policy, that_is_none_is_refused)
{
    tenon_executor *executor = NULL;

    cr_expect(
        eq(int,
           tenon_executor_create(
               &executor, TENON_EXECUTOR_OPTIONS(.wait_policy = 9)),
           TENON_EINVAL));
    setenv("TENON_WAIT_POLICY", "", 1);
    cr_expect(eq(int, tenon_executor_create(&executor, NULL), TENON_EINVAL));
    setenv("TENON_WAIT_POLICY", "act", 1);
    cr_expect(eq(int, tenon_executor_create(&executor, NULL), TENON_EINVAL));
}

// --- on workers ---

static int note_clock(tenon_task *self, void *clock)
{
    (void)self;
    return pthread_getcpuclockid(pthread_self(), clock);
}

static bool is_asleep(void *executor)
{
    struct tn_idle *idle = &((tenon_executor *)executor)->idle;

    return tn_load_relaxed(&idle->state) == TN_IDLE_SLEEPING_ONE;
}

static uint64_t cpu_ns(clockid_t clock)
{
    struct timespec used;

    cr_assert(zero(int, clock_gettime(clock, &used)));
    return TENON_SECONDS((uint64_t)used.tv_sec) + (uint64_t)used.tv_nsec;
}

// What it has to put away then is no reason to begin again.
Test(wait_policy, says_how_long_a_worker_looks_after_its_last_task)
{
    const uint64_t look_ns = TENON_MILLISECONDS(200);
    tenon_executor *executor = pool_create_with(TENON_EXECUTOR_OPTIONS(
            .worker_count = 1, .spare_count = TENON_NO_SPARES,
            .idle_spin_ns = look_ns));
    clockid_t clock;

    must_run(executor, note_clock, &clock, TENON_OK);
    cr_assert(gate_poll(is_asleep, executor));
    uint64_t before_ns = cpu_ns(clock);
    must_run(executor, note_clock, &clock, TENON_OK);
    cr_assert(gate_poll(is_asleep, executor));
    cr_expect(lt(u64, cpu_ns(clock) - before_ns, look_ns + look_ns / 2));
    pool_destroy(executor);
}

Test(wait_policy, worker_that_looks_for_long_does_not_hold_up_the_end)
{
    tenon_executor *executor = create(TENON_WAIT_DEFAULT, TENON_SECONDS(3600));

    must_run(executor, task_ok, NULL, TENON_OK);
    pool_destroy(executor);
}

struct usage {
    clockid_t clock;
    uint64_t before_ns;
};

static bool has_looked_for_long(void *arg)
{
    struct usage *usage = arg;

    return cpu_ns(usage->clock) - usage->before_ns > TENON_MILLISECONDS(20);
}

Test(wait_policy, worker_that_is_to_look_for_ever_does)
{
    tenon_executor *executor = create(TENON_WAIT_DEFAULT, UINT64_MAX - 1);
    struct usage usage;

    must_run(executor, note_clock, &usage.clock, TENON_OK);
    usage.before_ns = cpu_ns(usage.clock);
    cr_expect(gate_poll(has_looked_for_long, &usage));
    pool_destroy(executor);
}

// --- in waits ---

// A wait that is over at the fourth look.
struct wait {
    struct tn_wait base;
    unsigned look_count;
    bool is_announced;
};

static bool is_done(struct tn_wait *base)
{
    return ++((struct wait *)base)->look_count > 3;
}

static bool announce(struct tn_wait *base, uint32_t parker)
{
    (void)parker;
    ((struct wait *)base)->is_announced = true;
    return false;
}

static bool parks(uint64_t wait_spin_ns, uint32_t cpu_count)
{
    tenon_executor *executor = pool_create(1);
    struct wait wait = {
        .base =
            {.is_done = is_done, .announce = announce, .executor = executor},
    };

    executor->wait_spin_ns = wait_spin_ns;
    executor->cpu_count = cpu_count;
    tn_thread_wait(executor, &wait.base);
    pool_destroy(executor);
    return wait.is_announced;
}

Test(wait_policy, says_how_long_a_foreign_thread_looks_before_it_parks)
{
    cr_expect(parks(0, 2));
    cr_expect(not(parks(TENON_SECONDS(3600), 2)));
}

// On the only CPU it would keep the worker from what it waits for.
Test(wait_policy, lets_no_foreign_thread_look_on_the_only_cpu)
{
    cr_expect(parks(TENON_SECONDS(3600), 1));
}

static int spawn_and_join(tenon_task *self, void *arg)
{
    tenon_scope scope;
    tenon_status status = tenon_scope_open(&scope, NULL);

    (void)self;
    for (int i = 0; i < 100 && status == TENON_OK; i++) {
        status = tenon_spawn(&scope, task_count, arg);
    }
    return tenon_scope_join(&scope, status, NULL);
}

Test(wait_policy, changes_nothing_else)
{
    for (int policy = TENON_WAIT_PASSIVE; policy <= TENON_WAIT_ACTIVE;
         policy++) {
        tenon_executor *executor = create((tenon_wait_policy)policy, 0);
        atomic_uint count = 0;

        for (int i = 0; i < 100; i++) {
            must_run(executor, spawn_and_join, &count, TENON_OK);
        }
        pool_destroy(executor);
        cr_expect(eq(u32, atomic_load(&count), 10000));
    }
}
