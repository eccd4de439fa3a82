// SPDX-License-Identifier: MIT
//
// progress — drawn by the thread that will join.
//
// It has nothing else to do. A wait with a time limit is no join and cancels
// nobody: five times a second it says that the tasks have not ended yet.

#include "progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REDRAW_NS (TENON_SECONDS(1) / 5)

static void draw(const struct progress *progress, uint64_t start_ns)
{
    // relaxed: numbers to be shown
    uint64_t file_count =
        atomic_load_explicit(&progress->file_count, memory_order_relaxed);
    uint64_t byte_count =
        atomic_load_explicit(&progress->byte_count, memory_order_relaxed);
    double seconds = (double)(tenon_now_ns() - start_ns) / 1e9;
    double megabytes = (double)byte_count / 1e6;

    fprintf(
        stderr, "\r%llu files, %.1f MB, %.1f MB/s\033[K",
        (unsigned long long)file_count, megabytes, megabytes / seconds);
    fflush(stderr);
}

static void wipe(void)
{
    fputs("\r\033[K", stderr);
    fflush(stderr);
}

static bool is_terminal(int fd)
{
    const char *terminal = getenv("TERM");

    return isatty(fd) && terminal != NULL && strcmp(terminal, "dumb") != 0;
}

void progress_show(const struct progress *progress, tenon_scope *scope)
{
    uint64_t start_ns = tenon_now_ns();
    bool has_drawn = false;

    if (!is_terminal(STDERR_FILENO)) {
        return;
    }
    while (tenon_scope_wait_until(scope, tenon_now_ns() + REDRAW_NS) ==
           TENON_ENOTREADY) {
        draw(progress, start_ns);
        has_drawn = true;
    }
    if (has_drawn) {
        wipe();
    }
}
