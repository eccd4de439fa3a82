// SPDX-License-Identifier: MIT
//
// treesum — the SHA-256 of every file below some paths, on all cores.
//
// The last program of the tutorial is one to be used. It has what the small
// ones leave out: it goes on when a file cannot be read and tells all errors at
// the end, it heeds Ctrl-C and a time limit, and its output is the same however
// many workers there are. Read on in this order:
//
//     treesum.c  one scope, and what its report means for the exit status
//     walk.c     the tasks: one per directory, one per file
//     hash.c     a long task that polls
//     watch.c    how a signal becomes a cancel; the line of progress
//     node.c     what the tasks leave behind, in order
//     print.c, quote.c, options.c
//
// The structure is the library's: a policy is the difference between stopping
// at the first error and collecting all, a field of the options is the time
// limit, a token above the scope is Ctrl-C. None of them needs a line in the
// tasks but the poll.

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tenon/tenon.h>

#include "options.h"
#include "print.h"
#include "walk.h"
#include "watch.h"

// Walk all paths in one scope; all that happened is in the report.
static tenon_status sum_paths(
    struct walk *walk, const struct options *options, tenon_executor *executor,
    tenon_token *interrupt, tenon_report *report)
{
    tenon_scope scope;

    tenon_status status = tenon_scope_open(
        &scope,
        TENON_SCOPE_OPTIONS(
                .name = "treesum", .executor = executor, .parent = interrupt,
                .timeout_ns = options->timeout_ns,
                .max_errors = options->max_errors,
                .policy = options->is_fail_fast ? TENON_POLICY_FAIL_FAST
                                                : TENON_POLICY_COLLECT_ALL));
    if (status != TENON_OK) {
        return status;  // nothing to join
    }
    tenon_status body = walk_start(walk, &scope);
    return tenon_scope_join(&scope, body, report);
}

// The same, with as many workers as asked for, and with an eye on the signals.
static tenon_status sum_watched(
    struct walk *walk, const struct options *options, tenon_report *report)
{
    struct watch watch;
    tenon_token interrupt;
    tenon_executor *executor;

    tenon_token_init(&interrupt, NULL);
    watch_start(&watch, &interrupt, &walk->progress);
    tenon_status status = tenon_executor_create(
        &executor,
        TENON_EXECUTOR_OPTIONS(
                .name = "treesum", .worker_count = options->job_count));
    if (status == TENON_OK) {
        status = sum_paths(walk, options, executor, &interrupt, report);
        if (tenon_executor_destroy(executor) != TENON_OK) {
            abort();  // no scope is open, and this is not a worker
        }
    }
    watch_stop(&watch);
    tenon_token_fini(&interrupt);
    return status;
}

// Had it to leave something undone?
static bool is_incomplete(const tenon_report *report)
{
    return report->cancelled_count + report->dropped_count +
               report->rejected_count >
           0;
}

// A deadline and a signal come first: errors do not make less of them.
static int exit_status(tenon_status status, const tenon_report *report)
{
    if (is_incomplete(report)) {
        switch (report->cause.origin) {
        case TENON_CAUSE_DEADLINE:
            return EXIT_TIMEOUT;
        case TENON_CAUSE_EXPLICIT:
            return EXIT_SIGNAL + report->cause.code;
        default:
            break;
        }
    }
    return status == TENON_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

// What the tree of errors does not say.
static const char *why_incomplete(const tenon_report *report)
{
    switch (report->cause.origin) {
    case TENON_CAUSE_DEADLINE:
        return "the time is up";
    case TENON_CAUSE_FAILURE:
        return "stopped at the first error";
    default:
        return report->cause.text;
    }
}

static void print_report(tenon_status status, const tenon_report *report)
{
    if (report->error_count > 0) {
        tenon_report_print(report, stderr);
    }
    if (is_incomplete(report)) {
        fprintf(stderr, "treesum: incomplete: %s\n", why_incomplete(report));
    } else if (status != TENON_OK && report->error_count == 0) {
        // Of what the library checks, only the environment was not ours.
        fprintf(
            stderr, "treesum: cannot start: %s%s\n", tenon_status_name(status),
            status == TENON_EINVAL ? ", see TENON_NUM_THREADS" : "");
    }
}

int main(int argc, char **argv)
{
    struct options options;
    struct walk walk;
    tenon_report report = {0};
    int result;

    setlocale(LC_CTYPE, "");  // what may be printed on this terminal
    if (!options_parse(&options, argc, argv, &result)) {
        return result;
    }
    tenon_status status = walk_init(&walk, options.paths, options.path_count);
    if (status == TENON_OK) {
        status = sum_watched(&walk, &options, &report);
    }
    result = exit_status(status, &report);
    if (!print_nodes(stdout, walk.first)) {
        perror("treesum: standard output");
        result = result == EXIT_SUCCESS ? EXIT_FAILURE : result;
    }
    print_report(status, &report);
    tenon_report_free(&report);
    walk_fini(&walk);
    return result;
}
