// SPDX-License-Identifier: MIT
//
// group — children, owners, and the main thread's part.

#include "group.h"

#include "must.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

int group_sleep(tenon_task *self, void *arg)
{
    struct group *group = arg;

    gate_open(&group->started);
    tenon_status status = tenon_sleep_until(self, TENON_NO_DEADLINE);
    atomic_fetch_add(&group->told_count, status == TENON_CANCELLED);
    return status;
}

int group_fail_when_told(tenon_task *self, void *arg)
{
    return group_sleep(self, arg) == TENON_CANCELLED ? GROUP_CODE
                                                     : TASK_IN_VAIN;
}

int group_fail_at_gate(tenon_task *self, void *arg)
{
    struct group *group = arg;

    gate_open(&group->started);
    tenon_blocking_begin(self);
    bool in_time = gate_wait(&group->may_end);
    tenon_blocking_end(self);
    return in_time ? GROUP_CODE : TASK_IN_VAIN;
}

tenon_status group_spawn(
    tenon_scope *scope, tenon_task_fn *fn, int count, struct group *group)
{
    tenon_status status = TENON_OK;

    for (int i = 0; i < count && status == TENON_OK; i++) {
        status = tenon_spawn(scope, fn, group);
    }
    return status;
}

static tenon_status answer(tenon_scope *scope, struct group *group)
{
    if (group->body_is_fatal) {
        return tenon_scope_fail_at(
            scope, TENON_PLACE("app", TENON_SEVERITY_FATAL), group->body_code,
            "fatal");
    }
    return group->body_code != 0 ? group->body_code : group->slept;
}

static tenon_status run_body(
    tenon_task *self, tenon_scope *scope, struct group *group)
{
    if (!group->body_sleeps) {
        return TENON_OK;
    }
    group->slept = group_sleep(self, group);
    if (group->body_ends_child) {
        gate_open(&group->may_end);
    }
    return answer(scope, group);
}

int group_own(tenon_task *self, void *arg)
{
    struct group *group = arg;
    tenon_scope scope;
    tenon_status body = tenon_scope_open(
        &scope, TENON_SCOPE_OPTIONS(.deadline_ns = group->deadline_ns));

    group->read_ns = tenon_task_deadline(self);
    if (body == TENON_OK) {
        body = group_spawn(&scope, group->child, group->child_count, group);
    }
    if (body == TENON_OK) {
        body = group_spawn(&scope, group->other, group->other_count, group);
    }
    if (body == TENON_OK) {
        body = run_body(self, &scope, group);
    }
    group->joined = tenon_scope_join(&scope, body, &group->report);
    group->is_still_set = tenon_cancelled(self);
    return group->sleeps_after ? group_sleep(self, group) : group->joined;
}

int group_own_two(tenon_task *self, void *arg)
{
    struct group *group = arg;
    tenon_scope outer;
    tenon_scope inner;

    if (tenon_scope_open(
            &outer, TENON_SCOPE_OPTIONS(.deadline_ns = group->deadline_ns)) !=
            TENON_OK ||
        tenon_scope_open(&inner, NULL) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status body =
        group_spawn(&outer, group->other, group->other_count, group);
    if (body == TENON_OK) {
        body = group_spawn(&inner, group->child, group->child_count, group);
    }
    if (body == TENON_OK) {
        body = run_body(self, &inner, group);
    }
    group->joined = tenon_scope_join(
        &inner, body, group->handles_inner ? &group->report : NULL);
    group->outer_joined = tenon_scope_join(
        &outer, group->handles_inner ? TENON_OK : group->joined, NULL);
    group->is_still_set = tenon_cancelled(self);
    return group->outer_joined;
}

void group_begin(
    struct group *group, tenon_executor *executor, tenon_task_fn *owner,
    uint32_t started_count)
{
    must_open(&group->around, executor);
    cr_assert(
        eq(int,
           tenon_spawn_task(&group->around, &group->owner, owner, group, NULL),
           TENON_OK));
    cr_assert(gate_wait_for(&group->started, started_count));
}

void group_end(
    struct group *group, tenon_report *report, tenon_outcome expected)
{
    tenon_outcome outcome = TENON_OUTCOME_NONE;
    bool has_failed = expected == TENON_OUTCOME_FAILED;

    must_join(&group->around, report, has_failed ? TENON_ERRORS : TENON_OK);
    cr_assert(
        eq(int, tenon_handle_outcome(&group->owner, &outcome, NULL), TENON_OK));
    cr_expect(eq(int, (int)outcome, (int)expected));
}

void group_expect_errors(const tenon_report *report, uint64_t count, int code)
{
    cr_expect(eq(u64, report->error_count, count));
    cr_assert(ne(ptr, (void *)report->primary, NULL));
    cr_expect(eq(int, report->primary->code, code));
}

uint64_t group_count_code(const tenon_report *report, int code)
{
    const tenon_error *error = NULL;
    uint64_t count = 0;

    while ((error = tenon_report_next(report, error, NULL)) != NULL) {
        count += error->code == code;
    }
    return count;
}
