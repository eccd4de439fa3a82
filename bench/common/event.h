// SPDX-License-Identifier: MIT
//
// event — one thread waits on a futex until another says so: the cheapest
// sleep and wake the system offers. For pools that bring no wait of their own.

#ifndef BENCH_EVENT_H
#define BENCH_EVENT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Zeroed memory is an event not yet set.
struct bench_event {
    uint32_t word;
};

// [any] Set the event and wake its waiter. Touches nothing after the wake.
void bench_event_set(struct bench_event *event);

// [waiter, blocks] Sleep until the event is set, then unset it.
void bench_event_wait(struct bench_event *event);

#ifdef __cplusplus
}
#endif

#endif
