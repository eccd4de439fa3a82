// SPDX-License-Identifier: MIT
//
// signals — a thread in sigwaitinfo(2).
//
// The signals are blocked wherever they could be delivered, so that they wait
// for that thread. To end it, it is sent one of them; that one is told from the
// others by what comes with it. (Not by SI_TKILL, which not every kernel says.)
//
// Roles:    the thread waits and cancels; another starts and ends it.
// Progress: the end waits for the thread.
// Invariants:
//   I1 the thread is sent that one only while it blocks all signals: acting is
//      held by who sends, and by the thread while it does not
// Ordering:
//   E1 end    tenon_signals_end: store-release is_ending -> is_ending:
//             load-acquire is_ending

#include "tenon/signals.h"

#include "base/atomic.h"
#include "base/platform.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

_Static_assert(
    sizeof(sigset_t) <= sizeof(((tenon_signals *)NULL)->watched),
    "the public struct has room for a set of signals");

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
        signals->any_number = numbers[i];
    }
    return count > 0;
}

static bool is_ending(tenon_signals *signals)
{
    return tn_load_acquire(&signals->is_ending);  // E1
}

// Was it sent by tenon_signals_end(), to this thread?
static bool is_the_end(tenon_signals *signals, const siginfo_t *info)
{
    return is_ending(signals) && info->si_code == SI_QUEUE &&
           info->si_pid == signals->process &&
           info->si_value.sival_ptr == signals;
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

// To this thread, which is the only one not to block it.
static void raise_unblocked(int number)
{
    sigset_t one;
    sigset_t before;

    sigemptyset(&one);
    sigaddset(&one, number);
    pthread_sigmask(SIG_UNBLOCK, &one, &before);
    raise(number);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

// As if nobody watched, which is so if the end has come meanwhile.
static void let_act(tenon_signals *signals, int number)
{
    pthread_mutex_lock(&signals->acting);  // I1
    if (is_ending(signals)) {
        kill(signals->process, number);
    } else {
        raise_unblocked(number);
    }
    pthread_mutex_unlock(&signals->acting);
}

static void act(tenon_signals *signals, int number)
{
    if (signals->on_signal != NULL) {
        signals->on_signal(number, signals->context);
    } else if (!cancel_next(signals, number)) {
        let_act(signals, number);
    }
}

static void *thread_main(void *arg)
{
    tenon_signals *signals = arg;
    siginfo_t info;

    tn_thread_set_name("tenon-signals");
    while (!is_ending(signals)) {
        int number = sigwaitinfo(watched_of(signals), &info);
        if (number < 0) {
            continue;  // interrupted by a debugger
        }
        if (!is_the_end(signals, &info)) {
            act(signals, number);
        }
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
    signals->on_signal = options->on_signal;
    signals->context = options->context;
    signals->tokens[0] = options->token;
    signals->tokens[1] = options->second;
    signals->caller = pthread_self();
    signals->process = getpid();
    tn_atomic_init(&signals->is_ending, false);
    pthread_mutex_init(&signals->acting, NULL);
    pthread_sigmask(SIG_BLOCK, watched_of(signals), before_of(signals));
    if (start_thread(signals) != 0) {
        unblock(signals);
        pthread_mutex_destroy(&signals->acting);
        signals->process = 0;
        return TENON_EAGAIN;
    }
    return TENON_OK;
}

void tenon_signals_end(tenon_signals *signals)
{
    if (signals->process == 0 || signals->process != getpid()) {
        return;
    }
    union sigval ours = {.sival_ptr = signals};

    pthread_mutex_lock(&signals->acting);         // I1
    tn_store_release(&signals->is_ending, true);  // E1
    pthread_sigqueue(signals->thread, signals->any_number, ours);
    pthread_mutex_unlock(&signals->acting);
    pthread_join(signals->thread, NULL);
    pthread_mutex_destroy(&signals->acting);
    signals->process = 0;
    if (pthread_equal(signals->caller, pthread_self())) {
        unblock(signals);
    }
}
