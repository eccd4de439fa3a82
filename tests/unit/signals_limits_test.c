// SPDX-License-Identifier: MIT
//
// signals_limits_test — signals are watched where the system queues none, or
// gives no more descriptors.

#include "gate.h"
#include "watch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <sys/resource.h>
#include <tenon/tenon.h>
#include <unistd.h>

TestSuite(signals_limits, .timeout = 60);

static struct gate handled;

static void open_gate(int number)
{
    (void)number;
    gate_open(&handled);
}

// Such a signal is queued, where the system has room for it.
Test(signals_limits, further_ones_come_to_a_handler_where_no_more_may_be_queued)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    const int number = SIGRTMIN + 1;
    struct watch watch;

    cr_assert(zero(int, setrlimit(RLIMIT_SIGPENDING, &none)));
    signal(number, open_gate);
    cr_assert(zero(int, watch_start(&watch, &number, 1)));
    tenon_token_cancel(&watch.first, 0, NULL);
    tenon_token_cancel(&watch.second, 0, NULL);
    kill(getpid(), number);
    cr_expect(gate_wait(&handled));
    watch_end(&watch);
}

// What the system queues for a process may be used up.
Test(signals_limits, end_needs_no_signal_to_be_queued)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    const int numbers[] = {SIGTERM, SIGRTMIN + 1};

    cr_assert(zero(int, setrlimit(RLIMIT_SIGPENDING, &none)));
    for (int i = 0; i < 400; i++) {
        struct watch watch;
        int number = numbers[i % 2];
        cr_assert(zero(int, watch_start(&watch, &number, 1)));
        cr_assert(watch_send(number, &watch.first));
        tenon_signals_end(&watch.signals);
        cr_assert(not(tenon_token_cancelled(&watch.second)));
        tenon_token_fini(&watch.first);
        tenon_token_fini(&watch.second);
    }
}

// All that this process may still open; returns how many.
static int open_all(int *fds, int count)
{
    for (int i = 0; i < count; i++) {
        fds[i] = dup(0);
        if (fds[i] < 0) {
            return i;
        }
    }
    return count;
}

Test(signals_limits, without_descriptors_nothing_is_watched_or_changed)
{
    const struct rlimit some = {.rlim_cur = 64, .rlim_max = 64};
    int fds[64];
    sigset_t before;

    pthread_sigmask(SIG_BLOCK, NULL, &before);
    cr_assert(zero(int, setrlimit(RLIMIT_NOFILE, &some)));
    int count = open_all(fds, 64);
    cr_assert(gt(int, count, 3));
    cr_assert(lt(int, count, 64));
    for (int free_count = 0; free_count <= 3; free_count++) {
        struct watch watch;
        int expected = free_count < 3 ? TENON_EAGAIN : TENON_OK;
        cr_expect(eq(int, watch_start(&watch, NULL, 0), expected));
        watch_end(&watch);
        watch_expect_mask(&before);
        cr_assert(eq(int, open_all(&fds[count], free_count + 1), free_count));
        count += free_count;
        for (int i = 0; i <= free_count; i++) {
            close(fds[--count]);  // one more than before is free
        }
    }
}

// As a sandbox does.
Test(signals_limits, watch_goes_on_when_no_more_descriptors_are_allowed)
{
    struct rlimit limit;
    struct watch watch;

    watch_must_start(&watch);
    cr_assert(zero(int, getrlimit(RLIMIT_NOFILE, &limit)));
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
    // The test's own library needs some to say how it went.
    int lowered = setrlimit(RLIMIT_NOFILE, &none);
    bool is_seen = watch_send(SIGINT, &watch.first);
    tenon_signals_end(&watch.signals);
    int raised = setrlimit(RLIMIT_NOFILE, &limit);
    cr_expect(zero(int, lowered));
    cr_expect(zero(int, raised));
    cr_expect(is_seen);
    tenon_token_fini(&watch.first);
    tenon_token_fini(&watch.second);
}
