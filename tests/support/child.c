// SPDX-License-Identifier: MIT
//
// child — fork, wait for the end of a pipe, collect.

#include "child.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 10000

// The pipe's other end closes when the child is gone.
static bool ends_in_time(int fd)
{
    struct pollfd end = {.fd = fd, .events = POLLIN};

    return poll(&end, 1, PATIENCE_MS) > 0;
}

static int collect(pid_t child)
{
    int status = 0;

    if (waitpid(child, &status, 0) != child) {
        return CHILD_FAILED;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status)
                             : CHILD_SIGNAL + WTERMSIG(status);
}

int child_run(int (*fn)(void *arg), void *arg)
{
    int ends[2];

    if (pipe(ends) != 0) {
        return CHILD_FAILED;
    }
    pid_t child = fork();
    if (child == 0) {
        _exit(fn(arg));
    }
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return CHILD_FAILED;
    }
    bool has_ended = ends_in_time(ends[0]);
    if (!has_ended) {
        kill(child, SIGKILL);
    }
    int result = collect(child);
    close(ends[0]);
    return has_ended ? result : CHILD_HUNG;
}
