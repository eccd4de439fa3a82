// SPDX-License-Identifier: MIT
//
// platform_linux — futex, membarrier, threads, signals and pages on Linux.

#include "base/platform.h"

#include "base/futex.h"
#include "base/signal_fd.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)
#define STACK_LOOK_BYTES ((ptrdiff_t)64 * 1024 * 1024)

void tn_futex_wait_until(
    _Atomic(uint32_t) *word, uint32_t expected, uint64_t deadline_ns)
{
    struct timespec until = {
        .tv_sec = (time_t)(deadline_ns / NS_PER_S),
        .tv_nsec = (long)(deadline_ns % NS_PER_S),
    };
    struct timespec *timeout = deadline_ns == TN_FOREVER ? NULL : &until;

    // FUTEX_WAIT_BITSET takes an absolute time of the monotonic clock.
    syscall(
        SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected, timeout, NULL,
        FUTEX_BITSET_MATCH_ANY);
}

void tn_futex_wake(_Atomic(uint32_t) *word, int count)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

bool tn_membarrier_register(void)
{
    long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

    if (commands < 0 || (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0) {
        return false;
    }
    return syscall(
               SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0,
               0) == 0;
}

bool tn_membarrier(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

void tn_thread_set_name(const char *name)
{
    char cut[16];  // the kernel's limit, with the final zero

    strncpy(cut, name, sizeof(cut) - 1);
    cut[sizeof(cut) - 1] = '\0';
    pthread_setname_np(pthread_self(), cut);
}

bool tn_stack_has_left(const void *place, const void *end)
{
    pthread_attr_t attr;
    void *low = NULL;
    size_t size_bytes = 0;

    const char *frame = place;
    const char *top = end;

    // A cheap look first: the system may have to read /proc.
    if (frame >= top || top - frame > STACK_LOOK_BYTES) {
        return false;
    }
    if (pthread_getattr_np(pthread_self(), &attr) != 0) {
        return false;
    }
    bool is_known = pthread_attr_getstack(&attr, &low, &size_bytes) == 0;
    pthread_attr_destroy(&attr);
    const char *lowest = low;
    return is_known && frame >= lowest && top <= lowest + size_bytes;
}

void tn_eventfd_add(int event_fd)
{
    // It blocks only when 2^64 - 2 are unread, and fails only if it is closed.
    (void)eventfd_write(event_fd, 1);
}

static bool watch(int epoll_fd, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    return fd >= 0 && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool tn_signal_fd_open(const sigset_t *signals, int fds[TN_SIGNAL_FDS])
{
    // Not poll(2): that fails when the limit of descriptors is lowered later.
    fds[TN_SIGNAL_WAIT] = epoll_create1(EPOLL_CLOEXEC);
    fds[TN_SIGNAL_COME] = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
    fds[TN_SIGNAL_END] = eventfd(0, EFD_CLOEXEC);
    bool is_open = watch(fds[TN_SIGNAL_WAIT], fds[TN_SIGNAL_COME]) &&
                   watch(fds[TN_SIGNAL_WAIT], fds[TN_SIGNAL_END]);
    if (!is_open) {
        tn_signal_fd_close(fds);
    }
    return is_open;
}

// Wait for either. False: a signal may have come.
static bool has_ended(const int fds[TN_SIGNAL_FDS])
{
    struct epoll_event events[2];
    int count = epoll_wait(fds[TN_SIGNAL_WAIT], events, 2, -1);

    for (int i = 0; i < count; i++) {
        if (events[i].data.fd == fds[TN_SIGNAL_END]) {
            return true;
        }
    }
    return false;  // also if a debugger has interrupted it
}

int tn_signal_fd_wait(const int fds[TN_SIGNAL_FDS])
{
    struct signalfd_siginfo info;

    while (!has_ended(fds)) {
        // It reads nothing if somebody else has taken it meanwhile.
        if (read(fds[TN_SIGNAL_COME], &info, sizeof(info)) == sizeof(info)) {
            return (int)info.ssi_signo;
        }
    }
    return 0;
}

void tn_signal_fd_end(const int fds[TN_SIGNAL_FDS])
{
    tn_eventfd_add(fds[TN_SIGNAL_END]);
}

void tn_signal_fd_close(const int fds[TN_SIGNAL_FDS])
{
    for (int i = 0; i < TN_SIGNAL_FDS; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
}

void *tn_pages_map(size_t size_bytes, size_t align)
{
    // Map enough to contain an aligned block, then unmap what surrounds it.
    size_t padded = size_bytes + align;
    char *start = mmap(
        NULL, padded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
        0);

    if (start == MAP_FAILED) {
        return NULL;
    }
    size_t before = (align - ((uintptr_t)start & (align - 1))) & (align - 1);
    size_t after = padded - size_bytes - before;
    if (before > 0) {
        munmap(start, before);
    }
    if (after > 0) {
        munmap(start + before + size_bytes, after);
    }
    return start + before;
}

void tn_pages_prefer_huge(void *pages, size_t size_bytes)
{
    madvise(pages, size_bytes, MADV_HUGEPAGE);
}

void tn_pages_unmap(void *pages, size_t size_bytes)
{
    if (pages != NULL) {
        munmap(pages, size_bytes);
    }
}

void tn_pages_discard(void *pages, size_t size_bytes)
{
    madvise(pages, size_bytes, MADV_DONTNEED);
}
