// SPDX-License-Identifier: MIT
//
// 03-cancel — stopping the others: polls, the two policies, and the cause.
//
// Nothing is ever killed. Cancelling sets the scope's token, and every task
// below it that looks will see it: tenon_cancelled(self), cheap enough for the
// innermost loop. The task then leaves in its own way, frees what it holds, and
// returns TENON_CANCELLED, which is no failure while the token is set. Tasks
// that have not begun are dropped; further spawns are refused. The token stays
// set: there is no way back, and no poll can miss it.
//
// Who cancels? Under the policy fail-fast, the default, the first failure does:
// the others' results would be thrown away. Under collect-all everybody
// finishes, whatever becomes of the rest. And anyone may call
// tenon_scope_cancel(). The first one to do so leaves the cause, which all
// tasks below can read.
//
// Below, the searchers never find what they look for. Only the failure of the
// last task ends the scope, so this program ends only if cancelling works. And
// only if that task gets to run: the executor is made with a worker for each.

#include <errno.h>
#include <stdio.h>

#include <tenon/tenon.h>

static int search(tenon_task *self, void *arg)
{
    unsigned *position = arg;

    while (!tenon_cancelled(self)) {
        *position += 1;
    }
    return TENON_CANCELLED;
}

static int count_to_million(tenon_task *self, void *arg)
{
    unsigned *position = arg;

    while (*position < 1000000 && !tenon_cancelled(self)) {
        *position += 1;
    }
    return *position == 1000000 ? TENON_OK : TENON_CANCELLED;
}

static int give_up(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_fail(self, ENOENT, "there is nothing to find");
}

// Two tasks of `work` beside one that fails; what becomes of them?
static void run(
    tenon_executor *executor, const char *title, tenon_policy policy,
    tenon_task_fn *work)
{
    unsigned positions[2] = {0, 0};
    tenon_scope scope;
    tenon_report report;

    tenon_status status = tenon_scope_open(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .policy = policy));
    if (status != TENON_OK) {
        return;
    }
    tenon_status body = tenon_spawn(&scope, work, &positions[0]);
    if (body == TENON_OK) {
        body = tenon_spawn(&scope, work, &positions[1]);
    }
    if (body == TENON_OK) {
        body = tenon_spawn(&scope, give_up, NULL);
    }
    status = tenon_scope_join(&scope, body, &report);

    printf(
        "%s: %s, %d ok, %d failed, %d stopped; cause: %s\n", title,
        tenon_status_name(status), (int)report.ok_count,
        (int)report.failed_count,
        (int)(report.cancelled_count + report.dropped_count),
        report.cancel_requested ? report.cause.text : "none");
    tenon_report_free(&report);
}

int main(void)
{
    tenon_executor *executor;

    if (tenon_executor_create(
            &executor, TENON_EXECUTOR_OPTIONS(.worker_count = 3)) != TENON_OK) {
        return 1;
    }
    run(executor, "fail-fast", TENON_POLICY_FAIL_FAST, search);
    run(executor, "collect-all", TENON_POLICY_COLLECT_ALL, count_to_million);
    return tenon_executor_destroy(executor) == TENON_OK ? 0 : 1;
}
