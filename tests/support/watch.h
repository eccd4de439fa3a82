// SPDX-License-Identifier: MIT
//
// watch — two tokens and the signals that set them.

#ifndef SUPPORT_WATCH_H
#define SUPPORT_WATCH_H

#include <signal.h>
#include <stdbool.h>
#include <tenon/signals.h>

struct watch {
    tenon_signals signals;
    tenon_token first;
    tenon_token second;
};

// [any] Watch `count` signals; NULL: the usual ones. In any case watch_end().
tenon_status watch_start(struct watch *watch, const int *numbers, int count);

// [main] Watch the usual ones. Asserts.
void watch_must_start(struct watch *watch);

// [any]
void watch_end(struct watch *watch);

// [any] Send the signal to this process; is the token set by it?
bool watch_send(int number, tenon_token *token);

// [main] Expect that the caller blocks these signals and no others.
void watch_expect_mask(const sigset_t *blocked);

#endif
