// SPDX-License-Identifier: MIT
//
// 04-nested — scopes inside tasks: the program is a tree, so are its errors.
//
// A task may open a scope of its own. It nests: what cancels the task cancels
// the tasks of that scope as well, but not the other way round. While the task
// waits in its join, its worker runs tasks of that scope, never a stranger's;
// so a task may wait for its children even if there is only one worker.
//
// An error travels the way a return value does. The inner join is given no
// report, so its errors are not lost but move up: they become the children of
// the error with which the task ends. The task can pass on the join's status
// as it is or, as here, say first what it means at this level. Whoever joins
// the outermost scope holds the whole story.
//
// Here three orders of two items each are checked. One item is sold out; its
// order fails; the other orders are none the worse.

#include <errno.h>
#include <stdio.h>

#include <tenon/tenon.h>

struct item {
    const char *name;
    int wanted_count;
    int stock_count;
};

struct order {
    int number;
    struct item items[2];
};

static int check_item(tenon_task *self, void *arg)
{
    const struct item *item = arg;

    if (item->stock_count < item->wanted_count) {
        return tenon_fail(
            self, ENOENT, "%d %s wanted, %d in stock", item->wanted_count,
            item->name, item->stock_count);
    }
    return TENON_OK;
}

static int check_order(tenon_task *self, void *arg)
{
    struct order *order = arg;
    tenon_scope scope;

    tenon_status status =
        tenon_scope_open(&scope, TENON_SCOPE_OPTIONS(.name = "items"));
    if (status != TENON_OK) {
        return status;
    }
    tenon_status body = tenon_spawn(&scope, check_item, &order->items[0]);
    if (body == TENON_OK) {
        body = tenon_spawn(&scope, check_item, &order->items[1]);
    }
    status = tenon_scope_join(&scope, body, NULL);
    if (status == TENON_ERRORS) {
        return tenon_fail(self, status, "order %d fails", order->number);
    }
    return status;
}

int main(void)
{
    struct order orders[] = {
        {.number = 1, .items = {{"pears", 2, 10}, {"plums", 8, 9}}},
        {.number = 2, .items = {{"pears", 3, 10}, {"figs", 5, 4}}},
        {.number = 3, .items = {{"plums", 1, 9}, {"figs", 4, 4}}},
    };
    tenon_scope scope;
    tenon_report report;

    tenon_status status = tenon_scope_open(
        &scope, TENON_SCOPE_OPTIONS(
                        .name = "orders", .policy = TENON_POLICY_COLLECT_ALL));
    if (status != TENON_OK) {
        return 1;
    }
    tenon_status body = TENON_OK;
    for (size_t i = 0; i < 3 && body == TENON_OK; i++) {
        body = tenon_spawn(&scope, check_order, &orders[i]);
    }
    status = tenon_scope_join(&scope, body, &report);

    printf("%s, %d ok\n", tenon_status_name(status), (int)report.ok_count);
    tenon_report_print(&report, stdout);
    tenon_report_free(&report);
    return 0;
}
