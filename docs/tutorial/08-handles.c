// SPDX-License-Identifier: MIT
//
// 08-handles — single tasks of a scope: the next that ends, the first that
// succeeds, and one that is to stop.
//
// Until now the tasks of a scope were nameless, and only the join could tell
// what became of them. A task spawned with a handle, whose storage is the
// caller's, can be asked for, waited for and cancelled by itself.
//
// tenon_scope_next() gives the handles of the tasks as they end, each once. So
// a result is used, and its storage free, while others still run: below, only
// the best of eight is kept.
//
// Who needs one success only opens the scope with another policy, any-ok: then
// a failure cancels nobody, and the first success cancels the rest. The cause
// names the winner.
//
// tenon_wait_until() waits for some tasks and leaves the others alone. And
// tenon_handle_cancel() stops one: what looks on while others work is not
// needed any more when they are done. That it was stopped is no error, since
// nothing has failed. The option `start_always` is there for the output's sake:
// otherwise a task that is cancelled before it began never runs.
//
// A wait is not a join. Every scope below is joined at the end, whatever its
// handles have told by then.

#include <errno.h>
#include <stdio.h>

#include <tenon/tenon.h>

struct range {
    tenon_handle handle;  // first, so that a handle is its range
    unsigned first;
    unsigned end;
    unsigned best;        // the number with the longest way
    unsigned step_count;  // of that
};

// Halve even numbers, treble odd ones and add one: how long until that is one?
static unsigned count_steps(uint64_t number)
{
    unsigned count = 0;

    for (; number > 1; count++) {
        number = number % 2 == 0 ? number / 2 : 3 * number + 1;
    }
    return count;
}

static int find_longest(tenon_task *self, void *arg)
{
    struct range *range = arg;

    for (unsigned i = range->first; i < range->end; i++) {
        if (tenon_cancelled(self)) {
            return TENON_CANCELLED;
        }
        if (count_steps(i) > range->step_count) {
            range->step_count = count_steps(i);
            range->best = i;
        }
    }
    return TENON_OK;
}

static tenon_status as_they_come(void)
{
    struct range ranges[8];
    unsigned best = 0;
    unsigned step_count = 0;
    tenon_scope scope;
    tenon_handle *next;

    tenon_status status = tenon_scope_open(&scope, NULL);
    if (status != TENON_OK) {
        return status;
    }
    tenon_status body = TENON_OK;
    for (unsigned i = 0; i < 8 && body == TENON_OK; i++) {
        ranges[i] =
            (struct range){.first = 1 + i * 1250, .end = 1 + (i + 1) * 1250};
        body = tenon_spawn_task(
            &scope, &ranges[i].handle, find_longest, &ranges[i], NULL);
    }
    while (body == TENON_OK &&
           (body = tenon_scope_next(&scope, &next)) == TENON_OK) {
        const struct range *range = (const struct range *)next;
        if (range->step_count > step_count) {
            step_count = range->step_count;
            best = range->best;
        }
    }
    status =
        tenon_scope_join(&scope, body == TENON_END ? TENON_OK : body, NULL);
    printf("%u: %u steps\n", best, step_count);
    return status;
}

enum { PRODUCT = 1009 * 1423 };

static int find_divisor(tenon_task *self, void *arg)
{
    struct range *range = arg;

    for (unsigned i = range->first; i < range->end; i++) {
        if (tenon_cancelled(self)) {
            return TENON_CANCELLED;
        }
        if (PRODUCT % i == 0) {
            range->best = i;
            return TENON_OK;
        }
    }
    return tenon_fail(self, ENOENT, "none below %u", range->end);
}

static tenon_status first_success(void)
{
    static const char *const names[] = {"low", "middle", "high"};
    struct range ranges[3];
    tenon_scope scope;
    tenon_report report;

    tenon_status status = tenon_scope_open(
        &scope, TENON_SCOPE_OPTIONS(.policy = TENON_POLICY_ANY_OK));
    if (status != TENON_OK) {
        return status;
    }
    tenon_status body = TENON_OK;
    for (unsigned i = 0; i < 3 && body == TENON_OK; i++) {
        ranges[i] = (struct range){.first = 2 + i * 400, .end = 402 + i * 400};
        body = tenon_spawn_with(
            &scope, find_divisor, &ranges[i],
            TENON_TASK_OPTIONS(.name = names[i], .id = i));
    }
    status = tenon_scope_join(&scope, body, &report);
    if (status == TENON_OK) {
        printf(
            "%u divides %d, says '%s'\n", ranges[report.cause.task_id].best,
            PRODUCT, report.cause.task_name);
    }
    tenon_report_free(&report);
    return status;
}

static int look_on(tenon_task *self, void *arg)
{
    (void)arg;
    while (tenon_sleep(self, TENON_MILLISECONDS(100)) == TENON_OK) {
        // Here a line of progress would be printed.
    }
    return TENON_CANCELLED;
}

static tenon_status stop_one(void)
{
    tenon_handle watcher;
    struct range ranges[2] = {
        {.first = 1, .end = 5000}, {.first = 5000, .end = 10000}};
    tenon_handle *workers[] = {&ranges[0].handle, &ranges[1].handle};
    tenon_scope scope;
    tenon_report report;

    tenon_status status = tenon_scope_open(&scope, NULL);
    if (status != TENON_OK) {
        return status;
    }
    tenon_status body = tenon_spawn_task(
        &scope, &watcher, look_on, NULL,
        TENON_TASK_OPTIONS(.start_always = true));
    for (int i = 0; i < 2 && body == TENON_OK; i++) {
        body = tenon_spawn_task(
            &scope, workers[i], find_longest, &ranges[i], NULL);
    }
    if (body == TENON_OK) {
        body = tenon_wait_until(workers, 2, TENON_WAIT_ALL, TENON_NO_DEADLINE);
    }
    tenon_handle_cancel(&watcher, 0, "the work is done");
    status = tenon_scope_join(&scope, body, &report);

    tenon_outcome outcome = TENON_OUTCOME_NONE;
    if (tenon_handle_outcome(&watcher, &outcome, NULL) == TENON_OK) {
        printf(
            "the watcher was %s; ok: %d, failed: %d\n",
            outcome == TENON_OUTCOME_CANCELLED ? "cancelled" : "not cancelled",
            (int)report.ok_count, (int)report.failed_count);
    }
    tenon_report_free(&report);
    return status;
}

int main(void)
{
    tenon_status (*const parts[])(void) = {
        as_they_come, first_success, stop_one};

    for (int i = 0; i < 3; i++) {
        tenon_status status = parts[i]();
        if (status != TENON_OK) {
            printf("part %d: %s\n", i + 1, tenon_status_name(status));
        }
    }
    return 0;
}
