// SPDX-License-Identifier: MIT
//
// watch — the one thread beside the workers: signals, and the line of progress.
//
// There is next to nothing that a signal handler may do, and cancelling a token
// is not among it. So the signals are blocked in all threads, and one thread
// asks for them when it is ready: then it is an ordinary thread that calls an
// ordinary function. The time limit of that wait is what makes the line of
// progress move.

#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REDRAW_NS = 200 * 1000 * 1000 };

// Nobody else sends this one.
static int end_signal(void)
{
    return SIGRTMIN;
}

static void draw(struct watch *watch)
{
    // relaxed: numbers to be shown
    uint64_t file_count = atomic_load_explicit(
        &watch->progress->file_count, memory_order_relaxed);
    uint64_t byte_count = atomic_load_explicit(
        &watch->progress->byte_count, memory_order_relaxed);
    double seconds = (double)(tenon_now_ns() - watch->start_ns) / 1e9;
    double megabytes = (double)byte_count / 1e6;

    fprintf(
        stderr, "\r%llu files, %.1f MB, %.1f MB/s\033[K",
        (unsigned long long)file_count, megabytes, megabytes / seconds);
    fflush(stderr);
    watch->has_drawn = true;
}

// The signal that came, or -1: it is time to draw, or nothing of note.
static int wait_for_signal(const struct watch *watch)
{
    const struct timespec redraw = {.tv_nsec = REDRAW_NS};

    return watch->shows_progress ? sigtimedwait(&watch->signals, NULL, &redraw)
                                 : sigwaitinfo(&watch->signals, NULL);
}

static void cancel(struct watch *watch, int signal)
{
    bool is_first = tenon_token_cancel(
        watch->token, signal, "stopped by signal %d (%s)", signal,
        strsignal(signal));
    if (!is_first) {
        _exit(128 + signal);  // somebody is in a hurry
    }
}

static void *watch_until_end(void *arg)
{
    struct watch *watch = arg;
    int signal;

    while ((signal = wait_for_signal(watch)) != end_signal()) {
        if (signal > 0) {
            cancel(watch, signal);
        } else if (watch->shows_progress) {
            draw(watch);
        }
    }
    return NULL;
}

static bool is_ignored(int signal)
{
    struct sigaction action;

    return sigaction(signal, NULL, &action) == 0 &&
           action.sa_handler == SIG_IGN;
}

static bool is_terminal(int fd)
{
    const char *terminal = getenv("TERM");

    return isatty(fd) && terminal != NULL && strcmp(terminal, "dumb") != 0;
}

void watch_start(
    struct watch *watch, tenon_token *token, const struct progress *progress)
{
    static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};

    *watch = (struct watch){
        .token = token,
        .progress = progress,
        .start_ns = tenon_now_ns(),
        .shows_progress = is_terminal(STDERR_FILENO),
    };
    sigemptyset(&watch->signals);
    sigaddset(&watch->signals, end_signal());
    for (size_t i = 0; i < sizeof(stop_signals) / sizeof(int); i++) {
        if (!is_ignored(stop_signals[i])) {
            sigaddset(&watch->signals, stop_signals[i]);
        }
    }
    pthread_sigmask(SIG_BLOCK, &watch->signals, &watch->former_mask);
    watch->is_running =
        pthread_create(&watch->thread, NULL, watch_until_end, watch) == 0;
    if (!watch->is_running) {
        pthread_sigmask(SIG_SETMASK, &watch->former_mask, NULL);
    }
}

void watch_stop(struct watch *watch)
{
    if (!watch->is_running) {
        return;
    }
    pthread_kill(watch->thread, end_signal());
    pthread_join(watch->thread, NULL);
    if (watch->has_drawn) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    pthread_sigmask(SIG_SETMASK, &watch->former_mask, NULL);
}
