// SPDX-License-Identifier: MIT
//
// gate — a counter and a futex: nothing that Tenon is made of.

#include "gate.h"

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void wait_until(
    _Atomic(uint32_t) *word, uint32_t expected, uint64_t deadline_ns)
{
    struct timespec until = {
        .tv_sec = (time_t)(deadline_ns / NS_PER_S),
        .tv_nsec = (long)(deadline_ns % NS_PER_S),
    };

    syscall(
        SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected, &until, NULL,
        FUTEX_BITSET_MATCH_ANY);
}

void gate_open(struct gate *gate)
{
    atomic_fetch_add(&gate->push_count, 1);
    syscall(
        SYS_futex, &gate->push_count, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL,
        0);
}

bool gate_is_open(struct gate *gate)
{
    return gate_count(gate) > 0;
}

bool gate_wait(struct gate *gate)
{
    return gate_wait_for(gate, 1);
}

bool gate_wait_for(struct gate *gate, uint32_t count)
{
    uint64_t deadline_ns = now_ns() + GATE_PATIENCE_NS;
    uint32_t seen = 0;

    while ((seen = atomic_load(&gate->push_count)) < count) {
        if (now_ns() >= deadline_ns) {
            return false;
        }
        wait_until(&gate->push_count, seen, deadline_ns);
    }
    return true;
}

uint32_t gate_count(struct gate *gate)
{
    return atomic_load(&gate->push_count);
}

bool gate_poll(bool (*check)(void *context), void *context)
{
    uint64_t deadline_ns = now_ns() + GATE_PATIENCE_NS;

    while (!check(context)) {
        if (now_ns() >= deadline_ns) {
            return false;
        }
        sched_yield();
    }
    return true;
}
