// SPDX-License-Identifier: MIT
//
// fork_window_test — a fork(2) while the default executor is being made: what
// holds its lock then is not in the child.
//
// The options are looked up in the environment meanwhile; here that forks.

#include "child.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>
#include <unistd.h>

TestSuite(fork_window, .timeout = 60);

static bool must_fork;
static int exit_status = CHILD_FAILED;

// As a program that has never used Tenon, or with an error.
static int use_default_executor(void *arg)
{
    tenon_executor *executor = NULL;

    (void)arg;
    return tenon_executor_default(&executor) == TENON_EFORK ? 7 : 8;
}

// In the place of the C library's.
char *getenv(const char *name)
{
    size_t length = strlen(name);

    if (must_fork && strcmp(name, "TENON_NUM_THREADS") == 0) {
        must_fork = false;
        exit_status = child_run(use_default_executor, NULL);
    }
    for (char **entry = environ; *entry != NULL; entry++) {
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') {
            return *entry + length + 1;
        }
    }
    return NULL;
}

Test(fork_window, child_is_told_and_does_not_hang)
{
    tenon_executor *executor = NULL;

    must_fork = true;
    cr_assert(eq(int, tenon_executor_default(&executor), TENON_OK));
    cr_expect(not(must_fork));
    cr_expect(eq(int, exit_status, 7));
    cr_expect(eq(int, tenon_executor_destroy(executor), TENON_OK));
}
