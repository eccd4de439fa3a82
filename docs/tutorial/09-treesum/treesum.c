// SPDX-License-Identifier: MIT
//
// treesum — the SHA-256 of every file below some paths, on all cores.
//
// The last program of the tutorial is one to be used. It has what the small
// ones leave out: it goes on when a file cannot be read and tells all errors at
// the end, it heeds Ctrl-C and a time limit, and its output is the same however
// many workers there are. Read on in this order:
//
//     treesum.c   one scope, and what its report means for the exit status
//     walk.c      the tasks: one per directory, one per file
//     hash.c      a long task that polls
//     progress.c  a wait that is no join
//     node.c      what the tasks leave behind, in order
//     print.c, quote.c, options.c
//
// The structure is the library's: a policy is the difference between stopping
// at the first error and collecting all, a field of the options is the time
// limit, a token above the scope is Ctrl-C. None of them needs a line in the
// tasks but the poll.

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tenon/tenon.h>

#include "options.h"
#include "print.h"
#include "progress.h"
#include "walk.h"

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
    if (body == TENON_OK) {
        progress_show(&walk->progress, &scope);
    }
    return tenon_scope_join(&scope, body, report);
}

static bool is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 &&
           action.sa_handler == SIG_IGN;
}

// What ends a program sets `token`, and the second time ends it as ever.
// Without a thread for that it does so the first time.
static void watch_signals(tenon_signals *signals, tenon_token *token)
{
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
    int numbers[sizeof(stops) / sizeof(stops[0])];
    uint32_t count = 0;

    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
        if (!is_ignored(stops[i])) {  // by nohup(1), or a shell's "&"
            numbers[count++] = stops[i];
        }
    }
    tenon_status status = tenon_signals_watch(
        signals,
        TENON_SIGNALS_OPTIONS(
                .token = token, .numbers = numbers, .number_count = count));
    if (status != TENON_OK && count > 0) {
        fprintf(
            stderr, "treesum: signals are not watched: %s\n",
            tenon_status_name(status));
    }
}

// The same, with as many workers as asked for, and with an eye on the signals.
static tenon_status sum_watched(
    struct walk *walk, const struct options *options, tenon_report *report)
{
    tenon_signals signals = {0};
    tenon_token interrupt;
    tenon_executor *executor;

    tenon_token_init(&interrupt, NULL);
    watch_signals(&signals, &interrupt);  // before there are threads
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
    tenon_signals_end(&signals);
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
        return "the time limit";
    case TENON_CAUSE_FAILURE:
        return "the first error";
    default:
        return report->cause.text;  // the name of the signal
    }
}

static void print_report(tenon_status status, const tenon_report *report)
{
    if (report->error_count > 0) {
        tenon_report_print(report, stderr);
    }
    if (is_incomplete(report)) {
        fprintf(
            stderr, "treesum: incomplete: stopped by %s\n",
            why_incomplete(report));
    } else if (status != TENON_OK && report->error_count == 0) {
        // Of what the library checks, only the environment was not ours.
        fprintf(
            stderr, "treesum: cannot start: %s%s\n", tenon_status_name(status),
            status == TENON_EINVAL
                ? ", see TENON_NUM_THREADS and TENON_WAIT_POLICY"
                : "");
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
