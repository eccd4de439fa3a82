// SPDX-License-Identifier: MIT
//
// event — a futex word: 0 unset, 1 set. Linux only, as the benchmarks are.
//
// Roles:     any thread sets; one thread waits. The waiter alone unsets.
// Progress:  set never waits; wait does not spin, so that it is what a sleep
//            and a wake cost.
// Ordering:
//   E1 set  set: store-release word -> wait: load-acquire word
//           (all that the setter did before)

#include "common/event.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

void bench_event_set(struct bench_event *event)
{
    __atomic_store_n(&event->word, 1, __ATOMIC_RELEASE);  // E1
    syscall(SYS_futex, &event->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void bench_event_wait(struct bench_event *event)
{
    while (__atomic_load_n(&event->word, __ATOMIC_ACQUIRE) == 0) {  // E1
        syscall(SYS_futex, &event->word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    }
    // relaxed: the next set is ordered by whatever asks for it
    __atomic_store_n(&event->word, 0, __ATOMIC_RELAXED);
}
