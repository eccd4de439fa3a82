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

bool child_start(struct child *child)
{
    int ends[2];

    if (pipe(ends) != 0) {
        return false;
    }
    child->id = fork();
    child->end = ends[0];
    if (child->id != 0) {
        close(ends[1]);
    }
    if (child->id < 0) {
        close(ends[0]);
    }
    return child->id >= 0;
}

int child_await(struct child *child)
{
    bool has_ended = ends_in_time(child->end);

    if (!has_ended) {
        kill(child->id, SIGKILL);
    }
    int result = collect(child->id);
    close(child->end);
    return has_ended ? result : CHILD_HUNG;
}

int child_run(int (*fn)(void *arg), void *arg)
{
    struct child child;

    if (!child_start(&child)) {
        return CHILD_FAILED;
    }
    if (child.id == 0) {
        _exit(fn(arg));
    }
    return child_await(&child);
}
