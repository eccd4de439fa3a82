// SPDX-License-Identifier: MIT
//
// report_test — a tree of errors that outlives all it tells of: walked,
// printed, freed.

#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

#define DEPTH 100

static int fail_leaf(tenon_task *self, void *arg)
{
    (void)arg;
    return tenon_fail_in(self, "leaf", 5, "leaf broke");
}

static int go_down(tenon_task *self, void *arg)
{
    int depth = *(int *)arg - 1;
    tenon_scope scope;

    if (depth == 0) {
        return fail_leaf(self, NULL);
    }
    tenon_status status = tenon_scope_open(&scope, NULL);
    if (status != TENON_OK) {
        return status;
    }
    status = tenon_spawn(&scope, go_down, &depth);
    return tenon_scope_join(&scope, status, NULL);
}

// Fails at the bottom of `depth` nested scopes.
static void make_deep(tenon_report *report, int depth)
{
    tenon_executor *executor = pool_create(2);

    cr_assert(
        eq(int, tenon_run(executor, go_down, &depth, report), TENON_ERRORS));
    pool_destroy(executor);
}

// The body fails, then two tasks of a collecting scope do.
static void make_flat(tenon_report *report)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    char name[] = "short-lived";

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .name = "flat", .max_errors = 2,
                        .policy = TENON_POLICY_COLLECT_ALL));
    for (int i = 0; i < 3; i++) {
        must_spawn_with(
            &scope, fail_leaf, NULL, TENON_TASK_OPTIONS(.name = name));
    }
    must_join(&scope, report, TENON_ERRORS);
    pool_destroy(executor);
    memset(name, '?', sizeof(name) - 1);  // the report has its own copy
}

// What printing the report gives; to be freed.
static char *printed(const tenon_report *report)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    cr_assert(ne(ptr, stream, NULL));
    cr_assert(eq(int, tenon_report_print(report, stream), TENON_OK));
    fclose(stream);
    return text;
}

static size_t count_lines(const char *text)
{
    size_t count = 0;

    while ((text = strchr(text, '\n')) != NULL) {
        text++;
        count++;
    }
    return count;
}

TestSuite(report, .timeout = 60);

Test(report, outlives_scope_and_executor)
{
    tenon_report report;

    make_flat(&report);
    cr_expect(eq(u64, report.error_count, 3));
    cr_expect(eq(str, (char *)report.primary->task_name, "short-lived"));
    cr_expect(eq(str, (char *)report.primary->scope_name, "flat"));
    cr_expect(eq(str, (char *)report.primary->domain, "leaf"));
    cr_expect(eq(str, (char *)report.primary->text, "leaf broke"));
    tenon_report_free(&report);
}

Test(report, is_zeroed_by_free)
{
    tenon_report report;
    tenon_report zeroed;

    memset(&zeroed, 0, sizeof(zeroed));
    make_flat(&report);
    tenon_report_free(&report);
    cr_expect(eq(int, memcmp(&report, &zeroed, sizeof(report)), 0));
    tenon_report_free(&report);
    tenon_report_free(NULL);
}

Test(report, walk_meets_every_error_in_order)
{
    tenon_report report;
    const tenon_error *error = NULL;
    size_t depth = 77;
    uint64_t count = 0;

    make_flat(&report);
    while ((error = tenon_report_next(&report, error, &depth)) != NULL) {
        count++;
        cr_expect(eq(u64, error->sequence, count));
        cr_expect(eq(sz, depth, 0));
    }
    cr_expect(eq(u64, count, 2));
    tenon_report_free(&report);
}

Test(report, walk_goes_down_into_children)
{
    tenon_report report;
    const tenon_error *error = NULL;
    size_t depth = 77;
    size_t count = 0;

    make_deep(&report, DEPTH);
    while ((error = tenon_report_next(&report, error, &depth)) != NULL) {
        cr_assert(eq(sz, depth, count));
        count++;
        cr_assert(eq(int, error->code, count < DEPTH ? TENON_ERRORS : 5));
    }
    cr_expect(eq(sz, count, DEPTH));
    tenon_report_free(&report);
}

static int fail_in_both(tenon_task *self, void *arg)
{
    int two = 2;

    (void)arg;
    go_down(self, &two);
    go_down(self, &two);
    return tenon_fail(self, 8, "both broke");
}

Test(report, walk_comes_up_again_for_what_follows)
{
    static const int codes[] = {8, 5, 5, 8, 5, 5};
    static const size_t depths[] = {0, 1, 1, 0, 1, 1};
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_report report;
    const tenon_error *error = NULL;
    size_t depth = 77;

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    must_spawn(&scope, fail_in_both, NULL);
    must_spawn(&scope, fail_in_both, NULL);
    must_join(&scope, &report, TENON_ERRORS);
    for (int i = 0; i < 6; i++) {
        error = tenon_report_next(&report, error, &depth);
        cr_assert(ne(ptr, (void *)error, NULL));
        cr_expect(eq(int, error->code, codes[i]));
        cr_expect(eq(sz, depth, depths[i]));
    }
    cr_expect(eq(ptr, (void *)tenon_report_next(&report, error, NULL), NULL));
    tenon_report_free(&report);
    pool_destroy(executor);
}

Test(report, walk_of_no_errors_is_over_at_once)
{
    tenon_report report = {.status = TENON_OK};

    cr_expect(eq(ptr, (void *)tenon_report_next(&report, NULL, NULL), NULL));
}

Test(report, print_tells_the_counts_and_every_error)
{
    tenon_report report;

    make_flat(&report);
    char *text = printed(&report);
    cr_expect(ne(ptr, strstr(text, "TENON_ERRORS"), NULL));
    cr_expect(ne(ptr, strstr(text, "3 spawned"), NULL));
    cr_expect(ne(ptr, strstr(text, "3 failed"), NULL));
    cr_expect(ne(ptr, strstr(text, "short-lived"), NULL));
    cr_expect(ne(ptr, strstr(text, "flat"), NULL));
    cr_expect(ne(ptr, strstr(text, "leaf 5"), NULL));
    cr_expect(ne(ptr, strstr(text, "leaf broke"), NULL));
    cr_expect(ne(ptr, strstr(text, "report_test.c:"), NULL));
    cr_expect(ne(ptr, strstr(text, "[primary]"), NULL));
    cr_expect(ne(ptr, strstr(text, "1 more"), NULL));
    cr_expect(eq(sz, count_lines(text), 4));
    free(text);
    tenon_report_free(&report);
}

Test(report, print_indents_what_is_nested)
{
    tenon_report report;

    make_deep(&report, DEPTH);
    char *text = printed(&report);
    cr_expect(ge(sz, count_lines(text), DEPTH + 1));
    const char *leaf = strstr(text, "leaf broke");
    cr_assert(ne(ptr, (void *)leaf, NULL));
    const char *line = leaf;
    while (line[-1] != '\n') {
        line--;
    }
    cr_expect(ge(sz, strspn(line, " "), DEPTH));
    free(text);
    tenon_report_free(&report);
}

Test(report, print_tells_the_cause_of_a_cancel)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_report report;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(.executor = executor, .name = "shop"));
    tenon_scope_cancel(&scope, 17, "closing time");
    must_join(&scope, &report, TENON_OK);
    char *text = printed(&report);
    cr_expect(ne(ptr, strstr(text, "cancelled"), NULL));
    cr_expect(ne(ptr, strstr(text, "explicit"), NULL));
    cr_expect(ne(ptr, strstr(text, "17"), NULL));
    cr_expect(ne(ptr, strstr(text, "closing time"), NULL));
    cr_expect(ne(ptr, strstr(text, "shop"), NULL));
    free(text);
    tenon_report_free(&report);
    pool_destroy(executor);
}

Test(report, print_marks_what_came_after_a_cancel_and_what_is_fatal)
{
    tenon_error late = {
        .domain = "app",
        .code = 1,
        .text = "",
        .file = "",
        .task_name = "",
        .scope_name = "",
        .sequence = 2,
        .after_cancel = true};
    tenon_error fatal = {
        .domain = "app",
        .code = 2,
        .text = "",
        .file = "",
        .task_name = "",
        .scope_name = "",
        .sequence = 1,
        .next = &late,
        .severity = TENON_SEVERITY_FATAL};
    tenon_report report = {
        .status = TENON_ERRORS,
        .errors = &fatal,
        .primary = &fatal,
        .error_count = 2,
        .kept_count = 2};

    char *text = printed(&report);
    cr_expect(ne(ptr, strstr(text, "[after cancel]"), NULL));
    cr_expect(ne(ptr, strstr(text, "[fatal]"), NULL));
    free(text);
}

Test(report, print_says_when_the_stream_refuses)
{
    tenon_report report;
    FILE *full = fopen("/dev/full", "w");

    make_flat(&report);
    cr_assert(ne(ptr, full, NULL));
    setvbuf(full, NULL, _IONBF, 0);
    cr_expect(eq(int, tenon_report_print(&report, full), TENON_EAGAIN));
    fclose(full);
    tenon_report_free(&report);
}

Test(report, status_names_are_those_of_the_source)
{
    cr_expect(eq(str, (char *)tenon_status_name(TENON_OK), "TENON_OK"));
    cr_expect(
        eq(str, (char *)tenon_status_name(TENON_ECLOSED), "TENON_ECLOSED"));
    cr_expect(eq(str, (char *)tenon_status_name(TENON_END), "TENON_END"));
    cr_expect(eq(str, (char *)tenon_status_name(1), "error"));
    cr_expect(eq(str, (char *)tenon_status_name(TENON_AGAIN), "TENON_AGAIN"));
    cr_expect(eq(str, (char *)tenon_status_name(-18), "error"));
}

Test(report, very_deep_one_is_walked_and_freed)
{
    tenon_report report;
    const tenon_error *error = NULL;
    size_t count = 0;

    make_deep(&report, 2000);
    while ((error = tenon_report_next(&report, error, NULL)) != NULL) {
        count++;
    }
    cr_expect(eq(sz, count, 2000));
    tenon_report_free(&report);
}

Test(report, print_tells_how_many_children_are_not_kept)
{
    tenon_error error = {
        .domain = "app",
        .code = 5,
        .text = "",
        .file = "",
        .task_name = "",
        .scope_name = "",
        .children_dropped_count = 1};
    tenon_report report = {
        .status = TENON_ERRORS,
        .errors = &error,
        .primary = &error,
        .error_count = 1,
        .kept_count = 1};

    char *text = printed(&report);
    cr_expect(ne(ptr, strstr(text, "app 5 [primary]\n    ... 1 more\n"), NULL));
    free(text);
}
