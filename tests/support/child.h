// SPDX-License-Identifier: MIT
//
// child — runs a function in a forked process, with a deadline.
//
// For what ends a process, and for what a forked process may do. The function
// must not assert: it returns a number, which becomes the exit status.

#ifndef SUPPORT_CHILD_H
#define SUPPORT_CHILD_H

#include <stdbool.h>

// What child_run() returns beside exit statuses.
#define CHILD_HUNG (-1)
#define CHILD_FAILED (-2)  // could not be started
#define CHILD_SIGNAL 256   // added to the signal that ended it

#include <sys/types.h>

// A forked process and the pipe whose other end only it holds.
struct child {
    pid_t id;  // 0 in the child itself
    int end;
};

// [any] fork(2). False: it was refused.
bool child_start(struct child *child);

// [any, blocks] Its exit status, 0 .. 255, or one of the above.
int child_await(struct child *child);

// [main] The exit status of `fn(arg)`, 0 .. 255, or one of the above.
int child_run(int (*fn)(void *arg), void *arg);

#endif
