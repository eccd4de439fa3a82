// SPDX-License-Identifier: MIT
//
// unfork_test — a child taken back was never a task; one begun cannot be had.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

TestSuite(unfork, .timeout = 60);

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
    int status = TENON_OK;

    if (fib_of->n < 2) {
        fib_of->result = fib_of->n;
        return TENON_OK;
    }
    int64_t place = tenon_fork(self, &child, fib, &left);
    tenon_status right_status = fib(self, &right);
    if (tenon_unfork(self, &child, place)) {
        status = fib(self, &left);
    } else {
        status = tenon_join(self, &child);
    }
    fib_of->result = left.result + right.result;
    return status != TENON_OK ? status : right_status;
}

static void compute_fib(tenon_executor *executor)
{
    struct fib root = {20, 0};

    must_run(executor, fib, &root, TENON_OK);
    cr_expect(eq(long, root.result, 6765));
}

Test(unfork, recursion_gives_the_right_result)
{
    pool_each(compute_fib);
}

static int take_back(tenon_task *self, void *arg)
{
    tenon_task child;
    int64_t place = tenon_fork(self, &child, task_count, arg);

    return tenon_unfork(self, &child, place) ? TENON_OK : 1;
}

Test(unfork, child_taken_back_never_runs)
{
    tenon_executor *executor = pool_create(1);
    atomic_uint count = 0;

    must_run(executor, take_back, &count, TENON_OK);
    pool_destroy(executor);
    cr_expect(eq(uint, atomic_load(&count), 0));
}

struct begun {
    struct gate has_begun;
    struct gate may_end;
    bool was_taken_back;
};

static int begin_and_wait(tenon_task *self, void *arg)
{
    struct begun *begun = arg;

    (void)self;
    gate_open(&begun->has_begun);
    return gate_wait(&begun->may_end) ? 21 : 1;
}

static int fork_and_wait(tenon_task *self, void *arg)
{
    struct begun *begun = arg;
    tenon_task child;
    int64_t place = tenon_fork(self, &child, begin_and_wait, begun);
    bool has_begun = gate_wait(&begun->has_begun);

    begun->was_taken_back = tenon_unfork(self, &child, place);
    gate_open(&begun->may_end);
    return tenon_join(self, &child) == 21 && has_begun ? TENON_OK : 2;
}

Test(unfork, child_that_has_begun_is_joined)
{
    tenon_executor *executor = pool_create(2);
    struct begun begun = {.was_taken_back = true};

    // The child's code is an error of the scope.
    must_run(executor, fork_and_wait, &begun, TENON_ERRORS);
    pool_destroy(executor);
    cr_expect(not(begun.was_taken_back));
}

struct pair {
    bool swaps_places;
    atomic_uint count;
    bool older_first;
    bool newer;
    bool older;
};

static int unfork_in_wrong_order(tenon_task *self, void *arg)
{
    struct pair *pair = arg;
    tenon_task older;
    tenon_task newer;
    int64_t older_place = tenon_fork(self, &older, task_count, &pair->count);
    int64_t newer_place = tenon_fork(self, &newer, task_count, &pair->count);

    if (pair->swaps_places) {
        int64_t place = older_place;
        older_place = newer_place;
        newer_place = place;
    }
    pair->older_first = tenon_unfork(self, &older, older_place);
    pair->newer = tenon_unfork(self, &newer, newer_place);
    pair->older = tenon_unfork(self, &older, INT64_MAX);
    return TENON_OK;
}

static void expect_newest_only(bool swaps_places, bool is_debugged)
{
    struct pair pair = {.swaps_places = swaps_places, .older_first = true};

    tenon_executor *executor = pool_create_with(
        TENON_EXECUTOR_OPTIONS(.worker_count = 1, .debug = is_debugged));
    must_run(executor, unfork_in_wrong_order, &pair, TENON_OK);
    pool_destroy(executor);
    cr_expect(not(pair.older_first));
    cr_expect(pair.newer);
    cr_expect(pair.older);
    cr_expect(eq(uint, atomic_load(&pair.count), 0));
}

Test(unfork, only_the_newest_can_be_taken_back)
{
    expect_newest_only(false, false);
}

Test(unfork, wrong_place_changes_nothing_in_debug_mode)
{
    expect_newest_only(true, true);
}

struct place {
    int64_t place;
    bool was_taken_back;
};

static int look_at_place(tenon_task *self, void *arg)
{
    struct place *place = arg;
    tenon_task child;

    place->place = tenon_fork(self, &child, task_ok, NULL);
    place->was_taken_back = tenon_unfork(self, &child, place->place);
    return TENON_OK;
}

static bool is_set_to(const char *variable, const char *value)
{
    const char *text = getenv(variable);

    return text != NULL && strcmp(text, value) == 0;
}

static bool has_no_inline_calls(void)
{
    return is_set_to("TENON_FENCE", "portable") ||
           is_set_to("TENON_DEBUG", "1");
}

// Where it is none, no call is inline.
Test(unfork, place_is_none_where_fences_are_portable_and_in_debug_mode)
{
    tenon_executor *executor = pool_create(1);
    struct place place = {.place = 0};

    must_run(executor, look_at_place, &place, TENON_OK);
    pool_destroy(executor);
    cr_expect(place.was_taken_back);
    cr_expect(eq(int, place.place < 0, has_no_inline_calls()));
}

// A place that is none, where calls are not inline.
static int unfork_nowhere(tenon_task *self, void *arg)
{
    bool *was_taken_back = arg;
    atomic_uint run_count = 0;
    tenon_task older;
    tenon_task newer;

    tenon_fork(self, &older, task_count, &run_count);
    tenon_fork(self, &newer, task_count, &run_count);
    *was_taken_back = tenon_unfork(self, &newer, -1);
    int status = *was_taken_back ? task_count(self, &run_count)
                                 : tenon_join(self, &newer);
    status |= tenon_join(self, &older);
    return atomic_load(&run_count) == 2 ? status : 1;
}

Test(unfork, place_that_is_none_loses_nothing)
{
    tenon_executor *plain = pool_create(1);
    tenon_executor *debugged = pool_create_with(
        TENON_EXECUTOR_OPTIONS(.worker_count = 1, .debug = true));
    bool was_taken_back = false;

    must_run(plain, unfork_nowhere, &was_taken_back, TENON_OK);
    cr_expect(was_taken_back);
    must_run(debugged, unfork_nowhere, &was_taken_back, TENON_OK);
    cr_expect(was_taken_back);
    pool_destroy(plain);
    pool_destroy(debugged);
}

// --- by what is called at the end of a task ---

static void look_at_place_there(void *arg)
{
    look_at_place(tenon_current(), arg);
}

static void look_when_done(const tenon_completion *completion, void *context)
{
    (void)completion;
    look_at_place(tenon_current(), context);
}

static int spawn_lookers(tenon_task *self, void *arg)
{
    struct place *places = arg;

    return tenon_spawn_with(
        tenon_task_scope(self), task_ok, &places[0],
        TENON_TASK_OPTIONS(
                .destroy_arg = look_at_place_there, .on_done = look_when_done,
                .on_done_context = &places[1]));
}

Test(unfork, what_is_called_at_the_end_of_a_task_forks_inline_as_well)
{
    tenon_executor *executor = pool_create(1);
    struct place places[2] = {{.place = 0}, {.place = 0}};

    must_run(executor, spawn_lookers, places, TENON_OK);
    pool_destroy(executor);
    for (int i = 0; i < 2; i++) {
        cr_expect(places[i].was_taken_back);
        cr_expect(eq(int, places[i].place < 0, has_no_inline_calls()));
    }
}

static int fork_many(tenon_task *self, void *arg)
{
    enum { COUNT = 1000 };  // more than a deque holds at first
    static tenon_task children[COUNT];
    static int64_t places[COUNT];
    unsigned *called_count = arg;

    for (int i = 0; i < COUNT; i++) {
        places[i] = tenon_fork(self, &children[i], task_ok, NULL);
    }
    for (int i = COUNT - 1; i >= 0; i--) {
        if (tenon_unfork(self, &children[i], places[i])) {
            ++*called_count;
        } else if (tenon_join(self, &children[i]) != TENON_OK) {
            return 1;
        }
    }
    return TENON_OK;
}

struct refilled {
    tenon_task children[3];
    atomic_int run_counts[3];
    atomic_int spawned_count;
    int wrong_count;
};

// A wait in between has run the children; new tasks lie at their places.
static int wait_and_refill(tenon_task *self, void *arg)
{
    struct refilled *refilled = arg;
    int64_t places[3];
    tenon_scope scope;
    tenon_status status = tenon_scope_open(&scope, NULL);

    if (status == TENON_OK) {
        status = tenon_spawn(&scope, task_ok, NULL);
    }
    for (int i = 0; i < 3; i++) {
        places[i] = tenon_fork(
            self, &refilled->children[i], task_count, &refilled->run_counts[i]);
    }
    // The task of the scope lies below them: alone, a worker runs them first.
    (void)!tenon_scope_wait_until(&scope, TENON_NO_DEADLINE);
    for (int i = 0; i < 2 && status == TENON_OK; i++) {
        status = tenon_spawn(&scope, task_count, &refilled->spawned_count);
    }
    for (int i = 2; i >= 0; i--) {
        if (tenon_unfork(self, &refilled->children[i], places[i])) {
            atomic_fetch_add(&refilled->run_counts[i], 1);
        } else {
            refilled->wrong_count +=
                tenon_join(self, &refilled->children[i]) != TENON_OK;
        }
        refilled->wrong_count += atomic_load(&refilled->run_counts[i]) != 1;
    }
    return tenon_scope_join(&scope, status, NULL);
}

static void refill(tenon_executor *executor)
{
    struct refilled refilled = {.wrong_count = 0};

    must_run(executor, wait_and_refill, &refilled, TENON_OK);
    cr_expect(zero(int, refilled.wrong_count));
    cr_expect(eq(int, atomic_load(&refilled.spawned_count), 2));
}

Test(unfork, child_that_a_wait_has_run_is_not_taken_for_another_task)
{
    tenon_executor *executor = pool_create_with(TENON_EXECUTOR_OPTIONS(
            .worker_count = 1, .spare_count = TENON_NO_SPARES));
    refill(executor);
    pool_destroy(executor);
    pool_each(refill);
}

Test(unfork, many_are_taken_back_in_reverse)
{
    tenon_executor *executor = pool_create(1);
    unsigned called_count = 0;

    must_run(executor, fork_many, &called_count, TENON_OK);
    pool_destroy(executor);
    cr_expect(eq(uint, called_count, 1000));
}
