// SPDX-License-Identifier: MIT
//
// watch — the one thread beside the workers: it waits for a signal and turns it
// into a cancel; meanwhile, on a terminal, it shows how far the work has come.

#ifndef TREESUM_WATCH_H
#define TREESUM_WATCH_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <tenon/tenon.h>

/// How far the work has come. Tasks add, the watch reads; nothing depends on
/// the order in which that is seen.
struct progress {
    _Atomic(uint64_t) file_count;
    _Atomic(uint64_t) byte_count;
};

static inline void progress_add_file(struct progress *progress)
{
    // relaxed: a number to be shown
    atomic_fetch_add_explicit(&progress->file_count, 1, memory_order_relaxed);
}

static inline void progress_add_bytes(struct progress *progress, uint64_t count)
{
    // relaxed: a number to be shown
    atomic_fetch_add_explicit(
        &progress->byte_count, count, memory_order_relaxed);
}

struct watch {
    tenon_token *token;
    const struct progress *progress;
    uint64_t start_ns;
    bool shows_progress;
    bool has_drawn;
    bool is_running;
    sigset_t signals;  // what it waits for
    sigset_t former_mask;
    pthread_t thread;
};

/// From now on SIGINT, SIGTERM and SIGHUP, unless ignored, cancel `token`, with
/// the number of the signal as code. Without a thread to be had, they go on to
/// end the process. To be called before any other thread is started.
void watch_start(
    struct watch *watch, tenon_token *token, const struct progress *progress);

/// End the thread, wipe its line off the terminal, and let the signals do again
/// what they did before.
void watch_stop(struct watch *watch);

#endif
