// SPDX-License-Identifier: MIT
//
// options — the command line of treesum; whatever makes no sense is refused.

#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_JOBS = 65535, MAX_ERRORS = 1000000 };

static const char help[] =
    "Usage: treesum [OPTION]... PATH...\n"
    "Print the SHA-256 of every regular file at or below each PATH, computed\n"
    "in parallel, as sha256sum does. `sha256sum --check` reads the output.\n"
    "\n"
    "  --jobs N        work on N files at a time (default: one per CPU)\n"
    "  --fail-fast     stop at the first error (default: go on, report all)\n"
    "  --timeout TIME  stop after TIME: a whole number and ms, s, m or h: 500ms\n"
    "  --max-errors N  show N errors in full (default: 16), count the others\n"
    "  --help          print this and end\n"
    "\n"
    "PATHs are taken in the order given. Below a directory the order is that\n"
    "of `find PATH -type f | LC_ALL=C sort`, for any number of jobs. A PATH\n"
    "that is a symbolic link is followed, links below it are not. Devices,\n"
    "pipes and sockets are errors as a PATH; below one they are passed over,\n"
    "as links are.\n"
    "\n"
    "When it stops early, by --fail-fast, by --timeout, or by SIGINT, SIGTERM\n"
    "or SIGHUP, it still prints a line for each file that was finished. A\n"
    "second signal ends it at once.\n"
    "\n"
    "Errors are shown on standard error, and on a terminal the progress.\n"
    "Exit status: 130 after SIGINT (128 and the number of the signal), else\n"
    "124 after a timeout, else 1 if there were errors, else 0; 2 for wrong\n"
    "usage.\n";

// A decimal number from `min` to `max`, and nothing after it but what `*end`
// then points at. False: it is not.
static bool parse_number(
    const char *text, uint64_t min, uint64_t max, uint64_t *number, char **end)
{
    if (text[0] < '0' || text[0] > '9') {
        return false;  // strtoull would take blanks and signs
    }
    errno = 0;
    unsigned long long value = strtoull(text, end, 10);
    if (errno != 0 || value < min || value > max) {
        return false;
    }
    *number = value;
    return true;
}

static bool parse_count(const char *text, uint32_t max, uint32_t *count)
{
    uint64_t number;
    char *end;

    if (!parse_number(text, 1, max, &number, &end) || *end != '\0') {
        return false;
    }
    *count = (uint32_t)number;
    return true;
}

static bool parse_time(const char *text, uint64_t *time_ns)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {
        {"ms", UINT64_C(1000000)},
        {"s", UINT64_C(1000000000)},
        {"m", UINT64_C(60000000000)},
        {"h", UINT64_C(3600000000000)},
    };
    uint64_t number;
    char *end;

    if (!parse_number(text, 1, UINT64_MAX, &number, &end)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].name) == 0) {
            // Half of the range: nobody adds such a time to a clock and wraps.
            *time_ns = number * units[i].ns;
            return number <= INT64_MAX / units[i].ns;
        }
    }
    return false;
}

// Every mistake ends with this.
static bool refuse(int *exit_status)
{
    fputs("Try 'treesum --help'.\n", stderr);
    *exit_status = EXIT_USAGE;
    return false;
}

static bool print_help(int *exit_status)
{
    bool is_written = fputs(help, stdout) >= 0 && fflush(stdout) == 0;
    if (!is_written) {
        perror("treesum: standard output");
    }
    *exit_status = is_written ? EXIT_SUCCESS : EXIT_FAILURE;
    return false;
}

static bool parse_option(int option, struct options *options)
{
    switch (option) {
    case 'j':
        return parse_count(optarg, MAX_JOBS, &options->job_count);
    case 'e':
        return parse_count(optarg, MAX_ERRORS, &options->max_errors);
    case 't':
        return parse_time(optarg, &options->timeout_ns);
    default:
        options->is_fail_fast = true;
        return true;
    }
}

bool options_parse(
    struct options *options, int argc, char **argv, int *exit_status)
{
    static const struct option known[] = {
        {"jobs", required_argument, NULL, 'j'},
        {"fail-fast", no_argument, NULL, 'f'},
        {"timeout", required_argument, NULL, 't'},
        {"max-errors", required_argument, NULL, 'e'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    int index = 0;

    *options = (struct options){0};
    while ((option = getopt_long(argc, argv, "", known, &index)) != -1) {
        if (option == '?') {
            return refuse(exit_status);  // getopt_long has named the option
        }
        if (option == 'h') {
            return print_help(exit_status);
        }
        if (!parse_option(option, options)) {
            fprintf(
                stderr, "treesum: --%s does not take '%s'\n", known[index].name,
                optarg);
            return refuse(exit_status);
        }
    }
    options->paths = argv + optind;
    options->path_count = (size_t)(argc - optind);
    if (options->path_count == 0) {
        fputs("treesum: no path given\n", stderr);
        return refuse(exit_status);
    }
    for (size_t i = 0; i < options->path_count; i++) {
        if (strcmp(options->paths[i], "-") == 0) {
            fputs(
                "treesum: standard input is not read; a file of the name '-' "
                "is './-'\n",
                stderr);
            return refuse(exit_status);
        }
    }
    return true;
}
