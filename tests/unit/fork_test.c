// SPDX-License-Identifier: MIT
//
// fork_test — children in the caller's frame: results, in any order of joins.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <string.h>
#include <tenon/tenon.h>

TestSuite(fork, .timeout = 60);

struct fib {
    int n;
    long result;
};

static int fib(tenon_task *self, void *arg)
{
    struct fib *fib_of = arg;
    struct fib left = {fib_of->n - 1, 0};
    struct fib right = {fib_of->n - 2, 0};
    tenon_task child;

    if (fib_of->n < 2) {
        fib_of->result = fib_of->n;
        return TENON_OK;
    }
    tenon_fork(self, &child, fib, &left);
    tenon_status right_status = fib(self, &right);
    tenon_status left_status = tenon_join(self, &child);
    fib_of->result = left.result + right.result;
    return left_status != TENON_OK ? left_status : right_status;
}

static void compute_fib(tenon_executor *executor)
{
    struct fib root = {20, 0};

    must_run(executor, fib, &root, TENON_OK);
    cr_expect(eq(long, root.result, 6765));
}

Test(fork, recursion_gives_the_right_result)
{
    pool_each(compute_fib);
}

enum { CHILD_COUNT = 1000 };  // more than a deque holds at first

struct many {
    tenon_task children[CHILD_COUNT];
    int codes[CHILD_COUNT];
    int order;  // 0: last in first out; 1: first in first out; 2: mixed
    int wrong_count;
};

static struct many many;

static int next_to_join(int order, int i)
{
    if (order == 0) {
        return CHILD_COUNT - 1 - i;
    }
    return order == 1 ? i : i * 7 % CHILD_COUNT;  // no common factor
}

static int join_many(tenon_task *self, void *arg)
{
    (void)arg;
    for (int i = 0; i < CHILD_COUNT; i++) {
        many.codes[i] = i % 3;  // 0 or a failure
        tenon_fork(self, &many.children[i], task_return, &many.codes[i]);
    }
    for (int i = 0; i < CHILD_COUNT; i++) {
        int k = next_to_join(many.order, i);
        many.wrong_count +=
            tenon_join(self, &many.children[k]) != many.codes[k];
    }
    return TENON_OK;
}

static void join_in_every_order(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;

    for (int order = 0; order < 3; order++) {
        many.order = order;
        many.wrong_count = 0;
        must_open_with(
            &scope,
            TENON_SCOPE_OPTIONS(
                    .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
        must_spawn(&scope, join_many, NULL);
        must_join(&scope, &report, TENON_ERRORS);
        cr_expect(eq(int, many.wrong_count, 0));
        cr_expect(eq(u64, report.error_count, CHILD_COUNT / 3 * 2));
        tenon_report_free(&report);
    }
}

Test(fork, join_returns_each_status_in_any_order)
{
    pool_each(join_in_every_order);
}

struct places {
    tenon_task *self;
    tenon_scope *scope;
    tenon_task *current;
    tenon_task *parent_current;
};

static int look(tenon_task *self, void *arg)
{
    struct places *places = arg;

    places->self = self;
    places->scope = tenon_task_scope(self);
    places->current = tenon_current();
    return TENON_OK;
}

static int fork_look(tenon_task *self, void *arg)
{
    struct places *places = arg;
    tenon_task child;

    tenon_fork(self, &child, look, places);
    tenon_status status = tenon_join(self, &child);
    places->parent_current = tenon_current();
    return status == TENON_OK && places->self == &child &&
                   places->current == &child &&
                   places->scope == tenon_task_scope(self) &&
                   places->parent_current == self
               ? TENON_OK
               : 1;
}

static void look_around(tenon_executor *executor)
{
    struct places places = {.self = NULL};

    must_run(executor, fork_look, &places, TENON_OK);
}

Test(fork, child_is_a_task_of_its_parents_scope)
{
    pool_each(look_around);
}

struct parallel {
    int look_count;
    struct gate child_runs;
    struct gate parent_runs;
};

// The second is run by the wait for the first: what is joined then is over, and
// what lies in the queue is of the task around.
static int join_in_order(tenon_task *self, void *arg)
{
    tenon_task first;
    tenon_task second;

    tenon_fork(self, &first, task_ok, arg);
    tenon_fork(self, &second, task_ok, arg);
    tenon_status status = tenon_join(self, &first);
    return status == TENON_OK ? tenon_join(self, &second) : status;
}

static int fork_around(tenon_task *self, void *arg)
{
    tenon_task elder;
    tenon_task younger;

    tenon_fork(self, &elder, task_ok, arg);
    tenon_fork(self, &younger, join_in_order, arg);
    tenon_status status = tenon_join(self, &younger);
    tenon_status elder_status = tenon_join(self, &elder);
    return status == TENON_OK ? elder_status : status;
}

static void join_above_others(tenon_executor *executor)
{
    for (int i = 0; i < 100; i++) {
        must_run(executor, fork_around, NULL, TENON_OK);
    }
}

Test(fork, join_in_any_order_leaves_what_is_of_a_task_around)
{
    pool_each(join_above_others);
}

static int meet_parent(tenon_task *self, void *arg)
{
    struct parallel *parallel = arg;

    (void)self;
    gate_open(&parallel->child_runs);
    return gate_wait(&parallel->parent_runs) ? 31 : TASK_IN_VAIN;
}

static int meet_child(tenon_task *self, void *arg)
{
    struct parallel *parallel = arg;
    tenon_task child;

    tenon_fork(self, &child, meet_parent, parallel);
    bool has_met = gate_wait(&parallel->child_runs);
    gate_open(&parallel->parent_runs);
    return tenon_join(self, &child) == 31 && has_met ? TENON_OK : 1;
}

static void meet(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_report report;
    struct parallel parallel = {.child_runs = {0}};

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    must_spawn(&scope, meet_child, &parallel);
    must_join(&scope, &report, TENON_ERRORS);
    cr_expect(eq(u64, report.error_count, 1));
    cr_expect(eq(int, report.primary->code, 31));
    cr_expect(eq(u64, report.ok_count, 1));
    tenon_report_free(&report);
}

Test(fork, child_runs_on_another_worker_while_its_parent_goes_on)
{
    pool_each_parallel(meet);
}

// One that lets its workers sleep as soon as there is nothing to do.
static tenon_executor *create_sleepy(void)
{
    return pool_create_with(TENON_EXECUTOR_OPTIONS(
            .worker_count = 2, .idle_spin_ns = TENON_NO_SPIN));
}

Test(fork, child_wakes_a_worker_that_sleeps)
{
    tenon_executor *executor = create_sleepy();

    for (int i = 0; i < 50; i++) {
        meet(executor);
    }
    pool_destroy(executor);
}

static int meet_member(tenon_task *self, void *arg)
{
    struct parallel *parallel = arg;
    tenon_scope scope;

    // So that there is memory at hand, as there is as a rule.
    tenon_status status = tenon_scope_open(&scope, NULL);
    if (status == TENON_OK) {
        status = tenon_spawn_n(&scope, task_ok, NULL, 0, 10, NULL);
    }
    status = tenon_scope_join(&scope, status, NULL);
    // The other worker goes to sleep meanwhile, or not.
    for (int i = 0; i < parallel->look_count; i++) {
        (void)tenon_cancelled(self);
    }
    if (status == TENON_OK) {
        status = tenon_scope_open(&scope, NULL);
    }
    if (status == TENON_OK) {
        status = tenon_spawn(&scope, meet_parent, parallel);
    }
    bool has_met = gate_wait(&parallel->child_runs);
    gate_open(&parallel->parent_runs);
    return tenon_scope_join(&scope, status, NULL) == TENON_ERRORS && has_met
               ? TENON_OK
               : 1;
}

Test(fork, spawn_wakes_a_worker_that_sleeps)
{
    tenon_executor *executor = create_sleepy();

    for (int i = 0; i < 50; i++) {
        struct parallel parallel = {.look_count = i * 10000};
        must_run(executor, meet_member, &parallel, TENON_OK);
    }
    pool_destroy(executor);
}

enum { MANY = 300, FAR = 150 };

struct brood {
    struct one {
        struct brood *brood;
        tenon_task child;
        atomic_int run_count;
    } ones[MANY];
    pthread_t parent;
    atomic_int elsewhere_count;
    int wrong_count;
};

static int run_one(tenon_task *self, void *arg)
{
    struct one *one = arg;

    (void)self;
    atomic_fetch_add(&one->run_count, 1);
    if (!pthread_equal(pthread_self(), one->brood->parent)) {
        atomic_fetch_add(&one->brood->elsewhere_count, 1);
    }
    return TENON_OK;
}

// Who spawns below many children hands the older half of them out when it is
// asked, until that half is run elsewhere.
static int fork_many(tenon_task *self, void *arg)
{
    struct brood *brood = arg;
    tenon_status status = TENON_OK;

    brood->parent = pthread_self();
    for (int i = 0; i < MANY; i++) {
        brood->ones[i].brood = brood;
        tenon_fork(self, &brood->ones[i].child, run_one, &brood->ones[i]);
    }
    while (status == TENON_OK && atomic_load(&brood->elsewhere_count) < FAR) {
        tenon_scope scope;
        status = tenon_scope_open(&scope, NULL);
        if (status == TENON_OK) {
            status = tenon_scope_join(
                &scope, tenon_spawn(&scope, task_ok, NULL), NULL);
        }
    }
    for (int i = MANY - 1; i >= 0; i--) {
        struct one *one = &brood->ones[i];
        brood->wrong_count += tenon_join(self, &one->child) != TENON_OK ||
                              atomic_load(&one->run_count) != 1;
    }
    return status;
}

static void hand_out(tenon_executor *executor)
{
    static struct brood brood;

    memset(&brood, 0, sizeof(brood));
    must_run(executor, fork_many, &brood, TENON_OK);
    cr_expect(zero(int, brood.wrong_count));
    cr_expect(ge(int, atomic_load(&brood.elsewhere_count), FAR));
}

Test(fork, children_are_handed_out_by_who_spawns_below_them)
{
    pool_each_parallel(hand_out);
}
