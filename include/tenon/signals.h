// SPDX-License-Identifier: MIT
//
// signals — SIGINT and SIGTERM set a token: for programs that end when they are
// told to. A thread waits for them; nothing is done in a signal handler.
//
//     status = tenon_signals_watch(
//         &signals, TENON_SIGNALS_OPTIONS(.token = &stop.please,
//                                         .second = &stop.hard));

#ifndef TENON_SIGNALS_H
#define TENON_SIGNALS_H

#include "tenon/token.h"

#include <pthread.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Called for each signal, on the watching thread, no handler: it may do
/// anything that takes not long, as tenon_dump(executor, stderr). It has no
/// executor of its own.
typedef void tenon_signal_fn(int number, void *context);

typedef struct tenon_signals_options {
    size_t struct_size;   ///< set by the macro; in C++ by you: its sizeof
    tenon_token *token;   ///< set by the first signal
    tenon_token *second;  ///< by the second; NULL: that acts as ever
    tenon_signal_fn *on_signal;  ///< instead of the tokens, for every signal
    void *context;               ///< for it
    const int *numbers;          ///< which; NULL: SIGINT and SIGTERM
    uint32_t number_count;       ///< length of `numbers`
} tenon_signals_options;

#define TENON_SIGNALS_OPTIONS(...)   \
    (&(const tenon_signals_options){ \
        .struct_size = sizeof(tenon_signals_options), __VA_ARGS__})

/// Private inside. May not move while it watches.
typedef struct tenon_signals {
    pthread_t thread;
    pthread_t caller;
    pid_t process;         // 0: it does not watch
    uint64_t watched[16];  // sigset_t, which plain C does not have
    uint64_t before[16];
    int fds[3];
    tenon_token *tokens[2];
    tenon_signal_fn *on_signal;
    void *context;
} tenon_signals;

/// Block the signals in the calling thread, and start a thread that waits for
/// them: the first sets one token, with the signal's number as code and its
/// name as text, the second the other. Further ones, or with both set already,
/// act as if nobody watched: a user who insists is obeyed. With a function it
/// is called instead, for each. What is sent to one thread (raise(3)) is not
/// seen.
///
/// Call it in main() before other threads are started, so that they block the
/// signals too; Tenon's own threads block all but faults in any case. Programs
/// started by any of these inherit that: posix_spawnattr_setsigmask(3).
///
/// Owns:     `signals` and the tokens must live until tenon_signals_end().
/// Threads:  any; one watch at a time for a signal.
/// Blocks:   never.
/// Errors:   TENON_EINVAL neither token nor function, or both, or a signal that
///           cannot be waited for; TENON_EAGAIN no thread or no three
///           file descriptors left: nothing was changed.
TENON_API TENON_NODISCARD tenon_status tenon_signals_watch(
    tenon_signals *signals, const tenon_signals_options *options);

/// Watch no more. On the thread that called tenon_signals_watch(), signals are
/// blocked as they were before; those that wait are delivered. Accepts zeroed
/// memory; in the child of a fork(2), where nobody watches, it only closes the
/// child's copies of its file descriptors.
///
/// Threads:  any, one, but not the watching one, as in `on_signal` or in what a
///           cancel calls: that aborts with a message.
/// Blocks:   until the thread has ended, and what its cancel calls.
/// Errors:   none.
TENON_API void tenon_signals_end(tenon_signals *signals);

#ifdef __cplusplus
}
#endif

#endif
