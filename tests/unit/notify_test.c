// SPDX-License-Identifier: MIT
//
// notify_test — a scope that says when it can be joined without waiting, as an
// event loop needs it.

#include "gate.h"
#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <tenon/tenon.h>
#include <unistd.h>

TestSuite(notify, .timeout = 60);

struct told {
    struct gate is_told;
    atomic_uint ran_count;
    unsigned ran_before;
};

static void note(void *context)
{
    struct told *told = context;

    told->ran_before = atomic_load(&told->ran_count);
    gate_open(&told->is_told);
}

static int spawn_more(tenon_task *self, void *arg)
{
    struct told *told = arg;
    tenon_status status = TENON_OK;

    for (int i = 0; i < 10 && status == TENON_OK; i++) {
        status =
            tenon_spawn(tenon_task_scope(self), task_count, &told->ran_count);
    }
    return status;
}

static void tell_once(tenon_executor *executor)
{
    for (int i = 0; i < 200; i++) {
        tenon_scope scope;
        tenon_report report;
        struct told told = {.ran_before = 0};
        must_open(&scope, executor);
        for (int k = 0; k < 3; k++) {
            must_spawn(&scope, spawn_more, &told);
        }
        cr_assert(eq(int, tenon_scope_notify(&scope, note, &told), TENON_OK));
        cr_assert(gate_wait(&told.is_told));
        cr_assert(
            eq(int, tenon_scope_try_join(&scope, TENON_OK, &report), TENON_OK));
        cr_assert(eq(uint, told.ran_before, 30));
        cr_assert(eq(u64, report.ok_count, 33));
        cr_assert(eq(u32, gate_count(&told.is_told), 1));
        tenon_report_free(&report);
    }
}

Test(notify, tells_once_when_the_last_task_has_ended)
{
    pool_each(tell_once);
}

static void tell_at_once(tenon_executor *executor)
{
    tenon_scope scope;
    struct told told = {.ran_before = 1};

    must_open(&scope, executor);
    cr_assert(eq(int, tenon_scope_notify(&scope, note, &told), TENON_OK));
    cr_expect(gate_is_open(&told.is_told));
    must_join(&scope, NULL, TENON_OK);
}

Test(notify, tells_at_once_of_an_empty_scope)
{
    pool_each(tell_at_once);
}

static void poll_fd(tenon_executor *executor)
{
    tenon_scope scope;
    struct task_step step = {.status = TENON_OK};
    int fd = eventfd(0, EFD_CLOEXEC);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    uint64_t value = 0;

    cr_assert(ge(int, fd, 0));
    must_open(&scope, executor);
    must_spawn(&scope, task_step, &step);
    cr_assert(eq(int, tenon_scope_notify_fd(&scope, fd), TENON_OK));
    cr_expect(eq(int, poll(&ready, 1, 0), 0));
    cr_expect(
        eq(int, tenon_scope_try_join(&scope, TENON_OK, NULL), TENON_ENOTREADY));
    gate_open(&step.may_end);
    cr_assert(eq(int, poll(&ready, 1, 10000), 1));
    cr_assert(eq(sz, (size_t)read(fd, &value, sizeof(value)), sizeof(value)));
    cr_expect(eq(u64, value, 1));
    cr_expect(eq(int, tenon_scope_try_join(&scope, TENON_OK, NULL), TENON_OK));
    close(fd);
}

Test(notify, makes_an_eventfd_readable)
{
    pool_each(poll_fd);
}

static void close_to_owner(tenon_executor *executor)
{
    tenon_scope scope;
    struct told told = {.ran_before = 0};
    struct task_step step = {.status = TENON_OK};

    must_open(&scope, executor);
    must_spawn(&scope, task_step, &step);
    cr_assert(eq(int, tenon_scope_notify(&scope, note, &told), TENON_OK));
    cr_expect(eq(int, tenon_spawn(&scope, task_ok, NULL), TENON_ECLOSED));
    cr_expect(eq(int, tenon_scope_notify(&scope, note, &told), TENON_EALREADY));
    cr_expect(tenon_scope_cancel(&scope, 0, NULL));
    gate_open(&step.may_end);
    // A join that waits is as good.
    must_join(&scope, NULL, TENON_OK);
    cr_assert(gate_wait(&told.is_told));
    cr_expect(eq(int, tenon_scope_notify(&scope, note, &told), TENON_EALREADY));
}

Test(notify, closes_the_scope_to_its_owner)
{
    pool_each(close_to_owner);
}

static int notify_inside(tenon_task *self, void *arg)
{
    struct told *told = arg;
    tenon_scope inner;
    bool is_right =
        tenon_scope_notify(tenon_task_scope(self), note, told) == TENON_EDEADLK;

    if (tenon_scope_open(&inner, NULL) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    is_right =
        is_right && tenon_scope_notify(&inner, note, told) == TENON_EPERM;
    tenon_status status = tenon_scope_join(&inner, TENON_OK, NULL);
    return is_right ? status : TASK_IN_VAIN;
}

static void misuse(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_scope never_opened = {.depth = 0};
    struct told told = {.ran_before = 0};

    must_open(&scope, executor);
    must_spawn(&scope, notify_inside, &told);
    cr_expect(eq(int, tenon_scope_notify(&scope, NULL, NULL), TENON_EINVAL));
    cr_expect(eq(int, tenon_scope_notify_fd(&scope, -1), TENON_EINVAL));
    must_join(&scope, NULL, TENON_OK);
    cr_expect(
        eq(int, tenon_scope_notify(&never_opened, note, &told), TENON_EINVAL));
    cr_expect(eq(int, tenon_scope_notify(NULL, note, &told), TENON_EINVAL));
    cr_expect(not(gate_is_open(&told.is_told)));
}

Test(notify, is_for_the_owner_of_a_root_scope)
{
    pool_each(misuse);
}

static void keep_reference(tenon_executor *executor)
{
    tenon_scope scope;
    tenon_scope_ref ref;
    struct told told = {.ran_before = 0};

    must_open(&scope, executor);
    cr_assert(eq(int, tenon_scope_acquire(&scope, &ref), TENON_OK));
    cr_assert(eq(int, tenon_scope_notify(&scope, note, &told), TENON_OK));
    cr_assert(
        eq(int, tenon_ref_spawn(&ref, task_count, &told.ran_count, NULL),
           TENON_OK));
    cr_expect(not(gate_is_open(&told.is_told)));
    tenon_scope_release(&ref);
    cr_assert(gate_wait(&told.is_told));
    cr_expect(eq(uint, told.ran_before, 1));
    must_join(&scope, NULL, TENON_OK);
}

Test(notify, waits_for_references)
{
    pool_each(keep_reference);
}

static void leave_block(tenon_executor *executor)
{
    struct told told = {.ran_before = 0};
    tenon_status status = TASK_IN_VAIN;

    TENON_SCOPE(scope, .executor = executor, .status = &status)
    {
        must_spawn(&scope, spawn_more, &told);
        cr_assert(eq(int, tenon_scope_notify(&scope, note, &told), TENON_OK));
        cr_expect(eq(int, tenon_scope_fail(&scope, 4, "late"), 4));
    }
    cr_expect(eq(int, status, TENON_ERRORS));
    cr_assert(gate_wait(&told.is_told));
}

Test(notify, leaves_the_join_to_the_end_of_a_block)
{
    pool_each(leave_block);
}
