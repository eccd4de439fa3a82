// SPDX-License-Identifier: MIT
//
// split_test — the errors of a report in two: those that are wanted, and the
// others; and a report as JSON.

#include "must.h"
#include "pool.h"
#include "tasks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

TestSuite(split, .timeout = 60);

static int fail_in_net(tenon_task *self, void *arg)
{
    return tenon_fail_in(self, "net", *(int *)arg, "net %d", *(int *)arg);
}

static int fail_in_disk(tenon_task *self, void *arg)
{
    return tenon_fail_in(self, "disk", *(int *)arg, "disk %d", *(int *)arg);
}

static int codes[] = {0, 1, 2, 3, 4};

static int fail_both(tenon_task *self, void *arg)
{
    tenon_scope scope;

    (void)self;
    (void)arg;
    if (tenon_scope_open(
            &scope, TENON_SCOPE_OPTIONS(.policy = TENON_POLICY_COLLECT_ALL)) !=
        TENON_OK) {
        return TASK_IN_VAIN;
    }
    tenon_status body = tenon_spawn(&scope, fail_in_net, &codes[2]);
    body =
        body == TENON_OK ? tenon_spawn(&scope, fail_in_disk, &codes[3]) : body;
    return tenon_scope_join(&scope, body, NULL);
}

static int fail_net_only(tenon_task *self, void *arg)
{
    tenon_scope scope;

    (void)self;
    (void)arg;
    if (tenon_scope_open(&scope, NULL) != TENON_OK) {
        return TASK_IN_VAIN;
    }
    return tenon_scope_join(
        &scope, tenon_spawn(&scope, fail_in_net, &codes[4]), NULL);
}

// Net 1; a task with net 2 and disk 3 below it; a task with net 4 below it.
static void make_tree(tenon_report *report)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    must_spawn(&scope, fail_in_net, &codes[1]);
    must_spawn(&scope, fail_both, NULL);
    must_spawn(&scope, fail_net_only, NULL);
    must_join(&scope, report, TENON_ERRORS);
    pool_destroy(executor);
}

struct wanted {
    const char *domain;
    int code;
};

static bool is_wanted(const tenon_error *error, void *context)
{
    const struct wanted *wanted = context;

    return tenon_error_is(error, wanted->domain, wanted->code);
}

static bool has(const tenon_report *report, const char *domain, int code)
{
    const tenon_error *error = NULL;

    while ((error = tenon_report_next(report, error, NULL)) != NULL) {
        if (tenon_error_is(error, domain, code)) {
            return true;
        }
    }
    return false;
}

static size_t node_count(const tenon_report *report)
{
    const tenon_error *error = NULL;
    size_t count = 0;

    while ((error = tenon_report_next(report, error, NULL)) != NULL) {
        count++;
    }
    return count;
}

static char *json_of(const tenon_report *report)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    cr_assert(ne(ptr, stream, NULL));
    cr_assert(eq(int, tenon_report_print_json(report, stream), TENON_OK));
    fclose(stream);
    return text;
}

Test(split, keeps_what_stands_for_both_sorts_on_both_sides)
{
    tenon_report report;
    tenon_report net;
    tenon_report rest;
    struct wanted wanted = {"net", 0};

    make_tree(&report);
    cr_assert(eq(sz, node_count(&report), 6));
    cr_assert(
        eq(int, tenon_report_split(&report, is_wanted, &wanted, &net, &rest),
           TENON_OK));
    tenon_report_free(&report);  // both are copies
    cr_expect(eq(int, net.status, TENON_ERRORS));
    cr_expect(eq(u64, net.error_count, 3));
    cr_expect(eq(sz, net.kept_count, 3));
    cr_expect(eq(sz, node_count(&net), 5));
    cr_expect(has(&net, "net", 1));
    cr_expect(has(&net, "net", 2));
    cr_expect(has(&net, "net", 4));
    cr_expect(not(has(&net, "disk", 0)));
    cr_expect(eq(int, rest.status, TENON_ERRORS));
    cr_expect(eq(u64, rest.error_count, 1));
    cr_expect(eq(sz, node_count(&rest), 2));
    cr_expect(has(&rest, "disk", 3));
    cr_expect(not(has(&rest, "net", 0)));
    cr_expect(eq(int, rest.errors->code, TENON_ERRORS));
    cr_expect(eq(str, (char *)rest.errors->children->text, "disk 3"));
    cr_expect(
        eq(ptr, (void *)rest.errors->children->parent, (void *)rest.errors));
    cr_expect(eq(ptr, (void *)rest.primary, (void *)rest.errors));
    tenon_report_free(&net);
    tenon_report_free(&rest);
}

Test(split, takes_what_stands_for_a_wanted_error_with_all_its_children)
{
    tenon_report report;
    tenon_report inner;
    tenon_report rest;
    struct wanted wanted = {"tenon", TENON_ERRORS};

    make_tree(&report);
    cr_assert(
        eq(int, tenon_report_split(&report, is_wanted, &wanted, &inner, &rest),
           TENON_OK));
    cr_expect(eq(sz, node_count(&inner), 5));
    cr_expect(has(&inner, "disk", 3));
    cr_expect(eq(sz, node_count(&rest), 1));
    cr_expect(has(&rest, "net", 1));
    tenon_report_free(&report);
    tenon_report_free(&inner);
    tenon_report_free(&rest);
}

static bool everything(const tenon_error *error, void *context)
{
    (void)error;
    (void)context;
    return true;
}

static bool nothing(const tenon_error *error, void *context)
{
    (void)error;
    (void)context;
    return false;
}

Test(split, of_all_or_nothing_leaves_the_other_side_well)
{
    tenon_report report;
    tenon_report matched;
    tenon_report rest;

    make_tree(&report);
    cr_assert(
        eq(int, tenon_report_split(&report, everything, NULL, &matched, &rest),
           TENON_OK));
    cr_expect(eq(sz, node_count(&matched), 6));
    cr_expect(eq(ptr, (void *)rest.errors, NULL));
    cr_expect(eq(ptr, (void *)rest.primary, NULL));
    cr_expect(eq(u64, rest.error_count, 0));
    cr_expect(eq(int, rest.status, TENON_OK));
    cr_expect(eq(u64, rest.failed_count, 3));
    tenon_report_free(&matched);
    tenon_report_free(&rest);
    cr_assert(
        eq(int, tenon_report_split(&report, nothing, NULL, &matched, &rest),
           TENON_OK));
    cr_expect(eq(sz, node_count(&rest), 6));
    cr_expect(eq(int, matched.status, TENON_OK));
    cr_expect(eq(u64, matched.error_count, 0));
    tenon_report_free(&matched);
    tenon_report_free(&rest);
    // One side alone; neither.
    cr_assert(
        eq(int, tenon_report_split(&report, nothing, NULL, NULL, &rest),
           TENON_OK));
    cr_expect(eq(sz, node_count(&rest), 6));
    tenon_report_free(&rest);
    cr_expect(eq(
        int, tenon_report_split(&report, nothing, NULL, NULL, NULL), TENON_OK));
    tenon_report_free(&report);
}

Test(split, leaves_what_was_counted_but_not_kept_to_the_rest)
{
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_report report;
    tenon_report matched;
    tenon_report rest;

    must_open_with(
        &scope, TENON_SCOPE_OPTIONS(
                        .executor = executor, .max_errors = 2,
                        .policy = TENON_POLICY_COLLECT_ALL));
    for (int i = 0; i < 10; i++) {
        must_spawn(&scope, fail_in_net, &codes[1]);
    }
    must_join(&scope, &report, TENON_ERRORS);
    cr_assert(
        eq(int, tenon_report_split(&report, everything, NULL, &matched, &rest),
           TENON_OK));
    cr_expect(eq(u64, matched.error_count, 2));
    cr_expect(eq(u64, rest.error_count, 8));
    cr_expect(eq(sz, rest.kept_count, 0));
    cr_expect(eq(int, rest.status, TENON_ERRORS));
    tenon_report_free(&report);
    tenon_report_free(&matched);
    tenon_report_free(&rest);
    pool_destroy(executor);
}

Test(split, leaves_children_that_were_not_kept_to_the_rest)
{
    static const char expected[] =
        "\"task_id\": 9, \"scope\": \"\", \"children_dropped\": 5, "
        "\"children\": []}";
    tenon_error error = {
        .domain = "tenon",
        .code = TENON_ERRORS,
        .text = "",
        .file = "",
        .task_name = "",
        .task_id = 9,
        .scope_name = "",
        .children_dropped_count = 5};
    tenon_error child = error;
    tenon_report report = {
        .status = TENON_ERRORS,
        .errors = &error,
        .primary = &error,
        .error_count = 1,
        .kept_count = 1};
    struct wanted wanted = {"net", 4};
    tenon_report matched;
    tenon_report rest;

    child.domain = wanted.domain;
    child.code = wanted.code;
    child.children_dropped_count = 0;
    child.parent = &error;
    error.children = &child;
    cr_assert(eq(
        int, tenon_report_split(&report, is_wanted, &wanted, &matched, &rest),
        TENON_OK));
    cr_expect(eq(sz, node_count(&matched), 2));
    cr_expect(zero(u64, matched.errors->children_dropped_count));
    cr_assert(eq(sz, node_count(&rest), 1));
    char *text = json_of(&rest);
    cr_expect(ne(ptr, strstr(text, expected), NULL), "%s", text);
    free(text);
    tenon_report_free(&matched);
    tenon_report_free(&rest);
}

Test(split, leaves_the_status_of_a_join_that_errors_did_not_fail)
{
    tenon_error error = {
        .domain = "net",
        .code = 1,
        .text = "",
        .file = "",
        .task_name = "",
        .scope_name = ""};
    tenon_report report = {
        .status = TENON_OK,
        .errors = &error,
        .primary = &error,
        .error_count = 1,
        .kept_count = 1};
    tenon_report matched;
    tenon_report rest;

    cr_assert(
        eq(int, tenon_report_split(&report, everything, NULL, &matched, &rest),
           TENON_OK));
    cr_expect(eq(int, matched.status, TENON_OK));
    cr_expect(eq(int, rest.status, TENON_OK));
    cr_expect(eq(u64, matched.error_count, 1));
    tenon_report_free(&matched);
    tenon_report_free(&rest);
}

Test(split, refuses_nonsense)
{
    tenon_report report = {.status = TENON_OK};
    tenon_report other;

    cr_expect(
        eq(int, tenon_report_split(NULL, nothing, NULL, &other, NULL),
           TENON_EINVAL));
    cr_expect(
        eq(int, tenon_report_split(&report, NULL, NULL, &other, NULL),
           TENON_EINVAL));
    cr_expect(
        eq(int, tenon_report_split(&report, nothing, NULL, &report, NULL),
           TENON_EINVAL));
    cr_expect(
        eq(int, tenon_report_split(&report, nothing, NULL, &other, &other),
           TENON_EINVAL));
}

static int go_down(tenon_task *self, void *arg)
{
    int depth = *(int *)arg - 1;
    tenon_scope scope;

    if (depth == 0) {
        return fail_in_net(self, &codes[1]);
    }
    tenon_status status = tenon_scope_open(&scope, NULL);
    if (status != TENON_OK) {
        return status;
    }
    status = tenon_spawn(&scope, go_down, &depth);
    return tenon_scope_join(&scope, status, NULL);
}

Test(split, of_a_deep_tree_needs_no_stack)
{
    tenon_executor *executor = pool_create(2);
    tenon_report report;
    tenon_report net;
    tenon_report rest;
    struct wanted wanted = {"net", 1};
    int depth = 1000;

    cr_assert(
        eq(int, tenon_run(executor, go_down, &depth, &report), TENON_ERRORS));
    cr_assert(
        eq(int, tenon_report_split(&report, is_wanted, &wanted, &net, &rest),
           TENON_OK));
    cr_expect(eq(sz, node_count(&net), 1000));
    cr_expect(eq(sz, node_count(&rest), 0));
    tenon_report_free(&report);
    tenon_report_free(&net);
    tenon_report_free(&rest);
    pool_destroy(executor);
}

Test(split, json_tells_the_whole_tree)
{
    static const char expected[] =
        "{\"status\": \"TENON_ERRORS\", \"code\": -2, \"body\": 0, "
        "\"cancel_requested\": false, \"cancelled\": false, "
        "\"counts\": {\"spawned\": 1, \"ok\": 0, \"failed\": 1, "
        "\"cancelled\": 0, \"dropped\": 0, \"rejected\": 0, \"alone\": 0, "
        "\"errors\": 1, "
        "\"kept\": 1}, \"cause\": null, \"errors\": [{\"sequence\": 1, "
        "\"domain\": \"tenon\", \"code\": -2, \"fatal\": false, "
        "\"primary\": true, \"after_cancel\": false, \"text\": "
        "\"TENON_ERRORS\", \"file\": \"\", \"line\": 0, \"task\": \"\", "
        "\"task_id\": 9, \"scope\": \"\", \"children_dropped\": 0, "
        "\"children\": [{\"sequence\": 1, \"domain\": \"net\", \"code\": 4, "
        "\"fatal\": false, \"primary\": false, \"after_cancel\": false, "
        "\"text\": \"net 4\", \"file\": ";
    tenon_executor *executor = pool_create(1);
    tenon_scope scope;
    tenon_report report;

    must_open_with(
        &scope,
        TENON_SCOPE_OPTIONS(
                .executor = executor, .policy = TENON_POLICY_COLLECT_ALL));
    must_spawn_with(&scope, fail_net_only, NULL, TENON_TASK_OPTIONS(.id = 9));
    must_join(&scope, &report, TENON_ERRORS);
    char *text = json_of(&report);
    cr_expect(
        eq(int, strncmp(text, expected, strlen(expected)), 0), "%s", text);
    cr_expect(ne(
        ptr, strstr(text, "\"children_dropped\": 0, \"children\": []}]}]}\n"),
        NULL));
    free(text);
    tenon_report_free(&report);
    pool_destroy(executor);
}

Test(split, json_tells_the_cause)
{
    static const char expected[] =
        "\"cause\": {\"source\": \"parent\", \"origin\": \"failure\", "
        "\"code\": 44, \"time_ns\": 5, \"sequence\": 6, \"task_id\": 9, "
        "\"task\": \"asker\", \"scope\": \"top\", "
        "\"text\": \"disk full\"}, \"errors\": []}\n";
    tenon_report report = {
        .status = TENON_CANCELLED,
        .cause = {
            .source = TENON_CAUSE_PARENT,
            .origin = TENON_CAUSE_FAILURE,
            .code = 44,
            .time_ns = 5,
            .sequence = 6,
            .task_id = 9,
            .task_name = "asker",
            .scope_name = "top",
            .text = "disk full",
        }};

    char *text = json_of(&report);
    cr_expect(ne(ptr, strstr(text, expected), NULL), "%s", text);
    free(text);
}

Test(split, json_escapes_what_is_not_text)
{
    tenon_error error = {
        .domain = "a\"b\\c\n\t\x01\x7f",
        .code = 1,
        // Well-formed; then a lone byte, a surrogate, one too long, one cut.
        .text = "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80|\x80|\xed\xa0\x80|"
                "\xc0\xaf|\xf0\x9f",
        .file = "",
        .task_name = "",
        .scope_name = ""};
    tenon_report report = {
        .status = TENON_ERRORS, .errors = &error, .primary = &error};

    char *text = json_of(&report);
    cr_expect(
        ne(ptr,
           strstr(
               text, "\"domain\": \"a\\\"b\\\\c\\u000a\\u0009\\u0001\\u007f\""),
           NULL),
        "%s", text);
    cr_expect(
        ne(ptr,
           strstr(
               text, "\"text\": \"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80|"
                     "\\ufffd|\\ufffd\\ufffd\\ufffd|\\ufffd\\ufffd|"
                     "\\ufffd\\ufffd\""),
           NULL),
        "%s", text);
    free(text);
}

Test(split, json_says_when_the_stream_refuses)
{
    tenon_report report = {.status = TENON_OK};
    FILE *full = fopen("/dev/full", "w");

    cr_assert(ne(ptr, full, NULL));
    setvbuf(full, NULL, _IONBF, 0);
    cr_expect(eq(int, tenon_report_print_json(&report, full), TENON_EAGAIN));
    fclose(full);
}
