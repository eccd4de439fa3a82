// SPDX-License-Identifier: MIT
//
// watch — a watch as a program would have it.

#include "watch.h"

#include "gate.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

static bool is_set(void *token)
{
    return tenon_token_cancelled(token);
}

tenon_status watch_start(struct watch *watch, const int *numbers, int count)
{
    tenon_token_init(&watch->first, NULL);
    tenon_token_init(&watch->second, NULL);
    return tenon_signals_watch(
        &watch->signals,
        TENON_SIGNALS_OPTIONS(
                .token = &watch->first, .second = &watch->second,
                .numbers = numbers, .number_count = (uint32_t)count));
}

void watch_must_start(struct watch *watch)
{
    cr_assert(zero(int, watch_start(watch, NULL, 0)));
}

void watch_end(struct watch *watch)
{
    tenon_signals_end(&watch->signals);
    tenon_token_fini(&watch->first);
    tenon_token_fini(&watch->second);
}

bool watch_send(int number, tenon_token *token)
{
    return kill(getpid(), number) == 0 && gate_poll(is_set, token);
}

void watch_expect_mask(const sigset_t *blocked)
{
    sigset_t now;

    pthread_sigmask(SIG_BLOCK, NULL, &now);
    for (int number = 1; number <= SIGRTMAX; number++) {
        cr_expect(
            eq(int, sigismember(&now, number), sigismember(blocked, number)),
            "signal %d", number);
    }
}
