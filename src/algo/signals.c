// SPDX-License-Identifier: MIT
//
// signals — a thread that reads a signalfd(2).
//
// The signals are blocked wherever they could be delivered, so that they wait
// for that thread. It waits for an eventfd(2) too, which ends it: a signal to
// itself could be taken for a user's, and fails where no more may be queued.
//
// Roles:    the thread waits and cancels; another starts and ends it.
// Progress: the end waits for the thread.

#include "tenon/signals.h"

#include "base/check.h"
#include "base/platform.h"
#include "base/signal_fd.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

_Static_assert(
    sizeof(sigset_t) <= sizeof(((tenon_signals *)NULL)->watched),
    "the public struct has room for a set of signals");
_Static_assert(
    sizeof(((tenon_signals *)NULL)->fds) == TN_SIGNAL_FDS * sizeof(int),
    "the public struct has room for the descriptors");

static const int usual_numbers[] = {SIGINT, SIGTERM};

static sigset_t *watched_of(tenon_signals *signals)
{
    return (sigset_t *)signals->watched;
}

static sigset_t *before_of(tenon_signals *signals)
{
    return (sigset_t *)signals->before;
}

static bool are_valid(const tenon_signals_options *options)
{
    bool has_token = options->token != NULL || options->second != NULL;

    return options->struct_size == sizeof(*options) &&
           (options->on_signal != NULL ? !has_token : options->token != NULL);
}

static bool fill_set(
    tenon_signals *signals, const tenon_signals_options *options)
{
    const int *numbers = options->numbers;
    uint32_t count = options->number_count;

    if (numbers == NULL) {
        numbers = usual_numbers;
        count = sizeof(usual_numbers) / sizeof(usual_numbers[0]);
    }
    sigemptyset(watched_of(signals));
    for (uint32_t i = 0; i < count; i++) {
        // Those that cannot be blocked cannot be waited for.
        if (numbers[i] == SIGKILL || numbers[i] == SIGSTOP ||
            sigaddset(watched_of(signals), numbers[i]) != 0) {
            return false;
        }
    }
    return count > 0;
}

// "SIGINT", whatever the language of the user.
static void name_signal(char *text, size_t size_bytes, int number)
{
    const char *name = sigabbrev_np(number);

    if (name == NULL) {
        snprintf(text, size_bytes, "signal %d", number);
    } else {
        snprintf(text, size_bytes, "SIG%s", name);
    }
}

static bool cancel_next(tenon_signals *signals, int number)
{
    char text[32];

    name_signal(text, sizeof(text), number);
    for (int i = 0; i < 2; i++) {
        if (signals->tokens[i] != NULL &&
            tenon_token_cancel(signals->tokens[i], number, "%s", text)) {
            return true;
        }
    }
    return false;
}

// As if nobody watched: to this thread, the only one not to block it.
static void let_act(int number)
{
    sigset_t one;
    sigset_t before;

    sigemptyset(&one);
    sigaddset(&one, number);
    pthread_sigmask(SIG_UNBLOCK, &one, &before);
    if (raise(number) != 0) {
        kill(getpid(), number);  // may be sent where no more may be queued
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void act(tenon_signals *signals, int number)
{
    if (signals->on_signal != NULL) {
        signals->on_signal(number, signals->context);
    } else if (!cancel_next(signals, number)) {
        let_act(number);
    }
}

static void *thread_main(void *arg)
{
    tenon_signals *signals = arg;

    tn_thread_set_name("tenon-signals");
    for (int number = tn_signal_fd_wait(signals->fds); number > 0;
         number = tn_signal_fd_wait(signals->fds)) {
        act(signals, number);
    }
    return NULL;
}

// What was not blocked before; other watches keep theirs.
static void unblock(tenon_signals *signals)
{
    sigset_t ours;

    sigemptyset(&ours);
    for (int number = 1; number <= SIGRTMAX; number++) {
        if (sigismember(watched_of(signals), number) == 1 &&
            sigismember(before_of(signals), number) == 0) {
            sigaddset(&ours, number);
        }
    }
    pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
}

static int start_thread(tenon_signals *signals)
{
    sigset_t all;
    sigset_t before;

    // The new thread takes no other signal either.
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&signals->thread, NULL, thread_main, signals);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

tenon_status tenon_signals_watch(
    tenon_signals *signals, const tenon_signals_options *options)
{
    if (signals == NULL || options == NULL || !are_valid(options) ||
        !fill_set(signals, options)) {
        return TENON_EINVAL;
    }
    signals->process = 0;
    if (!tn_signal_fd_open(watched_of(signals), signals->fds)) {
        return TENON_EAGAIN;
    }
    signals->on_signal = options->on_signal;
    signals->context = options->context;
    signals->tokens[0] = options->token;
    signals->tokens[1] = options->second;
    signals->caller = pthread_self();
    pthread_sigmask(SIG_BLOCK, watched_of(signals), before_of(signals));
    if (start_thread(signals) != 0) {
        unblock(signals);
        tn_signal_fd_close(signals->fds);
        return TENON_EAGAIN;
    }
    signals->process = getpid();
    return TENON_OK;
}

void tenon_signals_end(tenon_signals *signals)
{
    pid_t process = signals->process;

    if (process == 0) {
        return;
    }
    signals->process = 0;
    if (process != getpid()) {
        tn_signal_fd_close(signals->fds);  // the copies of a forked child
        return;
    }
    tn_require(
        !pthread_equal(signals->thread, pthread_self()),
        "tenon_signals_end() on the watching thread waits for itself");
    tn_signal_fd_end(signals->fds);
    pthread_join(signals->thread, NULL);
    tn_signal_fd_close(signals->fds);
    if (pthread_equal(signals->caller, pthread_self())) {
        unblock(signals);
    }
}
