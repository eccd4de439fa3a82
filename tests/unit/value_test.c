// SPDX-License-Identifier: MIT
//
// value_test — what is bound at a scope is there for everything inside it, on
// whatever thread, and for nothing outside.

#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <signal.h>
#include <tenon/tenon.h>

TestSuite(value, .timeout = 60);

static int fallback = -1;
static const tenon_key user_key = {.name = "user", .fallback = &fallback};
static const tenon_key trace_key = {.name = "trace"};

#define READERS 8

// What each of several readers was given.
struct readings {
    atomic_uint count;
    int *users[READERS];
};

static int read_user(tenon_task *self, void *arg)
{
    struct readings *readings = arg;
    unsigned index = atomic_fetch_add(&readings->count, 1);

    readings->users[index % READERS] = tenon_value(self, &user_key);
    return TENON_OK;
}

static void expect_all(struct readings *readings, unsigned count, int *user)
{
    cr_assert(eq(u32, atomic_load(&readings->count), count));
    for (unsigned i = 0; i < count; i++) {
        cr_expect(eq(ptr, readings->users[i], user));
    }
    *readings = (struct readings){.count = 0};
}

static int read_three_levels_down(tenon_task *self, void *arg)
{
    tenon_scope outer;
    tenon_scope inner;

    (void)self;
    if (tenon_scope_open(&outer, NULL) != TENON_OK ||
        tenon_scope_open(&inner, NULL) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status body = TENON_OK;
    for (int i = 0; i < READERS && body == TENON_OK; i++) {
        body = tenon_spawn(i % 2 == 0 ? &inner : &outer, read_user, arg);
    }
    body = tenon_scope_join(&inner, body, NULL);
    return tenon_scope_join(&outer, body, NULL);
}

static void inherit(tenon_executor *executor)
{
    tenon_scope scope;
    struct readings readings = {.count = 0};
    int user = 7;
    tenon_binding bindings[] = {{&user_key, &user}};

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .bindings = bindings,
                        .binding_count = 1));
    must_spawn(&scope, read_three_levels_down, &readings);
    must_join(&scope, NULL, TENON_OK);
    expect_all(&readings, READERS, &user);
}

Test(value, is_inherited_by_tasks_at_any_depth)
{
    pool_each(inherit);
}

static void read_unbound(tenon_executor *executor)
{
    tenon_scope scope;
    struct readings readings = {.count = 0};
    tenon_binding bindings[] = {{&trace_key, &readings}};

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .bindings = bindings,
                        .binding_count = 1));
    must_spawn(&scope, read_user, &readings);
    must_join(&scope, NULL, TENON_OK);
    expect_all(&readings, 1, &fallback);
    must_run(executor, read_user, &readings, TENON_OK);
    expect_all(&readings, 1, &fallback);
}

Test(value, of_a_key_that_nobody_bound_is_its_fallback)
{
    pool_each(read_unbound);
}

struct hiding {
    struct readings inside;
    int user;
    void *trace_inside;
    void *user_in_body;
    void *user_after;
};

static int hide(tenon_task *self, void *arg)
{
    struct hiding *hiding = arg;
    tenon_binding bindings[] = {{&user_key, &hiding->user}};
    tenon_scope scope;

    if (tenon_scope_open(
            &scope,
            TENON_SCOPE_OPTIONS(.bindings = bindings, .binding_count = 1)) !=
        TENON_OK) {
        return TASK_IN_VAIN;
    }
    hiding->user_in_body = tenon_value(self, &user_key);
    hiding->trace_inside = tenon_value(self, &trace_key);
    tenon_status body = tenon_spawn(&scope, read_user, &hiding->inside);
    body = tenon_scope_join(&scope, body, NULL);
    hiding->user_after = tenon_value(self, &user_key);
    return body;
}

static void bind_again(tenon_executor *executor)
{
    tenon_scope scope;
    struct hiding hiding = {.user = 2};
    int user = 1;
    int trace = 3;
    tenon_binding bindings[] = {{&user_key, &user}, {&trace_key, &trace}};

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .bindings = bindings,
                        .binding_count = 2));
    must_spawn(&scope, hide, &hiding);
    must_join(&scope, NULL, TENON_OK);
    expect_all(&hiding.inside, 1, &hiding.user);
    cr_expect(eq(ptr, hiding.user_in_body, &hiding.user));
    cr_expect(eq(ptr, hiding.trace_inside, &trace));
    cr_expect(eq(ptr, hiding.user_after, &user));
}

Test(value, bound_again_further_in_hides_the_outer_one_there_only)
{
    pool_each(bind_again);
}

// Each of many scopes at a time has its own, on whatever thread its tasks run.
static int answer_request(tenon_task *self, void *arg)
{
    struct hiding hiding = {.user = 0};

    (void)arg;
    if (hide(self, &hiding) != TENON_OK ||
        atomic_load(&hiding.inside.count) != 1) {
        return TASK_IN_VAIN;
    }
    return hiding.inside.users[0] == &hiding.user ? TENON_OK : 1;
}

static void answer_many(tenon_executor *executor)
{
    tenon_scope scope;

    must_open(&scope, executor);
    for (int i = 0; i < 2000; i++) {
        must_spawn(&scope, answer_request, NULL);
    }
    must_join(&scope, NULL, TENON_OK);
}

Test(value, of_one_request_is_not_seen_by_another)
{
    pool_each(answer_many);
}

static void bind_twice(tenon_executor *executor)
{
    tenon_scope scope;
    int users[2] = {1, 2};
    tenon_binding bindings[] = {{&user_key, &users[0]}, {&user_key, &users[1]}};

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .bindings = bindings,
                        .binding_count = 2));
    cr_expect(eq(ptr, tenon_scope_value(&scope, &user_key), &users[0]));
    must_join(&scope, NULL, TENON_OK);
}

Test(value, of_two_for_one_key_the_first_counts)
{
    pool_each(bind_twice);
}

struct sender {
    tenon_scope_ref ref;
    struct readings *readings;
    void *user;
    tenon_status status;
};

static void *send(void *arg)
{
    struct sender *sender = arg;

    sender->user = tenon_scope_value(sender->ref.scope, &user_key);
    sender->status =
        tenon_ref_spawn(&sender->ref, read_user, sender->readings, NULL);
    tenon_scope_release(&sender->ref);
    return NULL;
}

static void send_task(tenon_executor *executor)
{
    tenon_scope scope;
    pthread_t thread;
    struct readings readings = {.count = 0};
    struct sender sender = {.readings = &readings};
    int user = 5;
    tenon_binding bindings[] = {{&user_key, &user}};

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .bindings = bindings,
                        .binding_count = 1));
    cr_assert(zero(int, tenon_scope_acquire(&scope, &sender.ref)));
    cr_assert(zero(int, pthread_create(&thread, NULL, send, &sender)));
    must_join(&scope, NULL, TENON_OK);
    cr_assert(zero(int, pthread_join(thread, NULL)));
    cr_expect(zero(int, sender.status));
    cr_expect(eq(ptr, sender.user, &user));
    expect_all(&readings, 1, &user);
}

Test(value, is_there_for_a_task_that_another_thread_sent)
{
    pool_each(send_task);
}

struct elsewhere {
    tenon_executor *executor;
    struct readings readings;
};

static int read_behind_shield(tenon_task *self, void *arg)
{
    struct elsewhere *elsewhere = arg;
    tenon_scope scope;

    (void)self;
    if (tenon_scope_open(
            &scope, TENON_SCOPE_OPTIONS(
                            .executor = elsewhere->executor,
                            .is_shielded = true)) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status body = tenon_spawn(&scope, read_user, &elsewhere->readings);
    return tenon_scope_join(&scope, body, NULL);
}

static void go_elsewhere(tenon_executor *executor)
{
    tenon_scope scope;
    struct elsewhere elsewhere = {.executor = pool_create(1)};
    int user = 5;
    tenon_binding bindings[] = {{&user_key, &user}};

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .bindings = bindings,
                        .binding_count = 1));
    must_spawn(&scope, read_behind_shield, &elsewhere);
    must_join(&scope, NULL, TENON_OK);
    expect_all(&elsewhere.readings, 1, &user);
    pool_destroy(elsewhere.executor);
}

Test(value, passes_shields_and_executors)
{
    pool_each(go_elsewhere);
}

static int read_in_fork(tenon_task *self, void *arg)
{
    tenon_task child;

    tenon_fork(self, &child, read_user, arg);
    return tenon_join(self, &child);
}

static void fork_reader(tenon_executor *executor)
{
    tenon_scope scope;
    struct readings readings = {.count = 0};
    int user = 5;
    tenon_binding bindings[] = {{&user_key, &user}};

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .bindings = bindings,
                        .binding_count = 1));
    must_spawn(&scope, read_in_fork, &readings);
    must_join(&scope, NULL, TENON_OK);
    expect_all(&readings, 1, &user);
}

Test(value, is_there_for_a_forked_child)
{
    pool_each(fork_reader);
}

// At its end as well: in the done callback and in the argument's destructor.
static void read_when_done(const tenon_completion *completion, void *context)
{
    (void)completion;
    read_user(tenon_current(), context);
}

static void read_when_destroyed(void *arg)
{
    read_user(tenon_current(), arg);
}

static void read_at_end(tenon_executor *executor)
{
    tenon_scope scope;
    struct readings readings = {.count = 0};
    int user = 5;
    tenon_binding bindings[] = {{&user_key, &user}};

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .bindings = bindings,
                        .binding_count = 1));
    must_spawn_with(
        &scope, task_ok, &readings,
        TENON_TASK_OPTIONS(
                .on_done = read_when_done, .on_done_context = &readings,
                .destroy_arg = read_when_destroyed));
    must_join(&scope, NULL, TENON_OK);
    expect_all(&readings, 2, &user);
}

Test(value, is_there_for_what_is_called_at_the_end_of_a_task)
{
    pool_each(read_at_end);
}

Test(value, needs_a_key_and_an_array)
{
    tenon_scope scope;
    int user = 5;
    tenon_binding bindings[] = {{&user_key, &user}, {NULL, &user}};

    tenon_status without_key = tenon_scope_open(
        &scope, TENON_SCOPE_OPTIONS(.bindings = bindings, .binding_count = 2));
    tenon_status without_array =
        tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.binding_count = 1));

    cr_expect(eq(int, without_key, TENON_EINVAL));
    cr_expect(eq(int, without_array, TENON_EINVAL));
}

static __attribute__((noinline)) void open_with_short_lived(tenon_scope *scope)
{
    int user = 5;
    tenon_binding bindings[] = {{&user_key, &user}};

    must_open_with(
        scope, TENON_SCOPE_OPTIONS(.bindings = bindings, .binding_count = 1));
}

// AddressSanitizer's frames lie elsewhere: there the read aborts, not the join.
Test(value, ended_before_its_scope_aborts, .signal = SIGABRT)
{
    static tenon_scope scope;

    open_with_short_lived(&scope);
    tenon_status status = tenon_scope_join(&scope, TENON_OK, NULL);
    void *user = tenon_scope_value(&scope, &user_key);
    cr_fail("came back with %d and %p", status, user);
}
