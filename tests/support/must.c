// SPDX-License-Identifier: MIT
//
// must — call, assert, go on.

#include "must.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

void must_open(tenon_scope *scope, tenon_executor *executor)
{
    must_open_with(scope, TENON_SCOPE_OPTIONS(.executor = executor));
}

void must_open_with(tenon_scope *scope, const tenon_scope_options *options)
{
    cr_assert(eq(int, tenon_scope_open(scope, options), TENON_OK));
}

void must_spawn(tenon_scope *scope, tenon_task_fn *fn, void *arg)
{
    cr_assert(eq(int, tenon_spawn(scope, fn, arg), TENON_OK));
}

void may_spawn(tenon_scope *scope, tenon_task_fn *fn, void *arg)
{
    tenon_status status = tenon_spawn(scope, fn, arg);

    cr_assert(status == TENON_OK || status == TENON_CANCELLED);
}

void must_spawn_with(
    tenon_scope *scope, tenon_task_fn *fn, void *arg,
    const tenon_task_options *options)
{
    cr_assert(eq(int, tenon_spawn_with(scope, fn, arg, options), TENON_OK));
}

void must_join(tenon_scope *scope, tenon_report *report, tenon_status status)
{
    cr_assert(eq(int, tenon_scope_join(scope, TENON_OK, report), status));
}

void must_run(
    tenon_executor *executor, tenon_task_fn *fn, void *arg, tenon_status status)
{
    cr_assert(eq(int, tenon_run(executor, fn, arg, NULL), status));
}
