// SPDX-License-Identifier: MIT
//
// leftover_test — what has ended leaves no memory behind, however long lives
// what it was a part of.

#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <tenon/tenon.h>
#include <unistd.h>

TestSuite(leftover, .timeout = 120);

#define AN_HOUR TENON_SECONDS(3600)

// What may be lost to caches and to chance.
#define SLACK_BYTES ((uint64_t)3 * 512 * 1024)
#define HEAP_SLACK_BYTES ((uint64_t)256 * 1024)

// Bytes that the process has in memory. Pieces of tasks are not the heap's.
static uint64_t resident_bytes(void)
{
    unsigned long long size = 0;
    unsigned long long resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    cr_assert(ne(ptr, file, NULL));
    cr_assert(eq(int, fscanf(file, "%llu %llu", &size, &resident), 2));
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

// Bytes that the heap has given out. A sanitizer's own heap says 0: there
// leaks are found by other means.
static uint64_t heap_bytes(void)
{
    return mallinfo2().uordblks;
}

static void expect_growth(uint64_t before, uint64_t after, uint64_t slack)
{
    cr_expect(le(u64, after, before + slack));
}

// --- tasks of a scope that goes on ---

static void nothing(void *arg)
{
    (void)arg;
}

static tenon_status spawn_plain(tenon_scope *scope)
{
    return tenon_spawn(scope, task_ok, NULL);
}

static tenon_status spawn_named(tenon_scope *scope)
{
    return tenon_spawn_with(
        scope, task_ok, NULL,
        TENON_TASK_OPTIONS(.name = "named", .destroy_arg = nothing));
}

struct crowd {
    tenon_status (*spawn)(tenon_scope *scope);
    int round_count;
};

// In rounds, in one scope.
static tenon_status end_many(tenon_scope *scope, const struct crowd *crowd)
{
    tenon_status status = TENON_OK;

    for (int i = 0; i < crowd->round_count && status == TENON_OK; i++) {
        for (int k = 0; k < 1000 && status == TENON_OK; k++) {
            status = crowd->spawn(scope);
        }
        if (status == TENON_OK) {
            status = tenon_scope_wait_until(scope, TENON_NO_DEADLINE);
        }
    }
    return status;
}

static int own_many(tenon_task *self, void *arg)
{
    tenon_scope scope;
    tenon_status status = tenon_scope_open(&scope, NULL);

    (void)self;
    if (status != TENON_OK) {
        return status;
    }
    return tenon_scope_join(&scope, end_many(&scope, arg), NULL);
}

static void end_fifty_thousand(tenon_executor *executor)
{
    static tenon_status (*const spawns[])(tenon_scope * scope) = {
        spawn_plain, spawn_named};

    for (int i = 0; i < 2; i++) {
        struct crowd first = {spawns[i], 10};
        struct crowd crowd = {spawns[i], 50};
        tenon_scope scope;

        must_open(&scope, executor);
        cr_assert(zero(int, end_many(&scope, &first)));
        uint64_t before = resident_bytes();
        cr_assert(zero(int, end_many(&scope, &crowd)));
        expect_growth(before, resident_bytes(), SLACK_BYTES);
        must_join(&scope, NULL, TENON_OK);

        must_run(executor, own_many, &first, TENON_OK);
        before = resident_bytes();
        must_run(executor, own_many, &crowd, TENON_OK);
        expect_growth(before, resident_bytes(), SLACK_BYTES);
    }
}

Test(leftover, of_fifty_thousand_tasks_is_used_again_in_their_scope)
{
    pool_each(end_fifty_thousand);
}

// --- what tasks have besides ---

// Before a join.
enum { RECORD_MAX = 12000 };

static tenon_limiter limiter;

static tenon_status spawn_timed(tenon_scope *scope)
{
    return tenon_spawn_with(
        scope, task_ok, NULL, TENON_TASK_OPTIONS(.timeout_ns = AN_HOUR));
}

static tenon_status spawn_limited(tenon_scope *scope)
{
    return tenon_spawn_with(
        scope, task_ok, NULL, TENON_TASK_OPTIONS(.limiter = &limiter));
}

static tenon_status spawn_later(tenon_scope *scope)
{
    return tenon_spawn_with(
        scope, task_ok, NULL, TENON_TASK_OPTIONS(.delay_ns = 1));
}

static tenon_status spawn_cancelled(tenon_scope *scope)
{
    static tenon_handle handles[RECORD_MAX];
    static int count;
    tenon_handle *handle = &handles[count++ % RECORD_MAX];
    tenon_handle *next = NULL;
    tenon_status status =
        tenon_spawn_task(scope, handle, task_until_cancelled, NULL, NULL);

    if (status == TENON_OK) {
        tenon_handle_cancel(handle, 1, "a cause of some length");
        status = tenon_scope_next(scope, &next);
    }
    return status;
}

static void end_records(tenon_executor *executor)
{
    static tenon_status (*const spawns[])(tenon_scope * scope) = {
        spawn_timed, spawn_limited, spawn_later, spawn_cancelled};

    tenon_limiter_init(&limiter, 3);
    for (int i = 0; i < 4; i++) {
        struct crowd first = {spawns[i], 2};
        struct crowd crowd = {spawns[i], RECORD_MAX / 1000 - 2};
        tenon_scope scope;

        must_open(&scope, executor);
        cr_assert(zero(int, end_many(&scope, &first)));
        uint64_t before = heap_bytes();
        cr_assert(zero(int, end_many(&scope, &crowd)));
        expect_growth(before, heap_bytes(), HEAP_SLACK_BYTES);
        must_join(&scope, NULL, TENON_OK);
    }
    tenon_limiter_fini(&limiter);
}

Test(leftover, of_deadlines_limits_delays_and_causes_is_freed_with_their_task)
{
    pool_each(end_records);
}

// --- what is below a token that goes on ---

enum { WINDOW = 64, MANY = 10000 };

struct below {
    tenon_token token;
    tenon_token_link links[2];
    tenon_callback callback;
    bool is_open;
};

static int count_call(void *context, const tenon_cause *cause)
{
    (void)cause;
    atomic_fetch_add((atomic_uint *)context, 1);
    return 0;
}

// Some end with their callback inside, some have taken it out.
static void end_below(struct below *below, int i)
{
    if (below->is_open) {
        if (i % 3 == 0) {
            tenon_callback_unregister(&below->callback);
        }
        tenon_token_fini(&below->token);
    }
    // Whoever still knows it would meet this.
    memset(below, 0xab, sizeof(*below));
    below->is_open = false;
}

static void open_below(
    struct below *below, tenon_token *parents, int i, atomic_uint *call_count)
{
    if (i % 2 == 0) {
        tenon_token_init(&below->token, &parents[0]);
    } else {
        below->links[0].parent = &parents[0];
        below->links[1].parent = &parents[1];
        tenon_token_init_linked(&below->token, below->links, 2);
    }
    tenon_callback_register(
        &below->callback, &below->token, count_call, call_count);
    below->is_open = true;
}

Test(leftover, of_ten_thousand_tokens_is_nothing_at_their_parents)
{
    static struct below belows[WINDOW];
    tenon_token parents[2];
    atomic_uint call_count = 0;

    tenon_token_init(&parents[0], NULL);
    tenon_token_init(&parents[1], NULL);
    uint64_t before = heap_bytes();
    for (int i = 0; i < MANY; i++) {
        // Neither the oldest nor the newest first.
        struct below *below = &belows[i * 37 % WINDOW];
        end_below(below, i);
        open_below(below, parents, i, &call_count);
    }
    for (int i = 0; i < WINDOW; i++) {
        end_below(&belows[i], i);
    }
    expect_growth(before, heap_bytes(), HEAP_SLACK_BYTES);
    cr_expect(tenon_token_cancel(&parents[0], 1, "late"));
    cr_expect(tenon_token_cancel(&parents[1], 1, "late"));
    cr_expect(eq(uint, atomic_load(&call_count), 0));
    tenon_token_fini(&parents[0]);
    tenon_token_fini(&parents[1]);
}

static void open_scopes(tenon_executor *executor)
{
    tenon_token token;
    tenon_scope scope;
    tenon_callback callback;
    atomic_uint call_count = 0;
    uint64_t before = 0;

    tenon_token_init(&token, NULL);
    for (int i = 0; i < MANY + 100; i++) {
        if (i == 100) {
            before = heap_bytes();
        }
        must_open_with(
            &scope, TENON_SCOPE_OPTIONS(
                            .executor = executor, .parent = &token,
                            .timeout_ns = AN_HOUR, .max_running = 2));
        tenon_callback_register(
            &callback, tenon_scope_token(&scope), count_call, &call_count);
        if (i % 2 == 0) {
            tenon_scope_cancel(&scope, 1, "a cause of some length");
        }
        must_join(&scope, NULL, TENON_OK);
        memset(&callback, 0xab, sizeof(callback));
        memset(&scope, 0xab, sizeof(scope));
    }
    expect_growth(before, heap_bytes(), HEAP_SLACK_BYTES);
    tenon_token_cancel(&token, 1, "late");
    cr_expect(eq(uint, atomic_load(&call_count), MANY / 2 + 50));
    tenon_token_fini(&token);
}

Test(leftover, of_ten_thousand_scopes_is_nothing_at_their_parent)
{
    pool_each(open_scopes);
}

// --- moves of a deadline ---

static void move_often(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_token token;
    uint64_t before = 0;

    must_open(&scope, executor);
    tenon_token_init(&token, NULL);
    for (uint64_t i = 0; i < MANY + 100; i++) {
        uint64_t until_ns = tenon_now_ns() + AN_HOUR + i * 7919 % 1000;
        if (i == 100) {
            before = heap_bytes();
        }
        cr_assert(zero(int, tenon_scope_set_deadline(&scope, until_ns)));
        cr_assert(
            zero(int, tenon_token_set_deadline(&token, executor, until_ns)));
    }
    expect_growth(before, heap_bytes(), HEAP_SLACK_BYTES);
    must_join(&scope, NULL, TENON_OK);
    tenon_token_fini(&token);
}

Test(leftover, of_ten_thousand_moves_of_a_deadline_is_nothing)
{
    pool_each(move_often);
}
