// SPDX-License-Identifier: MIT
//
// options — the command line of treesum.

#ifndef TREESUM_OPTIONS_H
#define TREESUM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options {
    uint32_t job_count;   // 0: as many as there are CPUs to use
    uint32_t max_errors;  // 0: the library's default
    uint64_t timeout_ns;  // 0: none
    bool is_fail_fast;
    char **paths;  // those of argv
    size_t path_count;
};

enum { EXIT_USAGE = 2, EXIT_TIMEOUT = 124, EXIT_SIGNAL = 128 };

/// Read the command line. True: go on. False: end with `*exit_status`; what
/// there was to say has been said, help on stdout and mistakes on stderr.
bool options_parse(
    struct options *options, int argc, char **argv, int *exit_status);

#endif
