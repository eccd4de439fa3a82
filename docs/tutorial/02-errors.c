// SPDX-License-Identifier: MIT
//
// 02-errors — a task fails, says why, and the one who joins gets to know.
//
// A task that returns anything but TENON_OK has failed. Positive codes are the
// program's own, and errno's values fit. A bare code says little, so
// tenon_fail() adds words, the file and the line, and returns the code: `return
// tenon_fail(...)` is the whole idiom. No error is lost on the way: join counts
// each of them, keeps the first ones whole, and hands them over in a report.
//
// The report tells how the scope ended, how many tasks did what, and the errors
// in the order in which they were recorded. It lives on after the scope, until
// it is freed. tenon_report_print() writes all of it for people;
// tenon_report_next() steps from error to error for a program.
//
// The tasks have names here, which then stand in the errors.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <tenon/tenon.h>

struct field {
    const char *name;
    const char *text;
    long value;
};

static int parse(tenon_task *self, void *arg)
{
    struct field *field = arg;
    char *end;

    field->value = strtol(field->text, &end, 10);
    if (end == field->text || *end != '\0') {
        return tenon_fail(self, EINVAL, "'%s' is not a number", field->text);
    }
    return TENON_OK;
}

int main(void)
{
    struct field fields[] = {
        {.name = "width", .text = "640"},
        {.name = "height", .text = "48O"},
        {.name = "depth", .text = "24"},
    };
    tenon_scope scope;

    // Collect-all: the others go on when one fails. Program 03 says more.
    tenon_status status = tenon_scope_open(
        &scope, TENON_SCOPE_OPTIONS(
                        .name = "fields", .policy = TENON_POLICY_COLLECT_ALL));
    if (status != TENON_OK) {
        return 1;
    }
    tenon_status body = TENON_OK;
    for (size_t i = 0; i < 3 && body == TENON_OK; i++) {
        body = tenon_spawn_with(
            &scope, parse, &fields[i],
            TENON_TASK_OPTIONS(.name = fields[i].name));
    }
    tenon_report report;
    status = tenon_scope_join(&scope, body, &report);

    printf(
        "%s: %d ok, %d failed\n", tenon_status_name(status),
        (int)report.ok_count, (int)report.failed_count);
    printf("the first to tell: %s\n", report.primary->text);
    tenon_report_print(&report, stdout);
    tenon_report_free(&report);
    return 0;
}
