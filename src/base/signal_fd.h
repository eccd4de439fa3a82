// SPDX-License-Identifier: MIT
//
// signal_fd — to wait for signals, until told to stop: by descriptors, and
// without a signal handler.

#ifndef TN_BASE_SIGNAL_FD_H
#define TN_BASE_SIGNAL_FD_H

#include <signal.h>
#include <stdbool.h>

enum tn_signal_fd {
    TN_SIGNAL_COME,  // a signal is there
    TN_SIGNAL_END,   // of the wait: an eventfd(2)
    TN_SIGNAL_WAIT,  // for both: an epoll(7)
    TN_SIGNAL_FDS,
};

// [any] Open them for signals that all threads block. False: none are left.
bool tn_signal_fd_open(const sigset_t *signals, int fds[TN_SIGNAL_FDS]);

// [any, one] Wait for a signal to the process, take it and return its number;
// 0: the end, after which none is taken.
int tn_signal_fd_wait(const int fds[TN_SIGNAL_FDS]);

// [any] Let the wait end, now or when it comes.
void tn_signal_fd_end(const int fds[TN_SIGNAL_FDS]);

// [any] Close them, when nobody waits.
void tn_signal_fd_close(const int fds[TN_SIGNAL_FDS]);

#endif
