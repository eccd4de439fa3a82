// SPDX-License-Identifier: MIT
//
// child — runs a function in a forked process, with a deadline.
//
// For what ends a process, and for what a forked process may do. The function
// must not assert: it returns a number, which becomes the exit status.

#ifndef SUPPORT_CHILD_H
#define SUPPORT_CHILD_H

// What child_run() returns beside exit statuses.
#define CHILD_HUNG (-1)
#define CHILD_FAILED (-2)  // could not be started
#define CHILD_SIGNAL 256   // added to the signal that ended it

// [main] The exit status of `fn(arg)`, 0 .. 255, or one of the above.
int child_run(int (*fn)(void *arg), void *arg);

#endif
